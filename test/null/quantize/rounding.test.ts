// quantizeTensor and dequantizeTensor, (2) and (6), against PyTorch's fake-quantization on data where
// ties are common: test/fixtures/rounding.json, written by make_rounding.py.

import { describe, expect, it } from "vitest";
import { dequantizeTensor, quantizeTensor, quantizeValue } from "../../../src/graph/arithmetic.ts";
import type { QParams } from "../../../src/graph/value.ts";
import { float32, tensor } from "../../../src/tensor/tensor.ts";
import fixture from "../../fixtures/rounding.json";
import { floatOf, hashOf, hexesOf, Random } from "./seeded.ts";

const fl = Math.fround;
const dtypes = {
  int8: { dtype: "int8" },
  uint8: { dtype: "uint8" },
  narrow: { dtype: "int8", qmin: -127, qmax: 127 },
} as const;

/** Half-steps (k + ½)·scale, rounded once; every fourth value is anything. */
function tieHeavy(random: Random, scale: number, length: number): number[] {
  const halves = Array.from({ length }, () => (2 * random.integer(-300, 300) + 1) / 2);
  const other = Array.from({ length }, () => random.bell());
  return halves.map((half, i) => (i % 4 === 3 ? fl(other[i]! * scale) * 64 : fl(half * scale)));
}

describe("fake-quantization has PyTorch's bits", () => {
  it.each(
    fixture.cases.map((each) => ({
      ...each,
      title: `${each.dtype}, scales ${each.scales.join(" ")}, zero points ${each.zeroPoints.join(" ")}, seed ${each.seed}`,
    })),
  )("$title", ({ dtype, scales, zeroPoints, seed, input, output, first }) => {
    const random = new Random(seed);
    const scale = Float32Array.from(scales, floatOf);
    const perRow = fixture.length / scale.length;
    const rows = Array.from(scale, (s) => tieHeavy(random, s, perRow)).flat();
    const x = float32([scale.length, perRow], rows);
    expect(hashOf(x.data)).toBe(input);
    const quant: QParams = {
      ...dtypes[dtype as keyof typeof dtypes],
      scale,
      zeroPoint: Int32Array.from(zeroPoints),
      ...(scale.length > 1 ? { axis: 0 } : {}),
    };
    const y = dequantizeTensor(quantizeTensor(x, quant), quant);
    expect({ output: hashOf(y.data), first: hexesOf(y.data.subarray(0, 8)) }).toEqual({
      output,
      first,
    });
  });
});

describe("half-steps go to the even step counted from the zero point (2)", () => {
  // The zero point is added after rounding, so its parity must not matter.
  const halves = [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5];
  const even = [-2, -2, 0, 0, 2, 2];
  it.each([0, 3, 4, -3, -4, 100, 101])("zero point %i", (zeroPoint) => {
    const q = halves.map((half) => quantizeValue(half * 0.25, 0.25, zeroPoint, -128, 127));
    expect(q).toEqual(even.map((step) => Math.min(step + zeroPoint, 127)));
  });

  it("values beyond the range and ±∞ saturate", () => {
    const x = float32([6], [-1e30, -Infinity, 1e30, Infinity, 31.875, -32]);
    const quant = {
      dtype: "int8",
      scale: Float32Array.of(0.25),
      zeroPoint: Int32Array.of(0),
    } as const;
    expect([...quantizeTensor(x, quant).data]).toEqual([-128, -128, 127, 127, 127, -128]);
  });
});

describe("quantizeTensor and dequantizeTensor", () => {
  const quant: QParams = {
    dtype: "uint8",
    scale: Float32Array.of(0.5, 0.25, 1),
    zeroPoint: Int32Array.of(10, 20, 30),
    axis: 1,
  };

  it("take scale and zero point by the slice of the axis", () => {
    const x = float32(
      [2, 3, 2],
      Array.from({ length: 12 }, () => 1),
    );
    const q = quantizeTensor(x, quant);
    expect(q.dtype).toBe("uint8");
    expect([...q.data]).toEqual([12, 12, 24, 24, 31, 31, 12, 12, 24, 24, 31, 31]);
    expect([...dequantizeTensor(q, quant).data]).toEqual([...x.data]);
  });

  it("an int32 bias is dequantized through f32, so 2²⁴ + 1 becomes 2²⁴", () => {
    const bias = {
      dtype: "int32",
      scale: Float32Array.of(0.5),
      zeroPoint: Int32Array.of(0),
    } as const;
    const q = tensor("int32", [2], Int32Array.of(16777217, -3));
    expect([...dequantizeTensor(q, bias).data]).toEqual([8388608, -1.5]);
  });

  it("refuse NaN", () => {
    const x = float32([1, 3, 1], [0, NaN, 0]);
    expect(() => quantizeTensor(x, quant)).toThrowErrorMatchingInlineSnapshot(
      `[InputError: quantize: NaN has no integer; got one at index 1 of shape [1, 3, 1]. Check the preprocessing and the model's weights.]`,
    );
  });

  it("refuse parameters made for another shape", () => {
    const x = float32([3, 2], [1, 2, 3, 4, 5, 6]);
    expect(() => quantizeTensor(x, quant)).toThrowErrorMatchingInlineSnapshot(
      `[InputError: quantize: axis 1 of shape [3, 2] needs 2 scale(s) and zero point(s); got 3 and 3. Choose the parameters for this tensor's shape.]`,
    );
    const pair: QParams = {
      dtype: "int8",
      scale: Float32Array.of(1, 2),
      zeroPoint: Int32Array.of(0, 0),
    };
    const q = tensor("int8", [2]);
    expect(() => dequantizeTensor(q, pair)).toThrowErrorMatchingInlineSnapshot(
      `[InputError: dequantize: per tensor needs 1 scale(s) and zero point(s); got 2 and 2. Choose the parameters for this tensor's shape.]`,
    );
  });
});
