// What a device computes under a memory budget is what it computes without one, bit for bit.

import { afterAll, beforeAll, expect, it } from "vitest";
import { recompute } from "../../src/autodiff/recompute.ts";
import { MemoryBudgetError } from "../../src/errors.ts";
import type { BoundGraph } from "../../src/graph/bind.ts";
import type { Device } from "../../src/gpu/device.ts";
import { lower } from "../../src/plan/lower.ts";
import { bytesOf } from "../../src/plan/plan.ts";
import { toNumbers } from "../../src/tensor/tensor.ts";
import { train } from "../../src/train.ts";
import { convnetFeeds, convnetStep } from "../support/convnet.ts";
import { testDevice } from "../support/device.ts";
import { tinyData, tinyModel } from "../support/tinyTraining.ts";
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
  const options = { batch: 8, channels: 8, size: 12, layers: 10 };
  const step = convnetStep(options);
  const feeds = convnetFeeds(options, step, 2);
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

it("train takes its memory as an option, says what is too little, and learns the same", async () => {
  const trained = (limit: { readonly memory?: number }) => {
    const options = { device, epochs: 1, batch: 16, seed: 3, shuffle: false } as const;
    return train(tinyModel(5), tinyData(32), { ...options, ...limit });
  };
  const refusal = await trained({ memory: 1000 }).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(MemoryBudgetError);
  const { budget, least } = refusal as MemoryBudgetError;
  expect(budget).toBe(1000);
  const [whole, within] = [await trained({}), await trained({ memory: least })];
  expect(within.epochs.map(({ loss }) => loss)).toEqual(whole.epochs.map(({ loss }) => loss));
  for (const [name, data] of whole.model.graph.constants)
    expect(toNumbers(within.model.graph.constants.get(name)!), name).toEqual(toNumbers(data));
});
