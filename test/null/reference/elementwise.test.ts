// Unary, binary, BatchNormalization and Softmax in float; values by hand or from the defining
// formula.

import { describe, expect, it } from "vitest";
import { erf } from "../../../src/graph/functions.ts";
import { fl } from "../../../src/tensor/rounding.ts";
import { float32, tensor } from "../../../src/tensor/tensor.ts";
import { counting, numbers, run } from "./support.ts";

const x = float32([5], [-4, -1, 0, 1, 4]);

describe("element-wise with one input", () => {
  it.each([
    { node: { op: "Relu" } as const, expected: [0, 0, 0, 1, 4] },
    { node: { op: "LeakyRelu", alpha: 0.25 } as const, expected: [-1, -0.25, 0, 1, 4] },
    { node: { op: "Clip", low: -1, high: 2 } as const, expected: [-1, -1, 0, 1, 2] },
    { node: { op: "Clip", low: -Infinity, high: 0.5 } as const, expected: [-4, -1, 0, 0.5, 0.5] },
    {
      node: { op: "HardSigmoid", alpha: 0.25, beta: 0.5 } as const,
      expected: [0, 0.25, 0.5, 0.75, 1],
    },
    { node: { op: "HardSwish" } as const, expected: [-0, fl(-1 / 3), 0, fl(2 / 3), 4] },
    { node: { op: "Identity" } as const, expected: [-4, -1, 0, 1, 4] },
  ])("$node.op is exact", ({ node, expected }) => {
    expect(numbers(node, [x])).toEqual(expected);
  });

  // e⁻¹ and e⁻⁴ to 17 digits, from a table.
  const [e1, e4] = [0.36787944117144233, 0.018315638888734179];

  it("Sigmoid is 1 / (1 + e⁻ˣ), rounded once", () => {
    const [p1, p4] = [1 / (1 + e1), 1 / (1 + e4)];
    expect(numbers({ op: "Sigmoid" }, [x])).toEqual(
      [e4 * p4, e1 * p1, 0.5, p1, p4].map((value) => fl(value)),
    );
  });

  it("Sigmoid saturates without overflow", () => {
    expect(numbers({ op: "Sigmoid" }, [float32([2], [-1e4, 1e4])])).toEqual([0, 1]);
  });

  it("Tanh is (1 − e⁻²ˣ) / (1 + e⁻²ˣ), rounded once", () => {
    const t1 = fl((1 - e1 * e1) / (1 + e1 * e1));
    const t4 = fl((1 - e4 * e4) / (1 + e4 * e4));
    expect(numbers({ op: "Tanh" }, [x])).toEqual([-t4, -t1, 0, t1, t4]);
  });

  // mpmath, to the nearest f64.
  it.each([
    [0.1, 0.1124629160182849],
    [0.5, 0.5204998778130465],
    [1, 0.8427007929497149],
    [2.5, 0.999593047982555],
    [4, 0.9999999845827421],
  ])("erf %d is %d to 15 digits, and odd", (value, expected) => {
    // Up to 40 terms added, 2⁻⁵³ of 1 each at most: measured 8.9e-16.
    expect(Math.abs(erf(value) - expected)).toBeLessThan(1e-15);
    expect(erf(-value)).toBe(-erf(value));
  });

  it("erf saturates, and is NaN of NaN", () => {
    expect([erf(0), erf(7), erf(-Infinity), erf(NaN)]).toEqual([0, 1, -1, NaN]);
  });

  it("keeps the shape of a scalar and of an empty tensor", () => {
    expect(run({ op: "Relu" }, [float32([], [3])]).shape).toEqual([]);
    expect(run({ op: "Relu" }, [float32([2, 0], [])]).shape).toEqual([2, 0]);
  });

  it("refuses integers", () => {
    const integers = tensor("int32", [1], Int32Array.of(1));
    expect(() => run({ op: "Relu" }, [integers])).toThrowErrorMatchingInlineSnapshot(
      `[InputError: Relu "node": input 0 must be float32; got int32[1]. Insert a Cast or a Dequantize before it.]`,
    );
  });
});

