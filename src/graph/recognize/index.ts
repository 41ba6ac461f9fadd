// Recognition: what exporters write as many small ops becomes the one op that it is. Graph → graph, for graphs
// that are about to run; a graph that is saved keeps the nodes of its file.

import type { Graph } from "../graph.ts";
import { recognizeAttention } from "./attention.ts";

/** The passes in order. The graph computes the same up to rounding, in fewer nodes. */
export function recognize(graph: Graph): Graph {
  return [recognizeAttention].reduce((current, pass) => pass(current), graph);
}
