// A range of reals → scale and zero point, one pair of numbers: what PyTorch's observers choose, (9) and (10),
// and what its fused training op does, (14). Each step is rounded to f32, as there.

import { clamp, fl, rint } from "../tensor/rounding.ts";
import { chooseQuantizationParams, type ScaleAndZero } from "./dynamic.ts";

export interface RangeRule {
  readonly scheme: "symmetric" | "affine";
  readonly qmin: number;
  readonly qmax: number;
  /** Least scale of "observer", f32. */
  readonly eps: number;
  /** Of a symmetric range. */
  readonly zeroPoint: number;
  /** "observer": docs/quantization.md (9), (10). "fused": (14), as PyTorch's FusedMovingAvgObsFakeQuantize. */
  readonly rule: "observer" | "fused";
}

/** s = max(fl(fl(hi − lo) / (qmax − qmin)), eps), z = clamp(qmin − rint(fl(lo / s)), qmin, qmax)  (9) */
function affine({ qmin, qmax, eps }: RangeRule, low: number, high: number): ScaleAndZero {
  const scale = Math.max(fl(fl(high - low) / (qmax - qmin)), eps);
  return { scale, zeroPoint: clamp(qmin - rint(fl(low / scale)), qmin, qmax) };
}

/** s = max(fl(max(−lo, hi) / ((qmax − qmin) / 2)), eps)  (10). The divisor is 127.5 for −128 … 127
 *  and 127 for −127 … 127. */
function symmetric(rule: RangeRule, low: number, high: number): ScaleAndZero {
  const { qmin, qmax, eps, zeroPoint } = rule;
  return { scale: Math.max(fl(Math.max(-low, high) / ((qmax - qmin) / 2)), eps), zeroPoint };
}

/** (14), where `symmetric` widens a range on both sides of 0 to steps of the greater side first. */
function fused(rule: RangeRule, low: number, high: number): ScaleAndZero {
  const { scheme, qmin, qmax, zeroPoint } = rule;
  const levels = qmax - qmin;
  if (scheme === "affine" || low === 0 || high === 0) {
    const chosen = chooseQuantizationParams(low, high, 0, levels);
    return { scale: chosen.scale, zeroPoint: chosen.zeroPoint + qmin };
  }
  const half = Math.floor(levels / 2);
  const step = Math.max(fl(-low / (half + 1)), fl(high / half));
  const wide = chooseQuantizationParams(fl(-step * (half + 1)), fl(step * half), 0, levels);
  return { scale: wide.scale, zeroPoint };
}

/** Scale and zero point of a range; the scale is NaN where min ≤ max does not hold, and may be infinite. What was
 *  never observed, Infinity … −Infinity, has scale 1 and zero point 0, as in PyTorch. */
export function paramsOfRange(rule: RangeRule, min: number, max: number): ScaleAndZero {
  if (min === Infinity && max === -Infinity) return { scale: 1, zeroPoint: 0 };
  if (!(min <= max)) return { scale: NaN, zeroPoint: 0 };
  const low = Math.min(min, 0); // (8): 0 must be a value of q
  const high = Math.max(max, 0);
  if (rule.rule === "fused") return fused(rule, low, high);
  return (rule.scheme === "symmetric" ? symmetric : affine)(rule, low, high);
}

/** m ← fl(m + fl(c · fl(cur − m))); the first batch sets m: docs/quantization.md (11). */
export function movingAverage(m: number, current: number, constant: number): number {
  return Math.abs(m) === Infinity ? current : fl(m + fl(fl(constant) * fl(current - m)));
}
