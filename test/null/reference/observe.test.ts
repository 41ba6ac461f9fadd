// Batch statistics on the CPU: docs/quantization.md section 4 step 1, worked by hand.

import { describe, expect, it } from "vitest";
import { histogramOf, minMaxOf } from "../../../src/reference/observe.ts";
import { fl } from "../../../src/tensor/rounding.ts";
import { float32 } from "../../../src/tensor/tensor.ts";
import { counting } from "./support.ts";

describe("minMaxOf", () => {
  const x = float32([2, 2, 2], [1, NaN, 3, 4, -5, 6, Infinity, -8]);

  it("is over finite elements; the others are counted", () => {
    expect(minMaxOf(x)).toEqual({
      min: Float32Array.of(-8),
      max: Float32Array.of(6),
      nonFinite: 2,
      firstNonFinite: 1,
    });
  });

  it.each([
    { axis: 0, min: [1, -8], max: [4, 6] },
    { axis: 1, min: [-5, -8], max: [6, 4] },
    { axis: 2, min: [-5, -8], max: [3, 6] },
  ])("is per slice of axis $axis", ({ axis, min, max }) => {
    const seen = minMaxOf(x, axis);
    expect([...seen.min]).toEqual(min);
    expect([...seen.max]).toEqual(max);
  });

  it("is (∞, −∞) where nothing finite was seen", () => {
    const nothing = { min: Float32Array.of(Infinity), max: Float32Array.of(-Infinity) };
    expect(minMaxOf(float32([0], []))).toEqual({ ...nothing, nonFinite: 0, firstNonFinite: -1 });
    expect(minMaxOf(float32([1], [NaN]))).toEqual({ ...nothing, nonFinite: 1, firstNonFinite: 0 });
  });

  it("refuses an axis the tensor does not have", () => {
    expect(() => minMaxOf(x, 3)).toThrowErrorMatchingInlineSnapshot(
      `[InputError: minMaxOf: axis must be below 3; got 3. Name an axis of the tensor.]`,
    );
  });
});

describe("histogramOf", () => {
  it("has right-open bins, the last one closed", () => {
    expect([...histogramOf(float32([6], [0, 0.5, 1, 1.5, 3, 4]), 0, 4, 4)]).toEqual([2, 2, 0, 2]);
  });

  it("counts finite elements inside the range alone", () => {
    const x = float32([6], [-1, 0, 2, 5, NaN, Infinity]);
    expect([...histogramOf(x, 0, 4, 2)]).toEqual([1, 1]);
  });

  it("spans one to each side of a single value", () => {
    expect([...histogramOf(float32([2], [3, 3]), 3, 3, 4)]).toEqual([0, 0, 2, 0]);
  });

  it("rounds to f32 at each step: an element a hair below an edge counts above it", () => {
    const [low, high] = [0, fl(0.3)];
    const x = Array.from({ length: 2048 }, (_, i) => fl((i / 2048) * high));
    const below = x.map((value) => (value === 0 ? 0 : fl(value * (1 - 2 ** -24))));
    const f64 = new Uint32Array(2048);
    for (const value of below) f64[Math.floor((value * 2048) / high)]! += 1;
    const counts = histogramOf(float32([2048], below), low, high, 2048);
    const expected = new Uint32Array(2048);
    for (const value of below) expected[Math.floor(fl(fl(value * 2048) / high))]! += 1;
    expect(counts).toEqual(expected);
    expect(counts).not.toEqual(f64);
  });

  it("holds every element once", () => {
    const x = counting([1000]);
    expect(histogramOf(x, 1, 1000, 7).reduce((sum, count) => sum + count)).toBe(1000);
  });

  it("refuses an empty range", () => {
    expect(() =>
      histogramOf(counting([1]), Infinity, -Infinity, 8),
    ).toThrowErrorMatchingInlineSnapshot(
      `[InputError: histogramOf: low must not exceed high, both finite, and bins must be a positive integer; got low=Infinity, high=-Infinity, bins=8. Take low and high from minMaxOf.]`,
    );
  });
});
