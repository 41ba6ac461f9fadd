// quantizeDynamic with the dtypes that leave activations float: which constants change, into what, and what it costs.

import { expect, it } from "vitest";
import { bindShapes } from "../../../src/graph/bind.ts";
import { GraphBuilder } from "../../../src/graph/builder.ts";
import { printGraph } from "../../../src/graph/print.ts";
import { load } from "../../../src/load.ts";
import { Model } from "../../../src/model.ts";
import { quantizeDynamic } from "../../../src/quantizeDynamic.ts";
import { interpret } from "../../../src/reference/interpret.ts";
import { save } from "../../../src/save.ts";
import { tensor } from "../../../src/tensor/tensor.ts";
import { floats } from "../../support/seeded.ts";

/** An embedding of 50 rows, a MatMul and a Gemm, its weight transposed. */
function network() {
  const builder = new GraphBuilder();
  builder.input("tokens", { dtype: "int32", shape: [3] });
  builder.constant("table", floats([50, 64], 1));
  builder.constant("w", floats([64, 96], 2));
  builder.constant("v", floats([20, 96], 3));
  const at = (name: string, inputs: string[], output: string) => ({
    name,
    inputs,
    outputs: [output],
  });
  const type = { dtype: "float32" } as const;
  builder.add({ op: "Gather", ...at("embed", ["table", "tokens"], "e"), axis: 0 }, type);
  builder.add({ op: "MatMul", ...at("up", ["e", "w"], "u") });
  const gemm = { alpha: 1, beta: 1, transA: false, transB: true };
  builder.add({ op: "Gemm", ...at("down", ["u", "v"], "y"), ...gemm });
  return new Model("float", builder.build("network", ["tokens"], ["y"]), {});
}

const feeds = { tokens: tensor("int32", [3], Int32Array.of(0, 49, -7)) };
const run = (model: Model<"float" | "quantized">) =>
  interpret(bindShapes(model.graph, new Map()), feeds).get("y")!.data as Float32Array;

/** 10 log₁₀ (Σ x² / Σ (x − y)²), docs/quantization.md (42). */
function sqnr(want: Float32Array, got: Float32Array): number {
  let [signal, noise] = [0, 0];
  want.forEach((x, i) => {
    signal += x * x;
    noise += (x - got[i]!) ** 2;
  });
  return 10 * Math.log10(signal / noise);
}

const all = ["Linear", "Embedding"];
// Of normal weights blocks have 45 and 21 dB, and three layers add their noise: 40 and 16.
it.each([
  { dtype: "float16", ops: all, bytes: 0.52, least: 65 },
  { dtype: "int8-weight-only", ops: all, bytes: 0.3, least: 38 },
  { dtype: "int4-weight-only", ops: all, bytes: 0.2, least: 15 },
] as const)("$dtype: the file shrinks to it, and load gives the same graph", async (given) => {
  const model = network();
  const { dtype, ops } = given;
  const quantized = quantizeDynamic(model, { dtype, ops });
  const bytes = save(quantized);
  expect(bytes.length / save(model).length).toBeLessThan(given.bytes);
  expect(sqnr(run(model), run(quantized))).toBeGreaterThan(given.least);
  const back = await load(bytes);
  expect(printGraph(back.graph)).toBe(printGraph(quantized.graph));
  expect(run(back)).toEqual(run(quantized));
});

it("embeddings change on request alone, and then have a scale a row", () => {
  const model = network();
  const linear = quantizeDynamic(model, { dtype: "int8-weight-only" });
  expect(linear.graph.constants.get("table")?.dtype).toBe("float32");
  const { graph } = quantizeDynamic(model, { ops: ["Embedding"] });
  const { dtype, quant } = graph.values.get("table_int8")!;
  expect({ dtype, axis: quant?.axis, scales: quant?.scale.length }).toEqual({
    dtype: "int8",
    axis: 0,
    scales: 50,
  });
  expect(graph.nodes.map(({ op }) => op)).toEqual(["Gather", "MatMul", "Gemm"]);
  expect(graph.constants.get("w")?.dtype).toBe("float32");
});
