// Pooling and means in float, against windows counted by hand; ONNX AveragePool, MaxPool,
// ReduceMean.

import { describe, expect, it } from "vitest";
import { float32 } from "../../../src/tensor/tensor.ts";
import { counting, numbers, plain, run } from "./support.ts";

const x = counting([1, 1, 3, 3]); // 1 2 3 / 4 5 6 / 7 8 9
const average = {
  op: "AveragePool",
  kernel: [2, 2],
  ...plain,
  countIncludePad: false,
  ceilMode: false,
} as const;
const max = { op: "MaxPool", kernel: [2, 2], ...plain, ceilMode: false } as const;

describe("AveragePool", () => {
  it("is the mean of each window", () => {
    expect(numbers(average, [x])).toEqual([3, 4, 6, 7]);
  });

  const corner = { ...average, strides: [2, 2], pads: [1, 1, 0, 0] } as const;

  it("leaves padding out of the count", () => {
    expect(numbers(corner, [x])).toEqual([1, 2.5, 5.5, 7]);
  });

  it("counts padding with countIncludePad", () => {
    expect(numbers({ ...corner, countIncludePad: true }, [x])).toEqual([0.25, 1.25, 2.75, 7]);
  });

  it("never counts what ceilMode adds beyond the padding", () => {
    const node = { ...average, strides: [2, 2], ceilMode: true, countIncludePad: true } as const;
    expect(numbers(node, [x])).toEqual([3, 4.5, 7.5, 9]);
  });

  it("spreads taps by dilations", () => {
    expect(numbers({ ...average, dilations: [2, 2] }, [x])).toEqual([5]);
  });

  it("keeps channels and batches apart", () => {
    const planes = counting([2, 2, 1, 2]);
    expect(numbers({ ...average, kernel: [1, 2] }, [planes])).toEqual([1.5, 3.5, 5.5, 7.5]);
  });
});

describe("MaxPool", () => {
  it("is the greatest of each window, padding never", () => {
    const negative = float32([1, 1, 2, 2], [-1, -2, -3, -4]);
    const node = { ...max, strides: [2, 2], pads: [1, 1, 1, 1] } as const;
    expect(numbers(node, [negative])).toEqual([-1, -2, -3, -4]);
  });

  it("reads asymmetric pads", () => {
    const out = run({ ...max, pads: [0, 1, 0, 0] }, [x]);
    expect(out.shape).toEqual([1, 1, 2, 3]);
    expect([...out.data]).toEqual([4, 5, 6, 7, 8, 9]);
  });

  it("has a cut window at the end with ceilMode", () => {
    expect(numbers({ ...max, strides: [2, 2] }, [x])).toEqual([5]);
    expect(numbers({ ...max, strides: [2, 2], ceilMode: true }, [x])).toEqual([5, 6, 8, 9]);
  });
});

describe("means over whole axes", () => {
  it("GlobalAveragePool keeps batch and channels", () => {
    const out = run({ op: "GlobalAveragePool" }, [counting([1, 2, 2, 2])]);
    expect(out.shape).toEqual([1, 2, 1, 1]);
    expect([...out.data]).toEqual([2.5, 6.5]);
  });

  it.each([
    { axes: [0], keepdims: false, shape: [3], expected: [2.5, 3.5, 4.5] },
    { axes: [1], keepdims: true, shape: [2, 1], expected: [2, 5] },
    { axes: [0, 1], keepdims: false, shape: [], expected: [3.5] },
    { axes: [], keepdims: false, shape: [2, 3], expected: [1, 2, 3, 4, 5, 6] },
  ])("ReduceMean over $axes, keepdims $keepdims", ({ axes, keepdims, shape, expected }) => {
    const out = run({ op: "ReduceMean", axes, keepdims }, [counting([2, 3])]);
    expect(out.shape).toEqual(shape);
    expect([...out.data]).toEqual(expected);
  });

  it("ReduceMean over outer and inner axes keeps the middle one", () => {
    const node = { op: "ReduceMean", axes: [0, 2], keepdims: false } as const;
    expect(numbers(node, [counting([2, 2, 2])])).toEqual([3.5, 5.5]);
  });
});
