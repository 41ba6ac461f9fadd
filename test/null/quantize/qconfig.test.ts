// Specs that contradict themselves are refused in words, and the presets are not.

import { describe, expect, it } from "vitest";
import { qconfigs } from "../../../src/quantize/presets.ts";
import {
  qRangeOf,
  type QConfig,
  type TensorSpec,
  validateQConfig,
  validateTensorSpec,
} from "../../../src/quantize/qconfig.ts";

const { int8 } = qconfigs;

describe("the presets", () => {
  it.each(Object.keys(qconfigs) as (keyof typeof qconfigs)[])("%s is valid and frozen", (name) => {
    const qconfig = qconfigs[name];
    expect(() => validateQConfig(qconfig)).not.toThrow();
    expect(structuredClone(qconfig)).toEqual(qconfig);
    const isFrozen = (value: unknown): boolean =>
      typeof value !== "object" ||
      value === null ||
      (Object.isFrozen(value) && Object.values(value).every(isFrozen));
    expect(isFrozen(qconfig)).toBe(true);
  });

  it("int8 never reduces the range: 0 … 255 and −127 … 127 per channel", () => {
    expect(qRangeOf(int8.activation)).toEqual([0, 255]);
    expect(qRangeOf(int8.weight)).toEqual([-127, 127]);
    expect(int8.weight.granularity).toEqual({ perAxis: 0 });
    expect(int8.activation.observer).toEqual({ kind: "histogram" });
  });
});

it("a reduced range is half of the range, rounded down", () => {
  expect(qRangeOf({ ...int8.activation, reduceRange: true })).toEqual([0, 127]);
  const signed: TensorSpec = { ...qconfigs.qnnpack.weight, reduceRange: true };
  expect(qRangeOf(signed)).toEqual([-64, 63]);
  expect(qRangeOf({ ...signed, qmin: -101, qmax: 91 })).toEqual([-51, 45]);
});

it("a weight observed by a histogram is refused before anything runs", () => {
  const weight: TensorSpec = { ...qconfigs.qnnpack.weight, observer: { kind: "histogram" } };
  expect(() => validateQConfig({ ...int8, weight })).toThrow(
    "qconfig: weight: weights are observed once, by a min/max observer; got histogram.",
  );
});

