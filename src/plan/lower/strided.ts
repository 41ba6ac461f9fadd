// A product of two matrices, or batches of them, wherever they lie. One idea: an operand is where it starts and its
// strides, so transposes and heads are strides; the fast kernel wants k in words, and copies see to that.

import type { Gemm, MatMul, Node, NodeOf } from "../../graph/node.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import { elementStrides, layoutOf, padFront } from "../layout.ts";
import { emitBatched } from "./batched.ts";
import { workgroups, type Lowering, type Placed } from "./context.ts";
import { emitCopy, emitReshape } from "./movement.ts";

/** A matrix operand as the strided kernel reads it. */
export interface Operand {
  readonly placed: Placed;
  /** Where the first matrix begins, in elements. */
  readonly base: number;
  /** Strides in elements of up to three batch axes, then of rows and columns. */
  readonly batch: readonly number[];
  readonly row: number;
  readonly column: number;
}

/** Strides of a matrix operand; axes it repeats over have stride 0. A vector gets the missing axis. */
export function operand(
  placed: Placed,
  role: "left" | "right" | "out",
  transposed: boolean,
): Operand {
  const strides = elementStrides(placed.layout);
  const { logical } = placed.layout;
  if (logical.length === 1) {
    const stride = strides[0] ?? 1;
    const row = role === "right" ? stride : 0;
    return { placed, base: 0, batch: [0, 0, 0], row, column: role === "right" ? 0 : stride };
  }
  const [row = 0, column = 0] = transposed ? strides.slice(-2).reverse() : strides.slice(-2);
  const batch = strides.slice(0, -2).map((stride, axis) => (logical[axis] === 1 ? 0 : stride));
  return { placed, base: 0, batch: padFront(batch, 3, 0), row, column };
}

export interface Strided {
  readonly node: Gemm | MatMul | NodeOf<"Attention">;
  readonly left: Operand;
  readonly right: Operand;
  readonly out: Operand;
  readonly m: number;
  readonly n: number;
  /** n with the padding behind it that is written 0; without, the layout's where columns are last. */
  readonly nPadded?: number;
  readonly k: number;
  /** At every size, k fills words, or left is 0 from k to the end of its last one; else what is there is masked. */
  readonly inWords: boolean;
  readonly batch: readonly number[];
  readonly alpha: number;
}

/** Whether k lies in words in `left`, as the kernel by words reads it. */
const fitsLeft = ({ column, row }: Operand) => column === 1 && row % 4 === 0;
const fitsRight = ({ row, column }: Operand) =>
  (column === 1 && row % 4 === 0) || (row === 1 && column % 4 === 0);
const isAligned = ({ base, batch: [, ...rest] }: Operand) =>
  [base, ...rest].every((stride) => stride % 4 === 0);

/** Emit `product` by words, where k lies in words on both sides and everything starts at one. */
function emitWords(
  lowering: Lowering,
  product: Strided,
  bounds: { low: number; high: number },
): boolean {
  const { node, left, right, out, m, n, k, batch, alpha } = product;
  const [batch0 = 1, batch1 = 1, batch2 = 1] = padFront(batch, 3, 1);
  const fit = fitsLeft(left) && fitsRight(right) && fitsLeft(out);
  if (k === 0 || !fit || ![left, right, out].every(isAligned) || batch0 !== 1) return false;
  const transposed = right.column !== 1;
  const words = ({ placed, base, batch: [, outer = 0, inner = 0] }: Operand, stride: number) => ({
    ref: placed.ref,
    base: base / 4,
    batch: [outer / 4, inner / 4] as const,
    line: stride / 4,
  });
  emitBatched(lowering, {
    node,
    left: words(left, left.row),
    right: words(right, transposed ? right.column : right.row),
    out: words(out, out.row),
    transposed,
    batch: [batch1, batch2],
    masked: !product.inWords,
    ...{ m, n, k, alpha, bounds },
  });
  return true;
}

/** The matrices of `from`, rows × columns, one after the other and by words: a copy where they do not lie so. */
function relaid(
  lowering: Lowering,
  node: Node,
  from: Operand,
  batch: readonly number[],
  rows: number,
  columns: number,
): Operand {
  const own = padFront(batch, 3, 1).map((size, axis) => (from.batch[axis] === 0 ? 1 : size));
  const to = lowering.scratch([...own, rows, columns]); // five axes lie in their order
  const origin = own.concat(0, 0).map(() => 0);
  const stride = [...from.batch, from.row, from.column];
  const extent = to.layout.logical;
  emitCopy(lowering, node, from.placed, to, { origin, extent, stride, base: from.base }, 0);
  return operand(to, "left", false);
}

