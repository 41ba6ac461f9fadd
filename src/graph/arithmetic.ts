// The arithmetic of quantized values, one function per equation of docs/quantization.md: what the
// reference computes, what convert stores and what the plan checks are the same lines. f32 steps are
// rounded by `fl`, one rounding each.

import { AccumulatorError, InputError, QConfigError } from "../errors.ts";
import { clamp, fl, rint } from "../tensor/rounding.ts";
import { formatShape, sizeOf, stridesOf, tensor, type Tensor } from "../tensor/tensor.ts";
import type { Engine } from "./node.ts";
import { paramsShape, rangeOf, type QParams } from "./value.ts";

/** Greatest |acc| that f32 holds exactly: up to here (29) is the same on every adapter. */
export const exactAccumulator = 2 ** 24;
/** Greatest |acc| at all. */
export const greatestAccumulator = 2 ** 31 - 1;

/** u = z + rint(fl(x · r)), r = fl(1/s): q before its clamp. */
function unclamped(x: number, scale: number, zeroPoint: number): number {
  return zeroPoint + rint(fl(x * fl(1 / scale)));
}

/** q = clamp(z + rint(fl(x · r)), qmin, qmax), r = fl(1/s): docs/quantization.md (2). NaN stays NaN. */
export function quantizeValue(
  x: number,
  scale: number,
  zeroPoint: number,
  qmin: number,
  qmax: number,
): number {
  return clamp(unclamped(x, scale, zeroPoint), qmin, qmax);
}

/** Whether the gradient passes x: qmin ≤ u ≤ qmax; docs/quantization.md (18). NaN does not pass. */
export function passesGradient(
  x: number,
  scale: number,
  zeroPoint: number,
  qmin: number,
  qmax: number,
): boolean {
  const u = unclamped(x, scale, zeroPoint);
  return u >= qmin && u <= qmax;
}

/** u = rint(fma(x, r, z)), one rounding before the last: docs/quantization.md (20). */
export function roundFused(x: number, scale: number, zeroPoint: number): number {
  // The product of two f32 is exact in f64, and its sum with z has 29 bits more than the f32 it is rounded to.
  return rint(fl(x * fl(1 / scale) + zeroPoint));
}

/** q = clamp(z + rint(fl(x / s)), qmin, qmax): docs/quantization.md (5), where a runtime's own bytes count. */
export function quantizeDividing(
  x: number,
  scale: number,
  zeroPoint: number,
  qmin: number,
  qmax: number,
): number {
  return clamp(zeroPoint + rint(fl(x / scale)), qmin, qmax);
}

/** `x` as q, element by element, per tensor, slice or block of `quant.axis`; the result has `quant.dtype`.
 *  ±∞ saturates; NaN throws InputError: docs/quantization.md (2). */
export function quantizeTensor(x: Tensor<"float32">, quant: QParams): Tensor<QParams["dtype"]> {
  const [qmin, qmax] = rangeOf(quant);
  const channelOf = channels(x.shape, quant, "quantize");
  const result = tensor(quant.dtype, x.shape);
  for (let i = 0; i < result.data.length; i++) {
    const value = x.data[i] ?? NaN;
    if (Number.isNaN(value)) {
      throw new InputError(
        `quantize: NaN has no integer; got one at index ${i} of shape ${formatShape(x.shape)}. ` +
          `Check the preprocessing and the model's weights.`,
      );
    }
    const [scale, zeroPoint] = channelOf(i);
    result.data[i] = quantizeValue(value, scale, zeroPoint, qmin, qmax);
  }
  return result;
}

/** x̂ = fl(f32(q − z) · s), for the int32 of a bias as for int8 and int4: docs/quantization.md (6). */
export function dequantizeTensor(q: Tensor<QParams["dtype"]>, quant: QParams): Tensor<"float32"> {
  const channelOf = channels(q.shape, quant, "dequantize");
  const result = tensor("float32", q.shape);
  for (let i = 0; i < result.data.length; i++) {
    const [scale, zeroPoint] = channelOf(i);
    result.data[i] = fl((q.data[i] ?? 0) - zeroPoint) * scale; // the store rounds the product
  }
  return result;
}

