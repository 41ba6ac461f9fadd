// Products of two activations whose last axis lies in words: attention's, and MatMul's of rank 3. One idea:
// everything is a stride in words, so heads need no transposes.

import type { Node } from "../../graph/node.ts";
import type { Ref } from "../builder.ts";
import { tileFor } from "../target.ts";
import { workgroups, type Lowering } from "./context.ts";
import { quadGroups } from "./quads.ts";

/** An operand: where it starts, and its strides along two batch axes and its lines, in words. */
export interface Batched {
  readonly ref: Ref;
  readonly base: number;
  readonly batch: readonly [number, number];
  readonly line: number;
}

export interface BatchedProduct {
  readonly node: Node;
  readonly left: Batched;
  readonly right: Batched;
  /** Right's lines are out's columns: (N, K). */
  readonly transposed: boolean;
  readonly out: Batched;
  /** Sizes of the two batch axes. */
  readonly batch: readonly [number, number];
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Left may hold anything from K to the end of its last word; else it is 0 there. */
  readonly masked: boolean;
  readonly alpha: number;
  readonly bounds: { readonly low: number; readonly high: number };
}

/** Rows and words of an invocation where no quads are. */
const ROWS = 4;
const WORDS = 2;

/** Quads with more sums pay where there are this many of them: measured on SwiftShader by workgroups of 64 invocations,
 *  when four of those were enough for two cores. Fewer may pay since workgroups are smaller, which was not measured. */
const LARGE = { QUARTER: 8, WORDS: 2 } as const;
const SMALL = { QUARTER: 4, WORDS: 1 } as const;
const ENOUGH = 64;

/** out = clamp(alpha · left · right), batch by batch. */
export function emitBatched(lowering: Lowering, product: BatchedProduct): void {
  const { node, left, right, out, batch, m, n, k, masked, transposed, alpha, bounds } = product;
  const batches = batch[0] * batch[1];
  const [depth, outWords] = [Math.ceil(k / 4), Math.ceil(n / 4)];
  const { target } = lowering;
  // One set of kernels serves every size up to a bound: decided there.
  const form = transposed ? "transposed" : "straight";
  const tile = lowering.settle(node, form, () =>
    tileFor(target, { dtype: "f32", m, n: outWords, k: depth, groups: 1 }),
  );
  const count = (rows: number, words: number) =>
    batches * Math.ceil(m / rows) * Math.ceil(outWords / words);
  const uniforms = (rows: number, words: number) => ({
    count: count(rows, words),
    tilesWide: Math.ceil(outWords / words),
    tilesDown: Math.ceil(m / rows),
    inner: batch[1],
    rows: m,
    outWords,
    last: n,
    depth,
    terms: k,
    lastLine: (transposed ? n : k) - 1,
    left0: left.batch[0],
    left1: left.batch[1],
    leftRow: left.line,
    right0: right.batch[0],
    right1: right.batch[1],
    rightLine: right.line,
    out0: out.batch[0],
    out1: out.batch[1],
    outRow: out.line,
    leftBase: left.base,
    rightBase: right.base,
    outBase: out.base,
    alpha,
    ...bounds,
  });
  const layout = {
    STRAIGHT: transposed ? 0 : 1,
    TRANSPOSED: transposed ? 1 : 0,
    MASKED: masked ? 1 : 0,
  };
  const shared = {
    node: node.name,
    buffers: { left: left.ref, right: right.ref, out: out.ref },
  };
  if (tile.family === "register" && tile.quads) {
    const sizes = lowering.settle(node, `${form} quads`, () =>
      count(LARGE.QUARTER * 4, LARGE.WORDS * 4) >= ENOUGH ? LARGE : SMALL,
    );
    const [rows, words] = [sizes.QUARTER * 4, sizes.WORDS * 4];
    const { groups, overrides } = quadGroups(target, count(rows, words));
    lowering.plan.step("batchedQuadF32", {
      ...shared,
      overrides: { ...sizes, ...layout, ...overrides },
      uniforms: uniforms(rows, words),
      groups,
    });
    return;
  }
  lowering.plan.step("batchedF32", {
    ...shared,
    overrides: { ROWS, WORDS, ...layout },
    uniforms: uniforms(ROWS, WORDS),
    groups: workgroups(count(ROWS, WORDS)),
  });
}
