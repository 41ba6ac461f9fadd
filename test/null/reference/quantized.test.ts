// Integer element-wise ops, pools and movement: docs/quantization.md (34) – (37), and tables of
// unary functions.

import { describe, expect, it } from "vitest";
import { fl, rint } from "../../../src/tensor/rounding.ts";
import { counting, numbers, plain, qparams, quantized, run, runAll } from "./support.ts";

describe("Add and Sub, docs/quantization.md (37)", () => {
  const a = quantized(qparams("uint8", 1, 10), [4], [11, 13, 10, 255]);
  const b = quantized(qparams("int8", 1, -2), [4], [-2, -2, -2, 127]);

  it.each([
    { zeroPoint: 4, add: [4, 6, 4, 191], sub: [4, 6, 4, 62] },
    { zeroPoint: 5, add: [5, 7, 5, 192], sub: [5, 7, 5, 63] },
  ])("round half steps to even, zero point $zeroPoint outside", ({ zeroPoint, add, sub }) => {
    const y = { quant: qparams("uint8", 2, zeroPoint) };
    // (1, 3, 0, 245) ± (0, 0, 0, 129), halved: 0.5, 1.5, 0, 187; 0.5, 1.5, 0, 58.
    expect(numbers({ op: "Add" }, [a, b], y)).toEqual(add);
    expect(numbers({ op: "Sub" }, [a, b], y)).toEqual(sub);
  });

  it("weigh each operand by its own scale", () => {
    const left = quantized(qparams("int8", 0.5, 0), [2], [4, 6]);
    const right = quantized(qparams("int8", 4, 0), [1], [3]);
    expect(numbers({ op: "Add" }, [left, right], { quant: qparams("int8", 1, 0) })).toEqual([
      14, 15,
    ]);
  });

  it("clamp with a fused Relu", () => {
    const [left, right] = [
      quantized(qparams("int8", 1, 0), [2], [1, 9]),
      quantized(qparams("int8", 1, 0), [2], [5, 5]),
    ];
    const y = { quant: qparams("int8", 1, 7) };
    expect(numbers({ op: "Sub", low: 0 }, [left, right], y)).toEqual([7, 11]);
  });

  it("refuse a float operand", () => {
    const y = { quant: qparams("int8", 1, 7) };
    expect(() => run({ op: "Add" }, [a, counting([4])], y)).toThrowErrorMatchingInlineSnapshot(
      `[InputError: Add "node": input 1 must be quantized, as input 0 is; got float32. Insert a Quantize before it, or Dequantize input 0.]`,
    );
  });
});

describe("Mul, docs/quantization.md (35)", () => {
  it.each([
    { zeroPoint: 0, expected: [0, 2, 2, -2, -8] },
    { zeroPoint: 1, expected: [1, 3, 3, -1, -7] },
  ])("rounds half steps to even, zero point $zeroPoint outside", ({ zeroPoint, expected }) => {
    const a = quantized(qparams("uint8", 1, 3), [5], [4, 6, 8, 0, 19]);
    const b = quantized(qparams("int8", 0.5, 1), [5], [2, 2, 2, 2, 0]);
    expect(numbers({ op: "Mul" }, [a, b], { quant: qparams("int8", 1, zeroPoint) })).toEqual(
      expected,
    );
  });

  it("broadcasts a factor per channel", () => {
    const a = quantized(qparams("int8", 1, 0), [1, 2, 1, 2], [1, 2, 3, 4]);
    const b = quantized(qparams("int8", 1, 0), [1, 2, 1, 1], [2, 10]);
    expect(numbers({ op: "Mul" }, [a, b], { quant: qparams("int8", 1, 0) })).toEqual([
      2, 4, 30, 40,
    ]);
  });
});

