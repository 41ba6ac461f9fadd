// A small BERT (../shared/data/models/bert-char-encoder/README.md) guesses masked characters: the float model
// equals ONNX Runtime's logits. `npm test` evaluates a part of the 512 texts, `npm run figures` all of them.

import { beforeAll, describe, expect, it } from "vitest";
import * as ort from "onnxruntime-web";
import {
  compile,
  load,
  quantizeDynamic,
  requestDevice,
  save,
  type Device,
  type Model,
} from "../../src/node.ts";
import { argmax, ErrorSum } from "../../src/metrics.ts";
import { parseNpy } from "../../src/tensor/npy.ts";
import { tensor, type Tensors } from "../../src/tensor/tensor.ts";
import { hasSharedData, readShared } from "../support/sharedData.ts";

const NAME = "bert-char-encoder";
const isThere = hasSharedData(`models/${NAME}.onnx`, "a trained BERT end to end");
const full = process.env["FIGURES"] === "all";
const [LENGTH, CLASSES, BATCH] = [128, 66, 8];
/** Of 512 texts. */
const TEXTS = full ? 512 : 64;

const bytesOf = (part: string) =>
  parseNpy(readShared(`models/${NAME}/${part}.npy`)).data as Int8Array;

/** `count` texts from `first` on; every character counts. */
function batchOf(inputs: Int8Array, first: number, count: number): Tensors {
  const ids = inputs.subarray(first * LENGTH, (first + count) * LENGTH);
  const shape = [count, LENGTH];
  return {
    input_ids: tensor("int64", shape, BigInt64Array.from(ids, BigInt)),
    attention_mask: tensor("int64", shape, new BigInt64Array(ids.length).fill(1n)),
  };
}

/** Of them in ONNX Runtime, whose one thread is slower than it need be. */
const TEXTS_THERE = full ? 512 : 16;

ort.env.wasm.numThreads = 1;
const inRuntime = (session: ort.InferenceSession) => async (inputs: Tensors) => {
  const feeds = Object.entries(inputs).map(([name, { data, shape }]) => [
    name,
    new ort.Tensor("int64", data as BigInt64Array, [...shape]),
  ]);
  const results = await session.run(Object.fromEntries(feeds));
  return results["logits"]!.data as Float32Array;
};

/** Logits of the first `texts` texts, and how many masked characters they guess, in percent. */
async function evaluate(run: (inputs: Tensors) => Promise<Float32Array>, texts: number) {
  const [inputs, labels] = [bytesOf("eval-inputs"), bytesOf("eval-labels")];
  const logits = new Float32Array(texts * LENGTH * CLASSES);
  for (let first = 0; first < texts; first += BATCH)
    logits.set(await run(batchOf(inputs, first, BATCH)), first * LENGTH * CLASSES);
  let [right, asked] = [0, 0];
  labels.subarray(0, texts * LENGTH).forEach((label, at) => {
    if (label < 0) return;
    asked++;
    if (argmax(logits.subarray(at * CLASSES, (at + 1) * CLASSES)) === label) right++;
  });
  return { logits, asked, top1: (100 * right) / asked };
}

describe.runIf(isThere)("a trained BERT", () => {
  let device: Device;
  let model: Model<"float">;
  let float: { logits: Float32Array; top1: number };
  beforeAll(async () => {
    device = await requestDevice();
    model = (await load(readShared(`models/${NAME}.onnx`))) as Model<"float">;
    return () => device.dispose();
  });

  it("in float runs attention, normalizations and Gelu as one node each, and equals ONNX Runtime", async () => {
    using session = await compile(model, device);
    const count = (op: string) => session.graph.nodes.filter((node) => node.op === op).length;
    expect(count("Attention")).toBe(4);
    expect(count("LayerNormalization")).toBe(10);
    expect(count("Gelu")).toBe(5);
    expect([count("Softmax"), count("Transpose"), count("Erf")]).toEqual([0, 0, 0]);
    const run = async (inputs: Tensors) =>
      (await session.run(inputs))["logits"]!.data as Float32Array;
    const { logits, asked, top1 } = await evaluate(run, TEXTS);
    const want = parseNpy(readShared(`refs/${NAME}.logits-first-2.npy`)).data as Float32Array;
    const most = want.reduce((greatest, x) => Math.max(greatest, Math.abs(x)), 0);
    const worst = want.reduce((far, x, at) => Math.max(far, Math.abs(x - logits[at]!)), 0);
    console.log(
      `${NAME} float32: top-1 ${top1.toFixed(2)} % of ${asked} masked characters; worst logit ` +
        `${(worst / most).toExponential(1)} of the greatest from ONNX Runtime's`,
    );
    expect(worst / most).toBeLessThanOrEqual(1e-3); // the bound; sums in another order give 1e-6
    if (full)
      expect(Math.abs(top1 - 61.56)).toBeLessThanOrEqual(0.02); // a few ties of 9,733
    else expect(top1).toBeGreaterThan(56); // three standard errors of 64 texts
    float = { logits, top1 };
  });

  it("dynamically quantized keeps its accuracy, here and in ONNX Runtime, in a third of the bytes", async () => {
    const quantized = quantizeDynamic(model);
    const file = save(quantized);
    const share = file.byteLength / readShared(`models/${NAME}.onnx`).byteLength;
    using session = await compile(quantized, device);
    const run = async (inputs: Tensors) =>
      (await session.run(inputs))["logits"]!.data as Float32Array;
    const { logits, top1 } = await evaluate(run, TEXTS);
    const sum = new ErrorSum();
    sum.add(float.logits, logits);
    const theirs = await ort.InferenceSession.create(file);
    const there = await evaluate(inRuntime(theirs), TEXTS_THERE);
    const here = TEXTS_THERE === TEXTS ? { top1 } : await evaluate(run, TEXTS_THERE);
    console.log(
      `${NAME} int8: top-1 ${top1.toFixed(2)} % (float ${float.top1.toFixed(2)} %), SQNR ` +
        `${sum.sqnrDb.toFixed(1)} dB, file ${file.byteLength} bytes, ${share.toFixed(3)} of the float's; ` +
        `of ${TEXTS_THERE} texts ${here.top1.toFixed(2)} %, in ONNX Runtime ${there.top1.toFixed(2)} %`,
    );
    expect(sum.sqnrDb).toBeGreaterThanOrEqual(25);
    expect(share).toBeLessThanOrEqual(0.35);
    expect(Math.abs(top1 - float.top1)).toBeLessThanOrEqual(full ? 0.5 : 1.5); // 64 texts: 1 character is 0.08
    expect(Math.abs(there.top1 - here.top1)).toBeLessThanOrEqual(full ? 0.1 : 0.7); // two of 300
  });

  it("lists every node of the plan with its dtype and shaders: none runs anywhere else", async () => {
    using session = await compile(quantizeDynamic(model), device);
    const nodes = session.nodesFor(new Map([["batch", 2]]));
    expect(nodes.map(({ node }) => node)).toEqual(session.graph.nodes.map(({ name }) => name));
    const products = nodes.filter(({ op }) => op === "MatMulIntegerToFloat");
    expect(products.length).toBe(26);
    for (const { dtype, shaders } of products) {
      expect(dtype).toBe("float32");
      expect(shaders.some((shader) => shader.includes("Dynamic"))).toBe(true);
    }
    const without = nodes.filter(({ shaders }) => shaders.length === 0).map(({ op }) => op);
    expect([...new Set(without)]).toEqual(["Unsqueeze"]); // it moves nothing
  });
});
