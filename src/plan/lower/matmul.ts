// Gemm and MatMul. A constant right operand and rows that lie row by row run as a 1 × 1 convolution;
// anything else as a plain strided product.

import { boundAt, clampOf, uniformClamp } from "../../graph/clamp.ts";
import type { Binary, Bound, ChannelClamp, Gemm, MatMul, NodeOf } from "../../graph/node.ts";
import { storedWeight } from "../../graph/weightOnly.ts";
import { sizeOf, toNumbers } from "../../tensor/tensor.ts";
import { emitBatched } from "./batched.ts";
import { lowerRows } from "./conv.ts";
import { finite, floatBounds, workgroups, type Lowering, type Placed } from "./context.ts";
import { emitBinary } from "./elementwise.ts";
import { emitCopy } from "./movement.ts";
import { takeBias, takeResidual, type Residual } from "./residual.ts";
import { lowerWeightRows } from "./weights.ts";
import { elementStrides, layoutOf, padFront, type Layout } from "../layout.ts";

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
function operand(placed: Placed, role: "left" | "right" | "out", transposed: boolean): Operand {
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
  /** At every size, k fills words, or left is 0 from k to the end of its last one. */
  readonly inWords: boolean;
  readonly batch: readonly number[];
  readonly alpha: number;
}

/** Emit `product` by words, where k lies in words on both sides and everything starts at one. */
function emitWords(
  lowering: Lowering,
  product: Strided,
  bounds: { low: number; high: number },
): boolean {
  const { node, left, right, out, m, n, k, batch, alpha } = product;
  const [batch0 = 1, batch1 = 1, batch2 = 1] = padFront(batch, 3, 1);
  const transposed = right.column !== 1;
  const line = transposed ? right.column : right.row;
  const fit = left.column === 1 && out.column === 1 && (!transposed || right.row === 1);
  const strides = [left, right, out].flatMap(({ base, batch: [, ...rest] }) => [base, ...rest]);
  const aligned = [...strides, left.row, line, out.row].every((stride) => stride % 4 === 0);
  if (!product.inWords || k === 0 || !fit || !aligned || batch0 !== 1) return false;
  const words = ({ placed, base, batch: [, outer = 0, inner = 0] }: Operand, stride: number) => ({
    ref: placed.ref,
    base: base / 4,
    batch: [outer / 4, inner / 4] as const,
    line: stride / 4,
  });
  emitBatched(lowering, {
    node,
    left: words(left, left.row),
    right: words(right, line),
    out: words(out, out.row),
    transposed,
    batch: [batch1, batch2],
    ...{ m, n, k, alpha, bounds },
  });
  return true;
}

/** out = clamp(alpha · left · right), by words where they lie so; else an invocation an element: any layout, any stride. */
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
  if (emitWords(lowering, product, bounds)) return;
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

/** Rows of the last logical axis lie one after the other unless the layout moves that axis. */
function rowsAreContiguous(layout: Layout): boolean {
  return layout.logical.length !== 4 && layout.logical.length > 1;
}

/** c of a Gemm as one bias per column, if it is a constant of that form. */
function columnBias(lowering: Lowering, node: Gemm, columns: number): number[] | undefined {
  const name = node.inputs[2];
  const constant = name === undefined ? undefined : lowering.constant(name);
  if (!constant) return undefined;
  const size = sizeOf(constant.shape);
  const perColumn = size === 1 || (size === columns && constant.shape.at(-1) === columns);
  if (!perColumn) return undefined;
  const values = toNumbers(constant);
  return Array.from({ length: columns }, (_, c) => {
    const value = values[size === 1 ? 0 : c] ?? 0;
    return node.beta === 1 ? value : Math.fround(value * node.beta);
  });
}

export function lowerGemm(lowering: Lowering, node: Gemm): void {
  emitGemm(lowering, node, lowering.output(node), clampOf<ChannelClamp>(node));
}

/** final = the Gemm, clamped to `own`. */
function emitGemm(lowering: Lowering, node: Gemm, final: Placed, own: ChannelClamp): void {
  const x = lowering.input(node, 0);
  const [rows = 1, columns = 1] = final.layout.logical;
  const bias = columnBias(lowering, node, columns);
  const addsLater = node.inputs.length > 2 && bias === undefined;
  const constant = lowering.constant(lowering.inputName(node, 1)) !== undefined;
  const isStored = storedWeight(node, (name) => lowering.graph.values.get(name)) !== undefined;
  const { transB: transposed, alpha } = node;
  if (constant && !isStored && !node.transA && !addsLater)
    return lowerRows(lowering, node, x, final, { transposed, alpha, bias, clamp: own });
  const uniform = uniformClamp(own);
  if (!uniform) {
    const open = lowering.scratch([rows, columns]);
    emitGemm(lowering, node, open, {});
    return emitChannelClamp(lowering, node, open, final);
  }
  const product = addsLater ? lowering.scratch([rows, columns]) : final;
  const clamp = addsLater ? {} : uniform;
  if (isStored || (constant && !node.transA)) {
    (isStored ? lowerWeightRows : lowerRows)(lowering, node, x, product, {
      transposed,
      alpha,
      bias,
      clamp,
    });
  } else {
    const k = x.layout.logical[node.transA ? 0 : 1] ?? 1;
    const straight = bias === undefined;
    const raw = straight ? product : lowering.scratch([rows, columns]);
    emitStrided(
      lowering,
      {
        node,
        left: operand(x, "left", node.transA),
        right: operand(lowering.input(node, 1), "right", node.transB),
        out: operand(raw, "out", false),
        m: rows,
        n: columns,
        k,
        inWords: fillsWords(lowering, node, node.transA ? 0 : 1),
        batch: [],
        alpha: node.alpha,
      },
      floatBounds(straight ? clamp : {}),
    );
    if (!straight) {
      const addend = constantRow(lowering, bias);
      emitBinary(lowering, node, "Add", raw, addend, product, clamp);
    }
  }
  if (addsLater) {
    let addend = lowering.input(node, 2);
    if (node.beta !== 1) {
      const scaled = lowering.scratch(addend.layout.logical);
      emitBinary(lowering, node, "Mul", addend, constantRow(lowering, [node.beta]), scaled, {});
      addend = scaled;
    }
    emitBinary(lowering, node, "Add", product, addend, final, uniform);
  }
}