describe("means, docs/quantization.md (36)", () => {
  const average = {
    op: "AveragePool",
    kernel: [1, 2],
    ...plain,
    countIncludePad: false,
    ceilMode: false,
  } as const;

  it.each([
    { zeroPoint: 4, expected: [4, 6, 6] }, // Σ = 1, 3, 5 over n = 2
    { zeroPoint: 5, expected: [5, 5, 7] }, // Σ = −1, 1, 3
  ])("round half steps from zero point $zeroPoint", ({ zeroPoint, expected }) => {
    const quant = qparams("uint8", 0.3, zeroPoint);
    const x = quantized(quant, [1, 1, 1, 4], [4, 5, 6, 7]);
    expect(numbers(average, [x], { quant })).toEqual(expected);
  });

  it("count padding as real zeros", () => {
    const quant = qparams("uint8", 1, 100);
    const x = quantized(quant, [1, 1, 1, 1], [108]);
    const node = { ...average, pads: [0, 1, 0, 0] } as const;
    expect(numbers(node, [x], { quant })).toEqual([108]);
    expect(numbers({ ...node, countIncludePad: true }, [x], { quant })).toEqual([104]);
  });

  it("take fl(1/n) where parameters are shared, so thirds of multiples of 3 are exact", () => {
    const quant = qparams("int8", 0.1, 7);
    const x = quantized(quant, [1, 2, 1, 3], [8, 9, 10, -128, -127, -126]);
    expect(numbers({ op: "GlobalAveragePool" }, [x], { quant })).toEqual([9, -127]);
    const node = { op: "ReduceMean", axes: [2, 3], keepdims: false } as const;
    expect(numbers(node, [x], { quant })).toEqual([9, -127]);
  });

  it("change scale and zero point where parameters differ", () => {
    const x = quantized(qparams("uint8", 0.5, 10), [1, 1, 1, 4], [12, 14, 16, 18]); // real mean 2.5
    const y = { quant: qparams("int8", 0.25, -1) };
    expect(numbers({ op: "GlobalAveragePool" }, [x], y)).toEqual([9]);
  });
});

describe("tables of unary functions", () => {
  const every = Array.from({ length: 256 }, (_, i) => i);

  it("Relu with shared parameters is max(q, zeroPoint), even where the scale is no power of two", () => {
    const quant = qparams("uint8", 0.1, 77);
    const x = quantized(quant, [256], every);
    expect(numbers({ op: "Relu" }, [x], { quant })).toEqual(every.map((q) => Math.max(q, 77)));
  });

  it("Clip to 0 … 6 is clamp(q, zeroPoint, quantize(6))", () => {
    const quant = qparams("uint8", 0.05, 9);
    const x = quantized(quant, [256], every);
    expect(numbers({ op: "Clip", low: 0, high: 6 }, [x], { quant })).toEqual(
      every.map((q) => Math.min(Math.max(q, 9), 129)),
    );
  });

  it("Sigmoid is quantize(f(dequantize(q))) with f rounded to f32 first", () => {
    const x = quantized(qparams("uint8", 0.0625, 128), [256], every);
    const expected = every.map((q) => {
      const y = fl(1 / (1 + Math.exp(-(q - 128) * 0.0625)));
      return Math.min(255, rint(fl(y * 256)));
    });
    expect(numbers({ op: "Sigmoid" }, [x], { quant: qparams("uint8", 1 / 256, 0) })).toEqual(
      expected,
    );
  });

  it.each([
    { node: { op: "LeakyRelu", alpha: 0.25 } as const, expected: [-2, -1, 0, 8] },
    { node: { op: "HardSigmoid", alpha: 0.25, beta: 0.5 } as const, expected: [0, 0, 0, 1] },
    { node: { op: "HardSwish" } as const, expected: [0, 0, 0, 8] },
    { node: { op: "Tanh" } as const, expected: [-1, -1, 0, 1] },
  ])("$node.op at −8, −4, 0, 8", ({ node, expected }) => {
    const x = quantized(qparams("int8", 4, 0), [4], [-2, -1, 0, 2]);
    expect(numbers(node, [x], { quant: qparams("int8", 1, 0) })).toEqual(expected);
  });
});

