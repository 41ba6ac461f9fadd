// SmoothQuant as a pass: which activations are divided where, the factors of the paper's equation 4, and that
// the graph still computes the same.

import { expect, it } from "vitest";
import { importOnnx } from "../../../src/formats/onnx/index.ts";
import type { NodeProto } from "../../../src/formats/onnx/proto.ts";
import { printGraph } from "../../../src/graph/print.ts";
import type { Graph } from "../../../src/graph/graph.ts";
import { ErrorSum } from "../../../src/metrics.ts";
import { findGroups, smooth, smoothingOf, weightMaxima } from "../../../src/quantize/smooth.ts";
import { interpret } from "../../../src/reference/interpret.ts";
import { bindShapes } from "../../../src/graph/bind.ts";
import type { Tensor } from "../../../src/tensor/tensor.ts";
import { float, floats, node, tiny } from "../formats/onnxModels.ts";

const wave = (scale: number) => (index: number) => scale * Math.sin(index * 1.7 + scale);
const weights = {
  w0: floats([4, 6], wave(1)),
  w1: floats([6, 6], wave(0.5)),
  w2: floats([6, 3], wave(0.1)),
  t: floats([3, 6], wave(0.3)),
  b0: floats([6], wave(2)),
  row: floats([6], (index) => 1 + index * 10),
  one: floats([], () => 3),
  c: floats([3], wave(1)),
};

function graphOf(nodes: NodeProto[], outputs = ["y"]): Graph {
  return importOnnx(tiny({ nodes, inputs: { x: ["rows", 4] }, outputs, initializers: weights }));
}

const x = floats([5, 4], wave(3));

/** dB of `after` against `before`; and the maxima of each group's activation. */
function sqnr(before: Graph, after: Graph): number {
  const run = (graph: Graph) => interpret(bindShapes(graph, new Map([["rows", 5]])), { x });
  const error = new ErrorSum();
  for (const name of before.outputs) {
    const [a, b] = [run(before), run(after)].map((values) => values.get(name)!.data);
    error.add(a as Float32Array, b as Float32Array);
  }
  return error.sqnrDb;
}

function smoothed(graph: Graph, insert = false): Graph {
  const groups = findGroups(graph).filter(({ fold }) => fold !== undefined || insert);
  return smooth(
    graph,
    groups.map((group) => {
      const s = Float32Array.from({ length: group.channels }, (_, c) => 0.1 + 3 * ((c * 7) % 5));
      return { group, s };
    }),
  );
}

const found = (graph: Graph) =>
  findGroups(graph).map(({ value, layers, fold, reason }) => [
    value,
    layers.map(({ outputs }) => outputs[0]).join(),
    fold?.map((edit) => `${edit.node.op} ${edit.input} ${edit.axis}`).join(", ") ?? reason,
  ]);

it("a chain of bias, Relu and product folds, and the graph computes the same", () => {
  const graph = graphOf([
    node("MatMul", ["x", "w0"], ["a"]),
    node("Add", ["b0", "a"], ["b"]),
    node("Relu", ["b"], ["r"]),
    node("Gemm", ["r", "t", "c"], ["y"], { transB: 1 }),
  ]);
  expect(found(graph)).toEqual([
    ["x", "a", "it is an input of the model"],
    ["r", "y", "Add 0 last, MatMul 1 last"],
  ]);
  const after = smoothed(graph);
  expect(after.nodes.map(({ op }) => op)).toEqual(graph.nodes.map(({ op }) => op));
  expect(sqnr(graph, after)).toBeGreaterThan(120); // two roundings of f32 a product
});

it("layers that share an input share s, with a Mul, a Gemm or a LeakyRelu before it", () => {
  const graph = graphOf(
    [
      node("Gemm", ["x", "w0", "b0"], ["g"]),
      node("Mul", ["g", "row"], ["m"]),
      node("MatMul", ["m", "w1"], ["q"]),
      node("MatMul", ["m", "w2"], ["k"]),
      node("LeakyRelu", ["q"], ["l"], { alpha: float(0.25) }),
      node("MatMul", ["l", "w2"], ["y"]),
    ],
    ["y", "k"],
  );
  expect(found(graph).slice(1)).toEqual([
    ["m", "q,k", "Mul 1 last"],
    ["l", "y", "MatMul 1 last"],
  ]);
  expect(sqnr(graph, smoothed(graph))).toBeGreaterThan(120);
  const scalar = graphOf([
    node("MatMul", ["x", "w0"], ["a"]),
    node("Mul", ["one", "a"], ["m"]),
    node("MatMul", ["m", "w2"], ["y"]),
  ]);
  expect(found(scalar)[1]).toEqual(["m", "y", "Mul 0 last"]);
  expect(sqnr(scalar, smoothed(scalar))).toBeGreaterThan(120);
});

