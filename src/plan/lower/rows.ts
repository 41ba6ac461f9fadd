// Products of rows by a matrix: rows are pixels of a 1 × 1 filter.

import type { ChannelClamp, Node } from "../../graph/node.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import { elementStrides } from "../layout.ts";
import type { Lowering, Placed } from "./context.ts";
import { emit, filterElements, once } from "./conv.ts";
import type { FilterSource } from "./packing.ts";
import type { Filter, Product } from "./product.ts";
import type { Residual } from "./residual.ts";

/** What rows are multiplied by: (outs, perGroup), with a bias for each of outs. */
export interface Rows extends ChannelClamp {
  readonly outs: number;
  readonly perGroup: number;
  /** A constant's numbers, or where a run computes them. */
  readonly matrix: (() => ArrayLike<number>) | FilterSource;
  readonly bias: Product["bias"];
  readonly filterScale: Float32Array | undefined;
  readonly residual?: Residual | undefined;
}

/** out (rows, outs) = x (rows, perGroup) · matrixᵀ + bias. */
export function emitRows(
  lowering: Lowering,
  node: Node,
  x: Placed,
  out: Placed,
  { outs, perGroup, matrix, bias, filterScale, residual, ...clamp }: Rows,
): void {
  const one = {
    inHeight: 1,
    inWidth: 1,
    outHeight: 1,
    outWidth: 1,
    kernelHeight: 1,
    kernelWidth: 1,
  };
  const steps = {
    strideHeight: 1,
    strideWidth: 1,
    dilationHeight: 1,
    dilationWidth: 1,
    padTop: 0,
    padLeft: 0,
  };
  const shape = { outs, perGroup, taps: 1, group: 1 };
  const filter: Filter =
    typeof matrix === "function" ? { shape, data: matrix } : { shape, source: matrix };
  emit(lowering, {
    node,
    geometry: { batch: sizeOf(out.layout.logical.slice(0, -1)), ...one, ...steps },
    filter,
    bias,
    filterScale,
    x,
    out,
    residual,
    ...clamp,
  });
}

export interface RowOptions {
  /** The matrix lies as (N, K). */
  readonly transposed: boolean;
  readonly alpha: number;
  readonly bias: ArrayLike<number> | Placed | undefined;
  readonly clamp: ChannelClamp;
  readonly residual?: Residual | undefined;
}

/** out (rows, N) = x (rows, K) · matrix (K, N) + bias; the matrix is input 1 of `node`. */
export function lowerRows(
  lowering: Lowering,
  node: Node,
  x: Placed,
  out: Placed,
  options: RowOptions,
): void {
  const name = lowering.inputName(node, 1);
  const filterScale = lowering.quant(name)?.scale;
  const constant = lowering.constant(name);
  const [first = 1, second = 1] = lowering.shape(name);
  const [outs, perGroup] = options.transposed ? [first, second] : [second, first];
  const { bias } = options;
  emitRows(lowering, node, x, out, {
    ...{ outs, perGroup, filterScale },
    matrix: constant
      ? once(() => rowsOf(filterElements(lowering, name, constant), outs, perGroup, options))
      : matrixSource(lowering.input(node, 1), outs, perGroup, options),
    bias: bias && "ref" in bias ? bias : () => bias ?? new Float32Array(outs),
    residual: options.residual,
    ...options.clamp,
  });
}

/** A constant matrix as (outs, perGroup), times alpha. */
function rowsOf(
  source: ArrayLike<number>,
  outs: number,
  perGroup: number,
  { transposed, alpha }: RowOptions,
): Float64Array {
  const rows = new Float64Array(outs * perGroup);
  for (let out = 0; out < outs; out++) {
    for (let k = 0; k < perGroup; k++) {
      const at = transposed ? out * perGroup + k : k * outs + out;
      rows[out * perGroup + k] = Math.fround((source[at] ?? 0) * alpha);
    }
  }
  return rows;
}

/** The same where a run computes it. */
function matrixSource(
  { ref, layout }: Placed,
  outs: number,
  perGroup: number,
  { transposed, alpha }: RowOptions,
): FilterSource {
  const [first = 0, second = 0] = elementStrides(layout);
  const [out, input] = transposed ? [first, second] : [second, first];
  const strides = { group: 0, out, input, row: 0, column: 0, base: 0 };
  return { ref, outsPerGroup: outs, perGroup, kernelWidth: 1, alpha, strides };
}
