// The integer helpers: requantization, bias and bounds, (25), (26), (28), (29), (33) – (36).

import { describe, expect, it } from "vitest";
import {
  accumulatorBound,
  averageMultiplier,
  clampBounds,
  exactAccumulator,
  foldZeroPoint,
  greatestAccumulator,
  leastWeightScale,
  multiplier,
  quantizeBias,
  requantize,
  rescaleMultiplier,
  sumWeights,
} from "../../../src/graph/arithmetic.ts";
import type { QParams } from "../../../src/graph/value.ts";
import { tensor } from "../../../src/tensor/tensor.ts";
import { Random } from "./seeded.ts";

const fl = Math.fround;

function uint8(scale: number, zeroPoint: number, range?: [number, number]): QParams {
  return {
    dtype: "uint8",
    scale: Float32Array.of(scale),
    zeroPoint: Int32Array.of(zeroPoint),
    ...(range ? { qmin: range[0], qmax: range[1] } : {}),
  };
}

describe("requantize (29)", () => {
  // After XNNPACK's requantization-tester.h: exact division by a power of two.
  const zeroPoints = [-128, -1, 0, 1, 2, 127];
  it.each(zeroPoints)("(i − z)·2ˢ by 2⁻ˢ is i, z = %i", (z) => {
    for (let s = 1; s < 24; s++) {
      for (let i = -128; i <= 127; i++) {
        if (Math.abs((i - z) * 2 ** s) > greatestAccumulator) continue;
        expect(requantize((i - z) * 2 ** s, 2 ** -s, z, -128, 127), `s ${s}`).toBe(i);
      }
    }
  });

  it.each(zeroPoints)("± (2ˢ⁻¹ − 1) stays and a tie goes to the even step, z = %i", (z) => {
    for (let s = 2; s < 16; s++) {
      for (let step = -100; step <= 100; step++) {
        const at = (extra: number): number =>
          requantize(step * 2 ** s + extra, 2 ** -s, z, -400, 400) - z;
        const half = 2 ** (s - 1);
        const even = step % 2 === 0 ? step : step + 1;
        expect([at(1 - half), at(half - 1), at(half)], `s ${s}, step ${step}`).toEqual([
          step,
          step,
          even,
        ]);
      }
    }
  });

  it("rounds the accumulator to f32 first, ties to even, which (33) does in two exact parts", () => {
    const random = new Random(77);
    for (let i = 0; i < 20000; i++) {
      const acc = ((random.u32() | 0) >> (i % 8)) | 1;
      const parts = fl(fl(acc >> 12) * 4096 + fl(acc & 4095));
      expect(parts, `seed 77, acc ${acc}`).toBe(fl(acc));
    }
    expect(requantize(16777217, 1, 0, -(2 ** 31), 2 ** 31 - 1)).toBe(16777216);
  });

  it("clamps to low and high", () => {
    expect(requantize(-5, 1, 10, 10, 20)).toBe(10);
    expect(requantize(50, 1, 10, 10, 20)).toBe(20);
  });
});

