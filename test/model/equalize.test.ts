// One scale a weight on a real network: MobileNetV2 loses almost everything to its depthwise filters, and
// cross-layer equalization wins it back (docs/quantization.md, section 16). Calibrated on every tenth class, evaluated
// on the other 400 pictures; `npm test` takes a tenth of the ones and a twentieth of the others, `npm run figures` all,
// and asserts the figures of record.

import { beforeAll, describe, expect, it } from "vitest";
import * as ort from "onnxruntime-web";
import {
  calibrate,
  compile,
  convert,
  load,
  Model,
  prepare,
  qconfigs,
  requestDevice,
  save,
  type Device,
} from "../../src/node.ts";
import {
  against,
  logitsOf,
  runOrt,
  runSession,
  tensorsOf,
  top1,
  type Logits,
} from "../support/mobilenet.ts";
import { hasSharedData, imagenetSample, readShared } from "../support/sharedData.ts";

const isThere = hasSharedData("models/mobilenetv2-float.onnx", "MobileNetV2, one scale a weight");
const full = process.env["FIGURES"] === "all";

describe.runIf(isThere)("MobileNetV2 with one scale a weight", () => {
  const pictures = isThere ? imagenetSample() : [];
  const some = (count: number) => (_: unknown, index: number) => full || index % count === 0;
  const calibration = pictures.filter(({ label }) => label % 10 === 0).filter(some(10));
  const held = pictures.filter(({ label }) => label % 10 !== 0).filter(some(20));
  let device: Device;
  let model: Model<"float">;
  let floatLogits: Logits;

  beforeAll(async () => {
    device = await requestDevice();
    model = (await load(readShared("models/mobilenetv2-float.onnx"))) as Model<"float">;
    using session = await compile(model, device);
    floatLogits = await logitsOf(held, runSession(session));
    console.log(
      `calibrated on ${calibration.length}, evaluated on ${held.length} pictures; ` +
        `float: top-1 ${top1(held, floatLogits)} %`,
    );
  });

  async function calibrated(equalize: boolean) {
    const start = performance.now();
    const prepared = prepare(model, { qconfig: qconfigs.int8PerTensor, equalize });
    const result = await calibrate(prepared, tensorsOf(calibration), { device });
    console.log(`calibrated in ${((performance.now() - start) / 1000).toFixed(0)} s`);
    return result;
  }

  const uncorrected = ({ graph, details }: Model<"calibrated">) =>
    new Model("calibrated", graph, {
      ...details,
      calibration: { ...details.calibration, biasCorrection: new Map() },
    });

  async function figuresOf(name: string, quantized: Model<"quantized">) {
    using session = await compile(quantized, device);
    const logits = await logitsOf(held, runSession(session));
    const figures = { logits, top1: top1(held, logits), ...against(held, floatLogits, logits) };
    const { top1: hits, agreement, sqnrDb } = figures;
    console.log(`${name}: top-1 ${hits} %, agreement ${agreement} %, ${sqnrDb.toFixed(2)} dB`);
    return figures;
  }

  if (!full && isThere) console.log("what is lost without equalization: FIGURES=all");
  it.runIf(full)("is lost as it is, and mostly lost with corrected biases", async () => {
    const found = await calibrated(false);
    const plain = await figuresOf("per tensor", convert(uncorrected(found)));
    expect(plain.sqnrDb).toBeLessThan(0);
    expect(plain.top1).toBeLessThan(15);
    const corrected = await figuresOf("… + bias correction", convert(found));
    expect(corrected.sqnrDb).toBeLessThan(8);
  });

  it("is within a point of float with 16 dB once it is equalized, here and in onnxruntime-web", async () => {
    const found = await calibrated(true);
    if (full) await figuresOf("equalized", convert(uncorrected(found)));
    const quantized = convert(found);
    const { logits, ...figures } = await figuresOf("… + bias correction", quantized);
    // A tenth of the pictures to calibrate on costs about half a dB; of 20 pictures one is 5 points.
    expect(figures.sqnrDb).toBeGreaterThanOrEqual(full ? 16 : 15);
    if (full) expect(top1(held, floatLogits) - figures.top1).toBeLessThanOrEqual(1);
    else expect(figures.agreement).toBeGreaterThanOrEqual(85);

    const file = save(quantized);
    const few = held.slice(0, full ? 100 : 4);
    const again = (await load(file)) as Model<"quantized">;
    using session = await compile(again, device);
    const reloaded = await logitsOf(few, runSession(session));
    for (const { name } of few) expect(reloaded.get(name)).toEqual(logits.get(name));
    const theirs = await logitsOf(few, runOrt(await ort.InferenceSession.create(file)));
    const { sqnrDb } = against(few, logits, theirs);
    console.log(`onnxruntime-web: ${sqnrDb.toFixed(2)} dB to ours; ${file.length} bytes`);
    // Bounds between a convolution and its QuantizeLinear keep them in float there: ties may fall otherwise.
    expect(sqnrDb).toBeGreaterThanOrEqual(25);
  });
});
