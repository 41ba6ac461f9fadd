// QDQ files of tools that keep float weights, or quantize weights of layers that run in float.

import { describe, expect, it } from "vitest";
import { bindShapes } from "../../../src/graph/bind.ts";
import { GraphBuilder } from "../../../src/graph/builder.ts";
import type { Graph } from "../../../src/graph/graph.ts";
import type { QParams } from "../../../src/graph/value.ts";
import { lower } from "../../../src/plan/lower.ts";
import { integerize } from "../../../src/quantize/integerize.ts";
import { interpret } from "../../../src/reference/interpret.ts";
import { float32 } from "../../../src/tensor/tensor.ts";

const activation: QParams = {
  dtype: "uint8",
  scale: Float32Array.of(0.02),
  zeroPoint: Int32Array.of(128),
};

/** x → Q → DQ → Gemm with weight Q(DQ(float constant)) → (Q → DQ where `closed`). */
function qdqGemm(weightZero: number, closed: boolean): Graph {
  const builder = new GraphBuilder();
  builder.input("x", { dtype: "float32", shape: [2, 3] });
  builder.constant("w", float32([3, 2], [0.5, -1, 0.25, 0.75, -0.5, 1]));
  const weight: QParams = {
    dtype: weightZero === 0 ? "int8" : "uint8",
    scale: weightZero === 0 ? Float32Array.of(1 / 128, 1 / 100) : Float32Array.of(1 / 250, 1 / 200),
    zeroPoint: Int32Array.of(weightZero, weightZero),
    axis: 1,
  };
  const pair = (from: string, quant: QParams) => {
    const [q, real] = [`${from}_q`, `${from}_dq`];
    builder.add({ op: "Quantize", name: q, inputs: [from], outputs: [q] }, { quant });
    builder.add(
      { op: "Dequantize", name: real, inputs: [q], outputs: [real] },
      { dtype: "float32" },
    );
    return real;
  };
  const gemm = { op: "Gemm", alpha: 1, beta: 1, transA: false, transB: false } as const;
  const inputs = [pair("x", activation), pair("w", weight)];
  builder.add({ ...gemm, name: "gemm", inputs, outputs: ["y"] });
  return builder.build("qdq", ["x"], [closed ? pair("y", activation) : "y"]);
}

const x = float32([2, 3], [0.1, -0.3, 0.7, 1.2, -0.9, 0.4]);

function outputOf(graph: Graph): Float32Array {
  const [output = ""] = graph.outputs;
  return interpret(bindShapes(graph, new Map()), { x }).get(output)?.data as Float32Array;
}

describe("constants behind QuantizeLinear", () => {
  it("of a layer between quantized values become its integer weights", () => {
    const graph = integerize(qdqGemm(0, true));
    expect(graph.nodes.map(({ op }) => op)).toEqual(["Quantize", "Gemm", "Dequantize"]);
    expect(graph.values.get(graph.nodes[1]!.inputs[1]!)?.dtype).toBe("int8");
    const [got, want] = [outputOf(graph), outputOf(qdqGemm(0, true))];
    got.forEach((value, i) => expect(Math.abs(value - want[i]!)).toBeLessThan(0.021)); // one code of 0.02
  });

  it("of a float layer keep their bits, and it runs", () => {
    const graph = integerize(qdqGemm(0, false));
    const gemm = graph.nodes.find(({ op }) => op === "Gemm")!;
    expect(graph.values.get(gemm.inputs[1]!)?.dtype).toBe("int8");
    expect(outputOf(graph)).toEqual(outputOf(qdqGemm(0, false)));
    expect(() => lower(bindShapes(graph, new Map()))).not.toThrow();
  });

  it("whose q − z are no int8 run in integers with a zero point", () => {
    const graph = integerize(qdqGemm(50, true));
    expect(graph.nodes.map(({ op }) => op)).toEqual(["Quantize", "Gemm", "Dequantize"]);
    const [got, want] = [outputOf(graph), outputOf(qdqGemm(50, true))];
    got.forEach((value, i) => expect(Math.abs(value - want[i]!)).toBeLessThan(0.021));
  });
});
