// Where activations are quantized: the values that integer nodes read or write. Each has a root, the
// value whose parameters it uses (itself, unless an op that only moves elements made it), and only
// roots are observed.

import { producersOf, type Graph } from "../graph/graph.ts";
import type { Node } from "../graph/node.ts";
import { hasWeight, sharesParams, type Assignment } from "./annotate.ts";
import type { QConfig } from "./qconfig.ts";

export interface Sites {
  /** Quantized activation → its root. */
  readonly roots: ReadonlyMap<string, string>;
  /** Root → the qconfig of the node that makes it (for a graph input: of the first that reads it). */
  readonly configs: ReadonlyMap<string, QConfig>;
}

/** Activation inputs of an integer node: weights and biases left out. */
export function activationInputs(node: Node): readonly string[] {
  return hasWeight(node) ? node.inputs.slice(0, 1) : node.inputs;
}

/** The quantized activations of the fused `graph`. */
export function findSites(graph: Graph, assignment: Assignment): Sites {
  const producers = producersOf(graph);
  const configs = new Map<string, QConfig>();
  const roots = new Map<string, string>();
  const rootOf = (name: string): string => {
    const producer = producers.get(name);
    const isShared = producer && sharesParams(producer) && assignment.get(producer.name);
    return isShared ? rootOf(producer.inputs[0] ?? "") : name;
  };
  const isInteger = (node: Node) => assignment.get(node.name) ?? undefined;
  for (const node of graph.nodes) {
    const config = isInteger(node);
    if (!config) continue;
    for (const name of [...activationInputs(node), ...node.outputs]) {
      const root = rootOf(name);
      roots.set(name, root);
      const maker = producers.get(root);
      if (!configs.has(root)) configs.set(root, (maker && isInteger(maker)) ?? config);
    }
  }
  return { roots, configs };
}