it("a normalization takes s into its scale and bias", () => {
  const graph = graphOf([
    node("MatMul", ["x", "w0"], ["a"]),
    node("LayerNormalization", ["a", "row", "b0"], ["n"]),
    node("MatMul", ["n", "w1"], ["b"]),
    node("LayerNormalization", ["b", "one"], ["m"]),
    node("MatMul", ["m", "w2"], ["y"]),
  ]);
  expect(found(graph).slice(1)).toEqual([
    ["n", "b", "LayerNormalization 2 last, LayerNormalization 1 last"],
    ["m", "y", "LayerNormalization 1 last"],
  ]);
  expect(sqnr(graph, smoothed(graph))).toBeGreaterThan(110); // two roundings of f32 a product
});

it("an activation that others read, or that no node can divide, is left with its reason", () => {
  const graph = graphOf(
    [
      node("MatMul", ["x", "w0"], ["a"]),
      node("MatMul", ["a", "w1"], ["b"]),
      node("Add", ["a", "b"], ["residual"]),
      node("Tanh", ["residual"], ["t0"]),
      node("MatMul", ["t0", "w1"], ["e"]),
      node("Relu", ["e"], ["f"]),
      node("Add", ["e", "f"], ["h"]),
      node("MatMul", ["f", "w2"], ["y"]),
      node("MatMul", ["h", "w1"], ["o"]),
      node("MatMul", ["o", "w2"], ["z"]),
    ],
    ["y", "z", "o"],
  );
  expect(found(graph)).toMatchInlineSnapshot(`
    [
      [
        "x",
        "a",
        "it is an input of the model",
      ],
      [
        "a",
        "b",
        "Add "Add_0" reads it, too",
      ],
      [
        "t0",
        "e",
        "Tanh "Tanh_0" before it does not scale with it",
      ],
      [
        "f",
        "y",
        "Add "Add_1" reads it, too",
      ],
      [
        "h",
        "o",
        "Add "Add_1" before it does not scale with it",
      ],
      [
        "o",
        "z",
        "it is an output of the model",
      ],
    ]
  `);
  expect(smoothed(graph)).toEqual(graph);
});

it("where nothing can divide, a Mul before the layers does when it is asked for", () => {
  const graph = graphOf(
    [
      node("Tanh", ["x"], ["t0"]),
      node("MatMul", ["t0", "w0"], ["q"]),
      node("Relu", ["t0"], ["other"]),
      node("MatMul", ["t0", "w0"], ["k"]),
    ],
    ["q", "k", "other"],
  );
  const after = smoothed(graph, true);
  expect(printGraph(after)).toMatchInlineSnapshot(`
    "graph tiny(x: float32[rows, 4])
      t0: float32[rows, 4] = Tanh(x)
      t0_smooth: float32[rows, 4] = Mul(t0, t0_smoothing)
      q: float32[rows, 6] = MatMul(t0_smooth, w0_smooth)
      other: float32[rows, 4] = Relu(t0)
      k: float32[rows, 6] = MatMul(t0_smooth, w0_smooth_1)
      return q, k, other"
  `);
  expect(sqnr(graph, after)).toBeGreaterThan(120);
});

it("s is 4 where maxima are 16 and 1 and alpha is a half, and 1 for channels without numbers", () => {
  expect(smoothingOf(Float32Array.of(16, 1, 0, 5), Float32Array.of(1, 16, 3, 0), 0.5)).toEqual(
    Float32Array.of(4, 0.25, 1, 1),
  );
  expect(smoothingOf(Float32Array.of(8), Float32Array.of(2), 1)).toEqual(Float32Array.of(8));
  expect(smoothingOf(Float32Array.of(8), Float32Array.of(2), 0)).toEqual(Float32Array.of(0.5));
});

it("weights' maxima are those of all layers that read the channel", () => {
  const graph = graphOf(
    [
      node("Relu", ["x"], ["r"]),
      node("MatMul", ["r", "w0"], ["q"]),
      node("Gemm", ["r", "w0"], ["k"]),
    ],
    ["q", "k"],
  );
  const [group] = findGroups(graph);
  const { data } = weights.w0 as Tensor<"float32">;
  const rows = [0, 1, 2, 3].map((row) =>
    Math.max(...data.subarray(row * 6, row * 6 + 6).map(Math.abs)),
  );
  expect(Array.from(weightMaxima(graph, group!))).toEqual(rows);
});
