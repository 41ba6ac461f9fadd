// Quantized files of other tools: what they become, that ONNX Runtime computes the same from the file and
// from what we save of it, and that what was saved loads as the same integers.

import * as ort from "onnxruntime-web";
import { describe, expect, it } from "vitest";
import { ONNX_LIMITS } from "../../../src/formats/onnx/limits.ts";
import { readModel } from "../../../src/formats/onnx/read.ts";
import { decodeTensor } from "../../../src/formats/onnx/readTensor.ts";
import { bindShapes } from "../../../src/graph/bind.ts";
import type { Graph } from "../../../src/graph/graph.ts";
import { load } from "../../../src/load.ts";
import { interpret } from "../../../src/reference/interpret.ts";
import { save } from "../../../src/save.ts";
import { toNumbers, type Tensor, type Tensors } from "../../../src/tensor/tensor.ts";
import { quantizedFiles } from "./quantizedModels.ts";

ort.env.wasm.numThreads = 1;
ort.env.logLevel = "error";

const names = ["qOperator", "qdq", "dynamic", "integers"] as const;

function inReference(graph: Graph, feeds: Tensors): Tensor[] {
  const values = interpret(bindShapes(graph, new Map()), feeds);
  return graph.outputs.map((name) => values.get(name)!);
}

async function inRuntime(bytes: Uint8Array, feeds: Tensors): Promise<Tensor[]> {
  // onnxruntime-web 1.30's own optimizer breaks on the float bias of a quantized Conv: it runs as written.
  const session = await ort.InferenceSession.create(bytes, { graphOptimizationLevel: "disabled" });
  const inputs = Object.entries(feeds).map(([name, { dtype, data, shape }]) => {
    return [name, new ort.Tensor(dtype, data as never, [...shape])] as const;
  });
  const results = await session.run(Object.fromEntries(inputs));
  const outputs = session.outputNames.map((name) => {
    const { type, data, dims } = results[name]!;
    return { dtype: type, shape: dims, data } as unknown as Tensor;
  });
  await session.release();
  return outputs;
}

/** Greatest difference of two lists of tensors of one type; fails where the types differ. */
function farthest(got: readonly Tensor[], want: readonly Tensor[]): number {
  const types = (some: readonly Tensor[]) => some.map(({ dtype, shape }) => [dtype, [...shape]]);
  expect(types(got)).toEqual(types(want));
  return Math.max(
    ...got.flatMap(({ data }, at) =>
      toNumbers({ data }).map((value, index) => Math.abs(value - Number(want[at]!.data[index]))),
    ),
  );
}

/** What one code of the last quantizer is worth, where a rounding elsewhere may have moved it; 0 where all is
 *  exact; 1e-5 of float sums in another order. */
const allowed = { qOperator: 1.001 / 256, qdq: 1, dynamic: 1e-5, integers: 0 } as const;

describe.each(names)("%s", (name) => {
  const { bytes, feeds } = quantizedFiles[name]();

  it("gives ONNX Runtime's numbers", async () => {
    const model = await load(bytes);
    expect(model.stage).toBe("quantized");
    const distance = farthest(inReference(model.graph, feeds), await inRuntime(bytes, feeds));
    expect(distance).toBeLessThanOrEqual(allowed[name]);
  });

  it.each([13, 21] as const)("saved with opset %i loads as the same integers", async (opset) => {
    const model = await load(bytes);
    const saved = save(model, { opset });
    const again = await load(saved);
    expect(inReference(again.graph, feeds)).toEqual(inReference(model.graph, feeds));
    expect(again.graph.nodes.map(({ op }) => op)).toEqual(model.graph.nodes.map(({ op }) => op));
    const distance = farthest(await inRuntime(saved, feeds), await inRuntime(bytes, feeds));
    expect(distance).toBeLessThanOrEqual(allowed[name]);
  });

  it("saved with s8s8 computes the same", async () => {
    const model = await load(bytes);
    const again = await load(save(model, { s8s8: true }));
    expect(inReference(again.graph, feeds)).toEqual(inReference(model.graph, feeds));
  });
});

const opsOf = ({ nodes }: Graph) => nodes.map(({ op }) => op).join(" ");

