// A range of reals → the scale and zero point used: docs/quantization.md (8), (9), (10). Each step is
// rounded to f32, as PyTorch's observers do it.

import { InputError } from "../errors.ts";
import type { QParams } from "../graph/value.ts";
import { clamp, fl, rint } from "../tensor/rounding.ts";
import { qRangeOf, type TensorSpec } from "./qconfig.ts";

/** Least and greatest real value, f32; length 1, or one per slice of the quantized axis.
 *  Never observed: min = Infinity, max = −Infinity. */
export interface Range {
  readonly min: Float32Array;
  readonly max: Float32Array;
}

const wholeRanges = { int8: [-128, 127], uint8: [0, 255] } as const;

/** Scale and zero point of `range`, one pair per entry. A range that was never observed has scale 1
 *  and zero point 0, as in PyTorch. Throws InputError where a bound is not finite or the scale
 *  overflows f32. The spec is taken as valid (`validateTensorSpec`). */
export function chooseQParams(range: Range, spec: TensorSpec): QParams {
  const [qmin, qmax] = qRangeOf(spec);
  const [least, greatest] = wholeRanges[spec.dtype];
  const eps = fl(spec.eps ?? 2 ** -23);
  const length = range.min.length;
  const scale = new Float32Array(length);
  const zeroPoint = new Int32Array(length);
  for (let i = 0; i < length; i++) {
    const min = range.min[i] ?? NaN;
    const max = range.max[i] ?? NaN;
    const [s, z] = isUnseen(min, max)
      ? [1, 0]
      : spec.scheme === "symmetric"
        ? symmetric(min, max, qmin, qmax, eps, symmetricZeroPoint(spec, qmin, qmax))
        : affine(min, max, qmin, qmax, eps);
    if (!Number.isFinite(s)) {
      throw new InputError(
        `qparams: a range must be finite, with min ≤ max and max − min a finite f32; got ${min} … ` +
          `${max}${length > 1 ? ` at channel ${i}` : ""}. Check the calibration data and the weights.`,
      );
    }
    scale[i] = s;
    zeroPoint[i] = z;
  }
  return {
    dtype: spec.dtype,
    scale,
    zeroPoint,
    ...(spec.granularity === "perTensor" ? {} : { axis: spec.granularity.perAxis }),
    ...(qmin === least && qmax === greatest ? {} : { qmin, qmax }),
  };
}

function isUnseen(min: number, max: number): boolean {
  return min === Infinity && max === -Infinity;
}

type Pair = readonly [scale: number, zeroPoint: number];

/** s = max(fl(fl(hi − lo) / (qmax − qmin)), eps), z = clamp(qmin − rint(fl(lo / s)), qmin, qmax)  (9) */
function affine(min: number, max: number, qmin: number, qmax: number, eps: number): Pair {
  if (!(min <= max)) return [NaN, 0];
  const low = Math.min(min, 0); // (8): 0 must be a value of q
  const high = Math.max(max, 0);
  const scale = Math.max(fl(fl(high - low) / (qmax - qmin)), eps);
  return [scale, clamp(qmin - rint(fl(low / scale)), qmin, qmax)];
}

/** s = max(fl(max(−lo, hi) / ((qmax − qmin) / 2)), eps)  (10). The divisor is 127.5 for −128 … 127
 *  and 127 for −127 … 127. */
function symmetric(
  min: number,
  max: number,
  qmin: number,
  qmax: number,
  eps: number,
  zeroPoint: number,
): Pair {
  if (!(min <= max)) return [NaN, 0];
  return [Math.max(fl(Math.max(-min, max, 0) / ((qmax - qmin) / 2)), eps), zeroPoint];
}

function symmetricZeroPoint(spec: TensorSpec, qmin: number, qmax: number): number {
  if (spec.dtype === "int8") return 0;
  return spec.qmin === undefined ? 128 : Math.floor((qmin + qmax) / 2);
}
