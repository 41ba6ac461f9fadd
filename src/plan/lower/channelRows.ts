// How lib/channel_rows.wgsl shares out sums over all axes but the last: rows of words, in parts.

import type { Node } from "../../graph/node.ts";
import type { Layout } from "../layout.ts";
import type { Lowering, Placed } from "./context.ts";

/** Rows and words of a value whose last physical axis is kept. */
export interface Rows {
  readonly rows: number;
  readonly words: number;
  /** Elements of the last axis. */
  readonly last: number;
}

export function rowsOf({ words: all, lastWords: words, last }: Layout): Rows {
  return { rows: all / Math.max(1, words), words, last };
}

/** As many workgroups as fill an adapter, and no more. */
export function partition(lowering: Lowering, node: Node, { rows, words }: Rows) {
  const { software } = lowering.target;
  const WORKGROUP = software ? 4 : 64;
  const most = software ? 4 : 16;
  const WIDE = lowering.settle(node, "wide", () => {
    return 2 ** Math.floor(Math.log2(Math.max(1, Math.min(words, most))));
  });
  const tiles = Math.ceil(words / WIDE);
  const perInvocation = software ? 256 : 16;
  const wanted = Math.ceil(rows / ((WORKGROUP / WIDE) * perInvocation));
  const room = Math.max(1, Math.floor((software ? 32 : 1024) / Math.max(1, tiles)));
  const share = Math.max(1, Math.ceil(rows / Math.max(1, Math.min(wanted, room, 256))));
  const splits = Math.max(1, Math.ceil(rows / share));
  return { overrides: { WORKGROUP, WIDE }, tiles, share, splits };
}

/** Rows from which on one workgroup for each word of the sum is too few. */
const MANY = 256;

/** Whether the elements of `axes` are all there are along all axes but the last, and many. */
export function isSumOfRows(
  lowering: Lowering,
  node: Node,
  { layout }: Placed,
  axes: readonly number[],
): boolean {
  const { order, logical } = layout;
  const last = order.at(-1) ?? 0;
  return lowering.settle(node, "sum of rows", () => {
    const others = order.filter((axis) => axis !== last && logical[axis] !== 1);
    const isAll = !axes.includes(last) && others.every((axis) => axes.includes(axis));
    return isAll && rowsOf(layout).rows >= MANY;
  });
}

/** out = Σ x · scale over the rows: parts of them first, then the parts. */
export function emitSumOfRows(
  lowering: Lowering,
  node: Node,
  x: Placed,
  out: Placed,
  scale: number,
): void {
  const { rows, words, last } = rowsOf(x.layout);
  const { overrides, tiles, share, splits } = partition(lowering, node, { rows, words, last });
  const parts = lowering.plan.tensor(splits * words * 16);
  const shared = { words, last, tiles };
  lowering.plan.step("sumRowsF32", {
    node: node.name,
    overrides,
    uniforms: { rows, ...shared, share, groups: tiles * splits, scale: 1 },
    buffers: { x: x.ref, out: parts },
    groups: tiles * splits,
  });
  lowering.plan.step("sumRowsF32", {
    node: node.name,
    overrides,
    uniforms: { rows: splits, ...shared, share: splits, groups: tiles, scale },
    buffers: { x: parts, out: out.ref },
    groups: tiles,
  });
}
