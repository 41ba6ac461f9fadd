// inspect: what a model is made of, and what would be quantized. Needs no device.

import { inspect as inspectModel } from "../../inspect.ts";
import type { PortType } from "../../model.ts";
import type { Command } from "../context.ts";
import { MODEL_OPTIONS, openModel } from "../modelOptions.ts";
import { facts, formatBytes, formatCount, formatPercent, table } from "../table.ts";

function port([name, { dtype, shape }]: [string, PortType]): string {
  return `${name}: ${dtype} [${shape.join(", ")}]`;
}

export const inspect: Command = {
  name: "inspect",
  summary: "Show inputs, outputs, ops, size, work, and what would be quantized.",
  positionals: ["MODEL"],
  options: MODEL_OPTIONS,
  examples: [
    "webgpu-quant inspect model.onnx",
    "webgpu-quant inspect bert.onnx --dims batch=1 --dims sequence=128",
  ],
  async run(args, context) {
    const { path, bytes, model } = await openModel(args, context);
    const found = inspectModel(model);
    const isFloat = model.stage === "float";
    const ops = Object.entries(found.ops).sort(([, a], [, b]) => b - a);
    const text = [
      facts([
        ["model", `${path} (${model.stage})`],
        ["file", formatBytes(bytes)],
        ["inputs", Object.entries(found.inputs).map(port).join("; ")],
        ["outputs", Object.entries(found.outputs).map(port).join("; ")],
        [
          "parameters",
          `${formatCount(found.parameters)}, ${formatBytes(found.parameterBytes)} in memory`,
        ],
        ["multiply-accumulates", `${formatCount(found.macs)} per sample`],
        [
          isFloat ? "would be integers" : "in integers",
          `${formatPercent(100 * found.integerMacShare)} of them`,
        ],
      ]),
      table([["op", "nodes"], ...ops.map(([op, count]) => [op, `${count}`])]),
      found.float.length === 0
        ? "No node stays float."
        : table([
            [`${isFloat ? "would stay" : "is"} float`, "op", "why"],
            ...found.float.map(({ node, op, why }) => [node, op, why]),
          ]),
    ].join("\n\n");
    return { json: { model: path, bytes, ...found }, text };
  },
};
