// A real encoder with weights of few bits and float activations: bytes of its file, top-1 of its masked characters
// and signal to error of its logits. On bert-char-encoder, 8 windows.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compile } from "../../src/compile.ts";
import type { Device } from "../../src/gpu/device.ts";
import { load } from "../../src/load.ts";
import { argmax, ErrorSum } from "../../src/metrics.ts";
import type { Model } from "../../src/model.ts";
import { quantizeDynamic, type QuantizeDynamicOptions } from "../../src/quantizeDynamic.ts";
import { save } from "../../src/save.ts";
import { parseNpy } from "../../src/tensor/npy.ts";
import { tensor } from "../../src/tensor/tensor.ts";
import { testDevice } from "../support/device.ts";
import { hasSharedData, readShared } from "../support/sharedData.ts";

const path = "models/bert-char-encoder.onnx";
const [WINDOWS, LENGTH, CLASSES] = [8, 128, 66];
const there = hasSharedData(path, "weights of few bits on an encoder");

const ints = (file: string) =>
  Array.from(parseNpy(readShared(`models/bert-char-encoder/${file}`)).data as Int8Array).slice(
    0,
    WINDOWS * LENGTH,
  );

describe.skipIf(!there)("bert-char-encoder", () => {
  let device: Device;
  let model: Model<"float">;
  let want: Float32Array;
  const labels = there ? ints("eval-labels.npy") : [];
  beforeAll(async () => {
    device = await testDevice();
    model = (await load(readShared(path), { dims: { batch: WINDOWS } })) as Model<"float">;
    want = await logits(model);
  }, 120_000);
  afterAll(() => device.dispose());

  async function logits(of: Model<"float" | "quantized">): Promise<Float32Array> {
    const ids = BigInt64Array.from(ints("eval-inputs.npy"), BigInt);
    const mask = new BigInt64Array(ids.length).fill(1n);
    using session = await compile(of, device);
    const results = await session.run({
      input_ids: tensor("int64", [WINDOWS, LENGTH], ids),
      attention_mask: tensor("int64", [WINDOWS, LENGTH], mask),
    });
    return results["logits"]!.data as Float32Array;
  }

  /** Percent of the masked characters that have the greatest logit. */
  function top1(of: Float32Array): number {
    let [right, count] = [0, 0];
    labels.forEach((label, at) => {
      if (label < 0) return;
      const row = of.subarray(at * CLASSES, (at + 1) * CLASSES);
      count++;
      if (argmax(row) === label) right++;
    });
    return (100 * right) / count;
  }

  const ops = ["Linear", "Embedding"];
  it.each<QuantizeDynamicOptions & { bytes: number; least: number; points: number }>([
    { dtype: "float16", ops, bytes: 0.53, least: 65, points: 0.7 },
    { dtype: "int8-weight-only", ops, bytes: 0.32, least: 40, points: 0.7 },
    { dtype: "int4-weight-only", ops, bytes: 0.2, least: 18, points: 3 },
  ])("$dtype", async ({ bytes, least, points, ...options }) => {
    const quantized = quantizeDynamic(model, options);
    const ratio = save(quantized).length / readShared(path).length;
    const got = await logits(quantized);
    const errors = new ErrorSum();
    errors.add(want, got);
    const noise = errors.sqnrDb;
    const [before, after] = [top1(want), top1(got)];
    console.log(
      `${options.dtype}: ${ratio.toFixed(3)} of the bytes, top-1 ${after.toFixed(2)} % ` +
        `(float ${before.toFixed(2)} %), logits ${noise.toFixed(1)} dB`,
    );
    expect(ratio).toBeLessThan(bytes);
    expect(noise).toBeGreaterThan(least);
    expect(Math.abs(after - before)).toBeLessThan(points);
  });
});