describe("ops that move q", () => {
  const quant = qparams("uint8", 0.5, 6);
  const x = quantized(quant, [1, 1, 2, 2], [6, 7, 255, 0]);
  const max = { op: "MaxPool", kernel: [2, 2], ...plain, ceilMode: false } as const;

  it("MaxPool takes the greatest q; padding never wins", () => {
    expect(numbers(max, [x], { quant })).toEqual([255]);
    const node = { ...max, strides: [2, 2], pads: [1, 1, 1, 1] } as const;
    expect(numbers(node, [x], { quant })).toEqual([6, 7, 255, 0]);
    const low = quantized(qparams("int8", 1, 0), [1, 1, 1, 1], [-128]);
    expect(
      numbers({ ...max, pads: [1, 1, 0, 0] }, [low], { quant: qparams("int8", 1, 0) }),
    ).toEqual([-128]);
  });

  it.each([
    { node: { op: "Flatten", axis: 1 } as const, expected: [6, 7, 255, 0] },
    { node: { op: "Transpose", perm: [0, 1, 3, 2] } as const, expected: [6, 255, 7, 0] },
    { node: { op: "Identity" } as const, expected: [6, 7, 255, 0] },
  ])("$node.op copies q", ({ node, expected }) => {
    expect(numbers(node, [x], { quant })).toEqual(expected);
  });

  it("Pad writes the q of its value", () => {
    const node = { op: "Pad", pads: [0, 0, 0, 1, 0, 0, 0, 0], value: 0 } as const;
    expect(numbers(node, [x], { quant })).toEqual([6, 6, 7, 6, 255, 0]);
    expect(numbers({ ...node, value: -2 }, [x], { quant })).toEqual([2, 6, 7, 2, 255, 0]);
    expect(numbers({ ...node, value: 1e9 }, [x], { quant })).toEqual([255, 6, 7, 255, 255, 0]);
  });

  it("other output parameters requantize by (34), half steps to even, odd zero point outside", () => {
    const y = { quant: qparams("int8", 1, 3) };
    const halves = quantized(quant, [5], [1, 3, 7, 9, 11]); // −5 −3 1 3 5 halves
    expect(numbers({ op: "Identity" }, [halves], y)).toEqual([1, 1, 3, 5, 5]);
    expect(numbers(max, [x], y)).toEqual([127]);
  });

  it("Concat brings each part to the output's parameters", () => {
    const parts = [
      quantized(quant, [2], [6, 8]),
      quantized(qparams("int8", 2, -1), [2], [-1, 3]),
      quantized(qparams("uint8", 1, 3), [1], [200]),
    ];
    const y = { quant: qparams("uint8", 1, 3) };
    expect(numbers({ op: "Concat", axis: 0 }, parts, y)).toEqual([3, 4, 3, 11, 200]);
  });

  it("Split keeps q in every part", () => {
    const parts = runAll({ op: "Split", axis: 3, sizes: [1, 1] }, [x], { quant }, ["a", "b"]);
    expect(parts.map((part) => [...part.data])).toEqual([
      [6, 255],
      [7, 0],
    ]);
  });
});

describe("what has no integer form", () => {
  const quant = qparams("int8", 1, 0);
  const x = quantized(quant, [2], [1, 2]);

  it.each([{ op: "Softmax", axis: 0 } as const])("$op is refused by name", (node) => {
    expect(() => run(node, [x], { quant })).toThrow(
      `${node.op} "node": this op has no integer form; got int8 in and int8 out. ` +
        "Keep it float: Dequantize its inputs and Quantize its output.",
    );
  });

  it("Div is refused by name", () => {
    expect(() => run({ op: "Div" }, [x, x], { quant })).toThrow(
      'Div "node": this op has no integer form',
    );
  });

  it("per-axis activations are refused", () => {
    const perAxis = {
      dtype: "int8",
      scale: Float32Array.of(1, 2),
      zeroPoint: Int32Array.of(0, 0),
      axis: 0,
    } as const;
    expect(() =>
      run({ op: "Relu" }, [quantized(perAxis, [2], [1, 2])], { quant }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[InputError: Relu "node": activations must be quantized per tensor; got 2 scale(s) along axis 0. Use granularity perTensor for activations.]`,
    );
  });
});