/** [scale, zeroPoint] of the element at flat index i of `shape`. */
function channels(
  shape: readonly number[],
  quant: QParams,
  verb: string,
): (i: number) => readonly [number, number] {
  const { axis, blockSize, scale, zeroPoint } = quant;
  const count = sizeOf(paramsShape(quant, shape));
  if (scale.length !== count || zeroPoint.length !== count) {
    const blocks = blockSize === undefined ? "" : ` in blocks of ${blockSize}`;
    throw new InputError(
      `${verb}: ${axis === undefined ? "per tensor" : `axis ${axis} of shape ${formatShape(shape)}${blocks}`} ` +
        `needs ${count} scale(s) and zero point(s); got ${scale.length} and ${zeroPoint.length}. ` +
        `Choose the parameters for this tensor's shape.`,
    );
  }
  const pairs = Array.from(scale, (s, c) => [s, zeroPoint[c] ?? 0] as const);
  const stride = axis === undefined ? 1 : (stridesOf(shape)[axis] ?? 1);
  if (axis === undefined || blockSize === undefined) {
    return (i) => pairs[Math.floor(i / stride) % count] ?? [NaN, 0];
  }
  const size = shape[axis] ?? 1;
  const blocks = Math.ceil(size / blockSize);
  return (i) => {
    const slice = Math.floor(i / stride); // of all slices along and before `axis`
    const block = Math.floor(slice / size) * blocks + Math.floor((slice % size) / blockSize);
    return pairs[block * stride + (i % stride)] ?? [NaN, 0];
  };
}

/** m = fl(fl(sx · sw) / sy), docs/quantization.md (29); with sa and sb for sx and sw it is that of a
 *  product, (35). qnnpack takes fl(fl(sx · sw) · fl(1 / sy)), (31). Throws QConfigError unless m is a
 *  finite, normal, positive f32. */
export function multiplier(sx: number, sw: number, sy: number, engine?: Engine): number {
  const step = fl(sx * sw);
  const m = engine === "qnnpack" ? fl(step * fl(1 / sy)) : fl(step / sy);
  return usable(m, `sx=${sx}, sw=${sw}, sy=${sy}`);
}

/** m = fl(s / sy), of a change of scale alone: docs/quantization.md (34). Throws as `multiplier`. */
export function rescaleMultiplier(scale: number, sy: number): number {
  return usable(fl(scale / sy), `s=${scale}, sy=${sy}`);
}

/** m of an average over n taps, docs/quantization.md (36): fl(1/n) where input and output share their
 *  scale, else fl(sx / fl(sy · n)). Throws as `multiplier`. */
export function averageMultiplier(sx: number, sy: number, n: number): number {
  return usable(sx === sy ? fl(1 / n) : fl(sx / fl(sy * n)), `sx=${sx}, sy=${sy}, n=${n}`);
}

function usable(m: number, from: string): number {
  if (m >= 2 ** -126 && Number.isFinite(m)) return m;
  throw new QConfigError(
    `requantize: the multiplier must be a finite, normal, positive f32; got ${m} from ${from}. ` +
      `Raise eps in the qconfig, or keep the op float.`,
  );
}

/** q = clamp(zy + rint(fl(f32(acc) · m)), low, high): docs/quantization.md (29). acc is an int32, its
 *  bias included; low and high are integers, the activation included (`clampBounds`). */
export function requantize(
  acc: number,
  m: number,
  zeroPoint: number,
  low: number,
  high: number,
): number {
  return clamp(zeroPoint + rint(fl(fl(acc) * m)), low, high);
}

/** bq[c] = rint(fl(b[c] / fl(sx · s_c))): docs/quantization.md (26); qnnpack multiplies by the reciprocal.
 *  `weightScale` has one entry, or one per channel. Throws AccumulatorError where |bq| ≥ 2³¹. */
