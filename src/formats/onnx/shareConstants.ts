// One initializer for constants of equal contents: a weight that several nodes read is quantized for each, and
// folding at import copies tables. A file holds each once.

import type { Graph } from "../../graph/graph.ts";
import type { Node } from "../../graph/node.ts";
import { sameQuant, type Value } from "../../graph/value.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** Bytes from which on looking for an equal one is worth it; smaller ones share by their text (draft.ts). */
const LEAST = 64;

/** `graph` whose nodes read one constant where several are equal in type and contents. */
export function shareConstants(graph: Graph): Graph {
  const known = new Map<string, string[]>();
  const same = new Map<string, string>();
  const outputs = new Set(graph.outputs);
  for (const [name, tensor] of graph.constants) {
    if (tensor.data.byteLength < LEAST || outputs.has(name)) continue;
    const key = fingerprint(tensor);
    const others = known.get(key) ?? [];
    const twin = others.find((other) => isSame(graph, name, other));
    if (twin !== undefined) same.set(name, twin);
    else known.set(key, [...others, name]);
  }
  if (same.size === 0) return graph;
  const left = <T>(entries: ReadonlyMap<string, T>) =>
    new Map([...entries].filter(([name]) => !same.has(name)));
  return {
    ...graph,
    nodes: graph.nodes.map((node): Node =>
      node.inputs.some((name) => same.has(name))
        ? { ...node, inputs: node.inputs.map((name) => same.get(name) ?? name) }
        : node,
    ),
    values: left(graph.values),
    constants: left(graph.constants),
  };
}

/** Type, shape and some words of the contents. */
function fingerprint({ dtype, shape, data }: Tensor): string {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const step = Math.max(1, Math.floor(bytes.length / 1024));
  let hash = 2166136261;
  for (let at = 0; at < bytes.length; at += step) {
    hash = Math.imul(hash ^ (bytes[at] ?? 0), 16777619);
  }
  return `${dtype}[${shape.join()}]${hash}`;
}

function isSame({ constants, values }: Graph, a: string, b: string): boolean {
  const [left, right] = [constants.get(a)?.data, constants.get(b)?.data];
  if (!left || !right || !isSameType(values.get(a), values.get(b))) return false;
  const [x, y] = [left, right].map(
    ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength),
  );
  return x?.length === y?.length && (x?.every((byte, at) => byte === y?.[at]) ?? false);
}

function isSameType(a: Value | undefined, b: Value | undefined): boolean {
  if (!a || !b || a.dtype !== b.dtype) return false;
  if (!a.quant || !b.quant) return a.quant === b.quant;
  return sameQuant(a.quant, b.quant);
}
