// Gemm and MatMul. Rows that lie row by row, by one matrix, run as a 1 × 1 convolution; anything else as a strided
// product.

import { clampOf, uniformClamp } from "../../graph/clamp.ts";
import type { Binary, ChannelClamp, Gemm, MatMul } from "../../graph/node.ts";
import { storedWeight } from "../../graph/weightOnly.ts";
import { sizeOf, toNumbers } from "../../tensor/tensor.ts";
import { emitChannelClamp } from "./channelClamp.ts";
import { emitTransposedProduct } from "./convGradFilter.ts";
import { floatBounds, type Lowering, type Placed } from "./context.ts";
import { asRows, rowsLike } from "./dynamic.ts";
import { emitBinary } from "./elementwise.ts";
import { emitReshape } from "./movement.ts";
import { isRow, takeBias, takeResidual, type Residual } from "./residual.ts";
import { lowerRows } from "./rows.ts";
import { emitStrided, operand, type Operand } from "./strided.ts";
import { lowerWeightRows } from "./weights.ts";
import { elementStrides, layoutOf, padFront, type Layout } from "../layout.ts";

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

/** The same where it is computed, and lies as the row that the kernels read. */
function rowBias(lowering: Lowering, node: Gemm, columns: number): Placed | undefined {
  const name = node.inputs[2];
  if (name === undefined || node.beta !== 1 || lowering.constant(name)) return undefined;
  return isRow(lowering.shape(name), columns) ? lowering.input(node, 2) : undefined;
}

/** Rows that pay for the dispatch that packs a computed matrix. */
const ENOUGH_ROWS = 16;

/** Whether `rows` by the matrix that is input 1 run as pixels of a convolution. */
function isByRows(lowering: Lowering, node: Gemm | MatMul, rows: number): boolean {
  const name = lowering.inputName(node, 1);
  if (lowering.constant(name)) return true;
  if (lowering.quant(name) || lowering.quant(lowering.inputName(node, 0))) return false;
  return lowering.settle(node, "by rows", () => rows >= ENOUGH_ROWS);
}

/** Whether `node` is a product as that of the gradient by a matrix: over the rows of both operands, and nothing else. */
function isGradient(lowering: Lowering, node: Gemm): boolean {
  const { transA, transB, alpha, low, high } = node;
  const isFloat = node.inputs.every((name) => !lowering.quant(name));
  const hasBias = node.inputs.length > 2;
  return (
    transA &&
    !transB &&
    alpha === 1 &&
    !hasBias &&
    isFloat &&
    low === undefined &&
    high === undefined
  );
}

export function lowerGemm(lowering: Lowering, node: Gemm): void {
  emitGemm(lowering, node, lowering.output(node), clampOf<ChannelClamp>(node));
}

/** final = the Gemm, clamped to `own`. */
function emitGemm(lowering: Lowering, node: Gemm, final: Placed, own: ChannelClamp): void {
  const x = lowering.input(node, 0);
  const [rows = 1, columns = 1] = final.layout.logical;
  const isStored = storedWeight(node, (name) => lowering.graph.values.get(name)) !== undefined;
  const isByRow = !isStored && !node.transA && isByRows(lowering, node, rows);
  const numbers = columnBias(lowering, node, columns);
  const bias = numbers ?? (isByRow ? rowBias(lowering, node, columns) : undefined);
  const addsLater = node.inputs.length > 2 && bias === undefined;
  const { transB: transposed, alpha } = node;
  if (isByRow && !addsLater)
    return lowerRows(lowering, node, x, final, { transposed, alpha, bias, clamp: own });
  const uniform = uniformClamp(own);
  if (!uniform) {
    const open = lowering.scratch([rows, columns]);
    emitGemm(lowering, node, open, {});
    return emitChannelClamp(lowering, node, open, final, own);
  }
  const product = addsLater ? lowering.scratch([rows, columns]) : final;
  const clamp = addsLater ? {} : uniform;
  if (isStored) {
    lowerWeightRows(lowering, node, x, product, { transposed, alpha, bias: numbers, clamp });
  } else if (isByRow) {
    lowerRows(lowering, node, x, product, { transposed, alpha, bias: undefined, clamp });
  } else if (isGradient(lowering, node) && product.layout.words > 0) {
    emitTransposedProduct(lowering, node, x, lowering.input(node, 1), product);
  } else {
    const k = x.layout.logical[node.transA ? 0 : 1] ?? 1;
    const straight = numbers === undefined;
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
      const addend = constantRow(lowering, numbers);
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

/** A product by one matrix whose rows do not lie one after the other: four axes lie in another order, and a vector is
 *  a row that its shape does not say. They are moved on the way in and out. */
function lowerMovedLinear(lowering: Lowering, node: MatMul, left: Placed): void {
  const final = lowering.output(node);
  const isRow = left.layout.logical.length === 1;
  const x = isRow
    ? { ...left, layout: layoutOf([1, ...left.layout.logical]) }
    : asRows(lowering, node, left);
  const rows = isRow
    ? { ...final, layout: layoutOf([1, ...final.layout.logical]) }
    : rowsLike(lowering, final);
  lowerRows(lowering, node, x, rows, {
    transposed: false,
    alpha: 1,
    bias: undefined,
    clamp: clampOf(node),
  });
  if (!isRow) emitReshape(lowering, node, rows, final);
}

/** A product by one matrix, with the bias and the residual that are added to it. */
function lowerLinear(lowering: Lowering, node: MatMul, left: Placed): void {
  const bias = takeBias(lowering, node, true);
  const last = bias?.add ?? node;
  const residual = takeFloatResidual(lowering, last);
  const out = residual?.out ?? lowering.output(last);
  lowerRows(lowering, node, left, out, {
    transposed: false,
    alpha: 1,
    bias: bias?.row,
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
  if (storedWeight(node, (name) => lowering.graph.values.get(name))) {
    const bias = takeBias(lowering, node);
    const last = bias?.add ?? node;
    const row = bias && !("ref" in bias.row) ? bias.row : undefined;
    const options = { transposed: false, alpha: 1, bias: row, clamp: clampOf(last) };
    return lowerWeightRows(lowering, node, left, lowering.output(last), options);
  }
  const rows = sizeOf(left.layout.logical.slice(0, -1));
  if (rightShape.length === 2 && rowsAreContiguous(left.layout) && isByRows(lowering, node, rows)) {
    lowerLinear(lowering, node, left);
    return;
  }
  if (lowering.constant(rightName) && rightShape.length === 2) {
    lowerMovedLinear(lowering, node, left);
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
