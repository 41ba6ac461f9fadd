// What a value is: dtype, shape and, where it is quantized, the parameters of its map to the reals.
// Quantization lives here, in the type of a value, and not in the name of an op.

import type { DType } from "../tensor/dtype.ts";

/** A size, or the name of one that is known only at run time ("batch"). */
export type Dim = number | string;

/** real = scale · (q − zeroPoint): docs/quantization.md (1). One pair per tensor (length 1), one per slice
 *  of `axis`, or with `blockSize` one per run of so many elements along `axis` (the last may be shorter):
 *  ONNX DequantizeLinear's blocks. dtype "int32" occurs on biases alone, int4 and uint4 on weights. */
export interface QParams {
  readonly dtype: "int8" | "uint8" | "int4" | "uint4" | "int32";
  /** Row-major, of the shape that `paramsShape` gives; zeroPoint likewise. */
  readonly scale: Float32Array;
  readonly zeroPoint: Int32Array;
  readonly axis?: number;
  readonly blockSize?: number;
  /** Least and greatest q that values are clamped to, where that is not the dtype's own range: formats of fewer than
   *  seven bits, and weights. */
  readonly qmin?: number;
  readonly qmax?: number;
}

/** The shape of scale and zero point of a value of `shape`: [], [slices], or the value's own with `axis`
 *  counted in blocks. */
export function paramsShape(
  { axis, blockSize }: Pick<QParams, "axis" | "blockSize">,
  shape: readonly number[],
): number[] {
  if (axis === undefined) return [];
  if (blockSize === undefined) return [shape[axis] ?? 0];
  return shape.map((size, at) => (at === axis ? Math.ceil(size / blockSize) : size));
}

/** The type of one value of a graph. `dtype` is that of the stored elements: a constant weight of a float op
 *  may be float16, or integers under `quant` (weightOnly.ts), and is the float32 that it stands for. */
export interface Value {
  readonly dtype: DType;
  readonly shape: readonly Dim[];
  readonly quant?: QParams;
}

const ranges = {
  int8: [-128, 127],
  uint8: [0, 255],
  int4: [-8, 7],
  uint4: [0, 15],
  int32: [-2147483648, 2147483647],
} as const;

/** Least and greatest code of a type. */
export function codesOf(dtype: QParams["dtype"]): readonly [number, number] {
  return ranges[dtype];
}

/** [qmin, qmax] of the parameters. */
export function rangeOf(quant: QParams): readonly [number, number] {
  const [least, greatest] = codesOf(quant.dtype);
  return [quant.qmin ?? least, quant.qmax ?? greatest];
}

/** Whether q means the same under both. */
export function sameQuant(a: QParams, b: QParams): boolean {
  const same = (x: ArrayLike<number>, y: ArrayLike<number>) =>
    x.length === y.length && Array.from(x).every((value, index) => value === y[index]);
  return (
    a.dtype === b.dtype &&
    a.axis === b.axis &&
    a.blockSize === b.blockSize &&
    same(rangeOf(a), rangeOf(b)) &&
    same(a.scale, b.scale) &&
    same(a.zeroPoint, b.zeroPoint)
  );
}
