// What is written: float graphs come back equal, typed graphs become QDQ pairs (numerics section 12).

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exportOnnx } from "../../../src/formats/onnx/export.ts";
import { shareConstants } from "../../../src/formats/onnx/shareConstants.ts";
import { importOnnx } from "../../../src/formats/onnx/import.ts";
import { ONNX_LIMITS } from "../../../src/formats/onnx/limits.ts";
import { readModel } from "../../../src/formats/onnx/read.ts";
import { GraphBuilder } from "../../../src/graph/builder.ts";
import type { Graph } from "../../../src/graph/graph.ts";
import { printGraph } from "../../../src/graph/print.ts";
import type { Dim, QParams } from "../../../src/graph/value.ts";
import { float32, tensor } from "../../../src/tensor/tensor.ts";
import { floats, messageOf } from "./onnxModels.ts";
import { typedNetwork, uint8 } from "./typedGraphs.ts";

/** One line per node of the file: outputs = op(inputs), and its name. */
function nodesOf(bytes: Uint8Array): string[] {
  return readModel(bytes, ONNX_LIMITS).graph.nodes.map(
    ({ opType, name, inputs, outputs }) =>
      `${outputs.join(", ")} = ${opType}(${inputs.join(", ")}) "${name}"`,
  );
}

/** A random float graph: each step is one op on the last value, whatever its shape allows. */
function randomGraph(steps: readonly number[], batch: Dim, opset: number): Graph {
  const builder = new GraphBuilder();
  let value = builder.input("x", { dtype: "float32", shape: [batch, 4, 6, 6] });
  const values = [value];
  steps.forEach((step, at) => {
    const shape = builder.value(value).shape;
    const rank = shape.length;
    const channels = Number(shape[1]);
    const [choice, detail] = [step % 25, Math.floor(step / 25)];
    const base = { name: `n${at}`, inputs: [value], outputs: [`v${at}`] };
    const constant = (name: string, dims: readonly number[]) =>
      builder.constant(
        `${name}${at}`,
        floats(dims, (index) => Math.fround((index + step) / 7)),
      );
    const size = Number(shape[2] ?? 1);
    const k = Math.min(3, size);
    const window = {
      kernel: [k, 1],
      strides: [1 + (detail % 2), 1],
      dilations: [1, 1],
      pads: [0, 0, detail % k, 0],
    } as const;
    const alpha = Math.fround((detail % 9) / 7);
    const filters = 1 + (detail % 5);
    if (choice === 0 && rank === 4) {
      const inputs = [value, constant("w", [filters, channels, k, 1])];
      if (detail % 2) inputs.push(constant("b", [filters]));
      builder.add({ op: "Conv", ...base, inputs, ...window, group: 1 });
    } else if (choice === 1) {
      const four = ["scale", "shift", "mean", "variance"].map((name) => constant(name, [channels]));
      const inputs = [value, ...four];
      builder.add({ op: "BatchNormalization", ...base, inputs, epsilon: Math.fround(1e-3) });
    } else if (choice === 2) builder.add({ op: "Relu", ...base });
    else if (choice === 3) builder.add({ op: "LeakyRelu", ...base, alpha });
    else if (choice === 4) {
      builder.add({
        op: "Clip",
        ...base,
        low: detail % 3 ? 0 : -Infinity,
        high: detail % 2 ? 6 : Infinity,
      });
    } else if (choice === 5) builder.add({ op: "Sigmoid", ...base });
    else if (choice === 6) builder.add({ op: "HardSigmoid", ...base, alpha, beta: 0.5 });
    else if (choice === 7 && opset > 13) builder.add({ op: "HardSwish", ...base });
    else if (choice === 8) builder.add({ op: "Tanh", ...base });
    else if (choice === 9) {
      const op = (["Add", "Sub", "Mul", "Div"] as const)[detail % 4] ?? "Add";
      builder.add({ op, ...base, inputs: [value, detail % 8 > 3 ? value : constant("c", [1])] });
    } else if (choice === 10 && rank === 2) {
      const inputs = [value, constant("w", [filters, channels]), constant("b", [filters])];
      const node = { ...base, inputs, alpha, beta: 1, transA: false, transB: true };
      builder.add({ op: "Gemm", ...node });
    } else if (choice === 11) {
      const inputs = [value, constant("w", [Number(shape.at(-1)), filters])];
      builder.add({ op: "MatMul", ...base, inputs });
    } else if (choice === 12 && rank === 4) builder.add({ op: "GlobalAveragePool", ...base });
    else if (choice === 13 && rank === 4) {
      const node = {
        ...base,
        ...window,
        countIncludePad: detail % 3 === 0,
        ceilMode: detail % 2 === 0,
      };
      builder.add({ op: "AveragePool", ...node });
    } else if (choice === 14 && rank === 4) {
      builder.add({ op: "MaxPool", ...base, ...window, ceilMode: detail % 2 === 0 });
    } else if (choice === 15 && rank > 2) {
      builder.add({ op: "ReduceMean", ...base, axes: [rank - 1], keepdims: detail % 2 === 0 });
    } else if (choice === 16)
      builder.add({ op: "Softmax", ...base, axis: 1 + (detail % (rank - 1)) });
    else if (choice === 17 && rank > 2) builder.add({ op: "Flatten", ...base, axis: 1 });
    else if (choice === 18) builder.add({ op: "Reshape", ...base, shape: [0, -1, 1] });
    else if (choice === 19) {
      const perm = shape.map((_, axis) => (axis < 1 ? 0 : rank - axis));
      builder.add({ op: "Transpose", ...base, perm });
    } else if (choice === 20 && rank < 6)
      builder.add({ op: "Unsqueeze", ...base, axes: [1 + (detail % rank)] });
    else if (choice === 21) builder.add({ op: "Concat", ...base, inputs: [value, value], axis: 1 });
    else if (choice === 22) {
      const pads = [...shape, ...shape].map((_, axis) => (axis % rank ? detail % 2 : 0));
      builder.add({ op: "Pad", ...base, pads, value: alpha });
    } else if (choice === 23 && channels > 1) {
      if (detail % 2) {
        const cut = { axes: [1], starts: [-1], ends: [-channels - 1], steps: [-1] };
        builder.add({ op: "Slice", ...base, ...cut });
      } else {
        const sizes = [channels - 1, 1];
        builder.add({ op: "Split", ...base, outputs: [`v${at}`, `r${at}`], axis: 1, sizes });
        values.push(`r${at}`);
      }
    } else if (choice === 24) {
      const op = reduces[detail % reduces.length] ?? "ReduceSum";
      builder.add({ op, ...base, axes: [rank - 1], keepdims: true });
    } else builder.add({ op: "Identity", ...base });
    value = `v${at}`;
    values.push(value);
  });
  return builder.build("random", ["x"], values.slice(1));
}

