// export: any file that load knows → ONNX, a quantized one in QDQ form. Needs no device.

import { inspect } from "../../inspect.ts";
import { save, type SaveOptions } from "../../save.ts";
import type { Arguments } from "../arguments.ts";
import type { Command } from "../context.ts";
import { MODEL_OPTIONS, openModel } from "../modelOptions.ts";
import { checkOutput, writeOutput } from "../outputs.ts";
import { facts, formatBytes } from "../table.ts";
import { readWeights, WEIGHTS_OPTION, weightsFacts } from "../weightsOption.ts";

const OPSETS = [13, 17, 21] as const;

export const exportOnnx: Command = {
  name: "export",
  summary: "Write a model as ONNX, a quantized one in QDQ form, whatever file it comes from.",
  positionals: ["MODEL"],
  options: [
    { name: "out", value: "OUT.onnx", required: true, help: "The file to write; - is stdout." },
    {
      name: "opset",
      value: "N",
      help: `${OPSETS.join(", ")}. Default: 13, or 17 where the model needs it.`,
    },
    {
      name: "s8s8",
      help: "Signed activations and weights, for runtimes that want int8 by int8. Same numbers.",
    },
    WEIGHTS_OPTION,
    {
      name: "reduce-range",
      help: "Weights of 7 bits, for CPUs that add pairs in int16. Other numbers.",
    },
    ...MODEL_OPTIONS,
  ],
  examples: [
    "webgpu-quant export mobilenet_v2_quantized.pt --out mobilenet-int8.onnx",
    "webgpu-quant export resnet18.pth --out resnet18.onnx --opset 17",
    "webgpu-quant export model-int8.onnx --out model-s8s8.onnx --s8s8",
  ],
  async run(args, context) {
    const out = args.required("out");
    const options = readOptions(args);
    const { path, files, bytes, model } = await openModel(args, context);
    await checkOutput("--out", out, { inputs: files }, context);
    const file = save(model, options);
    await writeOutput(out, file, context);
    const { stage, nodes } = inspect(model);
    // Of a float model inspect says what would be integers; nothing is yet.
    const isInteger = ({ dtype }: { dtype: string }) =>
      stage === "quantized" && dtype === "integer";
    const integer = nodes.filter(isInteger).length;
    const counts = { integer, float: nodes.length - integer };
    return {
      json: { model: path, stage, nodes: counts, bytes, bytesWritten: file.length, out },
      text: facts([
        ["model", `${path} (${stage})`],
        ["nodes", `${counts.integer} in integers, ${counts.float} in float`],
        ["size", `${formatBytes(bytes)} → ${formatBytes(file.length)}`],
        ...weightsFacts(model, options),
        ["written", out],
      ]),
    };
  },
};

function readOptions(args: Arguments): SaveOptions {
  const text = args.choice("opset", OPSETS.map(String));
  const opset = OPSETS.find((known) => `${known}` === text);
  return {
    ...(opset === undefined ? {} : { opset }),
    ...readWeights(args),
    s8s8: args.has("s8s8"),
    reduceRange: args.has("reduce-range"),
  };
}
