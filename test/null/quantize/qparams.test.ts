// Corners of ranges and statistics that the PyTorch fixtures of observers.test.ts do not reach.

import { describe, expect, it } from "vitest";
import { binOf } from "../../../src/quantize/histogram.ts";
import { addBatch, emptyStatistics, rangeOfStatistics } from "../../../src/quantize/observers.ts";
import { observeTensor } from "../../../src/quantize/observeTensor.ts";
import { qconfigs } from "../../../src/quantize/presets.ts";
import type { TensorSpec } from "../../../src/quantize/qconfig.ts";
import { chooseQParams } from "../../../src/quantize/qparams.ts";
import { float32 } from "../../../src/tensor/tensor.ts";

const { activation, weight } = qconfigs.int8;

function range(min: number, max: number) {
  return { min: Float32Array.of(min), max: Float32Array.of(max) };
}

describe("chooseQParams", () => {
  it("of what was never observed is scale 1, zero point 0", () => {
    const unseen = rangeOfStatistics(emptyStatistics(activation.observer));
    expect(chooseQParams(unseen, activation)).toEqual({
      dtype: "uint8",
      scale: Float32Array.of(1),
      zeroPoint: Int32Array.of(0),
    });
  });

  it("divides by 127 for −127 … 127 and by 127.5 for −128 … 127 (10)", () => {
    expect(chooseQParams(range(-127, 3), weight)).toEqual({
      dtype: "int8",
      scale: Float32Array.of(1),
      zeroPoint: Int32Array.of(0),
      axis: 0,
    });
    expect(chooseQParams(range(-127.5, 3), qconfigs.qnnpack.weight)).toEqual({
      dtype: "int8",
      scale: Float32Array.of(1),
      zeroPoint: Int32Array.of(0),
    });
  });

  it("chooses for a reduced or custom range, and clamps to formats below seven bits alone", () => {
    const clampOf = (spec: Partial<TensorSpec>) => {
      const { qmin, qmax } = chooseQParams(range(-1, 1), { ...activation, ...spec });
      return [qmin, qmax];
    };
    expect(clampOf({ reduceRange: true })).toEqual([undefined, undefined]);
    expect(clampOf({ qmin: 0, qmax: 127 })).toEqual([undefined, undefined]);
    expect(clampOf({ qmin: 0, qmax: 200 })).toEqual([undefined, undefined]);
    expect(clampOf({ qmin: 0, qmax: 15 })).toEqual([0, 15]);
    expect(clampOf({ qmin: 0, qmax: 15, reduceRange: true })).toEqual([0, 15]);
    const reduced = chooseQParams(range(-1, 1), { ...activation, reduceRange: true });
    expect([reduced.scale[0], reduced.zeroPoint[0]]).toEqual([Math.fround(2 / 127), 64]);
  });

  it("keeps 0 in the range, so its zero point is a value of q (8)", () => {
    const positive = chooseQParams(range(127.5, 255), activation);
    expect([positive.scale[0], positive.zeroPoint[0]]).toEqual([1, 0]);
    const negative = chooseQParams(range(-255, -100), activation);
    expect([negative.scale[0], negative.zeroPoint[0]]).toEqual([1, 255]);
  });

  it("rounds a zero point on a tie to even, both ways (9)", () => {
    // scale 1: min = −(k + ½), max = 255 − (k + ½).
    expect(chooseQParams(range(-2.5, 252.5), activation).zeroPoint[0]).toBe(2);
    expect(chooseQParams(range(-3.5, 251.5), activation).zeroPoint[0]).toBe(4);
  });

  it("of all zeros takes eps for a scale", () => {
    expect(chooseQParams(range(0, 0), activation).scale[0]).toBe(2 ** -23);
    expect(chooseQParams(range(0, 0), { ...activation, eps: 2 ** -12 }).scale[0]).toBe(2 ** -12);
  });

  it("refuses ranges that are not finite, and names the channel", () => {
    expect(() => chooseQParams(range(NaN, 1), activation)).toThrowErrorMatchingInlineSnapshot(
      `[InputError: qparams: a range must be finite, with min ≤ max and max − min a finite f32; got NaN … 1. Check the calibration data and the weights.]`,
    );
    expect(() => chooseQParams(range(2, 1), activation)).toThrowErrorMatchingInlineSnapshot(
      `[InputError: qparams: a range must be finite, with min ≤ max and max − min a finite f32; got 2 … 1. Check the calibration data and the weights.]`,
    );
    expect(() => chooseQParams(range(-3e38, 3e38), activation)).toThrow("finite"); // hi − lo = ∞
    const channels = { min: Float32Array.of(-1, 0), max: Float32Array.of(1, Infinity) };
    expect(() => chooseQParams(channels, weight)).toThrowErrorMatchingInlineSnapshot(
      `[InputError: qparams: a range must be finite, with min ≤ max and max − min a finite f32; got 0 … Infinity at channel 1. Check the calibration data and the weights.]`,
    );
  });
});

