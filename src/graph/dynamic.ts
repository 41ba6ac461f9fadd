// Scale and zero point of an activation whose range comes from its own data: ONNX's rule and PyTorch's. One
// idea: both are made for uint8; int8 is the same bytes less 128, so every q − zeroPoint is the same.

import { clamp, fl, rint } from "../tensor/rounding.ts";

/** How an activation is quantized on the way into a product. */
export interface DynamicRule {
  /** "onnx": docs/quantization.md (38), bytes by (5). "torch": (14), bytes by (2). */
  readonly rule: "onnx" | "torch";
  /** One scale for the tensor, or one for each row of its last axis. */
  readonly granularity: "perTensor" | "perToken";
  readonly dtype: "uint8" | "int8";
  /** Parameters for 128 levels in place of 256: for CPUs that add pairs of products in int16. */
  readonly reduceRange: boolean;
}

/** ONNX's DynamicQuantizeLinear. */
export const onnxRule: DynamicRule = {
  rule: "onnx",
  granularity: "perTensor",
  dtype: "uint8",
  reduceRange: false,
};

/** Scale, and a value of q. */
export interface ScaleAndZero {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** Least q of a rule, and how many values above it scale and zero point are chosen for. */
export function dynamicLevels({ dtype, reduceRange }: DynamicRule): {
  readonly qmin: number;
  readonly levels: number;
} {
  const qmin = dtype === "uint8" ? 0 : reduceRange ? -64 : -128;
  return { qmin, levels: reduceRange ? 127 : 255 };
}

/** [least, greatest] q. A reduced range only chooses parameters: where both ends of the data are ties, the greatest is
 *  one step beyond, as in PyTorch's kernels. */
export function dynamicBounds(rule: DynamicRule): readonly [number, number] {
  return [dynamicLevels(rule).qmin, rule.dtype === "uint8" ? 255 : 127];
}

/** Parameters of data within [low, high], f32; the range is widened to hold 0. */
export function chooseDynamic(rule: DynamicRule, low: number, high: number): ScaleAndZero {
  const [lo, hi] = [Math.min(low, 0), Math.max(high, 0)];
  const { qmin, levels } = dynamicLevels(rule);
  const { scale, zeroPoint } =
    rule.rule === "torch"
      ? chooseQuantizationParams(lo, hi, 0, levels)
      : chooseOnnx(lo, hi, levels);
  return { scale, zeroPoint: zeroPoint + qmin };
}

/** s = fl(fl(hi − lo) / levels), 1 if below the least normal; z = clamp(rint(fl(−lo / s)), 0, levels):
 *  docs/quantization.md (38). */
function chooseOnnx(lo: number, hi: number, levels: number): ScaleAndZero {
  const quotient = fl(fl(hi - lo) / levels);
  const scale = quotient < 2 ** -126 ? 1 : quotient;
  return { scale, zeroPoint: clamp(rint(fl(-lo / scale)), 0, levels) };
}

/** PyTorch's SMALL_SCALE_THRESHOLD. */
const LEAST_SCALE = fl(6.1e-5);

/** PyTorch's ChooseQuantizationParams of lo ≤ 0 ≤ hi, in f64 as there: docs/quantization.md (14). The scale
 *  is rounded to f32 last; the zero point is made from the one that is not. */
export function chooseQuantizationParams(
  lo: number,
  hi: number,
  qmin: number,
  qmax: number,
): ScaleAndZero {
  let [low, high] = [lo, hi];
  let scale = (high - low) / (qmax - qmin);
  if (fl(scale) === 0 || fl(1 / fl(scale)) === Infinity) scale = 0.1;
  if (scale < LEAST_SCALE) {
    const before = fl(scale);
    scale = LEAST_SCALE;
    if (low === 0) high = fl(LEAST_SCALE * (qmax - qmin));
    else if (high === 0) low = -fl(LEAST_SCALE * (qmax - qmin));
    else {
      const amplifier = fl(LEAST_SCALE / before);
      [low, high] = [fl(low * amplifier), fl(high * amplifier)];
    }
  }
  const fromLow = Math.abs(qmin) - Math.abs(low / scale);
  const fromHigh = Math.abs(qmax) - Math.abs(high / scale);
  const zero = fromLow < fromHigh ? qmin - low / scale : qmax - high / scale;
  return { scale: fl(scale), zeroPoint: rint(clamp(zero, qmin, qmax)) };
}
