// What a plan refuses, before anything runs: accumulators that could overflow, proven from the weights
// at the exact bound, and graphs that no kernel runs. The words are part of the contract.

import { describe, expect, it } from "vitest";
import { bindShapes } from "../../../src/graph/bind.ts";
import { GraphBuilder } from "../../../src/graph/builder.ts";
import type { QParams } from "../../../src/graph/value.ts";
import { lower } from "../../../src/plan/lower.ts";
import { float32, tensor } from "../../../src/tensor/tensor.ts";
import { single, type Case } from "../../support/cases.ts";
import { codes, floats } from "../../support/seeded.ts";

const quant = (scale: number, zeroPoint: number, dtype: "int8" | "uint8" = "uint8"): QParams => ({
  dtype,
  scale: Float32Array.of(scale),
  zeroPoint: Int32Array.of(zeroPoint),
});

/** One output of weights 1, −1 on uint8 with zero point 55, and a bias: |acc| ≤ 2 · 200 + |bias|. */
function product(bias: number): Case {
  return single(
    { op: "Gemm", alpha: 1, beta: 1, transA: false, transB: true },
    [
      { tensor: codes("uint8", [1, 2], 1), quant: quant(1, 55) },
      {
        tensor: tensor("int8", [1, 2], Int8Array.of(1, -1)),
        quant: quant(1, 0, "int8"),
        constant: true,
      },
      {
        tensor: tensor("int32", [1], Int32Array.of(bias)),
        quant: { dtype: "int32", scale: Float32Array.of(1), zeroPoint: Int32Array.of(0) },
        constant: true,
      },
    ],
    quant(2 ** 20, 3),
  );
}

const plan = ({ graph }: Case) => lower(bindShapes(graph, new Map()));
const REACH = 400;

describe("the accumulator's bound, docs/quantization.md (28)", () => {
  it.each([1, -1])(
    "2³¹ − 1 is safe, one more is refused with the node's name (bias sign %i)",
    (sign) => {
      expect(() => plan(product(sign * (2 ** 31 - 1 - REACH)))).not.toThrow();
      expect(() => plan(product(sign * (2 ** 31 - REACH)))).toThrow(
        'Gemm "node": int32 accumulator may overflow; bound is 2147483648 > 2147483647 at channel 0. ' +
          'Keep it float: overrides: { "node": null }.',
      );
    },
  );

  it.each([1, -1])(
    "2²⁴ is exact in f32, one more takes the wide conversion (bias sign %i)",
    (sign) => {
      const wide = (bias: number) =>
        plan(product(bias)).steps.find(({ shader }) => shader === "convI8")?.overrides["WIDE"];
      expect(wide(sign * (2 ** 24 - REACH))).toBe(0);
      expect(wide(sign * (2 ** 24 - REACH + 1))).toBe(1);
    },
  );
});