describe("statistics", () => {
  const histogram = emptyStatistics({ kind: "histogram", bins: 4 });

  it("are not changed by a batch, and survive structuredClone", () => {
    const spec = activation.observer;
    const before = emptyStatistics(spec);
    const x = float32([3], [-1, 0.25, 2]);
    const once = addBatch(before, observeTensor(spec, x, before));
    const copy = structuredClone(once);
    const wider = float32([2], [-4, 4]);
    addBatch(once, observeTensor(spec, wider, once));
    expect(once).toEqual(copy);
    expect(before).toEqual(emptyStatistics(spec));
  });

  it("bins are half-open but the last, and a constant spans [x − 1, x + 1]", () => {
    expect([-1, -0.5, 0, 0.5, 0.999, 1].map((x) => binOf(x, -1, 1, 4))).toEqual([0, 1, 2, 3, 3, 3]);
    expect(binOf(3, 3, 3, 4)).toBe(2);
    expect(binOf(2 ** 30, 2 ** 30, 2 ** 30, 4)).toBe(3); // x ± 1 = x in f32
  });

  it("a batch counted over another range than is due is a bug, and says so", () => {
    const batch = { min: 0, max: 1, low: 0, high: 2, counts: new Uint32Array(4) };
    expect(() => addBatch(histogram, batch)).toThrowErrorMatchingInlineSnapshot(
      `[Error: calibrate: 4 bins over 0 … 2 came where 4 over 0 … 1 were due; please report.]`,
    );
    expect(() =>
      addBatch(histogram, { min: Float32Array.of(0), max: Float32Array.of(1) }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[Error: calibrate: a batch without counts reached a histogram; please report.]`,
    );
    expect(() =>
      addBatch(emptyStatistics({ kind: "minMax" }), batch),
    ).toThrowErrorMatchingInlineSnapshot(
      `[Error: calibrate: a histogram reached a minMax observer; please report.]`,
    );
  });

  it("channels may not change between batches", () => {
    const spec = { kind: "perChannelMinMax", axis: 0 } as const;
    const three = observeTensor(spec, float32([3], [1, 2, 3]), emptyStatistics(spec));
    const two = observeTensor(spec, float32([2], [1, 2]), emptyStatistics(spec));
    const once = addBatch(emptyStatistics(spec), three);
    expect(() => addBatch(once, two)).toThrowErrorMatchingInlineSnapshot(
      `[Error: calibrate: 2 channels follow 3; please report.]`,
    );
  });

  it("observing refuses NaN, infinities, nothing, and an axis that is not there", () => {
    const spec = { kind: "minMax" } as const;
    const observe = (values: number[]) => () =>
      observeTensor(spec, float32([values.length], values), emptyStatistics(spec));
    expect(observe([0, NaN])).toThrowErrorMatchingInlineSnapshot(
      `[InputError: observe: a tensor must have elements, all finite; got NaN at index 1. Check the preprocessing of the batch, or the weights.]`,
    );
    expect(observe([-Infinity])).toThrow("got -Infinity at index 0");
    expect(observe([])).toThrowErrorMatchingInlineSnapshot(
      `[InputError: observe: a tensor must have elements, all finite; got none. Check the preprocessing of the batch, or the weights.]`,
    );
    const perAxis = { kind: "perChannelMinMax", axis: 1 } as const;
    expect(() =>
      observeTensor(perAxis, float32([1], [1]), emptyStatistics(perAxis)),
    ).toThrowErrorMatchingInlineSnapshot(
      `[InputError: observe: axis 1 must be one of shape [1]; got an observer per axis 1. Observe this tensor per tensor, or name an axis that it has.]`,
    );
  });
});