export function quantizeBias(
  bias: Float32Array,
  inputScale: number,
  weightScale: Float32Array,
  engine?: Engine,
): Int32Array {
  return Int32Array.from(bias, (b, c) => {
    const scale = (weightScale.length === 1 ? weightScale[0] : weightScale[c]) ?? NaN;
    const step = fl(inputScale * scale);
    const q = rint(engine === "qnnpack" ? fl(b * fl(1 / step)) : fl(b / step));
    if (Math.abs(q) <= greatestAccumulator) return q;
    throw new AccumulatorError(
      `bias: a bias must fit int32 in steps of sx · sw; got ${b} / (${inputScale} · ${scale}) at ` +
        `channel ${c}. Raise that channel's weight scale to ${leastWeightScale(b, inputScale)}.`,
    );
  });
}

/** fl(b / fl(sx · s_c)): a bias in steps of the accumulator, not rounded to an integer: docs/quantization.md
 *  (30). */
export function floatBias(bias: number, inputScale: number, weightScale: number): number {
  return fl(bias / fl(inputScale * weightScale));
}

/** The weight scale from which on a bias fits int32: fl(1.0001 · 2|b| / (2³² − 2) / sx), as ONNX
 *  Runtime's quantizer raises it; docs/quantization.md, section 7. */
export function leastWeightScale(bias: number, inputScale: number): number {
  return fl((1.0001 * 2 * Math.abs(bias)) / (2 ** 32 - 2) / inputScale);
}

/** One output channel whose bias must fit its accumulator. */
export interface BiasedChannel {
  readonly scale: number;
  /** Real units. */
  readonly bias: number;
  /** Σ |w| in real units, and how many weights that are. */
  readonly magnitude: number;
  readonly count: number;
}

/** Greatest |x − zx| of eight bits. */
const REACH = 255;

/** The scale of a channel's weights with which its bias and its sums fit int32 together, (28): its own where they do,
 *  else the least that ONNX Runtime's quantizer gives for the bias, or one that leaves room for the sums too. A pruned
 *  channel with PyTorch's least scale is the common case: all its weights are 0 under any scale. */
export function scaleForBias(channel: BiasedChannel, inputScale: number): number {
  const { scale, bias, magnitude, count } = channel;
  const sums = (s: number) => REACH * (magnitude / s + count / 2);
  const fits = (s: number) => Math.abs(bias) / fl(inputScale * s) + sums(s) <= greatestAccumulator;
  if (bias === 0 || fits(scale)) return scale;
  const least = Math.max(scale, leastWeightScale(bias, inputScale));
  // Sums that pass int32 alone are no matter of the bias.
  const room = greatestAccumulator - (REACH * count) / 2;
  if (fits(least) || room <= 0 || sums(scale) > greatestAccumulator) return least;
  return fl((1.0001 * (Math.abs(bias) / inputScale + REACH * magnitude)) / room);
}

/** Σ w[c] and Σ |w[c]| over each slice of `axis`, exact; for (25) and (28). */
export function sumWeights(
  weight: Tensor<"int8">,
  axis: number,
): { readonly sum: Float64Array; readonly magnitude: Float64Array } {
  const count = weight.shape[axis] ?? 0;
  const stride = stridesOf(weight.shape)[axis] ?? 1;
  const sum = new Float64Array(count);
  const magnitude = new Float64Array(count);
  for (let i = 0; i < sizeOf(weight.shape); i++) {
    const c = Math.floor(i / stride) % count;
    const w = weight.data[i] ?? 0;
    sum[c] = (sum[c] ?? 0) + w;
    magnitude[c] = (magnitude[c] ?? 0) + Math.abs(w);
  }
  return { sum, magnitude };
}

/** biasFolded[c] = bq[c] − zx · Σ w[c], modulo 2³²: docs/quantization.md (25). The accumulator starts
 *  here and ends exact, though sums in between may wrap. */
export function foldZeroPoint(
  bias: Int32Array,
  zeroPoint: number,
  weightSums: ArrayLike<number>,
): Int32Array {
  return bias.map((b, c) => b - zeroPoint * (weightSums[c] ?? 0)); // the store is modulo 2³²
}

/** Greatest |acc| per channel, max(zx − qmin, qmax − zx) · Σ|w[c]| + |bq[c]|: docs/quantization.md
 *  (28). Compare with `exactAccumulator` and `greatestAccumulator`. bias is not yet folded. */
