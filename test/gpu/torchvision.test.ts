// torchvision's architectures on WebGPU against PyTorch's own logits: float ones within a tolerance, those
// of both engines' quantized networks bit for bit. Weights come from seeds on both sides.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildModel } from "../../src/models/architectures.ts";
import { compile, Model, type Device } from "../../src/node.ts";
import { testDevice } from "../support/device.ts";
import {
  fixtureNames,
  floatsOf,
  quantizedState,
  seededImages,
  seededState,
  torchResults,
} from "../support/torchModels.ts";

let device: Device;
beforeAll(async () => void (device = await testDevice()));
afterAll(() => device.dispose());

async function logitsOf(model: Model<"float"> | Model<"quantized">, size: number) {
  using session = await compile(model, device);
  const { logits } = await session.run({ images: seededImages(size) });
  return logits!.data as Float32Array;
}

/** 25 and 88 million parameters take minutes to draw: MODELS=all runs them too. */
const large = /resnet50|resnext101|x1_5|x2_0/;
const all = process.env["MODELS"] === "all";
if (!all) console.log("skipped: resnet50, resnext101, shufflenet x1_5 and x2_0 need MODELS=all");
const names = fixtureNames.filter((name) => all || !large.test(name));

describe.each(names)("%s", (name) => {
  const results = torchResults(name);
  const { size } = results;

  it("gives PyTorch's float logits within 1e-4 of the largest", async () => {
    const graph = buildModel(name, seededState(name, results), { size });
    const logits = await logitsOf(new Model("float", graph, {}), size);
    const expected = floatsOf(results.float);
    const largest = Math.max(...expected.map(Math.abs));
    const error = Math.max(...expected.map((value, i) => Math.abs(value - logits[i]!)));
    expect(error / largest).toBeLessThan(1e-4); // sums in another order
  });

  it.each(["fbgemm", "qnnpack"] as const)("gives %s's logits exactly", async (backend) => {
    const state = quantizedState(name, results, backend);
    const graph = buildModel(name, state, { size, quantize: true, backend });
    const logits = await logitsOf(new Model("quantized", graph, {}), size);
    expect([...logits]).toEqual([...floatsOf(results[backend].logits)]);
  });
});
