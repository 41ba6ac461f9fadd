// prepare: the fused graph plus one Observe node behind every activation that will be quantized.

import { GraphBuilder } from "../graph/builder.ts";
import { valueOf, type Graph } from "../graph/graph.ts";
import type { Assignment } from "./annotate.ts";
import { findSites } from "./sites.ts";

/** The node that observes `value`. */
export function observerName(value: string): string {
  return `observe ${value}`;
}

/** `graph` (fused) with observers. Constants need none: convert sees their values. */
export function insertObservers(graph: Graph, assignment: Assignment): Graph {
  const { configs } = findSites(graph, assignment);
  const builder = GraphBuilder.from(graph);
  const observe = (name: string) => {
    const config = configs.get(name);
    if (!config || graph.constants.has(name)) return;
    const { observer } = config.activation;
    builder.add({ op: "Observe", name: observerName(name), inputs: [name], outputs: [], observer });
  };
  for (const name of graph.inputs) observe(name);
  for (const node of graph.nodes) {
    builder.add(node, { dtype: valueOf(graph, node.outputs[0] ?? node.inputs[0] ?? "").dtype });
    for (const output of node.outputs) observe(output);
  }
  return builder.build(graph.name, graph.inputs, graph.outputs);
}
