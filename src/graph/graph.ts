// The graph: an immutable value. Passes take one and return another.

import type { Tensor } from "../tensor/tensor.ts";
import type { Node } from "./node.ts";
import type { Value } from "./value.ts";

export interface Graph {
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** In topological order: a node comes after the producers of its inputs. */
  readonly nodes: readonly Node[];
  /** The type of every value: inputs, constants and each node's outputs. */
  readonly values: ReadonlyMap<string, Value>;
  /** The data of constant values. A quantized constant's tensor holds q. */
  readonly constants: ReadonlyMap<string, Tensor>;
  /** What lives from run to run, with what it is at first: parameters that are trained, and statistics that
   *  are kept. Any node reads them; only nodes without outputs change them, in their turn. */
  readonly variables?: ReadonlyMap<string, Tensor>;
}

/** The type of value `name`; a missing one is a bug of the pass that made the graph. */
export function valueOf(graph: Graph, name: string): Value {
  const value = graph.values.get(name);
  if (value === undefined) throw new Error(`graph: no value "${name}"; please report.`);
  return value;
}

/** Producer of each value (graph inputs and constants have none). */
export function producersOf(graph: Graph): Map<string, Node> {
  const producers = new Map<string, Node>();
  for (const node of graph.nodes) for (const output of node.outputs) producers.set(output, node);
  return producers;
}

/** Consumers of each value, in graph order; a node that reads a value twice is listed twice. */
export function consumersOf(graph: Graph): Map<string, Node[]> {
  const consumers = new Map<string, Node[]>();
  for (const node of graph.nodes) {
    for (const input of node.inputs) {
      const list = consumers.get(input);
      if (list) list.push(node);
      else consumers.set(input, [node]);
    }
  }
  return consumers;
}

/** `graph` without the nodes, constants and values that no output and no sink node needs. */
export function prune(graph: Graph): Graph {
  const needed = new Set<string>(graph.outputs);
  const kept: Node[] = [];
  for (const node of graph.nodes.toReversed()) {
    const isSink = node.outputs.length === 0;
    if (!isSink && !node.outputs.some((output) => needed.has(output))) continue;
    kept.push(node);
    for (const name of [...node.inputs, ...node.outputs]) needed.add(name);
  }
  for (const input of graph.inputs) needed.add(input);
  const used = <T>(values: ReadonlyMap<string, T>) =>
    new Map([...values].filter(([name]) => needed.has(name)));
  return {
    ...graph,
    nodes: kept.reverse(),
    values: used(graph.values),
    constants: used(graph.constants),
    ...(graph.variables ? { variables: used(graph.variables) } : {}),
  };
}