describe("multipliers", () => {
  it("round the product and then the quotient (29), (35)", () => {
    const [sx, sw, sy] = [fl(0.1), fl(0.3), fl(0.7)];
    expect(multiplier(sx, sw, sy)).toBe(fl(fl(sx * sw) / sy));
    // An oracle that rounds once differs somewhere, so that the order is really tested.
    const random = new Random(5);
    const differs = Array.from({ length: 200 }, () => {
      const [a, b, c] = [0, 0, 0].map(() => fl(Math.abs(random.uniform()) + 0.01)) as [
        number,
        number,
        number,
      ];
      expect(multiplier(a, b, c)).toBe(fl(fl(a * b) / c));
      return multiplier(a, b, c) !== fl((a * b) / c);
    });
    expect(differs).toContain(true);
  });

  it("of a rescale and of an average (34), (36)", () => {
    expect(rescaleMultiplier(fl(0.1), fl(0.3))).toBe(fl(fl(0.1) / fl(0.3)));
    expect(averageMultiplier(fl(0.1), fl(0.1), 49)).toBe(fl(1 / 49));
    expect(averageMultiplier(fl(0.1), fl(0.3), 49)).toBe(fl(fl(0.1) / fl(fl(0.3) * 49)));
  });

  it("refuse what f32 cannot hold as a normal number", () => {
    expect(multiplier(2 ** -63, 2 ** -63, 1)).toBe(2 ** -126);
    expect(() => multiplier(2 ** -63, 2 ** -64, 1)).toThrowErrorMatchingInlineSnapshot(
      `[QConfigError: requantize: the multiplier must be a finite, normal, positive f32; got 5.877471754111438e-39 from sx=1.0842021724855044e-19, sw=5.421010862427522e-20, sy=1. Raise eps in the qconfig, or keep the op float.]`,
    );
    expect(() => rescaleMultiplier(2 ** 100, 2 ** -100)).toThrowErrorMatchingInlineSnapshot(
      `[QConfigError: requantize: the multiplier must be a finite, normal, positive f32; got Infinity from s=1.2676506002282294e+30, sy=7.888609052210118e-31. Raise eps in the qconfig, or keep the op float.]`,
    );
  });
});

describe("bias (25), (26)", () => {
  it("divides by the rounded product of scales, per channel or with one scale", () => {
    const [sx, sw] = [fl(0.013), Float32Array.of(0.007)];
    // Rounding only once, or only the product, gives 5715 and 8861 here.
    const near = Float32Array.of(0.52001953125, 0.806396484375);
    expect([...quantizeBias(near, sx, sw)]).toEqual([5714, 8862]);
    const ties = Float32Array.of(0.625, 0.875, -0.625); // 2.5, 3.5, −2.5 steps of a quarter
    expect([...quantizeBias(ties, 0.5, Float32Array.of(0.5))]).toEqual([2, 4, -2]);
    const scales = Float32Array.of(0.5, 1, 2);
    expect([...quantizeBias(Float32Array.of(1, 1, -1), 0.5, scales)]).toEqual([4, 2, -1]);
  });

  it("refuses |bq| = 2³¹ and takes the f32 below; the scale it names is enough", () => {
    const below = 2147483520; // the greatest f32 under 2³¹
    expect([...quantizeBias(Float32Array.of(below, -below), 1, Float32Array.of(1))]).toEqual([
      below,
      -below,
    ]);
    const bias = Float32Array.of(0, 2 ** 31);
    expect(() => quantizeBias(bias, 1, Float32Array.of(1, 1))).toThrowErrorMatchingInlineSnapshot(
      `[AccumulatorError: bias: a bias must fit int32 in steps of sx · sw; got 2147483648 / (1 · 1) at channel 1. Raise that channel's weight scale to 1.000100016593933.]`,
    );
    const raised = leastWeightScale(2 ** 31, 1);
    const [, q] = quantizeBias(bias, 1, Float32Array.of(1, raised));
    expect(q).toBeLessThan(2 ** 31);
    expect(q).toBeGreaterThan(2 ** 31 * 0.9998); // 1.0001 above the bound, no more
  });

  it("the folded start plus Σ x·w equals bq + Σ (x − zx)·w, wrapped sums included", () => {
    const random = new Random(31);
    const weight = tensor("int8", [3, 40], Int8Array.from(random.integers(120, -127, 127)));
    const x = random.integers(40, 0, 255);
    const { sum, magnitude } = sumWeights(weight, 0);
    const bias = Int32Array.of(5, -2147480000, 2147480000);
    const folded = foldZeroPoint(bias, 255, sum);
    for (let c = 0; c < 3; c++) {
      const row = [...weight.data.subarray(c * 40, c * 40 + 40)];
      const direct = row.reduce((acc, w, k) => acc + (x[k]! - 255) * w, bias[c]!);
      const packed = row.reduce((acc, w, k) => (acc + x[k]! * w) | 0, folded[c]!);
      expect(packed, `seed 31, channel ${c}`).toBe(direct | 0);
      expect(sum[c]).toBe(row.reduce((a, w) => a + w, 0));
      expect(magnitude[c]).toBe(row.reduce((a, w) => a + Math.abs(w), 0));
    }
  });

  it("weights are summed along the axis asked for", () => {
    const weight = tensor("int8", [2, 3, 2], Int8Array.of(1, 2, 3, 4, 5, 6, -1, -2, 3, 4, 5, 7));
    expect([...sumWeights(weight, 1).sum]).toEqual([0, 14, 23]);
    expect([...sumWeights(weight, 1).magnitude]).toEqual([6, 14, 23]);
    expect([...sumWeights(weight, 2).sum]).toEqual([16, 21]);
  });
});

