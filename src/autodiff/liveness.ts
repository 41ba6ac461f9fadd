// How long the values of a training graph live, and what they take: an estimate of a plan's arena that needs no
// plan. A plan adds what its kernels need beside their results, and what does not fit between the others.

import type { BoundGraph } from "../graph/bind.ts";
import { valueOf } from "../graph/graph.ts";

/** Bytes of value `name` on a device: the last axis in whole words of four, of four axes the channels. */
export function bytesOfValue(graph: BoundGraph, name: string): number {
  const { shape, dtype } = valueOf(graph, name);
  const sizes = shape as readonly number[];
  const padded = sizes.length === 4 ? 1 : sizes.length - 1;
  const elements = sizes.reduce(
    (product, size, axis) => product * (axis === padded ? Math.ceil(size / 4) * 4 : size),
    sizes.length === 0 ? 4 : 1,
  );
  return Math.max(256, elements * (dtype === "int8" || dtype === "uint8" ? 1 : 4));
}

/** The most bytes of computed values that are alive at one node. */
export function peakOf(graph: BoundGraph): number {
  const last = new Map<string, number>();
  graph.nodes.forEach(({ inputs, outputs }, index) => {
    for (const name of [...inputs, ...outputs]) last.set(name, index);
  });
  for (const name of graph.outputs) last.set(name, graph.nodes.length);
  const alive = new Map<string, number>();
  let [now, peak] = [0, 0];
  graph.nodes.forEach(({ inputs, outputs }, index) => {
    for (const name of outputs) {
      const bytes = bytesOfValue(graph, name);
      alive.set(name, bytes);
      now += bytes;
    }
    peak = Math.max(peak, now);
    for (const name of new Set([...inputs, ...outputs])) {
      if (last.get(name) !== index) continue;
      now -= alive.get(name) ?? 0;
      alive.delete(name);
    }
  });
  return peak;
}
