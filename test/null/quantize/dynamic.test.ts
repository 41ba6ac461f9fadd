// Dynamic quantization on the host: PyTorch's parameters, bytes, weights and outputs (make_dynamic.py), and what
// the pass does to a graph.

import { describe, expect, it } from "vitest";
import { bindShapes } from "../../../src/graph/bind.ts";
import { chooseDynamic, chooseQuantizationParams, onnxRule } from "../../../src/graph/dynamic.ts";
import { GraphBuilder } from "../../../src/graph/builder.ts";
import { valueOf } from "../../../src/graph/graph.ts";
import { Model } from "../../../src/model.ts";
import { quantizeDynamic } from "../../../src/quantizeDynamic.ts";
import { interpret } from "../../../src/reference/interpret.ts";
import { float32 } from "../../../src/tensor/tensor.ts";
import {
  bytesFrom,
  dynamicFixture,
  floatsFrom,
  linearModel,
} from "../../support/dynamicFixture.ts";
import { floats } from "../../support/seeded.ts";

describe("ChooseQuantizationParams", () => {
  it.each([
    { form: "whole", reduceRange: false },
    { form: "reduced", reduceRange: true },
  ] as const)("gives PyTorch's scale and zero point, range $form", ({ form, reduceRange }) => {
    const { ranges, [form]: want } = dynamicFixture.qparams;
    const pairs = floatsFrom(ranges);
    const rule = { ...onnxRule, rule: "torch", reduceRange } as const;
    const chosen = want.zeroPoint.map((_, at) =>
      chooseDynamic(rule, pairs[2 * at] ?? 0, pairs[2 * at + 1] ?? 0),
    );
    expect(chosen.map(({ zeroPoint }) => zeroPoint)).toEqual(want.zeroPoint);
    expect(Float32Array.from(chosen, ({ scale }) => scale)).toEqual(floatsFrom(want.scale));
  });

  it("takes the zero point from the side whose error is smaller, where bounds are signed", () => {
    expect(chooseQuantizationParams(-1, 3, -128, 127).zeroPoint).toBe(-64);
  });
});

const linears = dynamicFixture.linears.flatMap((fixture) =>
  Object.entries(fixture.engines).map(([engine, want]) => ({
    name: `${fixture.rows}×${fixture.columns}→${fixture.outs} of ${engine}`,
    fixture,
    engine: engine as "fbgemm" | "qnnpack",
    want,
  })),
);

describe("the presets of PyTorch's engines", () => {
  it.each(linears)("give its bytes, weights and outputs: $name", ({ fixture, engine, want }) => {
    const weight = fixture.perChannel ? "perChannel" : "perTensor";
    const model = quantizeDynamic(linearModel(fixture), { preset: engine, weight });
    const x = float32([fixture.rows, fixture.columns], floatsFrom(fixture.x));
    const values = interpret(bindShapes(model.graph, new Map()), { x });
    expect(Uint8Array.from(values.get("x_quantized")!.data as Uint8Array)).toEqual(
      bytesFrom(want.q),
    );
    expect(values.get("x_scale")!.data).toEqual(floatsFrom(want.scale));
    expect([...values.get("x_zero_point")!.data]).toEqual([want.zeroPoint]);
    const w = model.graph.constants.get("w_int8")!;
    const [k = 0, n = 0] = w.shape;
    const codes = w.data as Int8Array;
    const turned = codes.map((_, at) => codes[(at % k) * n + Math.floor(at / k)]!);
    expect(turned).toEqual(new Int8Array(bytesFrom(want.weight).buffer));
    const y = floatsFrom(want.y);
    const largest = y.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    // fbgemm fuses the product with the bias, (40), and we round in between, (39).
    const wrong = values
      .get("y")!
      .data.findIndex((value, at) => Math.abs(Number(value) - y[at]!) > 1e-6 * largest);
    expect(wrong).toBe(-1);
  });
});