const reduces = [
  "ReduceSum",
  "ReduceMax",
  "ReduceMin",
  "ReduceProd",
  "ReduceL1",
  "ReduceL2",
  "ReduceSumSquare",
] as const;

it.each(["ArgMax", "ArgMin"] as const)("%s comes back as it was", (op) => {
  const builder = new GraphBuilder();
  builder.input("x", { dtype: "float32", shape: [2, 3] });
  const base = { name: "arg", inputs: ["x"], outputs: ["y"] };
  builder.add({ op, ...base, axis: 1, keepdims: false, selectLastIndex: true });
  const graph = builder.build("arg", ["x"], ["y"]);
  expect(importOnnx(exportOnnx(graph))).toEqual(graph);
});

describe("round trip", () => {
  it("import(export(g)) equals g for random float graphs", () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(
        fc.array(fc.nat(25 * 60), { minLength: 1, maxLength: 12 }),
        fc.constantFrom<Dim>(1, 3, "batch"),
        fc.constantFrom<(13 | 17 | 21)[]>(13, 17, 21),
        (steps, batch, opset) => {
          const graph = randomGraph(steps, batch, opset);
          for (const { op } of graph.nodes) seen.add(op);
          expect(importOnnx(exportOnnx(graph, { opset }))).toEqual(shareConstants(graph));
        },
      ),
      { numRuns: 400, seed: 20261123 },
    );
    expect(seen.size).toBe(36); // every float op but Cast and Squeeze, which have tests of their own
  });

  it("Cast, Squeeze and every kind of name survive", () => {
    const builder = new GraphBuilder();
    builder.input("x", { dtype: "float32", shape: ["batch", 1, 3] });
    builder.add({
      op: "Squeeze",
      name: "größe/ü",
      inputs: ["x"],
      outputs: ["__proto__"],
      axes: [1],
    });
    builder.add({ op: "Cast", name: "c", inputs: ["__proto__"], outputs: ["y"], to: "float32" });
    const graph = builder.build("names", ["x"], ["y"]);
    expect(importOnnx(exportOnnx(graph))).toEqual(graph);
  });

  it("explicit Quantize and Dequantize come back equal, without doubled pairs", () => {
    const builder = new GraphBuilder();
    builder.input("x", { dtype: "float32", shape: [1, 2, 4, 4] });
    const weight = tensor("int8", [2, 2, 1, 1], Int8Array.of(1, 2, 3, 4));
    const scale = Float32Array.of(0.5, 0.25);
    const zeroPoint = new Int32Array(2);
    builder.constant("w", weight, { dtype: "int8", axis: 0, scale, zeroPoint });
    builder.add(
      { op: "Quantize", name: "q", inputs: ["x"], outputs: ["xq"] },
      { quant: uint8(0.5, 7) },
    );
    builder.add(
      { op: "Dequantize", name: "d", inputs: ["xq"], outputs: ["xf"] },
      { dtype: "float32" },
    );
    builder.add(
      { op: "Dequantize", name: "dw", inputs: ["w"], outputs: ["wf"] },
      { dtype: "float32" },
    );
    builder.add({
      op: "Conv",
      name: "c",
      inputs: ["xf", "wf"],
      outputs: ["y"],
      group: 1,
      kernel: [1, 1],
      strides: [1, 1],
      dilations: [1, 1],
      pads: [0, 0, 0, 0],
    });
    const graph = builder.build("qdq", ["x"], ["y"]);
    expect(nodesOf(exportOnnx(graph))).toHaveLength(4);
    expect(importOnnx(exportOnnx(graph))).toEqual(graph);
  });
});

