// torchvision's architectures against PyTorch's own results: float logits, and the codes of every module
// of the fused, quantized networks of both engines. Weights come from seeds on both sides.

import { describe, expect, it } from "vitest";
import { bindShapes } from "../../../src/graph/bind.ts";
import type { Graph } from "../../../src/graph/graph.ts";
import { buildModel, type ArchitectureName } from "../../../src/models/architectures.ts";
import { interpret } from "../../../src/reference/interpret.ts";
import type { Tensor } from "../../../src/tensor/tensor.ts";
import {
  decodeCodes,
  floatsOf,
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

const names = (process.env["MODELS"] ?? "mobilenet_v2,resnet18").split(",") as ArchitectureName[];

describe.each(names)("%s", (name) => {
  const results = torchResults(name);
  const { size } = results;

  it("gives PyTorch's float logits within 1e-4 of the largest", () => {
    const graph = buildModel(name, seededState(name, results), { size });
    const logits = run(graph, seededImages(size)).get("logits")!.data as Float32Array;
    const expected = floatsOf(results.float);
    const largest = Math.max(...expected.map(Math.abs));
    const error = Math.max(...expected.map((value, i) => Math.abs(value - logits[i]!))) / largest;
    console.log(`${name}: float logits within ${error.toExponential(1)} of the largest`);
    expect(error).toBeLessThan(1e-4);
  });

  it.each(["fbgemm", "qnnpack"] as const)("gives %s's codes", (backend) => {
    const state = quantizedState(name, results, backend);
    expect(weightChecksum(state)).toBe(results[backend].weights);
    const graph = buildModel(name, state, { size, quantize: true, backend });
    const values = run(graph, seededImages(size));
    let [count, off] = [0, 0];
    const worst: string[] = [];
    for (const [key, text] of Object.entries(results[backend].codes)) {
      const ours = values.get(key);
      if (!ours) {
        console.log("no value", key);
        continue;
      }
      const expected = decodeCodes(text);
      const got = sampleCodes(ours.data, 48);
      const differ = expected.filter((code, i) => code !== got[i]).length;
      if (differ > 0) worst.push(`${key}:${differ}`);
      count += expected.length;
      off += differ;
    }
    console.log(
      `${name} ${backend}: ${off} of ${count} sampled codes differ: ${worst.slice(0, 8).join(" ")}`,
    );
    const logits = values.get("logits")!.data;
    console.log([...logits].map(Number), floatsOf(results[backend].logits));
  });
});
