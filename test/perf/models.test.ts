// Whole models in headless Chromium against onnxruntime-web and against ourselves, all in one run. Ratios
// of medians only: what a time is worth depends on the machine, the order of the contestants hardly.

import { beforeAll, describe, expect, it } from "vitest";
import type { Bench, ModelRow } from "../../bench/core/rows.ts";
import { figureOf, runBench } from "./support.ts";

const MODELS = ["MobileNetV2", "ResNet-18", "ResNet-50"];

let bench: Bench;

beforeAll(async () => {
  bench = await runBench("models", "--batch", "1", "--rounds", "3");
});

function rowOf(model: string, contestant: string, dtype: string): ModelRow | undefined {
  return bench.models.find(
    (row) => row.model === model && row.contestant === contestant && row.dtype === dtype,
  );
}

function timeOf(model: string, contestant: string, dtype: string): number {
  const row = rowOf(model, contestant, dtype);
  return figureOf(`${model}: ${contestant} ${dtype}`, row?.outcome);
}

/** How many times longer onnxruntime-web's WebGPU provider takes in float. */
const lead = (model: string, dtype: string): number =>
  timeOf(model, "ort-webgpu", "float32") / timeOf(model, "ours", dtype);

describe("against onnxruntime-web's WebGPU provider in float32", () => {
  it("MobileNetV2 in float32 is at least 8 times as fast", () => {
    expect(lead("MobileNetV2", "float32")).toBeGreaterThanOrEqual(8);
  });

  it.each(MODELS)("%s in int8 is at least 8 times as fast", (model) => {
    expect(lead(model, "int8")).toBeGreaterThanOrEqual(8);
  });
});

it.each(MODELS)("%s in int8 takes at most 1.15 times as long as in our float32", (model) => {
  const ratio = timeOf(model, "ours", "int8") / timeOf(model, "ours", "float32");
  expect(ratio).toBeLessThanOrEqual(1.15);
});

it("MobileNetV2 in int8 at batch 1 needs at most 3 times its weights' bytes of GPU memory", () => {
  const memory = rowOf("MobileNetV2", "ours", "int8")?.memory;
  if (!memory) throw new Error("MobileNetV2: ours int8 did not run");
  const { gpu, weights } = memory;
  console.log(`GPU memory at its most ${gpu} bytes, int8 weights ${weights} bytes`);
  expect(weights).toBeGreaterThan(3.4e6); // 3.5 million parameters, a byte each, without biases
  expect(gpu / weights).toBeLessThanOrEqual(3);
});

describe("a picture of calibration, against one of plain float inference", () => {
  let calibration: Bench["calibration"];
  beforeAll(async () => {
    ({ calibration } = await runBench("calibration", "--batch", "1", "--rounds", "9")); // short rounds
  });
  const costOf = (mode: string): number => {
    const time = (name: string) =>
      figureOf(name, calibration.find((row) => row.mode === name)?.outcome);
    return time(mode) / time("plain float");
  };

  it("takes at most 1.15 times as long with min/max observers", () => {
    expect(costOf("min/max")).toBeLessThanOrEqual(1.15);
  });

  it("takes at most 1.6 times as long with histograms", () => {
    expect(costOf("histogram")).toBeLessThanOrEqual(1.6);
  });
});