/** out = x clamped to the bounds of each column: for products whose kernels know one bound for all. */
function emitChannelClamp(lowering: Lowering, node: Gemm, x: Placed, out: Placed): void {
  const [, columns = 1] = out.layout.logical;
  const row = (bound: Bound | undefined, open: number) => {
    const bounds = Array.from({ length: columns }, (_, c) => boundAt(bound, c) ?? open);
    return constantRow(lowering, bounds.map(finite));
  };
  const least = lowering.scratch(out.layout.logical);
  emitBinary(lowering, node, "Max", x, row(node.low, -Infinity), least, {});
  emitBinary(lowering, node, "Min", least, row(node.high, Infinity), out, {});
}

/** Whether `axis` of the left operand fills words at every size. */
function fillsWords(lowering: Lowering, node: Gemm | MatMul, axis: number): boolean {
  const name = lowering.inputName(node, 0);
  return lowering.choices.always((shape) => (shape(name)[axis] ?? 1) % 4 === 0);
}

/** Host numbers as a placed row (1, n). */
function constantRow(lowering: Lowering, values: readonly number[]): Placed {
  const scratch = lowering.scratch([1, values.length]);
  const data = new Float32Array(scratch.layout.words * 4);
  data.set(values);
  return { ...scratch, ref: lowering.plan.constant(data) };
}

/** A product by a constant, with the bias and the residual that are added to it. */
function lowerLinear(lowering: Lowering, node: MatMul, left: Placed): void {
  const bias = takeBias(lowering, node);
  const last = bias?.add ?? node;
  const residual = takeFloatResidual(lowering, last);
  const out = residual?.out ?? lowering.output(last);
  lowerRows(lowering, node, left, out, {
    transposed: false,
    alpha: 1,
    bias: bias && toNumbers(bias.row),
    clamp: clampOf(last),
    residual,
  });
}

/** Integer rows take no residual: theirs are convolutions. */
function takeFloatResidual(lowering: Lowering, node: MatMul | Binary): Residual | undefined {
  const isFloat = lowering.quant(node.outputs[0] ?? "") === undefined;
  return isFloat ? takeResidual(lowering, node) : undefined;
}

export function lowerMatMul(lowering: Lowering, node: MatMul): void {
  const left = lowering.input(node, 0);
  const rightName = lowering.inputName(node, 1);
  const rightShape = lowering.shape(rightName);
  const constant = lowering.constant(rightName);
  if (storedWeight(node, (name) => lowering.graph.values.get(name))) {
    const bias = takeBias(lowering, node);
    const last = bias?.add ?? node;
    const row = bias && toNumbers(bias.row);
    const options = { transposed: false, alpha: 1, bias: row, clamp: clampOf(last) };
    return lowerWeightRows(lowering, node, left, lowering.output(last), options);
  }
  if (constant && rightShape.length === 2 && rowsAreContiguous(left.layout)) {
    lowerLinear(lowering, node, left);
    return;
  }
  const out = lowering.output(node);
  const clamp = clampOf(node);
  const right = lowering.input(node, 1);
  const [a, b] = [left.layout.logical, right.layout.logical];
  const m = a.length === 1 ? 1 : (a.at(-2) ?? 1);
  const n = b.length === 1 ? 1 : (b.at(-1) ?? 1);
  const batch = out.layout.logical.slice(
    0,
    out.layout.logical.length - (a.length > 1 ? 1 : 0) - (b.length > 1 ? 1 : 0),
  );
  const strides = elementStrides(out.layout);
  const outOperand: Operand =
    a.length > 1 && b.length > 1
      ? operand(out, "out", false)
      : {
          placed: out,
          base: 0,
          batch: padFront(strides.slice(0, batch.length), 3, 0),
          row: a.length > 1 ? (strides.at(-1) ?? 0) : 0,
          column: b.length > 1 ? (strides.at(-1) ?? 0) : 0,
        };
  const k = a.at(-1) ?? 1;
  emitStrided(
    lowering,
    {
      node,
      left: operand(left, "left", false),
      right: operand(right, "right", false),
      out: outOperand,
      m,
      n,
      k,
      inWords: fillsWords(lowering, node, a.length - 1),
      batch,
      alpha: 1,
    },
    floatBounds(clamp),
  );
}
