// Matrix products against sums made by hand; ONNX Gemm, numpy matmul.

import { describe, expect, it } from "vitest";
import { float32 } from "../../../src/tensor/tensor.ts";
import { counting, numbers, run } from "./support.ts";

const gemm = { op: "Gemm", alpha: 1, beta: 1, transA: false, transB: false } as const;
const a = counting([2, 3]); // 1 2 3 / 4 5 6
const b = float32([3, 2], [1, 0, 0, 1, 10, 100]);
const product = [31, 302, 64, 605];

describe("Gemm", () => {
  it("multiplies rows by columns", () => {
    expect(numbers(gemm, [a, b])).toEqual(product);
  });

  it.each([
    { transA: true, transB: false },
    { transA: false, transB: true },
    { transA: true, transB: true },
  ])("reads transposed operands: %o", ({ transA, transB }) => {
    const left = transA ? float32([3, 2], [1, 4, 2, 5, 3, 6]) : a;
    const right = transB ? float32([2, 3], [1, 0, 10, 0, 1, 100]) : b;
    expect(numbers({ ...gemm, transA, transB }, [left, right])).toEqual(product);
  });

  it("scales the product by alpha and c by beta", () => {
    const c = float32([2, 2], [1, 2, 3, 4]);
    expect(numbers({ ...gemm, alpha: 2, beta: 0.5 }, [a, b, c])).toEqual([62.5, 605, 129.5, 1212]);
  });

  it.each([
    { shape: [2], c: [1, 2], expected: [32, 304, 65, 607] },
    { shape: [1, 2], c: [1, 2], expected: [32, 304, 65, 607] },
    { shape: [2, 1], c: [1, 2], expected: [32, 303, 66, 607] },
    { shape: [], c: [1], expected: [32, 303, 65, 606] },
  ])("broadcasts c of shape $shape to (M, N)", ({ shape, c, expected }) => {
    expect(numbers(gemm, [a, b, float32(shape, c)])).toEqual(expected);
  });

  it("clamps last", () => {
    expect(numbers({ ...gemm, low: 60, high: 400 }, [a, b])).toEqual([60, 302, 64, 400]);
  });

  it("is beta · c where K is 0", () => {
    const empty = [float32([1, 0], []), float32([0, 2], [])];
    expect(numbers(gemm, [...empty, float32([2], [1, 2])])).toEqual([1, 2]);
  });

  it("refuses a c that does not broadcast", () => {
    expect(() => run(gemm, [a, b, counting([3])])).toThrowErrorMatchingInlineSnapshot(
      `[InputError: Gemm "node": an operand must broadcast to [2, 2]; got [3]. Check the model file; its shapes contradict each other.]`,
    );
  });
});

describe("MatMul", () => {
  const matmul = { op: "MatMul" } as const;

  it("broadcasts leading axes", () => {
    const left = counting([2, 1, 1, 2]); // (1 2) and (3 4)
    const right = float32([2, 2, 1], [1, 0, 0, 1]); // picks the first, picks the second
    const out = run(matmul, [left, right]);
    expect(out.shape).toEqual([2, 2, 1, 1]);
    expect([...out.data]).toEqual([1, 2, 3, 4]);
  });

  it.each([
    { left: [2], right: [2, 3], shape: [3], expected: [9, 12, 15] },
    { left: [3, 2], right: [2], shape: [3], expected: [5, 11, 17] },
    { left: [2], right: [2], shape: [], expected: [5] },
  ])("drops the axis of a vector: $left · $right", ({ left, right, shape, expected }) => {
    const out = run(matmul, [counting(left), counting(right)]);
    expect(out.shape).toEqual(shape);
    expect([...out.data]).toEqual(expected);
  });

  it("applies a fused clamp", () => {
    expect(numbers({ ...matmul, high: 300 }, [a, b])).toEqual([31, 300, 64, 300]);
  });
});