describe("the graph of", () => {
  it("QOperator nodes is integers from the first Quantize to the last Dequantize", async () => {
    const { graph } = await load(quantizedFiles.qOperator().bytes);
    expect(opsOf(graph)).toMatchInlineSnapshot(
      `"Quantize Conv Conv Add Mul Concat LeakyRelu GlobalAveragePool Flatten Gemm Sigmoid Dequantize"`,
    );
  });

  it("QDQ with liberties is integers too, and a Cast where bytes are read under other parameters", async () => {
    const { graph } = await load(quantizedFiles.qdq().bytes);
    expect(opsOf(graph)).toMatchInlineSnapshot(`"Cast Conv Conv Cast Conv"`);
  });

  it("dynamic quantization has its parameters as values", async () => {
    const model = await load(quantizedFiles.dynamic().bytes);
    expect(model.toString()).toMatchInlineSnapshot(`
      "graph tiny(x: float32[1, 3, 5, 5])
        q: uint8[1, 3, 5, 5], s: float32[], z: uint8[] = DynamicQuantizeLinear(x) rule="onnx" granularity="perTensor" dtype="uint8" reduceRange=false
        acc: int32[1, 4, 5, 5] = ConvInteger(q, w, z, wz) kernel=[3,3] strides=[1,1] dilations=[1,1] pads=[1,1,1,1] group=1
        accf: float32[1, 4, 5, 5] = Cast(acc) to="float32"
        sw: float32[] = Mul(s, ws)
        a: float32[1, 4, 5, 5] = Mul(accf, sw)
        r: float32[1, 4, 5, 5] = Add(a, b) low=0
        m: float32[4, 25] = Reshape(r) shape=[4,25]
        mq: uint8[4, 25], ms: float32[], mz: uint8[] = DynamicQuantizeLinear(m) rule="onnx" granularity="perTensor" dtype="uint8" reduceRange=false
        y: float32[4, 3] = MatMulIntegerToFloat(mq, v_int8, ms, mz)
        return y"
    `);
  });
});

describe("save", () => {
  it("with s8s8 has no uint8 value left but the ports", async () => {
    const { graph } = await load(
      save(await load(quantizedFiles.qOperator().bytes), { s8s8: true }),
    );
    const types = new Set([...graph.values.values()].map(({ dtype }) => dtype));
    expect([...types].sort()).toEqual(["float32", "int32", "int8"]);
  });

  /** Whether 255 times any two codes stays within int16, as x86 kernels for uint8 by int8 add them without VNNI
   *  (vpmaddubsw). */
  const fitsPairs = ({ data }: Tensor) =>
    toNumbers({ data }).every((code) => Math.abs(2 * 255 * code) <= 32767);

  it("writes no int8 weight that could saturate in int16 pairs, unless asked", async () => {
    const model = await load(quantizedFiles.qOperator().bytes);
    const weightsOf = (bytes: Uint8Array) => {
      const { graph } = readModel(bytes, ONNX_LIMITS);
      const products = graph.nodes.filter(({ opType }) => /^(Conv|Gemm|MatMul)$/.test(opType));
      const read = new Set(products.map(({ inputs }) => inputs[1]!));
      const stored = graph.nodes
        .filter(({ outputs }) => read.has(outputs[0]!))
        .map((dq) => dq.inputs[0]!);
      return graph.initializers
        .filter(({ name }) => stored.includes(name))
        .map((proto) => decodeTensor(proto, undefined)!);
    };
    const safe = weightsOf(save(model));
    expect(safe.length).toBeGreaterThan(1);
    expect(safe.filter((weight) => weight.dtype === "int8" && !fitsPairs(weight))).toEqual([]);
    const fast = weightsOf(save(model, { weights: "int8" }));
    expect(fast.map(({ dtype }) => dtype)).toEqual(safe.map(() => "int8"));
    expect(fast.every(fitsPairs)).toBe(false);
    const differences = (weights: readonly Tensor[]) =>
      weights.map((weight) =>
        toNumbers(weight).map((q) => q - (weight.dtype === "uint8" ? 128 : 0)),
      );
    expect(differences(safe)).toEqual(differences(fast));
  });

  it("refuses signed activations with unsigned weights", async () => {
    const model = await load(quantizedFiles.qOperator().bytes);
    expect(() => save(model, { s8s8: true, weights: "uint8" })).toThrow(
      'save: s8s8 means signed weights; got weights "uint8". Leave one of the two options out.',
    );
  });

  it("with reduceRange halves weights beyond 64 under twice their scale", async () => {
    const { bytes, feeds } = quantizedFiles.qOperator();
    const model = await load(bytes);
    const reduced = await load(save(model, { reduceRange: true }));
    const weights = ({ constants }: Graph) =>
      [...constants.values()].filter(({ dtype }) => dtype === "int8");
    const greatest = (graph: Graph) =>
      Math.max(...weights(graph).flatMap((weight) => toNumbers(weight).map(Math.abs)));
    expect(greatest(model.graph)).toBe(127);
    expect(greatest(reduced.graph)).toBe(64);
    // Sigmoid outputs: half a step of a weight is 0.4 % of the greatest.
    const distance = farthest(inReference(reduced.graph, feeds), inReference(model.graph, feeds));
    expect(distance).toBeGreaterThan(0);
    expect(distance).toBeLessThan(0.05);
  });
});