describe("accumulatorBound (28)", () => {
  // The table of docs/quantization.md, section 8: the greatest K without a bias.
  it.each([
    { reach: 255, weight: 128, exact: 514, int32: 65793 },
    { reach: 255, weight: 127, exact: 518, int32: 66311 },
    { reach: 128, weight: 128, exact: 1024, int32: 131071 },
    { reach: 127, weight: 128, exact: 1032, int32: 132104 },
  ])("|x − zx| ≤ $reach and |w| ≤ $weight", ({ reach, weight, exact, int32 }) => {
    const at = (k: number): number =>
      accumulatorBound(0, -5, reach, [weight * k], Int32Array.of(0))[0]!;
    expect([at(exact) <= exactAccumulator, at(exact + 1) <= exactAccumulator]).toEqual([
      true,
      false,
    ]);
    expect([at(int32) <= greatestAccumulator, at(int32 + 1) <= greatestAccumulator]).toEqual([
      true,
      false,
    ]);
  });

  it("takes the farther end of the range and adds |bq|, per channel", () => {
    const bound = accumulatorBound(100, 0, 255, [10, 20], Int32Array.of(-7, 9));
    expect([...bound]).toEqual([155 * 10 + 7, 155 * 20 + 9]);
    expect([...accumulatorBound(200, 0, 255, [1], Int32Array.of(0))]).toEqual([200]);
  });
});

describe("clampBounds (29)", () => {
  it("ReLU is the zero point, ReLU6 also z + rint(fl(6/s)), open bounds are the range", () => {
    expect(clampBounds(undefined, undefined, uint8(0.1, 7))).toEqual([0, 255]);
    expect(clampBounds(-Infinity, Infinity, uint8(0.1, 7))).toEqual([0, 255]);
    expect(clampBounds(0, undefined, uint8(0.1, 7))).toEqual([7, 255]);
    expect(clampBounds(0, 6, uint8(0.1, 7))).toEqual([7, 67]);
    expect(clampBounds(0, 6, uint8(0.01, 7))).toEqual([7, 255]);
    expect(clampBounds(-1, 1, uint8(0.4, 3))).toEqual([1, 5]); // ∓2.5 → ∓2
    expect(clampBounds(-1, 6, uint8(0.4, 3, [0, 10]))).toEqual([1, 10]);
    expect(clampBounds(50, 60, uint8(0.1, 7))).toEqual([255, 255]);
  });

  it("refuses bounds that cross or are not numbers", () => {
    expect(() => clampBounds(6, 0, uint8(1, 0))).toThrowErrorMatchingInlineSnapshot(
      `[InputError: clamp: bounds must be numbers with low ≤ high; got low=6, high=0. Swap them, or leave one out.]`,
    );
    expect(() => clampBounds(NaN, 0, uint8(1, 0))).toThrowErrorMatchingInlineSnapshot(
      `[InputError: clamp: bounds must be numbers with low ≤ high; got low=NaN, high=0. Swap them, or leave one out.]`,
    );
  });
});
