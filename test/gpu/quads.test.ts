// Every tile of quads that rules or the tuner may choose, forced on every product: those of several steps do more
// words of a sum at once where a group's words allow it. Where the device has no quads the tiles cannot run.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../src/gpu/device.ts";
import { bindShapes } from "../../src/graph/bind.ts";
import { requestDevice } from "../../src/node.ts";
import { lower } from "../../src/plan/lower.ts";
import { candidates, tileName } from "../../src/plan/tiles.ts";
import { checkCase } from "../support/cases.ts";
import { convolutions, convolutionsInFours } from "../support/families/convolution.ts";
import { forced } from "../support/forced.ts";
import { deepProduct, residualSum } from "../support/products.ts";

// One deep product stands for those with great accumulators.
const shallow = convolutions.filter(({ title }) => !/accumulators/.test(title));
const quads = candidates.filter((tile) => tile.family === "register" && tile.quads);
const NONE = "this device has no quads of four consecutive invocations";
let device: Device;
beforeAll(async () => {
  device = await requestDevice();
});
afterAll(() => device.dispose());

describe.each(quads.map((tile) => ({ tile, name: tileName(tile) })))("$name", ({ tile }) => {
  const target = forced(tile, false);
  const steps = tile.family === "register" ? (tile.steps ?? 1) : 1;
  const runs = steps > 1 ? 2 : 4; // several steps make long kernels, which compile for long

  it.for([...shallow, ...convolutionsInFours])("$title", async (family, { skip }) => {
    skip(!device.facts.quads, NONE);
    const { title, sample, check } = family;
    if (title.includes("four words")) {
      const plans = sample(runs).map(({ graph }) => lower(bindShapes(graph, new Map()), target));
      const found = plans.flatMap(({ steps: all }) =>
        all.flatMap(({ overrides }) => overrides["STEPS"] ?? []),
      );
      expect(found).toContain(steps);
    }
    await check(device, runs, target);
  });

  it("a residual, and sums beyond 2²⁴", async ({ skip }) => {
    skip(!device.facts.quads, NONE);
    await checkCase(device, residualSum(true), undefined, target);
    await checkCase(device, deepProduct(), undefined, target);
  });
});
