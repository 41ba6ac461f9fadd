// Linear: a Gemm or MatMul by a constant becomes DynamicQuantizeLinear → MatMulIntegerToFloat. The Add of a
// constant row behind a MatMul is its bias, as ONNX's exporters write it.

import type { Graph } from "../../graph/graph.ts";
import { clampOf, uniformClamp } from "../../graph/clamp.ts";
import type { ChannelClamp, Node, NodeOf } from "../../graph/node.ts";
import { float32, type Tensor } from "../../tensor/tensor.ts";
import { turned } from "../../tensor/turned.ts";
import { addClamp } from "../clampNodes.ts";
import { quantizeWeight } from "../weights.ts";
import { rewriteStored } from "./stored.ts";
import type { Handler, Rewriting } from "./handler.ts";

type Linear = NodeOf<"Gemm" | "MatMul">;

function isLinear(graph: Graph, node: Node): node is Linear {
  return (node.op === "Gemm" || node.op === "MatMul") && graph.constants.has(node.inputs[1] ?? "");
}

function columnsOf(graph: Graph, node: Linear): number {
  const [first = 1, second = 1] = graph.constants.get(node.inputs[1] ?? "")?.shape ?? [];
  return node.op === "Gemm" && node.transB ? first : second;
}

/** The constant `name` as one float a column. */
function rowOf(graph: Graph, name: string | undefined, columns: number): Float32Array | undefined {
  const constant = graph.constants.get(name ?? "");
  if (constant?.dtype !== "float32") return undefined;
  const isRow = constant.data.length === columns && (constant.shape.at(-1) ?? 1) === columns;
  return isRow ? (constant.data as Float32Array) : undefined;
}

function whyFloat(graph: Graph, node: Node): string | undefined {
  if (!isLinear(graph, node)) return "its weight is not a constant";
  const weight = graph.constants.get(node.inputs[1] ?? "");
  if (weight?.dtype !== "float32") return `its weight is ${weight?.dtype}`;
  if (weight.shape.length !== 2) return "its weight is not a matrix";
  if (weight.data.length === 0) return "its weight is empty";
  if (graph.constants.has(node.inputs[0] ?? "")) return "its input is a constant";
  if (graph.values.get(node.inputs[0] ?? "")?.dtype !== "float32")
    return "its input is not float32";
  if (node.op === "MatMul") return undefined;
  if (node.alpha !== 1 || node.beta !== 1) return "alpha or beta is not 1";
  if (node.transA) return "its input is transposed";
  const bias = node.inputs[2];
  if (bias !== undefined && !rowOf(graph, bias, columnsOf(graph, node)))
    return "its bias is not one constant per output channel";
  return undefined;
}

/** The Add that gives a MatMul its bias: the only reader of its output. */
function biasAdd(node: Linear, { graph, consumers }: Rewriting, columns: number) {
  const [output = ""] = node.outputs;
  const [reader, ...others] = consumers(output);
  if (reader?.op !== "Add" || others.length > 0 || graph.outputs.includes(output)) return undefined;
  if (node.op === "Gemm" || node.low !== undefined || node.high !== undefined) return undefined;
  const addend = reader.inputs[reader.inputs[0] === output ? 1 : 0];
  const rank = graph.values.get(output)?.shape.length ?? 0;
  const isRow = (graph.constants.get(addend ?? "")?.shape.length ?? 9) <= Math.max(1, rank);
  const bias = isRow ? rowOf(graph, addend, columns) : undefined;
  return bias && { add: reader, bias };
}

export const linear: Handler = {
  kind: "Linear",
  dtypes: ["int8", "float16", "int8-weight-only", "int4-weight-only"],
  is: isLinear,
  whyFloat,
  rewrite(node, settings, rewriting) {
    if (settings.dtype !== "int8") return rewriteStored(node, settings, rewriting);
    const { activation, weight: spec } = settings;
    const { graph, builder } = rewriting;
    if (!isLinear(graph, node)) return;
    const [input = "", weightName = ""] = node.inputs;
    const columns = columnsOf(graph, node);
    const { q, scale, zeroPoint } = rewriting.quantized(input, activation);
    const source = graph.constants.get(weightName) as Tensor<"float32">;
    const { data, quant } = quantizeWeight(node, source, undefined, 1, spec);
    const codes = data as Tensor<"int8">;
    const weight = builder.constant(
      builder.fresh(`${weightName}_int8`),
      node.op === "Gemm" && node.transB ? turned(codes) : codes,
      quant.axis === undefined ? quant : { ...quant, axis: 1 },
    );
    const added = biasAdd(node, rewriting, columns);
    if (added) rewriting.absorb(added.add);
    const bias = added?.bias ?? rowOf(graph, node.inputs[2], columns);
    const biasName =
      bias && builder.constant(builder.fresh(`${node.name}/bias`), float32([columns], bias));
    const last = added?.add ?? node;
    const clamp = clampOf<ChannelClamp>(last);
    const uniform = uniformClamp(clamp);
    const [result = ""] = last.outputs;
    // The product knows one bound for all columns.
    const output = uniform ? result : builder.fresh(`${result}_unclamped`);
    builder.add({
      op: "MatMulIntegerToFloat",
      name: node.name,
      inputs: [q, weight, scale, zeroPoint, ...(biasName ? [biasName] : [])],
      outputs: [output],
      ...uniform,
    });
    if (!uniform) addClamp(builder, node.name, output, result, clamp);
  },
};
