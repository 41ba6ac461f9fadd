// ONNX Runtime reads what we write: the same graph gives the same numbers there and in the reference.

import * as ort from "onnxruntime-web";
import { describe, expect, it } from "vitest";
import { exportOnnx } from "../../../src/formats/onnx/export.ts";
import { importOnnx } from "../../../src/formats/onnx/import.ts";
import { bindShapes } from "../../../src/graph/bind.ts";
import type { Graph } from "../../../src/graph/graph.ts";
import { interpret } from "../../../src/reference/interpret.ts";
import { float32 } from "../../../src/tensor/tensor.ts";
import { floats, longs, node, scalar, tiny } from "./onnxModels.ts";
import { seeded, typedNetwork } from "./typedGraphs.ts";

ort.env.wasm.numThreads = 1;
ort.env.logLevel = "error";

const random = seeded(11);
const input = (shape: readonly number[]) =>
  float32(
    shape,
    Array.from(
      { length: shape.reduce((a, b) => a * b, 1) },
      () => random(-1_000_000, 1_000_000) / 390_625.7,
    ),
  );

async function inRuntime(bytes: Uint8Array, x: ReturnType<typeof input>): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(bytes);
  const results = await session.run({ x: new ort.Tensor("float32", x.data, [...x.shape]) });
  await session.release();
  return results["y"]?.data as Float32Array;
}

function inReference(graph: Graph, x: ReturnType<typeof input>): Float32Array {
  const bound = bindShapes(graph, new Map([["batch", x.shape[0] ?? 1]]));
  return interpret(bound, { x }).get("y")?.data as Float32Array;
}

describe("ONNX Runtime agrees", () => {
  const network = tiny({
    nodes: [
      node("Conv", ["x", "w"], ["a"], { pads: [1, 1, 1, 1], strides: [2, 1], group: 2 }),
      node("BatchNormalization", ["a", "g", "b", "m", "v"], ["n"]),
      node("Clip", ["n", "zero", "six"], ["r"]),
      node("AveragePool", ["r"], ["p"], { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }),
      node("MaxPool", ["p"], ["e"], { kernel_shape: [2, 2], auto_pad: "SAME_UPPER" }),
      node("Pad", ["e", "pads"], ["f"]),
      node("ReduceMean", ["f"], ["h"], { axes: [3], keepdims: 0 }),
      node("Slice", ["h", "last", "least", "two", "last"], ["i"]),
      node("Flatten", ["i"], ["j"]),
      node("Softmax", ["j"], ["y"], { axis: 1 }),
    ],
    inputs: { x: ["batch", 4, 9, 9] },
    initializers: {
      w: floats([6, 2, 3, 3], (at) => ((at * 7) % 11) / 11 - 0.5),
      g: floats([6], (at) => at + 1),
      b: floats([6]),
      m: floats([6]),
      v: floats([6], (at) => at + 0.5),
      zero: scalar(0),
      six: scalar(6),
      pads: longs(0, 0, 1, 0, 0, 0, 0, 1),
      last: longs(-1),
      least: longs(-99),
      two: longs(2),
    },
  });

  it.each([13, 17, 21] as const)("on a float graph written with opset %i", async (opset) => {
    const graph = importOnnx(network);
    const x = input([2, 4, 9, 9]);
    const written = await inRuntime(exportOnnx(graph, { opset }), x);
    const original = await inRuntime(network, x);
    // 1e-6: the runtime fuses other nodes for other opsets, so sums are taken in another order.
    written.forEach((value, at) => expect(Math.abs(value - original[at]!)).toBeLessThan(1e-6));
    const reference = inReference(graph, x);
    // 1e-5: float32 sums of at most 36 products of size 3, in another order; softmax outputs are < 1.
    written.forEach((value, at) =>
      expect(Math.abs(value - (reference[at] ?? NaN))).toBeLessThan(1e-5),
    );
  });

  it.each([13, 21] as const)("on a QDQ graph written with opset %i, bit for bit", async (opset) => {
    const graph = typedNetwork();
    const bytes = exportOnnx(graph, { opset });
    const codes = new Set<number>();
    for (let round = 0; round < 20; round++) {
      // No value lies at a tie, where (2) and (5), and the two ways to add, would differ.
      const x = input([1, 3, 8, 8]);
      const runtime = await inRuntime(bytes, x);
      expect(runtime).toEqual(inReference(graph, x));
      for (const value of runtime) codes.add(value);
    }
    expect(codes.size).toBeGreaterThan(30); // the outputs are not stuck at a bound
  });
});
