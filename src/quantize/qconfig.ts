// How an op's activations and weights are quantized, as plain JSON-like data, and the rules that a
// spec must keep. A spec is checked where it enters, so nothing after it asks again.

import { QConfigError } from "../errors.ts";
import type { ObserverSpec } from "../graph/observer.ts";
import { fl } from "../tensor/rounding.ts";

/** How one tensor is quantized. */
export interface TensorSpec {
  readonly dtype: "int8" | "uint8";
  readonly scheme: "symmetric" | "affine";
  readonly granularity: "perTensor" | { readonly perAxis: number };
  readonly observer: ObserverSpec;
  /** A range of q narrower than the dtype's own, which scale and zero point are chosen for; give both or neither.
   *  Weights are rounded into it. Activations are clamped to it where it has fewer than 128 values, else at the ends
   *  of the dtype, as PyTorch's and ONNX Runtime's kernels do. */
  readonly qmin?: number;
  readonly qmax?: number;
  /** Least scale, in real units per step; 2⁻²³ unless told. */
  readonly eps?: number;
  /** Constants only: among scales near the range's, take the one of least squared error, (45). */
  readonly search?: "squaredError";
  /** Choose scale and zero point for half the range of q, as PyTorch's x86 and fbgemm presets do. */
  readonly reduceRange?: boolean;
}

/** How an op's inputs and outputs (`activation`) and its constants (`weight`) are quantized. */
export interface QConfig {
  readonly activation: TensorSpec;
  readonly weight: TensorSpec;
}

const dtypeRanges = { int8: [-128, 127], uint8: [0, 255] } as const;

type QRange = readonly [qmin: number, qmax: number];

/** The range of a spec before it is reduced. */
function givenRange({ dtype, qmin, qmax }: TensorSpec): QRange {
  const [least, greatest] = dtypeRanges[dtype];
  return [qmin ?? least, qmax ?? greatest];
}

/** [qmin, qmax] that scale and zero point are chosen for, reduced range included: docs/quantization.md, section 3. */
export function qRangeOf(spec: TensorSpec): QRange {
  const [qmin, qmax] = givenRange(spec);
  return spec.reduceRange ? [Math.floor(qmin / 2), Math.floor(qmax / 2)] : [qmin, qmax];
}

/** `range` as parameters have it: absent where it is the dtype's own. */
function narrower(spec: TensorSpec, [qmin, qmax]: QRange) {
  const [least, greatest] = dtypeRanges[spec.dtype];
  return qmin === least && qmax === greatest ? {} : { qmin, qmax };
}

/** The range that kernels clamp activations to, absent where it is the dtype's own. An observer's range only chooses
 *  scale and zero point: values beyond it go on to the ends of the dtype, as in PyTorch's and ONNX Runtime's
 *  kernels. A range of fewer than seven bits is a format of its own that lies in bytes; it holds, and files say so
 *  by a Clip. */
export function activationRange(spec: TensorSpec): { qmin?: number; qmax?: number } {
  const [qmin, qmax] = givenRange(spec);
  return qmax - qmin < 127 ? narrower(spec, [qmin, qmax]) : {};
}

/** The range that weights are rounded into, absent where it is the dtype's own. A reduced range holds only where the
 *  scale is searched, which may cut the greatest weights; else it chooses the scale and no more, as in PyTorch:
 *  a tie at 63.5 steps is 64. */
export function weightRange(spec: TensorSpec): { qmin?: number; qmax?: number } {
  return narrower(spec, spec.search ? qRangeOf(spec) : givenRange(spec));
}

/** Throws QConfigError where `qconfig` cannot be met. `where` opens the message: `Conv "/conv1"`. */
export function validateQConfig(qconfig: QConfig, where = "qconfig"): void {
  const { activation, weight } = qconfig;
  validateTensorSpec(activation, `${where}: activation`);
  validateTensorSpec(weight, `${where}: weight`);
  if (activation.granularity !== "perTensor") {
    throw new QConfigError(
      `${where}: activation: activations have one scale per tensor; got ` +
        `granularity ${JSON.stringify(activation.granularity)}. Use "perTensor".`,
    );
  }
  if (weight.observer.kind === "histogram") {
    throw new QConfigError(
      `${where}: weight: weights are observed once, by a min/max observer; got histogram. ` +
        `Use "perChannelMinMax", and search: "squaredError" for a closer fit.`,
    );
  }
  if (weight.dtype !== "int8" || weight.scheme !== "symmetric") {
    throw new QConfigError(
      `${where}: weight: weights are symmetric int8, so that an accumulator needs no sum over the ` +
        `input; got ${weight.scheme} ${weight.dtype}. Use scheme "symmetric" and dtype "int8".`,
    );
  }
}

