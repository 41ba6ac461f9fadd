// QConfigs by name. Ours is `int8`; the others are what PyTorch's get_default_qconfig(backend)
// returns, there to reproduce its numbers: docs/quantization.md, section 3.

import type { QConfig, TensorSpec } from "./qconfig.ts";

const histogram: TensorSpec = Object.freeze({
  dtype: "uint8",
  scheme: "affine",
  granularity: "perTensor",
  observer: Object.freeze({ kind: "histogram" }),
});

/** 0 … 127: older CPUs sum 8-bit products in 16 bits, which saturates. dot4I8Packed does not. */
const reducedHistogram: TensorSpec = Object.freeze({ ...histogram, reduceRange: true });

const perTensorWeight: TensorSpec = Object.freeze({
  dtype: "int8",
  scheme: "symmetric",
  granularity: "perTensor",
  observer: Object.freeze({ kind: "minMax" }),
});

const perChannelWeight: TensorSpec = Object.freeze({
  dtype: "int8",
  scheme: "symmetric",
  granularity: Object.freeze({ perAxis: 0 }),
  observer: Object.freeze({ kind: "perChannelMinMax", axis: 0 }),
});

/** −127 … 127: the greatest weight is 127 steps, not 127.5, and the negative of a weight is one. Then
 *  the scale of least squared error: what a depthwise channel of nine weights loses is mostly luck. */
const searchedPerChannelWeight: TensorSpec = Object.freeze({
  ...perChannelWeight,
  search: "squaredError",
  qmin: -127,
  qmax: 127,
});

/** The same with one scale a tensor: less to store and to read, and far less accurate unless layers are equalized
 *  first (docs/quantization.md, section 16). */
const searchedPerTensorWeight: TensorSpec = Object.freeze({
  ...perTensorWeight,
  search: "squaredError",
  qmin: -127,
  qmax: 127,
});

function preset(activation: TensorSpec, weight: TensorSpec): QConfig {
  return Object.freeze({ activation, weight });
}

/** The presets, frozen. Derive your own by spreading one: `{ ...qconfigs.int8, weight: … }`. */
export const qconfigs = Object.freeze({
  /** Our default: uint8 activations 0 … 255, weights −127 … 127 per channel, scales searched. */
  int8: preset(histogram, searchedPerChannelWeight),
  /** `int8` with one scale a weight: for runtimes that take no other. Prepare with `equalize: true`. */
  int8PerTensor: preset(histogram, searchedPerTensorWeight),
  qnnpack: preset(histogram, perTensorWeight),
  fbgemm: preset(reducedHistogram, perChannelWeight),
  x86: preset(reducedHistogram, perChannelWeight),
  onednn: preset(histogram, perChannelWeight),
});
