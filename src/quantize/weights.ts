// Constants become integers on the host: weights per output channel or per tensor, operands of Add
// and Mul per tensor.

import { NonFiniteError } from "../errors.ts";
import { quantizeTensor, scaleForBias } from "../graph/arithmetic.ts";
import type { Node } from "../graph/node.ts";
import { rangeOf, type QParams } from "../graph/value.ts";
import { nonFiniteOf } from "../tensor/finite.ts";
import { float32, stridesOf, type Tensor } from "../tensor/tensor.ts";
import { chooseQParams, type Range } from "./qparams.ts";
import { weightRange, type TensorSpec } from "./qconfig.ts";
import { searchScale } from "./searchScale.ts";

export interface QuantizedConstant {
  readonly data: Tensor<QParams["dtype"]>;
  readonly quant: QParams;
}

/** The axis of output channels in the weight of `node`. */
export function outputAxis(node: Node): number {
  const isFirst = node.op === "Conv" || node.op === "LSTM" || node.op === "GRU";
  return isFirst || (node.op === "Gemm" && node.transB) ? 0 : 1;
}

/** Least and greatest element, per slice of `axis` or of all. */
export function rangeOfConstant(data: Tensor<"float32">, axis: number | undefined): Range {
  const count = axis === undefined ? 1 : (data.shape[axis] ?? 1);
  const stride = axis === undefined ? data.data.length : (stridesOf(data.shape)[axis] ?? 1);
  const min = new Float32Array(count).fill(Infinity);
  const max = new Float32Array(count).fill(-Infinity);
  data.data.forEach((value, index) => {
    const c = Math.floor(index / Math.max(1, stride)) % count;
    min[c] = Math.min(min[c] ?? value, value);
    max[c] = Math.max(max[c] ?? value, value);
  });
  return { min, max };
}

/** Quantize the weight of `node`. `perAxis` of the spec means output channels, whatever axis that is
 *  in this op; a weight does not change, so every min/max observer sees the same range. Where a bias would not fit int32 the channel's scale is raised: docs/quantization.md,
 *  section 7. */
export function quantizeWeight(
  node: Node,
  weight: Tensor<"float32">,
  bias: Float32Array | undefined,
  inputScale: number,
  spec: TensorSpec,
): QuantizedConstant {
  checkFinite(node, "weight", weight);
  if (bias) checkFinite(node, "bias", float32([bias.length], bias));
  const axis = spec.granularity === "perTensor" ? undefined : outputAxis(node);
  const {
    qmin: _qmin,
    qmax: _qmax,
    ...params
  } = chooseQParams(rangeOfConstant(weight, axis), {
    ...spec,
    granularity: axis === undefined ? "perTensor" : { perAxis: axis },
  });
  const chosen: QParams = { ...params, ...weightRange(spec) };
  const searched = spec.search ? searchScales(weight, axis, chosen) : chosen.scale;
  const scale = scalesForBias(searched, { weight, axis: outputAxis(node), bias, inputScale });
  const quant = { ...chosen, scale };
  return { data: quantizeTensor(weight, quant), quant };
}

/** `scale`, one or one a channel, raised where the channels of `bias` would not fit their accumulators. */
export function scalesForBias(
  scale: Float32Array,
  layer: {
    readonly weight: Tensor<"float32">;
    readonly axis: number;
    readonly bias: Float32Array | undefined;
    readonly inputScale: number;
  },
): Float32Array {
  const { weight, axis, bias, inputScale } = layer;
  if (!bias) return scale;
  const channels = weight.shape[axis] ?? 1;
  const count = weight.data.length / Math.max(1, channels);
  const magnitudes = magnitudesOf(weight, axis);
  const least = Float32Array.from({ length: channels }, (_, c) =>
    scaleForBias(
      {
        scale: scale[scale.length === 1 ? 0 : c] ?? 1,
        bias: bias[c] ?? 0,
        magnitude: magnitudes[c] ?? 0,
        count,
      },
      inputScale,
    ),
  );
  if (scale.length > 1) return least;
  return scale.map((s) => least.reduce((most, each) => Math.max(most, each), s));
}

/** Σ |w| of each slice of `axis`. */
function magnitudesOf({ data, shape }: Tensor<"float32">, axis: number): Float64Array {
  const count = shape[axis] ?? 1;
  const stride = stridesOf(shape)[axis] ?? 1;
  const sums = new Float64Array(count);
  data.forEach((w, at) => {
    const c = Math.floor(at / stride) % count;
    sums[c] = (sums[c] ?? 0) + Math.abs(w);
  });
  return sums;
}

/** The scale of least squared error for each channel, near the chosen one. */
function searchScales(
  weight: Tensor<"float32">,
  axis: number | undefined,
  chosen: QParams,
): Float32Array {
  const count = chosen.scale.length;
  const stride = axis === undefined ? 1 : (stridesOf(weight.shape)[axis] ?? 1);
  const channels = Array.from(
    { length: count },
    () => new Float32Array(weight.data.length / count),
  );
  const filled = new Uint32Array(count);
  weight.data.forEach((value, index) => {
    const c = Math.floor(index / stride) % count;
    const at = filled[c] ?? 0;
    const channel = channels[c];
    if (channel) channel[at] = value;
    filled[c] = at + 1;
  });
  const [qmin, qmax] = rangeOf(chosen);
  return chosen.scale.map((s, c) => searchScale(channels[c] ?? [], s, qmin, qmax));
}

/** Throws NonFiniteError where a constant of `node` holds NaN or ±∞, which no scale can stand for. */
export function checkFinite(node: Node, kind: "weight" | "bias", values: Tensor): void {
  const found = nonFiniteOf(values);
  if (!found) return;
  const tensor = node.inputs[kind === "weight" ? 1 : 2] ?? `${kind} of ${node.name}`;
  throw new NonFiniteError(`${node.op} "${node.name}"`, { ...found, tensor, kind }, [
    "Check the model file, the parameters of a BatchNormalization behind it included",
    `leave the node float: overrides: { "${node.name}": null }`,
  ]);
}

/** Quantize a constant operand of an element-wise op: its own range, per tensor. */
export function quantizeOperand(data: Tensor<"float32">, spec: TensorSpec): QuantizedConstant {
  const quant = chooseQParams(rangeOfConstant(data, undefined), spec);
  return { data: quantizeTensor(data, quant), quant };
}