/** Throws QConfigError where one tensor's spec contradicts itself. */
export function validateTensorSpec(spec: TensorSpec, where = "qconfig"): void {
  validateRange(spec, where);
  validateObserver(spec, where);
  const { eps } = spec;
  if (eps !== undefined && !(fl(eps) >= 2 ** -126 && Number.isFinite(fl(eps)))) {
    throw new QConfigError(
      `${where}: eps must be a normal, positive f32; got ${eps}. Leave it out for 2^-23.`,
    );
  }
}

function validateRange(spec: TensorSpec, where: string): void {
  const { dtype, qmin, qmax } = spec;
  const [least, greatest] = dtypeRanges[dtype];
  if ((qmin === undefined) !== (qmax === undefined)) {
    throw new QConfigError(
      `${where}: qmin and qmax come together; got qmin=${qmin}, qmax=${qmax}. Give both or neither.`,
    );
  }
  const [low, high] = [qmin ?? least, qmax ?? greatest];
  const isInside =
    Number.isInteger(low) && Number.isInteger(high) && low >= least && high <= greatest;
  if (!isInside || low > 0 || high < 0 || low >= high) {
    throw new QConfigError(
      `${where}: qmin … qmax must be integers around 0 inside ${least} … ${greatest} (${dtype}); ` +
        `got ${low} … ${high}. Leave both out for the whole range.`,
    );
  }
  if (spec.scheme === "symmetric" && dtype === "uint8" && spec.reduceRange) {
    throw new QConfigError(
      `${where}: symmetric uint8 has no reduced range, since its zero point stays 128; got ` +
        `reduceRange=true. Leave reduceRange out, or use dtype "int8".`,
    );
  }
  const [reducedLow, reducedHigh] = qRangeOf(spec);
  if (reducedLow >= reducedHigh) {
    throw new QConfigError(
      `${where}: the reduced range must hold two values; got ${reducedLow} … ${reducedHigh} from ` +
        `${low} … ${high}. Leave reduceRange out.`,
    );
  }
}

function validateObserver(spec: TensorSpec, where: string): void {
  const { granularity, observer } = spec;
  const axis = granularity === "perTensor" ? undefined : granularity.perAxis;
  const observed = "axis" in observer ? observer.axis : undefined;
  if (axis !== observed) {
    throw new QConfigError(
      `${where}: observer and granularity must agree; got observer ${JSON.stringify(observer)} with ` +
        `granularity ${JSON.stringify(granularity)}. Per axis take "perChannelMinMax" or ` +
        `"movingAveragePerChannelMinMax" of the same axis, per tensor any other kind.`,
    );
  }
  if (axis !== undefined && !(Number.isInteger(axis) && axis >= 0)) {
    throw new QConfigError(
      `${where}: the axis must be a non-negative integer; got ${axis}. Conv and Gemm weights have 0.`,
    );
  }
  if (observer.kind === "histogram") {
    const { bins = 2048 } = observer;
    // 4096 counts of four bytes are the workgroup memory that every device has.
    if (!(Number.isInteger(bins) && bins >= 2 && bins <= 4096)) {
      throw new QConfigError(
        `${where}: bins must be an integer in 2 … 4096; got ${bins}. Leave it out for 2048.`,
      );
    }
  }
  if ("averagingConstant" in observer) {
    const { averagingConstant = 0.01 } = observer;
    if (!(averagingConstant > 0 && averagingConstant <= 1)) {
      throw new QConfigError(
        `${where}: averagingConstant must be in (0, 1]; got ${averagingConstant}. Leave it out for 0.01.`,
      );
    }
  }
}
