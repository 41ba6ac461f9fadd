// Weights of few bits in ONNX files: written so that ONNX Runtime gives the reference's numbers, read back as the
// same graph, and read from files as others write them.

import * as ort from "onnxruntime-web";
import { describe, expect, it } from "vitest";
import { exportOnnx } from "../../../src/formats/onnx/export.ts";
import { importOnnx } from "../../../src/formats/onnx/import.ts";
import { bindShapes } from "../../../src/graph/bind.ts";
import type { Graph } from "../../../src/graph/graph.ts";
import { printGraph } from "../../../src/graph/print.ts";
import { load } from "../../../src/load.ts";
import { interpret } from "../../../src/reference/interpret.ts";
import { halfOfFloat } from "../../../src/tensor/half.ts";
import { float32, tensor, type Tensor } from "../../../src/tensor/tensor.ts";
import { difference, single } from "../../support/cases.ts";
import { storages, weightOperand, type Storage } from "../../support/families/weightOnly.ts";
import { floats } from "../../support/seeded.ts";
import { messageOf, microsoft, node, tiny } from "./onnxModels.ts";

ort.env.wasm.numThreads = 1;
ort.env.logLevel = "error";

const x = floats([3, 40], 1);

async function inRuntime(bytes: Uint8Array): Promise<Tensor> {
  const session = await ort.InferenceSession.create(bytes);
  const feeds = { [session.inputNames[0]!]: new ort.Tensor("float32", x.data, [...x.shape]) };
  const results = await session.run(feeds);
  await session.release();
  const y = results[session.outputNames[0]!]!;
  return float32(y.dims, y.data as Float32Array);
}

function inReference(graph: Graph): Tensor {
  const bound = bindShapes(graph, new Map());
  return interpret(bound, { [graph.inputs[0]!]: x }).get(graph.outputs[0]!)!;
}

function product(storage: Storage, transB: boolean, zeros: boolean): Graph {
  const weight = weightOperand(storage, transB ? [7, 40] : [40, 7], transB ? 1 : 0, 16, 2, zeros);
  const gemm = { op: "Gemm", alpha: 1, beta: 1, transA: false, transB: true } as const;
  return single(transB ? gemm : { op: "MatMul" }, [{ tensor: x }, weight]).graph;
}

const cases = storages.flatMap((storage) => [
  { storage, transB: false, zeros: false },
  { storage, transB: true, zeros: storage !== "float16" },
]);

describe("a file of $storage weights", () => {
  it.each(cases)("$storage, transposed $transB: load gives the saved graph", async (given) => {
    const graph = product(given.storage, given.transB, given.zeros);
    const { graph: back } = await load(exportOnnx(graph));
    expect(printGraph({ ...back, name: graph.name })).toBe(printGraph(graph));
    expect(back.constants.get("x1")).toEqual(graph.constants.get("x1"));
    expect(back.values.get("x1")).toEqual(graph.values.get("x1"));
  });

  // The first one loads the runtime.
  it.each(cases)(
    "$storage, transposed $transB: ONNX Runtime agrees",
    async (given) => {
      const graph = product(given.storage, given.transB, given.zeros);
      const got = await inRuntime(exportOnnx(graph));
      // Sums of 40 f32 in another order.
      expect(difference(got, inReference(graph), { terms: 1 })).toBeUndefined();
    },
    60_000,
  );

  it("needs opset 21 for blocks and for int4", () => {
    const graph = product("int4", false, false);
    expect(messageOf(() => exportOnnx(graph, { opset: 17 }))).toMatchInlineSnapshot(`
      "UnsupportedError: export: 1 unsupported node(s):
        DequantizeLinear "x1": int4 and blocks need opset 21
      Change the graph, or save it otherwise."
    `);
  });
});

it("a float16 initializer that something else reads too is float32", () => {
  const w = tensor("float16", [2, 2], Uint16Array.from([1, 0.5, -2, 3], halfOfFloat));
  const graph = importOnnx(
    tiny({
      nodes: [
        node("Cast", ["w16"], ["w"], { to: 1 }),
        node("MatMul", ["x", "w"], ["a"]),
        node("Sub", ["a", "w"], ["y"]),
      ],
      inputs: { x: [2, 2] },
      initializers: { w16: w },
    }),
  );
  expect(graph.constants.get("w")).toEqual(float32([2, 2], [1, 0.5, -2, 3]));
});

describe("com.microsoft.MatMulNBits", () => {
  const [k, n, size] = [40, 5, 16];
  const blocks = 3;
  const bytes = (length: number, seed: number) =>
    Uint8Array.from(floats([length], seed, 128).data, (value) => Math.round(value) + 128);
  const scales = floats([n * blocks], 3).data.map((value) => Math.abs(value) + 0.01);
  const file = (bits: 4 | 8, zeros: boolean, bias: boolean) =>
    tiny({
      nodes: [
        microsoft(
          "MatMulNBits",
          ["x", "w", "s", zeros ? "z" : "", "", ...(bias ? ["b"] : [])].slice(
            0,
            bias ? 6 : zeros ? 4 : 3,
          ),
          ["y"],
          { K: k, N: n, bits, block_size: size },
        ),
      ],
      inputs: { x: [3, k] },
      initializers: {
        w: tensor(
          "uint8",
          [n, blocks, (size * bits) / 8],
          bytes((n * blocks * size * bits) / 8, 5),
        ),
        s: float32([n * blocks], scales),
        ...(zeros
          ? {
              z: tensor(
                "uint8",
                [n * Math.ceil((blocks * bits) / 8)],
                bytes(n * Math.ceil((blocks * bits) / 8), 6),
              ),
            }
          : {}),
        ...(bias ? { b: floats([n], 7) } : {}),
      },
    });

  it.each([
    { bits: 4, zeros: false, bias: false },
    { bits: 4, zeros: true, bias: true },
    { bits: 8, zeros: true, bias: false },
  ] as const)("$bits bits, zero points $zeros, bias $bias: ONNX Runtime agrees", async (given) => {
    const model = file(given.bits, given.zeros, given.bias);
    const { graph } = await load(model);
    expect(graph.nodes.map(({ op }) => op)).toEqual(given.bias ? ["MatMul", "Add"] : ["MatMul"]);
    const got = await inRuntime(model);
    // Terms of up to 15 · 1: the runtime may round activations to int8 only at accuracy_level 4, which is not set.
    expect(difference(got, inReference(graph), { tolerance: 1e-5 })).toBeUndefined();
  });

  it("refuses what it does not know, by name", () => {
    const odd = tiny({
      nodes: [
        microsoft("MatMulNBits", ["x", "w", "s"], ["y"], { K: 8, N: 1, bits: 2, block_size: 16 }),
      ],
      inputs: { x: [1, 8] },
      initializers: { w: tensor("uint8", [1, 1, 4]), s: float32([1], [1]) },
    });
    expect(messageOf(() => importOnnx(odd))).toMatchInlineSnapshot(`
      "UnsupportedError: import: 1 unsupported node(s):
        MatMulNBits "MatMulNBits_0": 2 bits are not supported; 4 and 8 are
      Export the model without these, or replace them before import (README: supported ONNX ops)."
    `);
  });
});