/** The same with copies of what does not lie in words; `product` is row-major in its output's value. */
function emitRelaid(
  lowering: Lowering,
  product: Strided,
  bounds: { low: number; high: number },
): boolean {
  const { node, m, n, k, batch, out } = product;
  const [batch0 = 1] = padFront(batch, 3, 1);
  const hasVector = product.left.row === 0 || product.right.column === 0;
  if (node.op === "Attention" || hasVector || batch0 !== 1 || k === 0) return false;
  const fits = (operand: Operand, isFit: boolean) => isFit && isAligned(operand);
  const left = fits(product.left, fitsLeft(product.left))
    ? product.left
    : relaid(lowering, node, product.left, batch, m, k);
  const right = fits(product.right, fitsRight(product.right))
    ? product.right
    : relaid(lowering, node, product.right, batch, k, n);
  // Copies have 0 behind their last column.
  const inWords = product.inWords || left !== product.left;
  if (fits(out, fitsLeft(out)))
    return emitWords(lowering, { ...product, left, right, inWords }, bounds);
  const rows = lowering.scratch([...padFront(batch, 3, 1), m, n]);
  const own = operand(rows, "out", false);
  if (!emitWords(lowering, { ...product, left, right, inWords, out: own }, bounds)) return false;
  emitReshape(lowering, node, rows, out.placed);
  return true;
}

/** out = clamp(alpha · left · right), by words; a vector that does not lie so, and more than two batch axes, by an
 *  invocation an element: any layout, any stride. */
export function emitStrided(
  lowering: Lowering,
  product: Strided,
  bounds: { low: number; high: number },
): void {
  const { node, left, right, out, m, n, k, batch, alpha } = product;
  if (left.placed.quant || right.placed.quant) {
    throw lowering.unsupported(node, "a product of two activations does not run in integers");
  }
  if (batch.length > 3) throw lowering.unsupported(node, "at most 3 leading axes are supported");
  if (emitWords(lowering, product, bounds) || emitRelaid(lowering, product, bounds)) return;
  const [, batch1 = 1, batch2 = 1] = padFront(batch, 3, 1);
  const { layout } = out.placed;
  const { name } = out.placed;
  const fillsWords = lowering.choices.always(
    (shape) => (name === "" ? layout : layoutOf(shape(name))).last % 4 === 0,
  );
  if (product.nPadded === undefined && out.column !== 1 && !fillsWords) {
    // The padded axis is another one: an empty box writes 0 everywhere, padding included.
    const none = layout.logical.map(() => 0);
    emitCopy(
      lowering,
      node,
      left.placed,
      out.placed,
      { origin: none, extent: none, stride: none, base: 0 },
      0,
    );
  }
  // Only where columns are the last physical axis does their padding follow them.
  const nPadded = product.nPadded ?? (out.column === 1 ? Math.ceil(n / 4) * 4 : n);
  const count = sizeOf(batch) * m * nPadded;
  const [a, b, c] = [left.batch, right.batch, out.batch];
  lowering.plan.step("matmulF32", {
    node: node.name,
    uniforms: {
      count,
      m,
      n,
      nPadded,
      k,
      batch1,
      batch2,
      leftBatch0: a[0] ?? 0,
      leftBatch1: a[1] ?? 0,
      leftBatch2: a[2] ?? 0,
      leftM: left.row,
      leftK: left.column,
      rightBatch0: b[0] ?? 0,
      rightBatch1: b[1] ?? 0,
      rightBatch2: b[2] ?? 0,
      rightK: right.row,
      rightN: right.column,
      outBatch0: c[0] ?? 0,
      outBatch1: c[1] ?? 0,
      outBatch2: c[2] ?? 0,
      outM: out.row,
      outN: out.column,
      leftBase: left.base,
      rightBase: right.base,
      outBase: out.base,
      alpha,
      ...bounds,
    },
    buffers: { left: left.placed.ref, right: right.placed.ref, out: out.placed.ref },
    groups: workgroups(count),
  });
}