describe("Cast", () => {
  it("truncates floats and saturates", () => {
    const values = float32([5], [-1.9, 1.9, 300, -300, NaN]);
    expect(numbers({ op: "Cast", to: "int8" }, [values], { dtype: "int8" })).toEqual([
      -1, 1, 127, -128, 0,
    ]);
  });

  it("wraps integers modulo 2⁸", () => {
    const values = tensor("int64", [2], BigInt64Array.of(257n, -1n));
    expect(numbers({ op: "Cast", to: "uint8" }, [values], { dtype: "uint8" })).toEqual([1, 255]);
  });

  it("makes int64 and bool", () => {
    const to64 = run({ op: "Cast", to: "int64" }, [x], { dtype: "int64" });
    expect(to64.data).toEqual(BigInt64Array.of(-4n, -1n, 0n, 1n, 4n));
    expect(numbers({ op: "Cast", to: "bool" }, [x], { dtype: "bool" })).toEqual([1, 1, 0, 1, 1]);
  });

  it("saturates floats to int64", () => {
    const out = run({ op: "Cast", to: "int64" }, [float32([1], [1e30])], { dtype: "int64" });
    expect(out.data).toEqual(BigInt64Array.of(2n ** 63n - 1024n));
  });
});

describe("element-wise with two inputs", () => {
  const [a, b] = [float32([4], [1, 2, 3, -4]), float32([4], [2, 4, 8, 16])];

  it.each([
    { op: "Add" as const, expected: [3, 6, 11, 12] },
    { op: "Sub" as const, expected: [-1, -2, -5, -20] },
    { op: "Mul" as const, expected: [2, 8, 24, -64] },
    { op: "Div" as const, expected: [0.5, 0.5, 0.375, -0.25] },
  ])("$op is exact", ({ op, expected }) => {
    expect(numbers({ op }, [a, b])).toEqual(expected);
  });

  it("broadcasts both ways", () => {
    const out = run({ op: "Add" }, [float32([2, 1], [10, 20]), counting([3])]);
    expect(out.shape).toEqual([2, 3]);
    expect([...out.data]).toEqual([11, 12, 13, 21, 22, 23]);
  });

  it("broadcasts a size of 1 against 0", () => {
    expect(run({ op: "Add" }, [float32([2, 1], [1, 2]), float32([0], [])]).shape).toEqual([2, 0]);
  });

  it("applies a fused clamp", () => {
    expect(numbers({ op: "Sub", low: -4, high: -1.5 }, [a, b])).toEqual([-1.5, -2, -4, -4]);
  });
});

describe("BatchNormalization", () => {
  it("normalizes each channel of the second axis", () => {
    const values = counting([1, 2, 2]); // channel 0: 1 2, channel 1: 3 4
    const [scale, bias] = [float32([2], [2, 1]), float32([2], [0, 10])];
    const [mean, variance] = [float32([2], [1, 3]), float32([2], [3, 15])];
    const node = { op: "BatchNormalization", epsilon: 1 } as const;
    expect(numbers(node, [values, scale, bias, mean, variance])).toEqual([0, 1, 10, 10.25]);
  });
});

describe("Softmax", () => {
  it("works along its axis and sums to 1", () => {
    const values = float32([2, 2], [0, Math.log(3), 0, 0]);
    // ln 3 is rounded to f32 on the way in: relative error 2⁻²⁴ of 1.0986 moves e^x by 6.6e-8.
    const close = (expected: number[]) => expected.map((value) => expect.closeTo(value, 6));
    expect(numbers({ op: "Softmax", axis: 1 }, [values])).toEqual(close([0.25, 0.75, 0.5, 0.5]));
    expect(numbers({ op: "Softmax", axis: 0 }, [values])).toEqual(close([0.5, 0.75, 0.5, 0.25]));
  });

  it("does not overflow", () => {
    const values = float32([2], [1e30, 1e30]);
    expect(numbers({ op: "Softmax", axis: 0 }, [values])).toEqual([0.5, 0.5]);
  });

  it("is 1 along an axis of one element", () => {
    expect(numbers({ op: "Softmax", axis: 1 }, [float32([2, 1], [7, -7])])).toEqual([1, 1]);
  });
});
