// Renaming values and nodes: a graph's meaning does not depend on its names, and two graphs can run
// side by side once theirs differ.

import type { Graph } from "./graph.ts";
import type { Node } from "./node.ts";

/** `graph` with each value's name mapped; names must stay unique. */
export function renameValues(graph: Graph, map: (name: string) => string): Graph {
  const entries = <T>(values: ReadonlyMap<string, T>) =>
    new Map([...values].map(([name, value]) => [map(name), value] as const));
  return {
    ...graph,
    inputs: graph.inputs.map(map),
    outputs: graph.outputs.map(map),
    nodes: graph.nodes.map((node): Node => ({
      ...node,
      inputs: node.inputs.map(map),
      outputs: node.outputs.map(map),
    })),
    values: entries(graph.values),
    constants: entries(graph.constants),
    ...(graph.variables ? { variables: entries(graph.variables) } : {}),
  };
}

/** `graph` with `prefix` before every node and every value that is not an input. */
export function withPrefix(graph: Graph, prefix: string): Graph {
  const inputs = new Set(graph.inputs);
  const renamed = renameValues(graph, (name) => (inputs.has(name) ? name : prefix + name));
  return {
    ...renamed,
    nodes: renamed.nodes.map((node): Node => ({ ...node, name: prefix + node.name })),
  };
}
