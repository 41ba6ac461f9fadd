// The character model of ../shared/data (two LSTM layers, opset 14, int64 ids): its logits, its perplexity
// and its generation, one character at a time with the state carried by the caller.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compile } from "../../src/compile.ts";
import type { Device } from "../../src/gpu/device.ts";
import { load } from "../../src/load.ts";
import type { Model } from "../../src/model.ts";
import { quantizeDynamic, type QuantizeDynamicOptions } from "../../src/quantizeDynamic.ts";
import { parseNpy } from "../../src/tensor/npy.ts";
import { float32, tensor, toNumbers, type Tensor, type Tensors } from "../../src/tensor/tensor.ts";
import { save } from "../../src/save.ts";
import { testDevice } from "../support/device.ts";
import { hasSharedData, sharedData } from "../support/sharedData.ts";

const NAME = "lstm-charrnn-shakespeare";
const model = join(sharedData, "models", `${NAME}.onnx`);
const there = hasSharedData(`models/${NAME}.onnx`, "the character model");
const isWhole = process.env["FIGURES"] === "all";
/** Characters of the perplexity: 8,000 are the figure of record, in test/model with FIGURES=all. */
const LENGTH = isWhole ? 8000 : 1500;
/** onnxruntime 1.30 over the first 8,000 and the first 1,500 characters (shared/data/MANIFEST.md). */
const PERPLEXITY = isWhole ? 3.6975 : 3.5412;

const state = () => float32([1, 1, 128], new Float32Array(128));
const states = (): Tensors => ({ h0: state(), c0: state(), h1: state(), c1: state() });

function text(): BigInt64Array {
  const vocabulary = JSON.parse(
    readFileSync(join(sharedData, "models", NAME, "vocab.fixed.json"), "utf8"),
  ) as Record<string, number>;
  const characters = readFileSync(join(sharedData, "text/tinyshakespeare.txt"), "latin1");
  return BigInt64Array.from(characters.slice(0, LENGTH), (c) => BigInt(vocabulary[c]!));
}

/** exp of the mean cross-entropy of each next character. */
function perplexity(logits: Tensor, ids: BigInt64Array): number {
  const classes = logits.shape.at(-1)!;
  let sum = 0;
  for (let t = 0; t + 1 < ids.length; t++) {
    const row = Array.from(logits.data.subarray(t * classes, (t + 1) * classes) as Float32Array);
    const most = Math.max(...row);
    const total = row.reduce((all, value) => all + Math.exp(value - most), 0);
    sum += Math.log(total) + most - row[Number(ids[t + 1])]!;
  }
  return Math.exp(sum / (ids.length - 1));
}

describe.skipIf(!there)("the character model", () => {
  let device: Device;
  beforeAll(async () => {
    device = await testDevice();
  });
  afterAll(() => device.dispose());

  const loaded = async () =>
    (await load(readFileSync(model), { dims: { batch: 1 } })) as Model<"float">;

  const run = async (ids: BigInt64Array, options?: QuantizeDynamicOptions) => {
    const float = await loaded();
    using session = await compile(options ? quantizeDynamic(float, options) : float, device);
    return await session.run({ input_ids: tensor("int64", [ids.length, 1], ids), ...states() });
  };

  it("gives onnxruntime's logits of the first 64 characters, at once and one by one", async () => {
    const want = parseNpy(readFileSync(join(sharedData, `refs/${NAME}.logits-first-64.npy`)));
    const ids = text().slice(0, 64);
    const { logits } = await run(ids);
    const furthest = (got: Tensor, from: number) =>
      Math.max(
        ...toNumbers(got).map((value, at) => Math.abs(value - Number(want.data[from + at]))),
      );
    expect(furthest(logits!, 0)).toBeLessThan(1e-4);

    using session = await compile(await load(readFileSync(model), { dims: { batch: 1 } }), device);
    let carried = states();
    for (let t = 0; t < 8; t++) {
      const {
        logits: one,
        h0_out,
        c0_out,
        h1_out,
        c1_out,
      } = await session.run({
        input_ids: tensor("int64", [1, 1], ids.slice(t, t + 1)),
        ...carried,
      });
      expect(furthest(one!, t * 65)).toBeLessThan(1e-4);
      carried = { h0: h0_out!, c0: c0_out!, h1: h1_out!, c1: c1_out! };
    }
  });

  it("has onnxruntime's perplexity within 0.1 %", async () => {
    const ids = text();
    const started = performance.now();
    const { logits } = await run(ids);
    const seconds = (performance.now() - started) / 1000;
    const value = perplexity(logits!, ids);
    console.log(
      `character model: perplexity ${value.toFixed(4)} over ${LENGTH} characters ` +
        `(onnxruntime ${PERPLEXITY}), ${seconds.toFixed(1)} s` +
        (isWhole ? "" : "; FIGURES=all takes the 8,000 of record"),
    );
    expect(Math.abs(value / PERPLEXITY - 1)).toBeLessThan(1e-3);
  });

  it.each(isWhole ? (["default", "qnnpack", "fbgemm"] as const) : (["default"] as const))(
    "quantized dynamically by %s, keeps the perplexity within 1 percent",
    async (preset) => {
      const ids = text();
      const started = performance.now();
      const { logits } = await run(ids, { preset });
      const seconds = (performance.now() - started) / 1000;
      const value = perplexity(logits!, ids);
      console.log(
        `character model, dynamic int8 (${preset}): perplexity ${value.toFixed(4)} over ${LENGTH} ` +
          `characters (float ${PERPLEXITY}), ${seconds.toFixed(1)} s`,
      );
      expect(value / PERPLEXITY - 1).toBeLessThan(1e-2);
    },
  );

  it("quantized dynamically, saves as a file of at most 0.45 of the float's bytes that loads again", async () => {
    const quantized = quantizeDynamic(await loaded());
    const bytes = await save(quantized);
    const ratio = bytes.length / readFileSync(model).length;
    console.log(
      `character model, dynamic int8: ${bytes.length} bytes, ${ratio.toFixed(3)} of the float file`,
    );
    expect(ratio).toBeLessThan(0.45);
    const again = await load(bytes);
    expect(again.graph.nodes.map(({ op }) => op)).toEqual(
      quantized.graph.nodes.map(({ op }) => op),
    );
    const ids = text().slice(0, 64);
    const feeds = { input_ids: tensor("int64", [64, 1], ids), ...states() };
    using one = await compile(quantized, device);
    using other = await compile(again, device);
    expect((await other.run(feeds)).logits).toEqual((await one.run(feeds)).logits);
  });

  it("with its embedding quantized too, has at most 0.3 of the bytes and keeps the perplexity", async () => {
    const options = { ops: ["Linear", "LSTM", "Embedding"] };
    const bytes = await save(quantizeDynamic(await loaded(), options));
    const ratio = bytes.length / readFileSync(model).length;
    const ids = text();
    const { logits } = await run(ids, options);
    const value = perplexity(logits!, ids);
    console.log(
      `character model, embedding too: ${bytes.length} bytes, ${ratio.toFixed(3)} of the float file, ` +
        `perplexity ${value.toFixed(4)} over ${LENGTH} characters (float ${PERPLEXITY})`,
    );
    expect(ratio).toBeLessThan(0.3);
    expect(value / PERPLEXITY - 1).toBeLessThan(1e-2);
  });
});
