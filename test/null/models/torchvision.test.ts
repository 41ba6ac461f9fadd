// torchvision's architectures against PyTorch's own results: float logits, and codes of every module of
// the fused, quantized networks of both engines. Weights come from seeds on both sides. Every code of
// every module is compared where torch is there: test/model/torchLayers.test.ts.

import { describe, expect, it } from "vitest";
import { bindShapes } from "../../../src/graph/bind.ts";
import type { Graph } from "../../../src/graph/graph.ts";
import { buildModel } from "../../../src/models/architectures.ts";
import { finishQat } from "../../../src/models/finishQat.ts";
import { interpret } from "../../../src/reference/interpret.ts";
import type { Tensor } from "../../../src/tensor/tensor.ts";
import {
  decodeCodes,
  fixtureNames,
  floatsOf,
  qatState,
  quantizedState,
  sampleCodes,
  seededImages,
  seededState,
  torchResults,
  weightChecksum,
} from "../../support/torchModels.ts";

function run(graph: Graph, images: Tensor): Map<string, Tensor> {
  return interpret(bindShapes(graph, new Map([["batch", 1]])), { images });
}

/** The reference takes minutes for the others: WebGPU runs them in test/gpu, or test/model does. */
const quick = /mobilenet|resnet18|googlenet|x0_5/;

describe.each(fixtureNames.filter((name) => quick.test(name)))("%s", (name) => {
  const results = torchResults(name);
  const { size } = results;

  it("gives PyTorch's float logits within 1e-4 of the largest", { timeout: 60_000 }, () => {
    const graph = buildModel(name, seededState(name, results), { size });
    const logits = run(graph, seededImages(size)).get("logits")!.data as Float32Array;
    const expected = floatsOf(results.float);
    const largest = Math.max(...expected.map(Math.abs));
    const error = Math.max(...expected.map((value, i) => Math.abs(value - logits[i]!)));
    expect(error / largest).toBeLessThan(1e-4); // sums in another order
  });

  it.each(["fbgemm", "qnnpack"] as const)(
    "gives %s's codes in every module",
    { timeout: 60_000 },
    (backend) => {
      const { weights, codes, logits } = results[backend];
      const state = quantizedState(name, results, backend);
      expect(weightChecksum(state)).toBe(weights);
      const values = run(
        buildModel(name, state, { size, quantize: true, backend }),
        seededImages(size),
      );
      const sampled = Object.keys(codes).map((key) => {
        const expected = decodeCodes(codes[key]!);
        return [key, sampleCodes(values.get(key)?.data ?? [], expected.length)] as const;
      });
      expect(sampled.length).toBeGreaterThan(20);
      const expected = Object.entries(codes).map(
        ([key, text]) => [key, decodeCodes(text)] as const,
      );
      expect(Object.fromEntries(sampled)).toEqual(Object.fromEntries(expected));
      expect(values.get("logits")!.data).toEqual(floatsOf(logits));
    },
  );
});

it("a checkpoint of quantization-aware training is finished as PyTorch's convert does it", () => {
  const name = "mobilenet_v3_large";
  const results = torchResults(name);
  const { size } = results;
  const state = qatState(name, results);
  const finished = finishQat(state, { engine: "qnnpack", epsilon: 0.001 });
  expect(weightChecksum(finished)).toBe(results.qat!.weights);
  const graph = buildModel(name, state, { size, quantize: true, backend: "qnnpack" });
  const { data } = run(graph, seededImages(size)).get("logits")!;
  expect(data).toEqual(floatsOf(results.qat!.logits));
});
