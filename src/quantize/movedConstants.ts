// What moves a dequantized constant moves the constant: Dequantize → Transpose, Reshape, … becomes a constant in its
// final form under a Dequantize, with the axis of its parameters moved along. So a layer finds its weight in integers
// however the exporter spelled the way to it.

import { GraphBuilder } from "../graph/builder.ts";
import { prune, valueOf, type Graph } from "../graph/graph.ts";
import type { Node } from "../graph/node.ts";
import { paramsShape, type QParams } from "../graph/value.ts";
import { sizeOf, type Tensor } from "../tensor/tensor.ts";
import { permuted } from "../tensor/turned.ts";

/** Parameters of what `node` makes of a constant of shape `from`, `to`; undefined where none say the same. */
function movedParams(
  node: Node,
  quant: QParams,
  from: readonly number[],
  to: readonly number[],
): QParams | undefined {
  const { axis, blockSize } = quant;
  if (axis === undefined) return quant;
  if (node.op === "Transpose") {
    const moved = node.perm.indexOf(axis);
    if (blockSize === undefined) return { ...quant, axis: moved };
    const turn = <D extends "float32" | "int32">(dtype: D, data: Tensor<D>["data"]) =>
      permuted({ dtype, shape: paramsShape(quant, from), data } as Tensor<D>, node.perm).data;
    return {
      ...quant,
      axis: moved,
      scale: turn("float32", quant.scale),
      zeroPoint: turn("int32", quant.zeroPoint),
    };
  }
  // The axis must still be one: as many elements before it, and as many in it.
  const before = sizeOf(from.slice(0, axis));
  const moved = to.findIndex(
    (size, at) => size === from[axis] && sizeOf(to.slice(0, at)) === before,
  );
  return moved < 0 || blockSize !== undefined ? undefined : { ...quant, axis: moved };
}

/** The constant that `node` makes of `data`, or undefined where it is none of the ops that only move. */
function movedData(node: Node, data: Tensor, to: readonly number[]): Tensor | undefined {
  switch (node.op) {
    case "Identity":
    case "Flatten":
    case "Reshape":
    case "Squeeze":
    case "Unsqueeze":
      return { ...data, shape: to };
    case "Transpose":
      return permuted(data, node.perm);
    default:
      return undefined;
  }
}

/** `graph` with every movement of a dequantized constant done. */
export function moveConstants(graph: Graph): Graph {
  const builder = GraphBuilder.from(graph);
  /** Float value → the quantized constant that it stands for. */
  const sources = new Map<string, string>();
  /** Constant and movement → the constant moved, for the next reader of it. */
  const moved = new Map<string, string>();
  const move = (node: Node): string | undefined => {
    const source = sources.get(node.inputs[0] ?? "");
    const data = builder.constants.get(source ?? "");
    const quant = builder.values.get(source ?? "")?.quant;
    if (source === undefined || !data || !quant || node.outputs.length !== 1) return undefined;
    const to = valueOf(graph, node.outputs[0] ?? "").shape;
    if (to.some((size) => typeof size === "string")) return undefined;
    const shape = to as readonly number[];
    const params = movedParams(node, quant, data.shape, shape);
    const perm = node.op === "Transpose" ? node.perm.join() : "";
    const key = `${source}|${perm}|${shape.join()}`;
    const known = moved.get(key);
    if (!params || known !== undefined) return params && known;
    const constant = movedData(node, data, shape);
    if (!constant) return undefined;
    const name = builder.constant(builder.fresh(`${source}_moved`), constant, params);
    moved.set(key, name);
    return name;
  };
  for (const node of graph.nodes) {
    const [output = ""] = node.outputs;
    const constant = move(node);
    if (constant !== undefined) {
      const { name, outputs } = node;
      builder.add({ op: "Dequantize", name, inputs: [constant], outputs }, { dtype: "float32" });
      sources.set(output, constant);
      continue;
    }
    const [input = ""] = node.inputs;
    if (node.op === "Dequantize" && builder.constants.has(input)) sources.set(output, input);
    const { dtype, quant } = valueOf(graph, output || input);
    builder.add(node, { dtype, ...(quant ? { quant } : {}) });
  }
  return moved.size === 0 ? graph : prune(builder.build(graph.name, graph.inputs, graph.outputs));
}