describe("a spec is refused", () => {
  const perTensor: TensorSpec = qconfigs.qnnpack.weight;
  const refused = (spec: TensorSpec) => expect(() => validateTensorSpec(spec));

  it("with one end of the range alone", () => {
    refused({ ...perTensor, qmin: -127 }).toThrowErrorMatchingInlineSnapshot(
      `[QConfigError: qconfig: qmin and qmax come together; got qmin=-127, qmax=undefined. Give both or neither.]`,
    );
  });

  it("with a range beyond the dtype", () => {
    refused({ ...perTensor, qmin: -129, qmax: 127 }).toThrowErrorMatchingInlineSnapshot(
      `[QConfigError: qconfig: qmin … qmax must be integers around 0 inside -128 … 127 (int8); got -129 … 127. Leave both out for the whole range.]`,
    );
    expect(() => validateTensorSpec({ ...perTensor, qmin: -128, qmax: 127 })).not.toThrow();
  });

  it("with a range without 0", () => {
    const spec = { ...int8.activation, qmin: 1, qmax: 255 };
    refused(spec).toThrowErrorMatchingInlineSnapshot(
      `[QConfigError: qconfig: qmin … qmax must be integers around 0 inside 0 … 255 (uint8); got 1 … 255. Leave both out for the whole range.]`,
    );
    expect(() => validateTensorSpec({ ...spec, qmin: 0 })).not.toThrow();
  });

  it("with a reduced range that holds one value", () => {
    const spec = { ...int8.activation, qmin: 0, qmax: 1, reduceRange: true };
    refused(spec).toThrowErrorMatchingInlineSnapshot(
      `[QConfigError: qconfig: the reduced range must hold two values; got 0 … 0 from 0 … 1. Leave reduceRange out.]`,
    );
    expect(() => validateTensorSpec({ ...spec, qmax: 2 })).not.toThrow();
  });

  it("when symmetric uint8 is reduced", () => {
    refused({
      ...int8.activation,
      scheme: "symmetric",
      reduceRange: true,
    }).toThrowErrorMatchingInlineSnapshot(
      `[QConfigError: qconfig: symmetric uint8 has no reduced range, since its zero point stays 128; got reduceRange=true. Leave reduceRange out, or use dtype "int8".]`,
    );
  });

  it("when observer and granularity disagree", () => {
    refused({
      ...perTensor,
      granularity: { perAxis: 0 },
      observer: { kind: "histogram" },
    }).toThrowErrorMatchingInlineSnapshot(
      `[QConfigError: qconfig: observer and granularity must agree; got observer {"kind":"histogram"} with granularity {"perAxis":0}. Per axis take "perChannelMinMax" or "movingAveragePerChannelMinMax" of the same axis, per tensor any other kind.]`,
    );
    refused({
      ...int8.weight,
      granularity: "perTensor",
    }).toThrowErrorMatchingInlineSnapshot(
      `[QConfigError: qconfig: observer and granularity must agree; got observer {"kind":"perChannelMinMax","axis":0} with granularity "perTensor". Per axis take "perChannelMinMax" or "movingAveragePerChannelMinMax" of the same axis, per tensor any other kind.]`,
    );
    refused({
      ...int8.weight,
      granularity: { perAxis: 1 },
    }).toThrowErrorMatchingInlineSnapshot(
      `[QConfigError: qconfig: observer and granularity must agree; got observer {"kind":"perChannelMinMax","axis":0} with granularity {"perAxis":1}. Per axis take "perChannelMinMax" or "movingAveragePerChannelMinMax" of the same axis, per tensor any other kind.]`,
    );
  });

  it("with an axis that is no index", () => {
    refused({
      ...int8.weight,
      granularity: { perAxis: -1 },
      observer: { kind: "perChannelMinMax", axis: -1 },
    }).toThrowErrorMatchingInlineSnapshot(
      `[QConfigError: qconfig: the axis must be a non-negative integer; got -1. Conv and Gemm weights have 0.]`,
    );
  });

  it("with impossible numbers of an observer", () => {
    refused({
      ...int8.activation,
      observer: { kind: "histogram", bins: 1 },
    }).toThrowErrorMatchingInlineSnapshot(
      `[QConfigError: qconfig: bins must be an integer in 2 … 4096; got 1. Leave it out for 2048.]`,
    );
    refused({
      ...int8.activation,
      observer: { kind: "movingAverageMinMax", averagingConstant: 0 },
    }).toThrowErrorMatchingInlineSnapshot(
      `[QConfigError: qconfig: averagingConstant must be in (0, 1]; got 0. Leave it out for 0.01.]`,
    );
  });

  it("with an eps that f32 rounds to 0", () => {
    refused({ ...perTensor, eps: 1e-50 }).toThrowErrorMatchingInlineSnapshot(
      `[QConfigError: qconfig: eps must be a normal, positive f32; got 1e-50. Leave it out for 2^-23.]`,
    );
  });
});

describe("a qconfig is refused", () => {
  const refused = (qconfig: QConfig) =>
    expect(() => validateQConfig(qconfig, 'Conv "/layer1/conv1"'));

  it("when an activation has a scale per channel", () => {
    refused({
      ...int8,
      activation: {
        ...int8.activation,
        granularity: { perAxis: 1 },
        observer: { kind: "perChannelMinMax", axis: 1 },
      },
    }).toThrowErrorMatchingInlineSnapshot(
      `[QConfigError: Conv "/layer1/conv1": activation: activations have one scale per tensor; got granularity {"perAxis":1}. Use "perTensor".]`,
    );
  });

  it("when weights are not symmetric int8", () => {
    refused({
      ...int8,
      weight: { ...int8.weight, scheme: "affine" },
    }).toThrowErrorMatchingInlineSnapshot(
      `[QConfigError: Conv "/layer1/conv1": weight: weights are symmetric int8, so that an accumulator needs no sum over the input; got affine int8. Use scheme "symmetric" and dtype "int8".]`,
    );
  });

  it("when one of its specs is, and the message says which", () => {
    refused({
      ...int8,
      weight: { ...int8.weight, qmin: -200 },
    }).toThrowErrorMatchingInlineSnapshot(
      `[QConfigError: Conv "/layer1/conv1": weight: qmin … qmax must be integers around 0 inside -128 … 127 (int8); got -200 … 127. Leave both out for the whole range.]`,
    );
  });
});
