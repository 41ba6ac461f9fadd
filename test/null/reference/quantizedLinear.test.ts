// Integer Conv, Gemm and MatMul: docs/quantization.md (25), (26), (29). With power-of-two scales
// every multiplier is exact, so results are worked out by hand or equal the float op to the last
// step.

import { describe, expect, it } from "vitest";
import { quantizeTensor } from "../../../src/graph/arithmetic.ts";
import { float32, sizeOf, tensor, type Tensor } from "../../../src/tensor/tensor.ts";
import { bias, counting, numbers, plain, qparams, quantized, run, weight } from "./support.ts";

const toFloat = { dtype: "float32" } as const;
const conv = { op: "Conv", group: 1, kernel: [1, 1], ...plain } as const;
const gemm = { op: "Gemm", alpha: 1, beta: 1, transA: false, transB: false } as const;
const matmul = { op: "MatMul" } as const;

describe("integer Conv", () => {
  it("is zy + Σ (x − zx)·w + bq where the multiplier is 1", () => {
    const x = quantized(qparams("uint8", 0.5, 3), [1, 2, 1, 2], [4, 3, 0, 255]);
    const w = weight([1, 2, 1, 1], [2, -1], 0.25);
    const y = { quant: qparams("uint8", 0.125, 100) };
    // (1·2 + 3) and (0 − 252), then + 7 + 100, clamped at 0.
    expect(numbers(conv, [x, w, bias(7)], y)).toEqual([112, 0]);
  });

  it.each([
    { zeroPoint: 10, expected: [8, 8, 10, 10, 10, 12, 12] },
    { zeroPoint: 11, expected: [9, 9, 11, 11, 11, 13, 13] },
    { zeroPoint: -3, expected: [-5, -5, -3, -3, -3, -1, -1] },
  ])("rounds half steps to even before it adds zeroPoint $zeroPoint", ({ zeroPoint, expected }) => {
    const x = quantized(qparams("int8", 1, 0), [1, 1, 1, 7], [-5, -3, -1, 0, 1, 3, 5]);
    const w = weight([1, 1, 1, 1], [1], 0.5);
    const y = { quant: qparams("int8", 1, zeroPoint) };
    expect(numbers(conv, [x, w], y)).toEqual(expected);
  });

  it("pads with the zero point: a border of real zeros adds nothing", () => {
    const x = quantized(qparams("uint8", 1, 128), [1, 1, 1, 1], [130]);
    const w = weight([1, 1, 3, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9], 1);
    const node = { ...conv, kernel: [3, 3], pads: [1, 1, 1, 1] } as const;
    expect(numbers(node, [x, w], { quant: qparams("int8", 1, 0) })).toEqual([10]);
  });

  it("uses the scale and bias of each output channel", () => {
    const x = quantized(qparams("int8", 1, 0), [1, 1, 1, 2], [8, 16]);
    const w = weight([3, 1, 1, 1], [1, 1, 1], [1, 0.5, 0.25], 0);
    const y = { quant: qparams("int8", 1, 0) };
    expect(numbers(conv, [x, w, bias(0, 8, 16)], y)).toEqual([8, 16, 8, 12, 6, 8]);
  });

  it("is depthwise with a scale per channel", () => {
    const x = quantized(qparams("uint8", 1, 1), [1, 2, 1, 1], [5, 9]);
    const w = weight([2, 1, 1, 1], [3, -3], [0.5, 0.25], 0);
    const y = { quant: qparams("int8", 1, 1) };
    expect(numbers({ ...conv, group: 2 }, [x, w], y)).toEqual([7, -5]);
  });

  it("clamps to low and high in the output's q", () => {
    const x = quantized(qparams("int8", 0.5, 0), [1, 1, 1, 4], [-4, 4, 12, 100]);
    const w = weight([1, 1, 1, 1], [1], 1);
    const y = { quant: qparams("uint8", 0.5, 20) };
    expect(numbers({ ...conv, low: 0, high: 6 }, [x, w], y)).toEqual([20, 24, 32, 32]);
  });

  it("saturates at the reduced range of the output", () => {
    const x = quantized(qparams("int8", 1, 0), [1, 1, 1, 2], [-128, 127]);
    const w = weight([1, 1, 1, 1], [1], 1);
    const y = { quant: qparams("uint8", 1, 64, { qmin: 0, qmax: 127 }) };
    expect(numbers(conv, [x, w], y)).toEqual([0, 127]);
  });

  it("throws where int32 cannot hold the accumulator, and not one below", () => {
    const x = quantized(qparams("int8", 1, 0), [1, 1, 1, 1], [1]);
    const w = weight([1, 1, 1, 1], [1], 1);
    const y = { quant: qparams("int8", 2 ** 30, 0) };
    expect(numbers(conv, [x, w, bias(2 ** 31 - 2)], y)).toEqual([2]);
    expect(() => run(conv, [x, w, bias(2 ** 31 - 1)], y)).toThrowErrorMatchingInlineSnapshot(
      `[AccumulatorError: Conv "node": accumulators must fit int32; got 2147483648 at output element 0. Keep this op float: overrides: { "node": null }.]`,
    );
  });

  /** A fixed linear congruential sequence of integers in [least, greatest]. */
  function sequence(length: number, least: number, greatest: number): number[] {
    let state = 12345;
    return Array.from({ length }, () => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return least + ((state >>> 16) % (greatest - least + 1));
    });
  }

  const control = { strides: [1, 1], dilations: [1, 1], pads: [1, 1, 1, 1], group: 1 } as const;

  it.each([
    control,
    { ...control, strides: [2, 1] as const },
    { ...control, dilations: [1, 2] as const },
    { ...control, pads: [0, 1, 2, 0] as const },
    { ...control, group: 2 },
    { ...control, group: 4 },
  ])("equals the quantized float Conv where scales are powers of two: %o", (window) => {
    const node = { op: "Conv", kernel: [3, 2], ...window } as const;
    const [inShape, filterShape] = [
      [2, 4, 5, 6],
      [4, 4 / window.group, 3, 2],
    ];
    const x = quantized(qparams("uint8", 0.25, 77), inShape, sequence(sizeOf(inShape), 0, 255));
    const filter = weight(
      filterShape,
      sequence(sizeOf(filterShape), -127, 127),
      [0.5, 0.25, 0.125, 1],
      0,
    );
    const out = qparams("uint8", 64, 77);
    const floats = [x, filter].map((input) => run({ op: "Dequantize" }, [input], toFloat));
    const float = run(node, floats) as Tensor<"float32">;
    expect(run(node, [x, filter], { quant: out })).toEqual(quantizeTensor(float, out));
  });
});

