// What a device computes under a memory budget is what it computes without one, bit for bit.

import { afterAll, beforeAll, expect, it } from "vitest";
import { recompute } from "../../src/autodiff/recompute.ts";
import type { BoundGraph } from "../../src/graph/bind.ts";
import type { Device } from "../../src/gpu/device.ts";
import { lower } from "../../src/plan/lower.ts";
import { bytesOf } from "../../src/plan/plan.ts";
import { toNumbers } from "../../src/tensor/tensor.ts";
import { convnetFeeds, convnetStep } from "../support/convnet.ts";
import { testDevice } from "../support/device.ts";
import { deviceRuns } from "../support/training.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});
afterAll(() => {
  expect(device.memory).toEqual({ buffers: 0, bytes: 0 });
  device.dispose();
});

it("ten layers in half of the arena train to the same bits", async () => {
  const options = { batch: 8, channels: 8, size: 16, layers: 10 };
  const step = convnetStep(options);
  const feeds = convnetFeeds(options, step, 3);
  const arenaOf = (graph: BoundGraph) => bytesOf(lower(graph), "arena");
  const budget = arenaOf(step.graph) / 2;
  const made = recompute(step.graph, { loss: step.loss, budget, measure: arenaOf });
  expect(made.again).toBeGreaterThan(0);
  const want = await deviceRuns(device, step.graph, feeds);
  const got = await deviceRuns(device, made.graph, feeds);
  want.forEach((after, run) => {
    for (const [name, value] of after)
      expect(toNumbers(got[run]!.get(name)!), `run ${run}, ${name}`).toEqual(toNumbers(value));
  });
  const losses = want.map((after) => Number(after.get(step.loss)!.data[0]));
  expect(losses.every(Number.isFinite)).toBe(true);
  expect(new Set(losses).size).toBe(losses.length);
});
