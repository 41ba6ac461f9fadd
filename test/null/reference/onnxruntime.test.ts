// The reference against ONNX Runtime, op by op: attributes mean here what they mean there. Integer
// results are equal; float ones are close.

import { describe, expect, it } from "vitest";
import type { NodeOf } from "../../../src/graph/node.ts";
import { float32, sizeOf, tensor, toNumbers, type Tensor } from "../../../src/tensor/tensor.ts";
import { runOnnx } from "./onnxruntime.ts";
import { bias, plain, qparams, quantized, run, weight } from "./support.ts";

/** A fixed linear congruential sequence of integers in [least, greatest]. */
function sequence(length: number, least: number, greatest: number): number[] {
  let state = 2024;
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return least + ((state >>> 16) % (greatest - least + 1));
  });
}

/** Uneven reals in about [−4, 4]. */
function reals(...shape: number[]): Tensor<"float32"> {
  return float32(
    shape,
    sequence(sizeOf(shape), -4000, 4000).map((value) => value / 997),
  );
}

function expectClose(actual: Tensor, expected: { shape: readonly number[]; data: number[] }): void {
  expect(actual.shape).toEqual(expected.shape);
  // At most 12 products of |16| and a bias: 13 f32 roundings of 2⁻²⁴ · 200 are 1.6e-4, below 5e-4.
  const close = expected.data.map((value) => expect.closeTo(value, 3));
  expect(toNumbers(actual)).toEqual(close);
}

/** The window of `node` as ONNX attributes. */
function attributes(node: Pick<NodeOf<"Conv">, "kernel" | "strides" | "dilations" | "pads">) {
  const { kernel, strides, dilations, pads } = node;
  return { kernel_shape: kernel, strides, dilations, pads };
}

const window = { kernel: [3, 2], ...plain } as const;
const windows = [
  window,
  { ...window, strides: [2, 1] as const },
  { ...window, dilations: [1, 2] as const },
  { ...window, pads: [1, 0, 2, 1] as const },
  { ...window, strides: [2, 2] as const, dilations: [2, 1] as const, pads: [0, 1, 1, 1] as const },
];

describe("float ops agree with ONNX Runtime", () => {
  it.each(windows)("Conv in two groups: %o", async (node) => {
    const inputs = [reals(2, 4, 7, 6), reals(6, 2, 3, 2), reals(6)];
    const expected = await runOnnx("Conv", { ...attributes(node), group: 2 }, inputs);
    expectClose(run({ op: "Conv", group: 2, ...node }, inputs), expected);
  });

  it.each(windows)("MaxPool: %o", async (node) => {
    const inputs = [reals(2, 3, 7, 6)];
    for (const ceilMode of [false, true]) {
      const given = { ...attributes(node), ceil_mode: Number(ceilMode) };
      expectClose(
        run({ op: "MaxPool", ceilMode, ...node }, inputs),
        await runOnnx("MaxPool", given, inputs),
      );
    }
  });

  it.each(windows)("AveragePool, padding counted or not: %o", async (node) => {
    const inputs = [reals(2, 3, 7, 6)];
    const { dilations: _, ...given } = attributes(node); // AveragePool-13 has none
    for (const countIncludePad of [false, true]) {
      const expected = await runOnnx(
        "AveragePool",
        { ...given, count_include_pad: Number(countIncludePad) },
        inputs,
      );
      const average = { op: "AveragePool", countIncludePad, ceilMode: false, ...node } as const;
      expectClose(run({ ...average, dilations: [1, 1] }, inputs), expected);
    }
  });

  it("AveragePool with ceil_mode, padding not counted", async () => {
    const inputs = [reals(1, 1, 6, 6)];
    const node = { ...window, strides: [2, 3] as const, pads: [1, 1, 1, 1] as const };
    const { dilations: _, ...given } = attributes(node);
    const average = { op: "AveragePool", countIncludePad: false, ceilMode: true } as const;
    expectClose(
      run({ ...average, ...node }, inputs),
      await runOnnx("AveragePool", { ...given, ceil_mode: 1 }, inputs),
    );
  });

  it("Gemm with both operands transposed", async () => {
    const inputs = [reals(5, 3), reals(4, 5), reals(3, 1)];
    const scales = { alpha: { float: 0.5 }, beta: { float: 2 } };
    const expected = await runOnnx("Gemm", { transA: 1, transB: 1, ...scales }, inputs);
    const node = { op: "Gemm", alpha: 0.5, beta: 2, transA: true, transB: true } as const;
    expectClose(run(node, inputs), expected);
  });

  it.each([
    { op: "Erf" },
    { op: "Exp" },
    { op: "Neg" },
    { op: "Abs" },
    { op: "Reciprocal" },
    { op: "Softplus" },
    { op: "Sign" },
    { op: "Floor" },
    { op: "Ceil" },
    { op: "Round" },
    { op: "Sqrt" },
    { op: "Log" },
    { op: "Elu", alpha: 1.5 },
    { op: "Selu", alpha: 1.25, gamma: 1.5 },
  ] as const)("$op", async ({ op, ...given }) => {
    const named = Object.entries(given).map(([name, value]) => [name, { float: value }]);
    // Half steps and 0 among them; Sqrt and Log of what they are defined for.
    const isPartial = op === "Sqrt" || op === "Log" || op === "Reciprocal";
    const x = float32(
      [31],
      Array.from({ length: 31 }, (_, i) => (isPartial ? i + 1 : i - 15) / 4),
    );
    const expected = await runOnnx(op, Object.fromEntries(named), [x]);
    expectClose(run({ op, ...given } as Parameters<typeof run>[0], [x]), expected);
  });

  it.each([0, 1, 2])("LogSoftmax along axis %i", async (axis) => {
    const inputs = [reals(3, 4, 5)];
    const expected = await runOnnx("LogSoftmax", { axis }, inputs);
    expectClose(run({ op: "LogSoftmax", axis }, inputs), expected);
  });

  it("Pow of bases below 0 by whole exponents, and of others by any", async () => {
    const base = float32([2, 3], [-2, -1.5, -0.5, 0.5, 1.5, 3]);
    const exponent = float32([2, 3], [3, 2, -1, 0.5, -0.5, 1.7]);
    expectClose(run({ op: "Pow" }, [base, exponent]), await runOnnx("Pow", {}, [base, exponent]));
  });

  it("MatMul with broadcast leading axes", async () => {
    const inputs = [reals(2, 1, 3, 4), reals(5, 4, 2)];
    expectClose(run({ op: "MatMul" }, inputs), await runOnnx("MatMul", {}, inputs));
  });

  it("BatchNormalization", async () => {
    const variance = float32([3], [0.5, 1, 2]);
    const inputs = [reals(2, 3, 2, 2), reals(3), reals(3), reals(3), variance];
    const expected = await runOnnx("BatchNormalization", { epsilon: { float: 1e-3 } }, inputs);
    expectClose(run({ op: "BatchNormalization", epsilon: 1e-3 }, inputs), expected);
  });

  it.each(["Relu", "Sigmoid", "Tanh", "GlobalAveragePool"] as const)("%s", async (op) => {
    const inputs = [reals(2, 3, 4, 5)];
    expectClose(run({ op }, inputs), await runOnnx(op, {}, inputs));
  });

  it("LeakyRelu and HardSigmoid", async () => {
    const inputs = [reals(40)];
    const [alpha, beta] = [0.3, 0.4];
    expectClose(
      run({ op: "LeakyRelu", alpha }, inputs),
      await runOnnx("LeakyRelu", { alpha: { float: alpha } }, inputs),
    );
    expectClose(
      run({ op: "HardSigmoid", alpha, beta }, inputs),
      await runOnnx("HardSigmoid", { alpha: { float: alpha }, beta: { float: beta } }, inputs),
    );
  });

  it("Softmax, ReduceMean and Transpose along inner axes", async () => {
    const inputs = [reals(2, 3, 4)];
    expectClose(
      run({ op: "Softmax", axis: 1 }, inputs),
      await runOnnx("Softmax", { axis: 1 }, inputs),
    );
    expectClose(
      run({ op: "ReduceMean", axes: [0, 2], keepdims: true }, inputs),
      await runOnnx("ReduceMean", { axes: [0, 2], keepdims: 1 }, inputs),
    );
    expectClose(
      run({ op: "Transpose", perm: [2, 0, 1] }, inputs),
      await runOnnx("Transpose", { perm: [2, 0, 1] }, inputs),
    );
  });

  it.each([
    { start: -1, end: -9, step: -2 },
    { start: 1, end: 99, step: 3 },
    { start: -99, end: -1, step: 1 },
  ])("Slice $start to $end by $step", async ({ start, end, step }) => {
    const x = reals(2, 5);
    const list = (value: number) => tensor("int64", [1], BigInt64Array.of(BigInt(value)));
    const node = { op: "Slice", axes: [1], starts: [start], ends: [end], steps: [step] } as const;
    const inputs = [x, list(start), list(end), list(1), list(step)];
    expectClose(run(node, [x]), await runOnnx("Slice", {}, inputs));
  });
});

