// Patterns of several nodes become one: what a file had to spell out runs as one kernel. A pass takes a graph
// and returns another that computes the same, up to rounding; it changes nothing where another node, or the
// caller, reads a value in between. It is for graphs that are about to run, never for ones to be saved: a file
// keeps its own nodes.

import type { Graph } from "../graph.ts";
import { recognizeAttention } from "./attention.ts";
import { recognizeGelu } from "./gelu.ts";
import { recognizeLayerNorm } from "./layerNorm.ts";

const passes: readonly ((graph: Graph) => Graph)[] = [
  recognizeLayerNorm,
  recognizeGelu,
  recognizeAttention,
];

/** `graph` with every known pattern as one node. */
export function recognize(graph: Graph): Graph {
  return passes.reduce((current, pass) => pass(current), graph);
}
