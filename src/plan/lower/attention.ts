// Attention in three dispatches: scores, their softmax in place, the mean of values. One idea: a row of q, k
// or v holds its heads one after the other, so that a head is an offset, and only the scores are ever stored.

import type { NodeOf } from "../../graph/node.ts";
import { elementStrides, layoutOf, padFront } from "../layout.ts";
import { floatBounds, type Lowering, type Placed } from "./context.ts";
import { emitStrided, type Operand } from "./strided.ts";
import { emitCopy } from "./movement.ts";

/** Bytes that scores may take at once; what has more is done a few batches or heads at a time. */
const MOST_SCORES = 64 << 20;

/** Sizes of one attention. */
interface Sizes {
  readonly heads: number;
  readonly rows: number;
  readonly keys: number;
  /** Elements of a head of q and k, and of v. */
  readonly d: number;
  readonly dv: number;
}

/** Some heads of some batches: what one set of dispatches does. */
interface Part {
  readonly batch: number;
  readonly batches: number;
  readonly head: number;
  readonly heads: number;
}

/** All batches and heads, `together` batches of `each` heads a part. */
function partsOf(batches: number, heads: number, together: number, each: number): Part[] {
  const parts: Part[] = [];
  for (let batch = 0; batch < batches; batch += together) {
    for (let head = 0; head < heads; head += each) {
      parts.push({
        batch,
        batches: Math.min(together, batches - batch),
        head,
        heads: Math.min(each, heads - head),
      });
    }
  }
  return parts;
}

const NO_BOUNDS = floatBounds({});

/** Both products of one part. */
function productsOf(
  lowering: Lowering,
  node: NodeOf<"Attention">,
  tensors: Readonly<Record<"q" | "k" | "v" | "scores" | "out", Placed>>,
  { rows, keys, d, dv }: Sizes,
  { batch, batches, head, heads }: Part,
): { scores(): void; values(): void } {
  const width = tensors.scores.layout.lastWords * 4;
  const element = (placed: Placed, length: number, size: number): Operand => {
    const row = placed.layout.lastWords * 4;
    return {
      placed,
      base: batch * length * row + head * size,
      batch: [0, length * row, size],
      row,
      column: 1,
    };
  };
  const scores: Operand = {
    placed: tensors.scores,
    base: 0,
    batch: [0, heads * rows * width, rows * width],
    row: width,
    column: 1,
  };
  const k = element(tensors.k, keys, d);
  const shared = { node, batch: [1, batches, heads], m: rows };
  return {
    scores: () =>
      emitStrided(
        lowering,
        {
          ...shared,
          left: element(tensors.q, rows, d),
          right: { ...k, row: k.column, column: k.row },
          out: scores,
          n: keys,
          nPadded: width,
          k: d,
          inWords: d % 4 === 0,
          alpha: node.scale,
        },
        NO_BOUNDS,
      ),
    values: () =>
      emitStrided(
        lowering,
        {
          ...shared,
          left: scores,
          inWords: true, // softmax writes 0 behind the last key
          right: element(tensors.v, keys, dv),
          out: element(tensors.out, rows, dv),
          n: dv,
          nPadded: dv,
          k: keys,
          alpha: 1,
        },
        NO_BOUNDS,
      ),
  };
}

/** Strides of the mask along batch, head, query and key, in elements; 0 where it repeats. */
function maskStrides(mask: Placed | undefined) {
  const { logical } = mask?.layout ?? { logical: [] };
  const own = mask ? elementStrides(mask.layout) : [];
  const strides = own.map((stride, axis) => (logical[axis] === 1 ? 0 : stride));
  const [mask0 = 0, mask1 = 0, mask2 = 0, mask3 = 0] = padFront(strides, 4, 0);
  return { mask0, mask1, mask2, mask3 };
}

export function lowerAttention(lowering: Lowering, node: NodeOf<"Attention">): void {
  const [q, k, v] = [0, 1, 2].map((index) => lowering.input(node, index)) as [
    Placed,
    Placed,
    Placed,
  ];
  const mask = node.inputs.length > 3 ? lowering.input(node, 3) : undefined;
  const out = lowering.output(node);
  if ([q, k, v, mask, out].some((placed) => placed?.quant))
    throw lowering.unsupported(node, "attention does not run in integers");
  if (out.layout.words === 0) return;
  const [batches = 1, rows = 1, depth = 1] = q.layout.logical;
  const [, keys = 1, width = 1] = v.layout.logical;
  const { heads } = node;
  const sizes: Sizes = { heads, rows, keys, d: depth / heads, dv: width / heads };
  if (keys === 0 || depth === 0)
    throw lowering.unsupported(node, "attention over no keys, or of no width, is not defined");
  if (width % 4 !== 0) {
    // Heads leave the padding of out's rows alone: an empty box writes 0 everywhere first.
    const none = [0, 0, 0];
    emitCopy(lowering, node, q, out, { origin: none, extent: none, stride: none, base: 0 }, 0);
  }
  const strides = maskStrides(mask);
  // On a software adapter nothing is gained by sharing a row.
  const lanes = lowering.target.software ? 1 : 32;
  const overrides = { LANES: lanes, ROWS: 64 / lanes, MASKED: mask ? 1 : 0 };
  // One set of dispatches serves every size up to a bound: decided there.
  const fit = lowering.settle(node, "scores", () =>
    Math.floor(MOST_SCORES / (rows * layoutOf([keys]).words * 16)),
  );
  // Batches go together unless their number is fixed. The heads of a part are settled for the bound, so fewer
  // batches never need more room.
  const isFixed = lowering.choices.always((shape) => shape(q.name)[0] === batches);
  const together = isFixed ? Math.min(batches, Math.max(1, Math.floor(fit / heads))) : batches;
  const each = lowering.settle(node, "heads a part", () =>
    Math.min(heads, Math.max(1, Math.floor(fit / together))),
  );
  const parts = partsOf(batches, heads, together, each);
  const most = parts.reduce((least, part) => Math.max(least, part.batches * part.heads), 0);
  const scores = lowering.scratch([most, rows, keys]);
  const tensors = { q, k, v, scores, out };
  for (const part of parts) {
    const products = productsOf(lowering, node, tensors, sizes, part);
    const count = part.batches * part.heads * rows;
    products.scores();
    lowering.plan.step("softmaxRowsF32", {
      node: node.name,
      overrides,
      uniforms: {
        count,
        words: scores.layout.lastWords,
        last: keys,
        heads: part.heads,
        queries: rows,
        ...strides,
        base: part.batch * strides.mask0 + part.head * strides.mask1,
      },
      buffers: { mask: (mask ?? q).ref, out: scores.ref },
      groups: Math.ceil(count / overrides.ROWS),
    });
    products.values();
  }
}
