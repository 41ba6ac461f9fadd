// Which constants of a network are its parameters: those that stand where an op's weights do. A file does not
// say it, and means, tables of positions or scales of pictures are constants too.

import { producersOf, type Graph } from "../graph/graph.ts";
import type { Node, Op } from "../graph/node.ts";

/** Inputs that are weights, by op. */
const PLACES = new Map<Op, readonly number[]>([
  ["Conv", [1, 2]],
  ["Gemm", [1, 2]],
  ["MatMul", [0, 1]],
  ["BatchNormalization", [1, 2]],
  ["LayerNormalization", [1, 2]],
  ["Gather", [0]],
  ["LSTM", [1, 2, 3]],
  ["GRU", [1, 2, 3]],
]);

/** A constant row that is added to a product is its bias: how exporters write Linear of more than two axes. */
function biasPlaces(node: Node, producers: ReadonlyMap<string, Node>): readonly number[] {
  if (node.op !== "Add") return [];
  const isProduct = (name: string | undefined) => producers.get(name ?? "")?.op === "MatMul";
  if (isProduct(node.inputs[0])) return [1];
  return isProduct(node.inputs[1]) ? [0] : [];
}

/** The names of the float32 constants of `graph` that training may change, in the order of their nodes. */
export function parametersOf(graph: Graph): string[] {
  const producers = producersOf(graph);
  const found = new Set<string>();
  for (const node of graph.nodes) {
    for (const place of PLACES.get(node.op) ?? biasPlaces(node, producers)) {
      const name = node.inputs[place] ?? "";
      const data = graph.constants.get(name);
      const isReal = data?.dtype === "float32" && graph.values.get(name)?.quant === undefined;
      if (isReal) found.add(name);
    }
  }
  return [...found];
}
