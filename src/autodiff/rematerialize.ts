// Computes again what was not kept: a graph whose backward pass reads, instead of a forward value, a copy of it made
// just before its first reader there. One idea: a node and its copy read the same values, so they give the same bits.

import type { BoundGraph, BoundValue } from "../graph/bind.ts";
import type { Node } from "../graph/node.ts";

/** The forward pass within a training graph. */
export interface Split {
  /** Nodes that the loss depends on, in order. */
  readonly forward: readonly Node[];
  /** Where the last of them stands. What reads a forward value behind it is of the backward pass. */
  readonly end: number;
  /** Values of the forward pass that are read behind it, each with the place of its last reader there. */
  readonly saved: ReadonlyMap<string, number>;
  /** Values that must be kept: a variable among what they were computed from has changed since. */
  readonly fixed: ReadonlySet<string>;
}

/** Where the forward pass of `graph` ends, and what the backward pass needs of it. */
export function splitOf(graph: BoundGraph, loss: string): Split {
  const leading = new Set([loss]);
  for (const { inputs, outputs } of graph.nodes.toReversed()) {
    if (outputs.some((name) => leading.has(name))) for (const name of inputs) leading.add(name);
  }
  const isForward = ({ outputs }: Node) => outputs.some((name) => leading.has(name));
  const forward = graph.nodes.filter(isForward);
  const end = graph.nodes.findLastIndex(isForward);
  const own = new Set(forward.flatMap(({ outputs }) => outputs));
  const saved = new Map<string, number>();
  graph.nodes.forEach((node, index) => {
    if (index <= end) return;
    for (const name of node.inputs) if (own.has(name)) saved.set(name, index);
  });
  const lastRead = Math.max(0, ...saved.values());
  const fixed = fixedValues(graph, forward, lastRead);
  return { forward, end, saved, fixed };
}

/** Outputs of the nodes whose variables a node without outputs changes after them and before the last reader. */
function fixedValues(graph: BoundGraph, forward: readonly Node[], end: number): Set<string> {
  const changes = new Map<string, number[]>();
  const places = new Map<Node, number>();
  graph.nodes.forEach((node, index) => {
    places.set(node, index);
    if (node.outputs.length > 0 || index >= end) return;
    // Whatever it reads may be what it changes.
    for (const name of node.inputs) {
      if (graph.variables?.has(name)) changes.set(name, [...(changes.get(name) ?? []), index]);
    }
  });
  const isChanged = (node: Node) =>
    node.inputs.some((name) => changes.get(name)?.some((at) => at > (places.get(node) ?? 0)));
  return new Set(forward.filter(isChanged).flatMap(({ outputs }) => outputs));
}

/** `graph` with its backward pass reading copies of all forward values but `kept`, and how many nodes are computed
 *  again. */
export function rematerialize(
  graph: BoundGraph,
  { forward, end }: Split,
  kept: ReadonlySet<string>,
): { readonly graph: BoundGraph; readonly again: readonly Node[] } {
  const producers = new Map(
    forward.flatMap((node) => node.outputs.map((name) => [name, node] as const)),
  );
  const values = new Map<string, BoundValue>(graph.values);
  const names = new Set([...graph.values.keys(), ...graph.nodes.map(({ name }) => name)]);
  const fresh = (wanted: string): string => {
    let name = `${wanted}/again`;
    for (let count = 1; names.has(name); count++) name = `${wanted}/again_${count}`;
    names.add(name);
    return name;
  };
  const copies = new Map<string, string>();
  const nodes: Node[] = [];
  const again: Node[] = [];
  const available = (name: string): string => {
    const node = kept.has(name) ? undefined : producers.get(name);
    if (node === undefined) return name;
    const copy = copies.get(name);
    if (copy !== undefined) return copy;
    const inputs = node.inputs.map(available);
    const outputs = node.outputs.map(fresh);
    node.outputs.forEach((output, index) => {
      const copied = outputs[index] ?? "";
      const type = graph.values.get(output);
      if (type) values.set(copied, type);
      copies.set(output, copied);
    });
    const clone: Node = { ...node, name: fresh(node.name), inputs, outputs };
    nodes.push(clone);
    again.push(clone);
    return copies.get(name) ?? name;
  };
  graph.nodes.forEach((node, index) => {
    const inputs = index > end ? node.inputs.map(available) : node.inputs;
    nodes.push({ ...node, inputs });
  });
  return { graph: { ...graph, nodes, values }, again };
}
