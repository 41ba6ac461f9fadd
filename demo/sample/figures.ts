// What the sample's network does in float and in each kind of int8: `npm run figures:sample`. README.md holds what it
// printed. One idea: the same pictures for every line, so that the lines differ by the recipe alone.

import { readFile } from "node:fs/promises";
import { calibrate } from "../../src/calibrate.ts";
import { compile } from "../../src/compile.ts";
import { convert } from "../../src/convert.ts";
import { evaluate } from "../../src/evaluate.ts";
import { load } from "../../src/load.ts";
import type { Model } from "../../src/model.ts";
import { requestDevice } from "../../src/node.ts";
import { prepare } from "../../src/prepare.ts";
import { qconfigs } from "../../src/quantize/presets.ts";
import { batches } from "./data.ts";

const CALIBRATION = 256; // pictures
const TESTED = 2_000; // pictures
const BATCH = 50; // pictures at a time
const RECIPES = [
  { name: "int8, per channel", qconfig: qconfigs.int8 },
  { name: "int8, per tensor", qconfig: qconfigs.int8PerTensor },
  { name: "int8, per tensor, equalized", qconfig: qconfigs.int8PerTensor, equalize: true },
] as const;

/** Print the top-1 of the model at `path` in float and in int8, and how unlike its channels are. */
export async function main(path = "demo/sample/model.onnx"): Promise<void> {
  using device = await requestDevice();
  const float = await load(await readFile(path));
  if (float.stage !== "float") throw new Error(`${path}: is quantized; expected the float network`);
  const line = async (name: string, model: Model<"float" | "quantized">) => {
    using session = await compile(model, device);
    const { top1 } = await evaluate(session, batches("test", TESTED, BATCH));
    console.log(`${name.padEnd(46)} ${top1.toFixed(2)} %`);
  };
  await line("float", float);
  for (const { name, ...options } of RECIPES)
    for (const corrected of [false, true]) {
      const calibration = async function* () {
        for await (const { tensors } of batches("calibration", CALIBRATION, 32)) yield tensors;
      };
      const calibrated = await calibrate(prepare(float, options), calibration(), {
        device,
        ...(corrected ? {} : { biasCorrection: false }),
      });
      await line(`${name}${corrected ? ", bias correction" : ""}`, convert(calibrated));
    }
  for (const { name, ratio } of depthwiseSpread(float))
    console.log(`${name}: largest channel / median channel = ${ratio.toFixed(0)}`);
}

/** Of each depthwise filter, with the normalization behind it folded in: the greatest weight of the channel that has
 *  the greatest, over the median channel's. */
function depthwiseSpread({ graph: { nodes, constants } }: Model<"float">) {
  const numbers = (name = "") => (constants.get(name)?.data ?? []) as Float32Array;
  return nodes.flatMap((node) => {
    if (node.op !== "Conv" || node.group === 1) return [];
    const weights = numbers(node.inputs[1]);
    const norm = nodes.find(({ inputs }) => inputs[0] === node.outputs[0]);
    if (norm?.op !== "BatchNormalization") return [];
    const [gamma, variance] = [numbers(norm.inputs[1]), numbers(norm.inputs[4])];
    const per = weights.length / gamma.length;
    const greatest = Array.from(gamma, (g, channel) => {
      const factor = Math.abs(g) / Math.sqrt((variance[channel] ?? 0) + norm.epsilon);
      const lane = weights.subarray(channel * per, (channel + 1) * per);
      return factor * lane.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    }).sort((a, b) => a - b);
    const median = greatest[greatest.length >> 1] ?? 0;
    return [{ name: node.name, ratio: (greatest.at(-1) ?? 0) / median }];
  });
}