describe("integer ops equal ONNX Runtime", () => {
  const scalar = (value: number) => float32([], [value]);

  it.each(windows)("Conv equals QLinearConv bit for bit: %o", async (node) => {
    const [sx, sy, zx, zy] = [0.02, 0.37, 131, 117];
    const xShape = [2, 4, 7, 6];
    const x = quantized(qparams("uint8", sx, zx), xShape, sequence(sizeOf(xShape), 0, 255));
    const scales = [0.011, 0.013, 0.017, 0.019, 0.023, 0.029];
    const w = weight([6, 2, 3, 2], sequence(72, -127, 127), scales, 0);
    const b = bias(...sequence(6, -9000, 9000));
    const zero = (value: number) => tensor("uint8", [], Uint8Array.of(value));
    const inputs = [
      x.tensor,
      scalar(sx),
      zero(zx),
      w.tensor,
      float32([6], scales),
      tensor("int8", [6]),
      scalar(sy),
      zero(zy),
      b,
    ];
    const expected = await runOnnx(
      "QLinearConv",
      { ...attributes(node), group: 2 },
      inputs,
      "uint8",
    );
    const actual = run({ op: "Conv", group: 2, ...node }, [x, w, b], {
      quant: qparams("uint8", sy, zy),
    });
    expect(actual.shape).toEqual(expected.shape);
    expect(toNumbers(actual)).toEqual(expected.data);
    expect(new Set(expected.data).size).toBeGreaterThan(20); // not all saturated
  });

  it.each([12, 13])("MatMul equals QLinearMatMul on half steps, zero point %i", async (zy) => {
    const x = quantized(qparams("int8", 0.5, 3), [8, 16], sequence(128, -128, 127));
    const w = weight([16, 4], sequence(64, -127, 127), 0.25);
    const zero = (value: number) => tensor("int8", [], Int8Array.of(value));
    const expected = await runOnnx(
      "QLinearMatMul",
      {},
      [x.tensor, scalar(0.5), zero(3), w.tensor, scalar(0.25), zero(0), scalar(64), zero(zy)],
      "int8",
    );
    const actual = run({ op: "MatMul" }, [x, w], { quant: qparams("int8", 64, zy) });
    expect(toNumbers(actual)).toEqual(expected.data);
    expect(new Set(expected.data).size).toBeGreaterThan(20); // not all saturated
  });
});
