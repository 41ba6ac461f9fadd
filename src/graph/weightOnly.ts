// Weight-only quantization: a float op whose constant weight is stored in fewer bits. Which ops read such a
// weight, and in which forms, is said here once: quantizing, importing, interpreting and lowering all ask.
// docs/quantization.md, section 18.

import type { Tensor } from "../tensor/tensor.ts";
import { widened } from "../tensor/tensor.ts";
import { dequantizeTensor } from "./arithmetic.ts";
import { valueOf, type Graph } from "./graph.ts";
import type { Node } from "./node.ts";
import type { QParams, Value } from "./value.ts";

/** Blocks are whole runs of so many weights: what the kernels unpack at once. */
export const BLOCK_UNIT = 8;
/** Scales below are refused: kernels hold 2⁻²⁴ of them, which must be a normal f32. */
const LEAST_SCALE = 2 ** -100;

/** The input of `node` that may be stored so; undefined where the op has none. */
export function storedInput(node: Node): number | undefined {
  if (node.op === "Gather") return 0;
  return node.op === "MatMul" || node.op === "Gemm" ? 1 : undefined;
}

/** Whether a value is stored in another form than the float32 it stands for. */
export function isStored({ dtype, quant }: Value): boolean {
  return dtype === "float16" || quant !== undefined;
}

/** The axis of `node`'s weight that blocks lie along: that of a sum, or of a row of an embedding. */
export function blockAxis(node: Node): 0 | 1 {
  return node.op === "Gather" || (node.op === "Gemm" && node.transB) ? 1 : 0;
}

/** Why the weight of `node`, of `shape`, cannot be stored so; undefined where it can. `quant` is absent for
 *  float16. */
export function whyNotStored(
  node: Node,
  shape: readonly (number | string)[],
  quant: QParams | undefined,
): string | undefined {
  if (storedInput(node) === undefined) return `${node.op} reads float32 alone`;
  if (shape.length !== 2) return "its weight is not a matrix";
  if (node.op === "Gather" && node.axis !== 0) return "it does not pick rows";
  if (node.op === "Gemm" && node.transA) return "its input is transposed";
  if (!quant) return undefined;
  const { axis, blockSize, dtype } = quant;
  if (dtype === "int32") return "its weight is int32";
  const along = blockAxis(node);
  if (blockSize === undefined) {
    if (axis === along) return "its scales lie along its blocks' axis";
  } else {
    if (axis !== along) return "its blocks do not lie along its sum";
    if (node.op !== "Gather" && blockSize % BLOCK_UNIT !== 0 && blockSize < Number(shape[along])) {
      return `its blocks are no multiple of ${BLOCK_UNIT}`;
    }
  }
  if (quant.scale.some((scale) => !(scale >= LEAST_SCALE))) return "a scale is too small";
  return undefined;
}

/** The weight-only constant of a float `node`: a value of fewer bits where its op reads float32. */
export function storedWeight(
  node: Node,
  valueAt: (name: string) => Value | undefined,
): { readonly index: number; readonly name: string; readonly value: Value } | undefined {
  const index = storedInput(node);
  if (index === undefined) return undefined;
  const name = node.inputs[index] ?? "";
  const value = valueAt(name);
  const others = node.inputs.filter((_, at) => at !== index);
  const isFloat = others.every((other) => valueAt(other)?.quant === undefined);
  const floatOut = valueAt(node.outputs[0] ?? "")?.quant === undefined;
  return value && isStored(value) && isFloat && floatOut ? { index, name, value } : undefined;
}

/** A stored weight as the float32 that it stands for: docs/quantization.md (6), exactly. */
export function floatWeight(weight: Tensor, quant: QParams | undefined): Tensor<"float32"> {
  if (quant) return dequantizeTensor(weight as Tensor<QParams["dtype"]>, quant);
  return widened(weight) as Tensor<"float32">;
}

/** `graph` with every float16 constant as float32 where a node reads it that cannot take it as it is;
 *  with `all`, every one. */
export function widenConstants(graph: Graph, all = false): Graph {
  const halves = [...graph.constants].filter(([, { dtype }]) => dtype === "float16");
  if (halves.length === 0) return graph;
  const strays = new Set(all ? halves.map(([name]) => name) : graph.outputs);
  for (const node of graph.nodes) {
    const { shape } = valueOf(graph, node.inputs[storedInput(node) ?? 0] ?? node.outputs[0] ?? "");
    const index =
      whyNotStored(node, shape, undefined) === undefined ? storedInput(node) : undefined;
    node.inputs.forEach((name, at) => at !== index && strays.add(name));
  }
  const constants = new Map(graph.constants);
  const values = new Map(graph.values);
  for (const [name, constant] of halves) {
    if (!strays.has(name)) continue;
    constants.set(name, widened(constant));
    values.set(name, { ...valueOf(graph, name), dtype: "float32" });
  }
  return { ...graph, constants, values };
}
