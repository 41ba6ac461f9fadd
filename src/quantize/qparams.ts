// A range of reals → the scale and zero point used, slice by slice: docs/quantization.md (8), (9), (10).

import { InputError } from "../errors.ts";
import { paramsOfRange, type RangeRule } from "../graph/qparams.ts";
import type { QParams } from "../graph/value.ts";
import { fl } from "../tensor/rounding.ts";
import { activationRange, qRangeOf, type TensorSpec } from "./qconfig.ts";

/** Least and greatest real value, f32; length 1, or one per slice of the quantized axis.
 *  Never observed: min = Infinity, max = −Infinity. */
export interface Range {
  readonly min: Float32Array;
  readonly max: Float32Array;
}

/** Scale and zero point of `range`, one pair per entry, with the range that kernels clamp to. A range that was never observed has scale 1
 *  and zero point 0, as in PyTorch. Throws InputError where a bound is not finite or the scale
 *  overflows f32. The spec is taken as valid (`validateTensorSpec`). */
export function chooseQParams(range: Range, spec: TensorSpec): QParams {
  const rule = rangeRuleOf(spec);
  const length = range.min.length;
  const scale = new Float32Array(length);
  const zeroPoint = new Int32Array(length);
  for (let i = 0; i < length; i++) {
    const min = range.min[i] ?? NaN;
    const max = range.max[i] ?? NaN;
    const chosen = paramsOfRange(rule, min, max);
    if (!Number.isFinite(chosen.scale)) {
      throw new InputError(
        `qparams: a range must be finite, with min ≤ max and max − min a finite f32; got ${min} … ` +
          `${max}${length > 1 ? ` at channel ${i}` : ""}. Check the calibration data and the weights.`,
      );
    }
    scale[i] = chosen.scale;
    zeroPoint[i] = chosen.zeroPoint;
  }
  return {
    dtype: spec.dtype,
    scale,
    zeroPoint,
    ...(spec.granularity === "perTensor" ? {} : { axis: spec.granularity.perAxis }),
    ...activationRange(spec),
  };
}

/** How `spec` chooses scale and zero point of a range. */
export function rangeRuleOf(spec: TensorSpec): RangeRule {
  const [qmin, qmax] = qRangeOf(spec);
  return {
    scheme: spec.scheme,
    qmin,
    qmax,
    eps: fl(spec.eps ?? 2 ** -23),
    zeroPoint: spec.scheme === "symmetric" ? symmetricZeroPoint(spec, qmin, qmax) : 0,
    rule: "observer",
  };
}

function symmetricZeroPoint(spec: TensorSpec, qmin: number, qmax: number): number {
  if (spec.dtype === "int8") return 0;
  return spec.qmin === undefined ? 128 : Math.floor((qmin + qmax) / 2);
}