describe("typed graphs", () => {
  it("become DQ → op → Q, with the value's own name on the DequantizeLinear", () => {
    expect(nodesOf(exportOnnx(typedNetwork()))).toMatchInlineSnapshot(`
      [
        "conv1.weight_r = DequantizeLinear(conv1.weight, conv1.weight_s, conv1.weight_z) """,
        "conv1.bias_r = DequantizeLinear(conv1.bias, conv1.bias_s) """,
        "conv2.weight_r = DequantizeLinear(conv2.weight, conv2.weight_s, conv2.weight_z) """,
        "conv2.bias_r = DequantizeLinear(conv2.bias, conv2.bias_s) """,
        "fc.weight_r = DequantizeLinear(fc.weight, fc.weight_s, fc.weight_z) """,
        "fc.bias_r = DequantizeLinear(fc.bias, fc.bias_s) """,
        "xq_q = QuantizeLinear(x, xq_s, xq_z) "quant"",
        "xq = DequantizeLinear(xq_q, xq_s, xq_z_1) """,
        "a_u = Conv(xq, conv1.weight_r, conv1.bias_r) "conv1"",
        "a_f = Clip(a_u, , conv1_max) """,
        "a_q = QuantizeLinear(a_f, a_s, a_z) """,
        "a = DequantizeLinear(a_q, a_s, a_z_1) """,
        "b_f = Conv(a, conv2.weight_r, conv2.bias_r) "conv2"",
        "b_q = QuantizeLinear(b_f, b_s, b_z) """,
        "b = DequantizeLinear(b_q, b_s, b_z_1) """,
        "s_f = Add(a, b) "add"",
        "s_q = QuantizeLinear(s_f, s_s, s_z) """,
        "s = DequantizeLinear(s_q, s_s, s_z_1) """,
        "p_f = GlobalAveragePool(s) "pool"",
        "p_q = QuantizeLinear(p_f, s_s, p_z) """,
        "p = DequantizeLinear(p_q, s_s, p_z_1) """,
        "f_f = Flatten(p) "flatten"",
        "f_q = QuantizeLinear(f_f, s_s, f_z) """,
        "f = DequantizeLinear(f_q, s_s, f_z_1) """,
        "l_f = Gemm(f, fc.weight_r, fc.bias_r) "fc"",
        "l = QuantizeLinear(l_f, l_s, l_z) """,
        "y = DequantizeLinear(l, l_s, l_z_1) "dequant"",
      ]
    `);
  });

  it("come back as QDQ with the same weights and parameters", () => {
    expect(printGraph(importOnnx(exportOnnx(typedNetwork())))).toMatchInlineSnapshot(`
      "graph typed(x: float32[1, 3, 8, 8])
        conv1.weight_r: float32[8, 3, 3, 3] = Dequantize(conv1.weight)
        conv1.bias_r: float32[8] = Dequantize(conv1.bias)
        conv2.weight_r: float32[8, 8, 1, 1] = Dequantize(conv2.weight)
        conv2.bias_r: float32[8] = Dequantize(conv2.bias)
        fc.weight_r: float32[5, 8] = Dequantize(fc.weight)
        fc.bias_r: float32[5] = Dequantize(fc.bias)
        xq_q: uint8[1, 3, 8, 8]·(0.02000, 128) = Quantize(x)
        xq: float32[1, 3, 8, 8] = Dequantize(xq_q)
        a_u: float32[1, 8, 8, 8] = Conv(xq, conv1.weight_r, conv1.bias_r) kernel=[3,3] strides=[1,1] dilations=[1,1] pads=[1,1,1,1] group=1
        a_f: float32[1, 8, 8, 8] = Clip(a_u) low=null high=6
        a_q: uint8[1, 8, 8, 8]·(0.04700, 0) = Quantize(a_f)
        a: float32[1, 8, 8, 8] = Dequantize(a_q)
        b_f: float32[1, 8, 8, 8] = Conv(a, conv2.weight_r, conv2.bias_r) kernel=[1,1] strides=[1,1] dilations=[1,1] pads=[0,0,0,0] group=1
        b_q: uint8[1, 8, 8, 8]·(0.05000, 121) = Quantize(b_f)
        b: float32[1, 8, 8, 8] = Dequantize(b_q)
        s_f: float32[1, 8, 8, 8] = Add(a, b)
        s_q: uint8[1, 8, 8, 8]·(0.06100, 100) = Quantize(s_f)
        s: float32[1, 8, 8, 8] = Dequantize(s_q)
        p_f: float32[1, 8, 1, 1] = GlobalAveragePool(s)
        p_q: uint8[1, 8, 1, 1]·(0.06100, 100) = Quantize(p_f)
        p: float32[1, 8, 1, 1] = Dequantize(p_q)
        f_f: float32[1, 8] = Flatten(p) axis=1
        f_q: uint8[1, 8]·(0.06100, 100) = Quantize(f_f)
        f: float32[1, 8] = Dequantize(f_q)
        l_f: float32[1, 5] = Gemm(f, fc.weight_r, fc.bias_r) alpha=1 beta=1 transA=false transB=true
        l: uint8[1, 5]·(0.02100, 115) = Quantize(l_f)
        y: float32[1, 5] = Dequantize(l)
        return y"
    `);
  });

  it("biases have no zero point and weights one zero per channel; each node has its own", () => {
    const { graph } = readModel(exportOnnx(typedNetwork()), ONNX_LIMITS);
    const dequantize = (name: string) => graph.nodes.find(({ inputs }) => inputs[0] === name);
    expect(dequantize("conv1.bias")?.inputs).toHaveLength(2);
    const zero = dequantize("conv1.weight")?.inputs[2];
    expect(graph.initializers.find(({ name }) => name === zero)?.dims).toEqual([8]);
    const zeros = graph.nodes.flatMap(({ inputs, opType }) =>
      opType.endsWith("uantizeLinear") ? inputs.slice(2) : [],
    );
    expect(new Set(zeros).size).toBe(zeros.length);
  });

  it("FakeQuantize becomes a pair", () => {
    const builder = new GraphBuilder();
    builder.input("x", { dtype: "float32", shape: [2] });
    builder.constant("s", float32([], [0.5]));
    builder.constant("z", float32([], [0]));
    const node = { name: "fq", inputs: ["x", "s", "z"], outputs: ["y"], qmin: -127, qmax: 127 };
    builder.add({ op: "FakeQuantize", ...node });
    expect(nodesOf(exportOnnx(builder.build("fq", ["x"], ["y"])))).toEqual([
      'y_q = QuantizeLinear(x, y_s, y_z) "fq"',
      'y = DequantizeLinear(y_q, y_s, y_z_1) ""',
    ]);
  });
});

