// Files of onnxruntime.quantization.quantize_dynamic (make_ort_dynamic.py): every layer of int8 weights loads as one
// product, and the numbers are those of ONNX Runtime.

import { readFileSync } from "node:fs";
import * as ort from "onnxruntime-web";
import { describe, expect, it } from "vitest";
import { bindShapes } from "../../../src/graph/bind.ts";
import { load } from "../../../src/load.ts";
import { interpret } from "../../../src/reference/interpret.ts";
import { float32, tensor } from "../../../src/tensor/tensor.ts";
import { farFrom } from "../../support/dynamicFixture.ts";
import { floats } from "../../support/seeded.ts";
import { microsoft, node, tiny } from "./onnxModels.ts";

ort.env.wasm.numThreads = 1;
ort.env.logLevel = "error";

const ids = Int32Array.from({ length: 12 }, (_, at) => (at * 7) % 20);
const nets = {
  mlp: { products: 2, x: floats([3, 8], 5) },
  block: { products: 6, x: tensor("int64", [2, 6], BigInt64Array.from(ids, BigInt)) },
} as const;

const files = (["mlp", "block"] as const).flatMap((net) =>
  ["QInt8", "QUInt8"].flatMap((weights) =>
    ["perTensor", "perChannel"].map((granularity) => ({ net, weights, granularity })),
  ),
);

describe("a file of ONNX Runtime's dynamic quantizer", () => {
  it.each(files)(
    "$net, weights $weights, $granularity",
    async ({ net, weights, granularity }) => {
      const file = `../../fixtures/ort/${net}.${weights}.${granularity}.onnx`;
      const bytes = new Uint8Array(readFileSync(new URL(file, import.meta.url)));
      const { products, x } = nets[net];
      const { graph, stage } = await load(bytes);
      expect(stage).toBe("quantized");
      const ops = graph.nodes.map(({ op }) => op);
      // uint8 weights around a zero point are no int8: their products stay as the file spells them (0010).
      const product = weights === "QInt8" ? "MatMulIntegerToFloat" : "MatMulInteger";
      const made = ops.filter((op) => op.startsWith("MatMulInteger"));
      expect(made).toEqual(Array<string>(products).fill(product));
      const name = graph.inputs[0]!;
      const dims = new Map([["batch", x.shape[0]!]]);
      const y = interpret(bindShapes(graph, dims), { [name]: x }).get(graph.outputs[0]!)!;
      const session = await ort.InferenceSession.create(bytes);
      const results = await session.run({ [name]: new ort.Tensor(x.dtype, x.data, x.shape) });
      await session.release();
      expect(farFrom(y, results["y"]!.data as Float32Array, 1e-5)).toBeUndefined();
    },
    60_000,
  );
});

describe("onnxruntime's fused products", () => {
  const initializers = {
    w: tensor(
      "int8",
      [8, 5],
      Int8Array.from({ length: 40 }, (_, at) => ((at * 37) % 255) - 127),
    ),
    sw: float32([5], [0.01, 0.02, 0.03, 0.005, 0.015]),
    zw: tensor("int8", [5], new Int8Array(5)),
    b: floats([5], 7),
  };
  const forms = {
    "MatMulIntegerToFloat with all its inputs": [
      node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"]),
      microsoft("MatMulIntegerToFloat", ["q", "w", "s", "sw", "z", "zw", "b"], ["y"]),
    ],
    "MatMulIntegerToFloat without zero point of the weight and bias": [
      node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"]),
      microsoft("MatMulIntegerToFloat", ["q", "w", "s", "sw", "z"], ["y"]),
    ],
    "DynamicQuantizeMatMul with all its inputs": [
      microsoft("DynamicQuantizeMatMul", ["x", "w", "sw", "zw", "b"], ["y"]),
    ],
    "DynamicQuantizeMatMul with a bias alone": [
      microsoft("DynamicQuantizeMatMul", ["x", "w", "sw", "", "b"], ["y"]),
    ],
  };
  it.each(Object.entries(forms))(
    "%s is one product, with ONNX Runtime's numbers",
    async (_, nodes) => {
      const bytes = tiny({ nodes, inputs: { x: [3, 8] }, initializers });
      const { graph } = await load(bytes);
      const ops = graph.nodes.map(({ op }) => op);
      expect(ops).toEqual(["DynamicQuantizeLinear", "MatMulIntegerToFloat"]);
      const x = floats([3, 8], 3);
      const { y } = Object.fromEntries(interpret(bindShapes(graph, new Map()), { x }));
      const session = await ort.InferenceSession.create(bytes);
      const results = await session.run({ x: new ort.Tensor("float32", x.data, [3, 8]) });
      await session.release();
      expect(farFrom(y!, results["y"]!.data as Float32Array, 1e-5)).toBeUndefined();
    },
    60_000,
  );
});
