// Sizes and positions as values of a run. Such a list is never made where a name will do (positions.ts); where an op
// computes on one, as a causal mask compares positions, it is cut out of a constant table 0, 1, 2, …: positions
// start … start + length are that slice, and the size n is the element at n. Sizes beyond the table are refused when
// they come, by the slice's own check.

import type { GraphBuilder } from "../../graph/builder.ts";
import { addDims } from "../../graph/dims.ts";
import type { Dim } from "../../graph/value.ts";
import { sizeOf, type Tensor } from "../../tensor/tensor.ts";
import type { Counted, Whole } from "./entries.ts";

/** Positions of the table: as many tokens as the longest contexts have. */
export const TABLE = 2 ** 17;

interface Target {
  readonly builder: GraphBuilder;
  readonly fresh: (wanted: string) => string;
  readonly freshNode: (wanted: string) => string;
}

/** Whole numbers as a tensor. */
export function wholeTensor(dtype: Whole, shape: readonly number[], values: readonly number[]) {
  const data =
    dtype === "int32"
      ? Int32Array.from(values, Math.trunc)
      : BigInt64Array.from(values, (value) => BigInt(Math.trunc(value)));
  return { dtype, shape, data } as Tensor;
}

/** Add the nodes that compute `entry` under `name`. */
export function computeCounted(name: string, entry: Counted, target: Target): void {
  const { builder, fresh, freshNode } = target;
  const { dtype } = entry;
  const table = `positions_${dtype}`;
  if (!builder.constants.has(table)) {
    const values = Array.from({ length: TABLE }, (_, at) => at);
    builder.constant(table, wholeTensor(dtype, [TABLE], values));
  }
  const slice = (output: string, start: Dim, length: Dim): string =>
    builder.add(
      {
        op: "Slice",
        name: freshNode(`${name}_count`),
        inputs: [table],
        outputs: [output],
        axes: [0],
        starts: [start],
        ends: [addDims(start, length)],
        steps: [1],
      },
      { dtype },
    );
  if (entry.kind === "range") {
    const at = entry.shape.findIndex((size) => size !== 1);
    const ones = entry.shape.flatMap((_, axis) => (axis === at ? [] : [axis]));
    const flat = slice(
      ones.length === 0 ? name : fresh(`${name}_flat`),
      entry.start,
      entry.shape[at] ?? 1,
    );
    if (ones.length === 0) return;
    const node = { name: freshNode(`${name}_unsqueeze`), inputs: [flat], outputs: [name] };
    builder.add({ op: "Unsqueeze", ...node, axes: ones }, { dtype });
    return;
  }
  const parts = entry.sizes.map((size, index): string => {
    const part = fresh(`${name}_${index}`);
    if (typeof size === "string") return slice(part, size, 1);
    return builder.constant(part, wholeTensor(dtype, [1], [size]));
  });
  const flat = fresh(`${name}_flat`);
  const concat = { name: freshNode(`${name}_concat`), inputs: parts, outputs: [flat] };
  builder.add({ op: "Concat", ...concat, axis: 0 }, { dtype });
  const shape = sizeOf(entry.shape) === parts.length ? [...entry.shape] : [parts.length];
  const reshape = { name: freshNode(`${name}_reshape`), inputs: [flat], outputs: [name] };
  builder.add({ op: "Reshape", ...reshape, shape }, { dtype });
}
