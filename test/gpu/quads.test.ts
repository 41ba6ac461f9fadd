// Every tile of quads that rules or the tuner may choose, forced on every product, by the workgroups of a software adapter,
// whose rules ask for them: those of several steps do more words of a sum at once where a group's words allow it. Where
// the device has no quads the tiles cannot run.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../src/gpu/device.ts";
import { Program } from "../../src/gpu/program.ts";
import { bindShapes } from "../../src/graph/bind.ts";
import { requestDevice } from "../../src/node.ts";
import { lower } from "../../src/plan/lower.ts";
import { candidates, tileName } from "../../src/plan/tiles.ts";
import { interpret } from "../../src/reference/interpret.ts";
import { minMaxOf } from "../../src/reference/observe.ts";
import { readSlot } from "../../src/statistics.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { checkCase, sums } from "../support/cases.ts";
import { convolutions, convolutionsInFours } from "../support/families/convolution.ts";
import { forced } from "../support/forced.ts";
import { deepProduct, observedSum, residualSum } from "../support/products.ts";

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
  const target = { ...forced(tile, false), software: true };
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
    await checkCase(device, residualSum(false), sums, target);
    await checkCase(device, residualSum(true), undefined, target);
    await checkCase(device, deepProduct(), undefined, target);
  });

  it("the range of a sum with a residual, whose product alone has a wider one", async ({
    skip,
  }) => {
    skip(!device.facts.quads, NONE);
    const { graph, feeds } = observedSum();
    const bound = bindShapes(graph, new Map());
    const values = interpret(bound, feeds);
    const rangeOf = (name: string) => minMaxOf(values.get(name) as Tensor<"float32">);
    const [want, product] = [rangeOf("sum"), rangeOf("y")];
    expect(product.min[0]).toBeLessThan(want.min[0]! - 0.1);
    expect(product.max[0]).toBeGreaterThan(want.max[0]! + 0.1);
    const plan = lower(bound, target);
    expect(plan.steps.map(({ shader }) => shader)).toContain("convQuadObservedF32");
    using program = await Program.create(device, plan);
    const [state] = await program.runStates(new Map(Object.entries(feeds)));
    const observer = graph.nodes.find((node) => node.op === "Observe")!;
    const seen = readSlot(observer, state!.slot.shape, state!.bytes);
    if (!seen || seen === "non-finite" || "counts" in seen) throw new Error("no range");
    expect(seen.min[0]).toBeCloseTo(want.min[0]!, 4);
    expect(seen.max[0]).toBeCloseTo(want.max[0]!, 4);
  });
});

it("quads by workgroups of 64, as other adapters run them", async ({ skip }) => {
  skip(!device.facts.quads, NONE);
  const target = forced(quads[0]!, false);
  await checkCase(device, residualSum(false), sums, target);
  await checkCase(device, residualSum(true), undefined, target);
});