describe("integer Gemm and MatMul", () => {
  const x = quantized(qparams("uint8", 1, 1), [2, 2], [2, 3, 4, 5]); // real 1 2 / 3 4
  const y = { quant: qparams("int8", 1, 0) };
  const rows = [1, 0, 1, 0, 1, 1]; // (K, N) = (2, 3)

  it("scales each column of b (axis 1)", () => {
    const b = weight([2, 3], rows, [1, 2, 4], 1);
    expect(numbers(gemm, [x, b], y)).toEqual([1, 4, 12, 3, 8, 28]);
    expect(numbers(matmul, [x, b], y)).toEqual([1, 4, 12, 3, 8, 28]);
  });

  it("scales each row of a transposed b (axis 0), with a bias per column", () => {
    const b = weight([3, 2], [1, 0, 0, 1, 1, 1], [1, 2, 4], 0);
    const node = { ...gemm, transB: true } as const;
    expect(numbers(node, [x, b, bias(1, 2, 3)], y)).toEqual([2, 8, 24, 4, 12, 40]);
  });

  it("broadcasts leading axes of MatMul", () => {
    const left = quantized(qparams("uint8", 1, 1), [2, 1, 2], [2, 3, 4, 5]);
    expect(numbers(matmul, [left, weight([2, 1], [1, 10], 1)], y)).toEqual([21, 43]);
  });

  it("applies a fused Relu", () => {
    const b = weight([2, 1], [1, -1], 1);
    expect(numbers({ ...gemm, low: 0 }, [x, b, bias(1)], y)).toEqual([0, 0]);
    expect(numbers(gemm, [x, b, bias(0)], y)).toEqual([-1, -1]);
  });

  it("refuses alpha other than 1", () => {
    const b = weight([2, 3], rows, 1);
    expect(() => run({ ...gemm, alpha: 2 }, [x, b], y)).toThrowErrorMatchingInlineSnapshot(
      `[InputError: Gemm "node": an integer Gemm needs alpha = beta = 1; got alpha=2, beta=1. Fold alpha into the weight and beta into the bias.]`,
    );
  });

  it("refuses a float weight", () => {
    expect(() => run(gemm, [x, counting([2, 3])], y)).toThrowErrorMatchingInlineSnapshot(
      `[InputError: Gemm "node": the weight must be int8 or uint8, or of fewer bits; got float32. Convert the model so that weights are int8, or keep this op float.]`,
    );
  });

  it("takes the zero point from every weight", () => {
    const moved = quantized(qparams("int8", 1, 3), [2, 3], rows);
    const plain = quantized(
      qparams("int8", 1, 0),
      [2, 3],
      rows.map((q) => q - 3),
    );
    expect(run(gemm, [x, moved], y)).toEqual(run(gemm, [x, plain], y));
  });

  it("refuses scales along the inner axis", () => {
    const b = weight([2, 3], rows, [1, 2], 0);
    expect(() => run(gemm, [x, b], y)).toThrowErrorMatchingInlineSnapshot(
      `[InputError: Gemm "node": the weight [2, 3] needs one scale, or one per slice of axis 1; got 2 scale(s) along axis 0. Quantize the weight along its output channels.]`,
    );
  });

  it("adds a float bias to the accumulator before its one rounding: (30)", () => {
    // Steps of 0.5: the biases are 0.4, 0.6 and −0.4 steps, which (26) would round to 0, 1 and 0.
    const c = float32([3], [0.2, 0.3, -0.2]);
    const b = weight([2, 3], rows, 0.5);
    expect(numbers(gemm, [x, b, c], y)).toEqual([1, 1, 1, 2, 2, 3]);
    expect(numbers(gemm, [x, b, bias(0, 1, 0)], y)).toEqual([0, 2, 2, 2, 2, 4]);
  });

  it("refuses a bias of another dtype", () => {
    const c = tensor("uint8", [3], Uint8Array.of(1, 2, 3));
    expect(() => run(gemm, [x, weight([2, 3], rows, 1), c], y)).toThrowErrorMatchingInlineSnapshot(
      `[InputError: Gemm "node": the bias must be int32, quantized by scale of x · scale of weight, or float32; got uint8. Quantize the bias, or keep this op float.]`,
    );
  });
});