describe("ranges narrower than their bytes", () => {
  const clipsOf = (qmin: number, qmax: number) => {
    const builder = new GraphBuilder();
    builder.input("x", { dtype: "float32", shape: [2] });
    const quant: QParams = {
      dtype: "uint8",
      scale: Float32Array.of(0.5),
      zeroPoint: Int32Array.of(3),
      qmin,
      qmax,
    };
    builder.add({ op: "Quantize", name: "q", inputs: ["x"], outputs: ["y"] }, { quant });
    builder.add(
      { op: "Dequantize", name: "d", inputs: ["y"], outputs: ["z"] },
      { dtype: "float32" },
    );
    const bytes = exportOnnx(builder.build("narrow", ["x"], ["z"]));
    const clip = importOnnx(bytes).nodes.find(({ op }) => op === "Clip");
    return clip?.op === "Clip" ? [clip.low, clip.high] : undefined;
  };

  it("of four bits are cut before they are bytes, of seven are not", () => {
    expect(clipsOf(0, 15)).toEqual([-1.5, 6]);
    expect(clipsOf(0, 127)).toBeUndefined();
  });
});

describe("versions", () => {
  const one = (op: "HardSwish" | "Relu") => {
    const builder = new GraphBuilder();
    builder.input("x", { dtype: "float32", shape: ["n", 2] });
    builder.add({ op, name: "h", inputs: ["x"], outputs: ["y"] });
    return builder.build("one", ["x"], ["y"]);
  };

  it.each([
    [13, 7],
    [17, 8],
    [21, 10],
  ] as const)("opset %i has IR version %i and names its producer", (opset, irVersion) => {
    const options = { opset, producer: "me", producerVersion: "1.2" };
    const model = readModel(exportOnnx(one("Relu"), options), ONNX_LIMITS);
    expect(model).toMatchObject({ irVersion, producerName: "me", producerVersion: "1.2" });
    expect([...model.opsets]).toEqual([["", opset]]);
    expect(model.graph.inputs[0]?.shape).toEqual(["n", 2]);
  });

  it("HardSwish, new in opset 14, raises the default opset and is spelled out in opset 13", () => {
    expect(nodesOf(exportOnnx(one("HardSwish")))).toEqual(['y = HardSwish(x) "h"']);
    expect(nodesOf(exportOnnx(one("HardSwish"), { opset: 13 }))).toEqual([
      'y_gate = HardSigmoid(x) "h_gate"',
      'y = Mul(x, y_gate) "h"',
    ]);
    expect(nodesOf(exportOnnx(one("HardSwish"), { opset: 17 }))).toEqual(['y = HardSwish(x) "h"']);
  });

  it("a fused clamp is written as Relu or Clip behind its op", () => {
    const builder = new GraphBuilder();
    builder.input("x", { dtype: "float32", shape: [2] });
    builder.constant("c", float32([1], [1]));
    builder.add({ op: "Add", name: "a", inputs: ["x", "c"], outputs: ["v"], low: 0 });
    builder.add({ op: "Mul", name: "m", inputs: ["v", "c"], outputs: ["y"], low: -1, high: 6 });
    expect(nodesOf(exportOnnx(builder.build("clamps", ["x"], ["y"])))).toEqual([
      'v_u = Add(x, c) "a"',
      'v = Relu(v_u) ""',
      'y_u = Mul(v, c) "m"',
      'y = Clip(y_u, m_min, m_max) ""',
    ]);
  });

  it("what ONNX cannot say is refused, every node at once", () => {
    const builder = new GraphBuilder();
    builder.input("x", { dtype: "float32", shape: ["n", "m", 2] });
    const observer = { kind: "minMax" } as const;
    builder.add({ op: "Observe", name: "o", inputs: ["x"], outputs: [], observer });
    builder.input("s", { dtype: "float32", shape: [] });
    const range = { qmin: 0, qmax: 255 };
    const both = { inputs: ["x", "x", "s", "s"], outputs: ["g"] };
    builder.add({ op: "FakeQuantizeGrad", name: "f", ...both, ...range });
    const one = { inputs: ["x", "s", "s"], outputs: ["h"] };
    builder.add({ op: "FakeQuantize", name: "q", ...one, ...range });
    builder.add({ op: "Reshape", name: "r", inputs: ["x"], outputs: ["y"], shape: ["m", "n", 2] });
    const graph = builder.build("no", ["x"], ["y"]);
    expect(messageOf(() => exportOnnx(graph))).toMatchInlineSnapshot(
      `"Error: graph: no value ""; please report."`,
    );
  });
});
