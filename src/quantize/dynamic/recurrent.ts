// LSTM and GRU: W and R become int8, and the node says how x and h become bytes. The node stays one node, since
// its state does: docs/decisions/0011.

import type { Graph } from "../../graph/graph.ts";
import type { Node, NodeOf } from "../../graph/node.ts";
import { directionsOf, gatesOf } from "../../graph/recurrent.ts";
import { tensor, type Tensor } from "../../tensor/tensor.ts";
import type { QParams } from "../../graph/value.ts";
import type { TensorSpec } from "../qconfig.ts";
import { quantizeWeight } from "../weights.ts";
import type { Handler } from "./handler.ts";

type Recurrent = NodeOf<"LSTM" | "GRU">;

function isRecurrent(op: Recurrent["op"]) {
  return (graph: Graph, node: Node): boolean =>
    node.op === op && [1, 2].every((index) => graph.constants.has(node.inputs[index] ?? ""));
}

function whyFloat(graph: Graph, node: Node): string | undefined {
  if (node.op !== "LSTM" && node.op !== "GRU") return "it is no recurrent node";
  for (const name of node.inputs.slice(1, 3)) {
    const weight = graph.constants.get(name);
    if (weight?.dtype !== "float32") return `its weight "${name}" is ${weight?.dtype}`;
    if (weight.data.length === 0) return `its weight "${name}" is empty`;
  }
  if (node.op === "GRU" && !node.linearBeforeReset) {
    return "without linear_before_reset its reset gate comes before a product";
  }
  return undefined;
}

/** (D, G·H, K): one scale a direction, as PyTorch has a weight for each, or one a row of both directions. */
function quantizeMatrix(
  node: Recurrent,
  { shape, data }: Tensor<"float32">,
  spec: TensorSpec,
): { data: Tensor<"int8">; quant: QParams } {
  const [count, rows] = [directionsOf(node), gatesOf(node) * node.hiddenSize];
  const length = data.length / (count * rows);
  const isPerRow = spec.granularity !== "perTensor";
  // Rows of both directions side by side, or a whole direction in a row.
  const source = new Float32Array(data.length);
  const place = (d: number, row: number) => (isPerRow ? row * count + d : d * rows + row) * length;
  const each = (move: (from: number, to: number) => void) => {
    for (let d = 0; d < count; d++) {
      for (let row = 0; row < rows; row++) move((d * rows + row) * length, place(d, row));
    }
  };
  each((from, to) => source.set(data.subarray(from, from + length), to));
  const matrix = tensor(
    "float32",
    isPerRow ? [rows, count * length] : [count, rows * length],
    source,
  );
  const perAxis: TensorSpec = {
    ...spec,
    granularity: { perAxis: 0 },
    observer: { kind: "perChannelMinMax", axis: 0 },
  };
  const made = quantizeWeight(node, matrix, undefined, 1, perAxis);
  const codes = made.data as Tensor<"int8">;
  const out = new Int8Array(data.length);
  each((to, from) => out.set(codes.data.subarray(from, from + length), to));
  return {
    data: tensor("int8", shape, out),
    quant: { ...made.quant, axis: isPerRow ? 1 : 0 },
  };
}

function handlerFor(op: Recurrent["op"]): Handler {
  return {
    kind: op,
    dtypes: ["int8"],
    // No file can hold a GRU of bytes.
    ...(op === "GRU" ? { onRequest: true } : {}),
    is: isRecurrent(op),
    whyFloat,
    rewrite(node, { activation, weight: spec }, { graph, builder }) {
      if (node.op !== "LSTM" && node.op !== "GRU") return;
      const weights = node.inputs.slice(1, 3).map((name) => {
        const source = graph.constants.get(name) as Tensor<"float32">;
        const { data, quant } = quantizeMatrix(node, source, spec);
        return builder.constant(builder.fresh(`${name}_int8`), data, quant);
      });
      const inputs = [node.inputs[0] ?? "", ...weights, ...node.inputs.slice(3)];
      builder.add({ ...node, inputs, dynamic: activation });
    },
  };
}

export const lstm: Handler = handlerFor("LSTM");
export const gru: Handler = handlerFor("GRU");