/** x → MatMul → + bias → Relu → MatMul, and a product of two activations. */
function mlp(): Model<"float"> {
  const builder = new GraphBuilder();
  builder.input("x", { dtype: "float32", shape: ["batch", 3, 4] });
  builder.constant("w1", floats([4, 5], 1));
  builder.constant("b1", floats([5], 2));
  builder.constant("w2", floats([4, 2], 3));
  builder.constant("w3", floats([5, 2], 4));
  const node = (op: "MatMul" | "Add" | "Relu", name: string, inputs: string[]) =>
    builder.add({ op, name, inputs, outputs: [`${name}_out`] });
  node("MatMul", "fc1", ["x", "w1"]);
  node("Add", "bias1", ["b1", "fc1_out"]);
  node("Relu", "relu", ["bias1_out"]);
  node("MatMul", "fc2", ["x", "w2"]);
  node("MatMul", "fc3", ["relu_out", "w3"]);
  builder.add({
    op: "Transpose",
    name: "turn",
    perm: [0, 2, 1],
    inputs: ["fc2_out"],
    outputs: ["t"],
  });
  node("MatMul", "scores", ["fc3_out", "t"]);
  return new Model("float", builder.build("mlp", ["x"], ["scores_out"]), {});
}

describe("quantizeDynamic", () => {
  it("quantizes an input once, takes bias and Relu along, and leaves products of activations alone", () => {
    expect(quantizeDynamic(mlp()).toString()).toMatchInlineSnapshot(`
      "graph mlp(x: float32[batch, 3, 4])
        x_quantized: uint8[batch, 3, 4], x_scale: float32[], x_zero_point: uint8[] = DynamicQuantizeLinear(x) rule="onnx" granularity="perTensor" dtype="uint8" reduceRange=false
        relu_out: float32[batch, 3, 5] = MatMulIntegerToFloat(x_quantized, w1_int8, x_scale, x_zero_point, fc1/bias) low=0
        fc2_out: float32[batch, 3, 2] = MatMulIntegerToFloat(x_quantized, w2_int8, x_scale, x_zero_point)
        relu_out_quantized: uint8[batch, 3, 5], relu_out_scale: float32[], relu_out_zero_point: uint8[] = DynamicQuantizeLinear(relu_out) rule="onnx" granularity="perTensor" dtype="uint8" reduceRange=false
        fc3_out: float32[batch, 3, 2] = MatMulIntegerToFloat(relu_out_quantized, w3_int8, relu_out_scale, relu_out_zero_point)
        t: float32[batch, 2, 3] = Transpose(fc2_out) perm=[0,2,1]
        scores_out: float32[batch, 3, 3] = MatMul(fc3_out, t)
        return scores_out"
    `);
  });

  it("takes patterns of names, and overrides", () => {
    const model = quantizeDynamic(mlp(), {
      ops: ["fc*"],
      overrides: { fc2: null, fc3: { granularity: "perToken", preset: "fbgemm" } },
    });
    const quantized = model.graph.nodes.filter(({ op }) => op === "MatMulIntegerToFloat");
    expect(quantized.map(({ name }) => name)).toEqual(["fc1", "fc3"]);
    expect(model.graph.nodes.find(({ name }) => name === "x/quantize")).toBeDefined();
    expect(valueOf(model.graph, "relu_out_scale").shape).toEqual(["batch", 3, 1]);
  });

  it("names the node that was asked for and cannot be quantized", () => {
    expect(() => quantizeDynamic(mlp(), { ops: ["scores"] })).toThrowErrorMatchingInlineSnapshot(`
      [UnsupportedError: quantizeDynamic: 1 unsupported node(s):
        MatMul "scores": MatMul has no dynamic form
      Leave them out of ops: they stay float.]
    `);
  });

  it("says which layers it left float, and why", () => {
    const { graph } = mlp();
    const builder = GraphBuilder.from(graph);
    const attributes = { alpha: 0.5, beta: 1, transA: false, transB: false };
    builder.input("m", { dtype: "float32", shape: [2, 4] });
    builder.add({ op: "Gemm", name: "half", ...attributes, inputs: ["m", "w1"], outputs: ["h"] });
    const whole = { ...attributes, alpha: 1 };
    builder.add({ op: "Gemm", name: "one", ...whole, inputs: ["m", "w1"], outputs: ["o"] });
    const model = quantizeDynamic(new Model("float", builder.build("half", ["m"], ["h", "o"]), {}));
    expect(model.toString().split("\n").at(-1)).toMatchInlineSnapshot(
      `"  float: Gemm "half": alpha or beta is not 1"`,
    );
  });

  it.each([
    { ops: ["Linaer"] },
    { overrides: { nothing: null } },
    { preset: "tpu" as never },
    { granularity: "perRow" as never },
  ])("refuses words that say nothing: %j", (options) => {
    expect(() => quantizeDynamic(mlp(), options)).toThrowErrorMatchingSnapshot();
  });
});
