// The interpreter itself: order, names, types, what it returns and what it refuses; and the ops
// that cross between float and q, docs/quantization.md (2), (6), (7).

import { describe, expect, it } from "vitest";
import { bindShapes, type BoundGraph } from "../../../src/graph/bind.ts";
import { GraphBuilder } from "../../../src/graph/builder.ts";
import { interpret } from "../../../src/reference/interpret.ts";
import { float32, tensor, toNumbers } from "../../../src/tensor/tensor.ts";
import { counting, numbers, qparams, quantized, run } from "./support.ts";

/** y = relu(x + c) with an observer on both x and y; the batch is symbolic. */
function graph(batch: number): BoundGraph {
  const builder = new GraphBuilder();
  builder.input("x", { dtype: "float32", shape: ["batch", 2] });
  builder.constant("c", float32([2], [1, -10]));
  builder.add({ op: "Add", name: "add", inputs: ["x", "c"], outputs: ["sum"] });
  builder.add({ op: "Relu", name: "relu", inputs: ["sum"], outputs: ["y"] });
  for (const name of ["x", "y"]) {
    builder.add({
      op: "Observe",
      name: `observe ${name}`,
      inputs: [name],
      outputs: [],
      observer: { kind: "minMax" },
    });
  }
  builder.add({ op: "Compare", name: "compare", inputs: ["x", "y"], outputs: [] });
  return bindShapes(builder.build("test", ["x"], ["y"]), new Map([["batch", batch]]));
}

