// The encoder of BERT-base in headless Chromium, float and dynamically quantized, ours and onnxruntime-web's
// WebGPU provider, all in one run. LAYERS=2 makes it short: every layer is the same.

import { beforeAll, expect, it } from "vitest";
import type { Bench } from "../../bench/core/rows.ts";
import { figureOf, runBench } from "./support.ts";

let bench: Bench;

beforeAll(async () => {
  const { LAYERS: layers = "12" } = process.env;
  const only = ["--only", "ours,ort-webgpu"];
  bench = await runBench("transformer", "--rounds", "3", "--layers", layers, ...only);
});

function rowOf(contestant: string, dtype: string) {
  return bench.models.find((row) => row.contestant === contestant && row.dtype === dtype);
}

const timeOf = (contestant: string, dtype: string): number =>
  figureOf(`${contestant} ${dtype}`, rowOf(contestant, dtype)?.outcome);

it("dynamically quantized, it takes no longer than in our float32", () => {
  expect(timeOf("ours", "int8") / timeOf("ours", "float32")).toBeLessThanOrEqual(1);
});

it("dynamically quantized, it is 3 times as fast as onnxruntime-web's WebGPU provider in float32", () => {
  expect(timeOf("ort-webgpu", "float32") / timeOf("ours", "int8")).toBeGreaterThanOrEqual(3);
});

// 10 times is asked where that provider runs the file; it leaves the integer products to the CPU, by its own
// account (placement.test.ts), and a CPU is faster than any software adapter.
it("it is faster than that provider with the same quantized file, and the CPU that it leaves it to", () => {
  expect(timeOf("ort-webgpu", "int8") / timeOf("ours", "int8")).toBeGreaterThan(1);
});