describe("a plan is refused in words for", () => {
  const refused = (given: Case) => expect(() => plan(given));
  const window = {
    kernel: [1, 1],
    strides: [1, 1],
    dilations: [1, 1],
    pads: [0, 0, 0, 0],
  } as const;
  const bytes = (shape: readonly number[], params = quant(0.5, 3)) => ({
    tensor: codes("uint8", shape, 1),
    quant: params,
  });
  const perAxis: QParams = {
    dtype: "uint8",
    scale: Float32Array.of(1, 2),
    zeroPoint: Int32Array.of(0, 0),
    axis: 1,
  };

  it("more than six axes", () => {
    refused(single({ op: "Relu" }, [{ tensor: floats([1, 2, 1, 2, 1, 2, 2], 1) }]))
      .toThrowErrorMatchingInlineSnapshot(`
      [UnsupportedError: compile: 2 unsupported node(s):
        input "x0": "x0" must have at most 6 axes; got [1, 2, 1, 2, 1, 2, 2]
        Relu "node": "y0" must have at most 6 axes; got [1, 2, 1, 2, 1, 2, 2]
      Cut the model before it, or change its exporter's settings.]
    `);
  });

  it("a mean over five axes", () => {
    const node = { op: "ReduceMean", axes: [0, 1, 2, 3, 4], keepdims: true } as const;
    refused(single(node, [{ tensor: floats([2, 2, 2, 2, 2], 1) }]))
      .toThrowErrorMatchingInlineSnapshot(`
      [UnsupportedError: compile: 1 unsupported node(s):
        ReduceMean "node": at most 4 reduced axes are supported
      Keep the node float with an override, or change the model.]
    `);
  });

  it("a product with four leading axes", () => {
    refused(
      single({ op: "MatMul" }, [
        { tensor: floats([2, 1, 2, 1, 3, 4], 1) },
        { tensor: floats([2, 1, 2, 1, 4, 3], 1) },
      ]),
    ).toThrowErrorMatchingInlineSnapshot(`
      [UnsupportedError: compile: 1 unsupported node(s):
        MatMul "node": at most 3 leading axes are supported
      Keep the node float with an override, or change the model.]
    `);
  });

  it("an int64 constant that 32 bits do not hold", () => {
    const x = tensor("int64", [2], BigInt64Array.of(1n, 2n));
    const big = tensor("int64", [2], BigInt64Array.of(1n, -(2n ** 31n) - 1n));
    refused(single({ op: "Add" }, [{ tensor: x }, { tensor: big, constant: true }]))
      .toThrowErrorMatchingInlineSnapshot(`
      [UnsupportedError: compile: 1 unsupported node(s):
        constant "x1": int64 runs in 32 bits; "x1" holds -2147483649 at index 1
      Clamp the constant before export.]
    `);
  });

  it("a choice by what is no bool", () => {
    const x = tensor("int32", [2], Int32Array.of(1, 2));
    refused(single({ op: "Where" }, [{ tensor: x }, { tensor: x }, { tensor: x }]))
      .toThrowErrorMatchingInlineSnapshot(`
      [UnsupportedError: compile: 1 unsupported node(s):
        Where "node": the condition must be bool; got int32
      Keep the node float with an override, or change the model.]
    `);
  });

  it("arithmetic on two types", () => {
    const x = tensor("int32", [2], Int32Array.of(1, 2));
    const y = tensor("int64", [2], BigInt64Array.of(1n, 2n));
    refused(single({ op: "Add" }, [{ tensor: x }, { tensor: y }]))
      .toThrowErrorMatchingInlineSnapshot(`
      [UnsupportedError: compile: 1 unsupported node(s):
        Add "node": inputs must be of one dtype; got int32 and int64
      Keep the node float with an override, or change the model.]
    `);
  });

  it("float ops on plain integers, whose bits they would take for floats", () => {
    const x = tensor("int32", [2], Int32Array.of(1, 2));
    refused(single({ op: "Relu" }, [{ tensor: x }])).toThrowErrorMatchingInlineSnapshot(`
      [UnsupportedError: compile: 1 unsupported node(s):
        Relu "node": "x0" must be float32 or quantized; got int32
      Cut the model before it, or change its exporter's settings.]
    `);
  });

  it("a filter of an integer convolution that is computed", () => {
    const filter = { tensor: codes("int8", [2, 2, 1, 1], 2), quant: quant(1, 0, "int8") };
    refused(single({ op: "Conv", ...window, group: 1 }, [bytes([1, 2, 3, 3]), filter], quant(9, 3)))
      .toThrowErrorMatchingInlineSnapshot(`
      [UnsupportedError: compile: 1 unsupported node(s):
        Conv "node": filter "x1" must be a constant to run in integers
      Keep the node float with an override, or change the model.]
    `);
  });

  it("a computed bias that is not one number for each output channel", () => {
    refused(
      single({ op: "Conv", ...window, group: 1 }, [
        { tensor: floats([1, 2, 3, 3], 1) },
        { tensor: floats([2, 2, 1, 1], 2) },
        { tensor: floats([1, 2], 3) },
      ]),
    ).toThrowErrorMatchingInlineSnapshot(`
      [UnsupportedError: compile: 1 unsupported node(s):
        Conv "node": bias "x2" must have shape [2]
      Keep the node float with an override, or change the model.]
    `);
  });

  it("an activation with a scale per channel", () => {
    refused(
      single(
        { op: "AveragePool", ...window, countIncludePad: false, ceilMode: false },
        [bytes([1, 2, 3, 3], perAxis)],
        quant(1, 3),
      ),
    ).toThrowErrorMatchingInlineSnapshot(`
      [UnsupportedError: compile: 1 unsupported node(s):
        AveragePool "node": "x0" must be quantized per tensor to run in integers
      Keep the node float with an override, or change the model.]
    `);
  });

  it("a division of quantized values", () => {
    refused(single({ op: "Div" }, [bytes([2]), bytes([2])], quant(1, 3)))
      .toThrowErrorMatchingInlineSnapshot(`
      [UnsupportedError: compile: 1 unsupported node(s):
        Div "node": division does not run in integers
      Keep the node float with an override, or change the model.]
    `);
  });

  it("a softmax of quantized values", () => {
    refused(single({ op: "Softmax", axis: 0 }, [bytes([2])], quant(1, 3)))
      .toThrowErrorMatchingInlineSnapshot(`
      [UnsupportedError: compile: 1 unsupported node(s):
        Softmax "node": softmax does not run in integers
      Keep the node float with an override, or change the model.]
    `);
  });

  it("a product of two quantized activations", () => {
    refused(single({ op: "MatMul" }, [bytes([2, 2]), bytes([2, 2])], quant(1, 3)))
      .toThrowErrorMatchingInlineSnapshot(`
      [UnsupportedError: compile: 1 unsupported node(s):
        MatMul "node": a product of two activations does not run in integers
      Keep the node float with an override, or change the model.]
    `);
  });

  it.each([
    ["a convolution", { op: "Relu" }],
    ["a mean", { op: "ReduceMean", axes: [0], keepdims: true }],
    ["a movement", { op: "Transpose", perm: [0] }],
  ] as const)("%s between float and quantized", (_, node) => {
    refused(single(node, [{ tensor: float32([2], [1, 2]) }], quant(1, 3))).toThrow(
      /^compile: 1 unsupported node\(s\):\n {2}\w+ "node": input and output must both be float or both/,
    );
  });

  it("an observer of quantized values", () => {
    const builder = new GraphBuilder();
    builder.input("x", { dtype: "uint8", shape: [2], quant: quant(1, 3) });
    const observer = { kind: "minMax" } as const;
    builder.add({ op: "Observe", name: "observe x", inputs: ["x"], outputs: [], observer });
    refused({
      graph: builder.build("g", ["x"], []),
      feeds: {},
    }).toThrowErrorMatchingInlineSnapshot(`
      [UnsupportedError: compile: 1 unsupported node(s):
        Observe "observe x": only float values are observed
      Keep the node float with an override, or change the model.]
    `);
  });

  it("an observer per channel along another axis than the channels'", () => {
    const builder = new GraphBuilder();
    builder.input("x", { dtype: "float32", shape: [2, 3, 4, 5] });
    const observer = { kind: "perChannelMinMax", axis: 2 } as const;
    builder.add({ op: "Observe", name: "observe x", inputs: ["x"], outputs: [], observer });
    refused({
      graph: builder.build("g", ["x"], []),
      feeds: {},
    }).toThrowErrorMatchingInlineSnapshot(`
      [UnsupportedError: compile: 1 unsupported node(s):
        Observe "observe x": per-channel observers watch the channel axis; got axis 2
      Keep the node float with an override, or change the model.]
    `);
  });
});
