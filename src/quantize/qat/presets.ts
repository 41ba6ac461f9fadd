// QConfigs of quantization-aware training by name: what PyTorch's get_default_qat_qconfig(backend) returns, docs/
// quantization.md, section 3, and our own, whose weights have the range they have at each step, so that
// conversion finds the same scale.

import type { QConfig, TensorSpec } from "../qconfig.ts";

const activation: TensorSpec = Object.freeze({
  dtype: "uint8",
  scheme: "affine",
  granularity: "perTensor",
  observer: Object.freeze({ kind: "movingAverageMinMax" }),
});

/** 0 … 127 */
const reduced: TensorSpec = Object.freeze({ ...activation, reduceRange: true });

const averagedPerChannel: TensorSpec = Object.freeze({
  dtype: "int8",
  scheme: "symmetric",
  granularity: Object.freeze({ perAxis: 0 }),
  observer: Object.freeze({ kind: "movingAveragePerChannelMinMax", axis: 0 }),
});

const averagedPerTensor: TensorSpec = Object.freeze({
  dtype: "int8",
  scheme: "symmetric",
  granularity: "perTensor",
  observer: Object.freeze({ kind: "movingAverageMinMax" }),
});

const perChannel = (qmin: number, qmax: number): TensorSpec =>
  Object.freeze({
    dtype: "int8",
    scheme: "symmetric",
    granularity: Object.freeze({ perAxis: 0 }),
    observer: Object.freeze({ kind: "perChannelMinMax", axis: 0 }),
    qmin,
    qmax,
  });

const preset = (activation: TensorSpec, weight: TensorSpec): QConfig =>
  Object.freeze({ activation, weight });

/** The presets, frozen. Derive your own by spreading one. */
export const qatQConfigs = Object.freeze({
  /** Our default: uint8 activations 0 … 255, weights −127 … 127 per channel. */
  int8: preset(activation, perChannel(-127, 127)),
  /** Four bits, stored as bytes: activations 0 … 15, weights −7 … 7 per channel. */
  int4: preset(Object.freeze({ ...activation, qmin: 0, qmax: 15 }), perChannel(-7, 7)),
  /** Weights of four bits, activations of eight. */
  int4Weights: preset(activation, perChannel(-7, 7)),
  qnnpack: preset(activation, averagedPerTensor),
  fbgemm: preset(reduced, averagedPerChannel),
  x86: preset(reduced, averagedPerChannel),
  onednn: preset(activation, averagedPerChannel),
});

/** The static recipe of the same bits: ranges from histograms, and weights as they are. */
export function staticOf({ activation, weight }: QConfig): QConfig {
  const { granularity } = weight;
  const observer =
    granularity === "perTensor"
      ? ({ kind: "minMax" } as const)
      : ({ kind: "perChannelMinMax", axis: granularity.perAxis } as const);
  return {
    activation: { ...activation, observer: { kind: "histogram" } },
    weight: { ...weight, observer },
  };
}