describe("interpret", () => {
  it("returns every value and reports inputs and results in order, constants not", () => {
    const seen: string[] = [];
    const values = interpret(graph(2), { x: counting([2, 2]) }, (name, value) => {
      seen.push(`${name} ${toNumbers(value).join(" ")}`);
    });
    expect([...values.keys()].sort()).toEqual(["c", "sum", "x", "y"]);
    expect(seen).toEqual(["x 1 2 3 4", "sum 2 -8 4 -6", "y 2 0 4 0"]);
  });

  it("resolves the names in a Reshape", () => {
    const builder = new GraphBuilder();
    builder.input("x", { dtype: "float32", shape: ["batch", 2] });
    builder.add({ op: "Reshape", name: "r", inputs: ["x"], outputs: ["y"], shape: [2, "batch"] });
    const bound = bindShapes(builder.build("test", ["x"], ["y"]), new Map([["batch", 3]]));
    expect(interpret(bound, { x: counting([3, 2]) }).get("y")?.shape).toEqual([2, 3]);
  });

  it("refuses a missing input", () => {
    expect(() => interpret(graph(1), {})).toThrowErrorMatchingInlineSnapshot(
      `[InputError: input "x" is missing; got none. Pass a tensor of shape [1, 2] under that name.]`,
    );
  });

  it("refuses a name that is no input, and says which is meant", () => {
    const x = counting([1, 2]);
    expect(() => interpret(graph(1), { X: x })).toThrowErrorMatchingInlineSnapshot(
      `[InputError: input "x" is missing; got X. Pass what came as "X", a tensor of shape [1, 2] under that name.]`,
    );
    expect(() => interpret(graph(1), { x, mask: x })).toThrowErrorMatchingInlineSnapshot(
      `[InputError: inputs: the model has no input "mask"; got inputs x. Leave it out.]`,
    );
  });

  it("refuses an input of another size", () => {
    expect(() => interpret(graph(1), { x: counting([2, 2]) })).toThrowErrorMatchingInlineSnapshot(
      `[InputError: input "x": shape must be [1, 2]; got [2, 2]. Reshape or resize the data to fit the model.]`,
    );
  });

  it("refuses an input of another dtype", () => {
    const x = tensor("int32", [1, 2]);
    expect(() => interpret(graph(1), { x })).toThrowErrorMatchingInlineSnapshot(
      `[InputError: input "x": dtype must be float32; got int32. Convert the data.]`,
    );
  });

  it("refuses a node that stands before its producer", () => {
    const bound = graph(1);
    const nodes = bound.nodes.slice(0, 2).reverse();
    expect(() =>
      interpret({ ...bound, nodes }, { x: counting([1, 2]) }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[InputError: Relu "relu": input "sum" must be computed before it is read; got a node that stands before its producer. Order the nodes topologically.]`,
    );
  });

  it("reports a pass that typed an output wrongly", () => {
    const bound = graph(1);
    const values = new Map(bound.values).set("y", { dtype: "float32", shape: [1, 3] });
    expect(() =>
      interpret({ ...bound, values }, { x: counting([1, 2]) }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[InputError: Relu "relu": output "y" must be float32[1, 3], as the graph says; got float32[1, 2]. The pass that made this node typed its output wrongly: please report.]`,
    );
  });

  it("refuses a float op that reads q", () => {
    const x = quantized(qparams("uint8", 1, 0), [1], [1]);
    expect(() =>
      run({ op: "Softmax", axis: 0 }, [x], { dtype: "float32" }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[InputError: Softmax "node": inputs and outputs must be all quantized or all float; got quantized in and float out. Insert a Quantize or a Dequantize.]`,
    );
  });

  it("refuses a quantized output of float inputs", () => {
    const quant = qparams("uint8", 1, 0);
    expect(() =>
      run({ op: "Relu" }, [counting([1])], { quant }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[InputError: Relu "node": inputs and outputs must be all quantized or all float; got float in and quantized out. Insert a Quantize or a Dequantize.]`,
    );
  });
});

describe("between float and q", () => {
  // Half steps of both signs; 3 and −3 halves round to ±2.
  const halves = float32([7], [-1.5, -0.5, 0, 0.5, 1.5, 2.5, 1e9]);

  it.each([
    { zeroPoint: 4, expected: [2, 4, 4, 4, 6, 6, 255] },
    { zeroPoint: 5, expected: [3, 5, 5, 5, 7, 7, 255] },
  ])(
    "Quantize rounds to even before it adds $zeroPoint, docs/quantization.md (2)",
    ({ zeroPoint, expected }) => {
      const quant = qparams("uint8", 1, zeroPoint);
      expect(numbers({ op: "Quantize" }, [halves], { quant })).toEqual(expected);
    },
  );

  it("Quantize multiplies by the reciprocal and does not divide", () => {
    // -17.25 / 0.3f is -57.499996 in f32, and -17.25 · fl(1/0.3f) is -57.5.
    const quant = qparams("int8", 0.3, 0);
    expect(Math.fround(-17.25 / Math.fround(0.3))).toBeGreaterThan(-57.5);
    expect(numbers({ op: "Quantize" }, [float32([1], [-17.25])], { quant })).toEqual([-58]);
  });

  it("Quantize saturates infinities and refuses NaN by name", () => {
    const quant = qparams("int8", 1, 0);
    const x = float32([2], [-Infinity, Infinity]);
    expect(numbers({ op: "Quantize" }, [x], { quant })).toEqual([-128, 127]);
    expect(() =>
      run({ op: "Quantize" }, [float32([2], [0, NaN])], { quant }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[InputError: Quantize "node": NaN has no q; got NaN at index 1 of [2]. Check the preprocessing and the model's weights.]`,
    );
  });

  it("Dequantize is fl((q − z)·s), docs/quantization.md (6)", () => {
    const x = quantized(qparams("uint8", 0.1, 3), [3], [0, 3, 10]);
    const s = Math.fround(0.1);
    expect(numbers({ op: "Dequantize" }, [x], { dtype: "float32" })).toEqual([
      Math.fround(-3 * s),
      0,
      Math.fround(7 * s),
    ]);
  });

  it("Dequantize follows the axis of a per-axis tensor", () => {
    const quant = {
      dtype: "int8",
      scale: Float32Array.of(1, 0.5),
      zeroPoint: Int32Array.of(0, 1),
      axis: 1,
    } as const;
    const x = quantized(quant, [2, 2], [1, 2, 3, 4]);
    expect(numbers({ op: "Dequantize" }, [x], { dtype: "float32" })).toEqual([1, 0.5, 3, 1.5]);
  });

  it("FakeQuantize is Dequantize of Quantize, docs/quantization.md (7)", () => {
    const node = { op: "FakeQuantize", qmin: 0, qmax: 15 } as const;
    const [scale, zeroPoint] = [float32([], [0.1]), float32([], [5])];
    const x = float32([5], [-9, -0.11, 0, 0.26, 9]);
    const quant = qparams("uint8", 0.1, 5, { qmin: 0, qmax: 15 });
    const q = run({ op: "Quantize" }, [x], { quant });
    const expected = numbers({ op: "Dequantize" }, [{ tensor: q, quant }], { dtype: "float32" });
    expect(toNumbers(q)).toEqual([0, 4, 5, 8, 15]);
    expect(numbers(node, [x, scale, zeroPoint])).toEqual(expected);
  });

  it("Dequantize refuses a float input", () => {
    expect(() => run({ op: "Dequantize" }, [counting([1])])).toThrowErrorMatchingInlineSnapshot(
      `[InputError: Dequantize "node": the input must be quantized; got a float input. Remove this node.]`,
    );
  });
});
