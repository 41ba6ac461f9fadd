// Multiply-accumulates of a node: the work that quantization makes cheaper.

import { valueOf } from "./graph.ts";
import type { BoundGraph } from "./bind.ts";
import type { Node } from "./node.ts";
import { sizeOf } from "../tensor/tensor.ts";

/** Multiply-accumulates of `node` in `graph`; 0 for ops that are no products. */
export function macsOf(graph: BoundGraph, node: Node): number {
  const shape = (name: string | undefined) => valueOf(graph, name ?? "").shape as readonly number[];
  const out = () => sizeOf(shape(node.outputs[0]));
  switch (node.op) {
    case "Conv":
    case "ConvInteger":
      return out() * sizeOf(shape(node.inputs[1]).slice(1));
    case "ConvTranspose": {
      const [, perGroup = 1, ...window] = shape(node.inputs[1]);
      return sizeOf(shape(node.inputs[0])) * perGroup * sizeOf(window);
    }
    case "ConvGradFilter": {
      const [, perGroup = 1, ...window] = shape(node.outputs[0]);
      return sizeOf(shape(node.inputs[1])) * perGroup * sizeOf(window);
    }
    case "Gemm":
      return out() * (shape(node.inputs[0])[node.transA ? 0 : 1] ?? 1);
    case "MatMul":
    case "MatMulInteger":
    case "MatMulIntegerToFloat":
      return out() * (shape(node.inputs[0]).at(-1) ?? 1);
    case "LSTM":
    case "GRU": {
      const [x, w, r] = node.inputs.slice(0, 3).map(shape);
      const rows = sizeOf((x ?? []).slice(0, 2));
      return rows * (sizeOf(w ?? []) + sizeOf(r ?? []));
    }
    case "Attention": {
      const [batch = 1, rows = 1, depth = 1] = shape(node.inputs[0]);
      const [, keys = 1, values = 1] = shape(node.inputs[2]);
      return batch * rows * keys * (depth + values);
    }
    default:
      return 0;
  }
}

/** True where `node` computes on integers. */
export function isInteger(graph: BoundGraph, node: Node): boolean {
  const quant = (name: string | undefined) => graph.values.get(name ?? "")?.quant !== undefined;
  if (["ConvInteger", "MatMulInteger", "MatMulIntegerToFloat"].includes(node.op)) return true;
  return (
    node.op !== "Quantize" &&
    node.op !== "Dequantize" &&
    quant(node.inputs[0]) &&
    quant(node.outputs[0])
  );
}