export function accumulatorBound(
  zeroPoint: number,
  qmin: number,
  qmax: number,
  weightMagnitudes: ArrayLike<number>,
  bias: Int32Array,
): Float64Array {
  const reach = Math.max(zeroPoint - qmin, qmax - zeroPoint);
  return Float64Array.from(bias, (b, c) => reach * (weightMagnitudes[c] ?? 0) + Math.abs(b));
}

/** [low, high] of an op's output as q, from bounds in real units (absent or ±∞: open):
 *  z + rint(fl(bound / s)), kept within [qmin, qmax]; docs/quantization.md (29). `quant` is per tensor.
 *  Throws InputError where the bounds are NaN or cross. */
export function clampBounds(
  low: number | undefined,
  high: number | undefined,
  quant: QParams,
): readonly [number, number] {
  if (!((low ?? -Infinity) <= (high ?? Infinity))) {
    throw new InputError(
      `clamp: bounds must be numbers with low ≤ high; got low=${low}, high=${high}. Swap them, or ` +
        `leave one out.`,
    );
  }
  const [qmin, qmax] = rangeOf(quant);
  const scale = quant.scale[0] ?? NaN;
  const zeroPoint = quant.zeroPoint[0] ?? 0;
  const toQ = (bound: number): number => clamp(zeroPoint + rint(fl(fl(bound) / scale)), qmin, qmax);
  return [low === undefined ? qmin : toQ(low), high === undefined ? qmax : toQ(high)];
}

/** Both integer multipliers of an addition, and the shift that ends it. */
export interface AddMultipliers {
  readonly ma: number;
  readonly mb: number;
  readonly k: number;
}

/** Ma = rint(sa/sy · 2ᵏ), Mb = rint(sb/sy · 2ᵏ) in f64, k the greatest ≤ 30 with both < 2²¹, so that
 *  255·(Ma + Mb) < 2³⁰: docs/quantization.md (37). Throws QConfigError where no k ≥ 1 exists. */
export function addMultipliers(
  sa: number,
  sb: number,
  sy: number,
  engine?: Engine,
): AddMultipliers {
  if (engine === "qnnpack") {
    // Of the f32 ratios, and one bit more: |v| ≤ 510 · 2²² still fits i32.
    const [a, b] = [fl(sa / sy), fl(sb / sy)];
    const k = 21 - Math.floor(Math.log2(Math.max(a, b)));
    const scale = 2 ** k;
    if (k >= 1 && k <= 30) return { ma: rint(a * scale), mb: rint(b * scale), k };
  }
  for (let k = 30; k >= 1; k--) {
    const ma = rint((sa / sy) * 2 ** k);
    const mb = rint((sb / sy) * 2 ** k);
    if (ma < 2 ** 21 && mb < 2 ** 21) return { ma, mb, k };
  }
  throw new QConfigError(
    `add: sa / sy and sb / sy must be below 2^20; got sa=${sa}, sb=${sb}, sy=${sy}. ` +
      `Check the output's calibration, or keep the op float.`,
  );
}

/** v / 2ᵏ to the nearest integer, ties to even, on int32 v and 1 ≤ k ≤ 30: docs/quantization.md (37). */
export function roundShiftEven(v: number, k: number): number {
  const rest = v & ((1 << k) - 1);
  const half = 1 << (k - 1);
  const floor = v >> k;
  return floor + (rest > half || (rest === half && (floor & 1) === 1) ? 1 : 0);
}

/** q = clamp(zy + roundShiftEven((a − za)·Ma + (b − zb)·Mb, k), low, high): docs/quantization.md (37).
 *  `a` and `b` come without their zero points, |a|, |b| ≤ 255. */
export function addQuantized(
  a: number,
  b: number,
  multipliers: AddMultipliers,
  zeroPoint: number,
  low: number,
  high: number,
): number {
  const { ma, mb, k } = multipliers;
  return clamp(zeroPoint + roundShiftEven(a * ma + b * mb, k), low, high);
}
