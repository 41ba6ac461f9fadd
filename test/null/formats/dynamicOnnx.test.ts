// Dynamic models as files: ONNX Runtime computes the same from what is saved, and it loads as the same nodes.

import * as ort from "onnxruntime-web";
import { expect, it } from "vitest";
import { bindShapes } from "../../../src/graph/bind.ts";
import { GraphBuilder } from "../../../src/graph/builder.ts";
import { load } from "../../../src/load.ts";
import { Model } from "../../../src/model.ts";
import { quantizeDynamic } from "../../../src/quantizeDynamic.ts";
import { interpret } from "../../../src/reference/interpret.ts";
import { save } from "../../../src/save.ts";
import { floats } from "../../support/seeded.ts";

ort.env.wasm.numThreads = 1;
ort.env.logLevel = "error";

/** x (2, 3, 8) → MatMul → + bias → Relu → MatMul. */
function mlp(): Model<"float"> {
  const builder = new GraphBuilder();
  builder.input("x", { dtype: "float32", shape: [2, 3, 8] });
  builder.constant("w1", floats([8, 6], 1));
  builder.constant("b1", floats([6], 2));
  builder.constant("w2", floats([6, 5], 3));
  const add = (op: "MatMul" | "Add" | "Relu", name: string, inputs: string[], output: string) =>
    builder.add({ op, name, inputs, outputs: [output] });
  add("MatMul", "fc1", ["x", "w1"], "h");
  add("Add", "bias1", ["h", "b1"], "a");
  add("Relu", "relu", ["a"], "r");
  add("MatMul", "fc2", ["r", "w2"], "y");
  return new Model("float", builder.build("mlp", ["x"], ["y"]), {});
}

it.each(["perTensor", "perChannel"] as const)(
  "ONNX Runtime gives the same numbers, weights %s, and the file loads as the same products",
  async (weight) => {
    const model = quantizeDynamic(mlp(), { weight });
    const bytes = save(model);
    const x = floats([2, 3, 8], 9, 3);
    const want = interpret(bindShapes(model.graph, new Map()), { x }).get("y")!;
    const session = await ort.InferenceSession.create(bytes, {
      graphOptimizationLevel: "disabled",
    });
    const { y } = await session.run({ x: new ort.Tensor("float32", x.data, [2, 3, 8]) });
    await session.release();
    // (39) in the same order, rounding by rounding.
    expect(Float32Array.from(y!.data as Float32Array)).toEqual(want.data);
    const again = await load(bytes);
    const ops = ({ graph }: Model) => graph.nodes.map(({ op }) => op);
    expect(again.stage).toBe("quantized");
    expect(ops(again)).toEqual(ops(model));
    const got = interpret(bindShapes(again.graph, new Map()), { x }).get("y")!;
    expect(got.data).toEqual(want.data);
  },
);

it("a model with a scale a row is refused, with the way out", () => {
  const model = quantizeDynamic(mlp(), { granularity: "perToken" });
  expect(() => save(model)).toThrowErrorMatchingInlineSnapshot(`
    [UnsupportedError: export: 4 unsupported node(s):
      DynamicQuantizeLinear "x/quantize": one scale a row; quantize with granularity "perTensor" for files
      MatMulIntegerToFloat "fc1": one scale a row; quantize with granularity "perTensor" for files
      DynamicQuantizeLinear "r/quantize": one scale a row; quantize with granularity "perTensor" for files
      MatMulIntegerToFloat "fc2": one scale a row; quantize with granularity "perTensor" for files
    Change the graph, or save it otherwise.]
  `);
});
