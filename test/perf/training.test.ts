// Training steps in headless Chromium: of their own forward pass, and against TensorFlow.js and jax-js, all in one
// run from the same weights on the same batches. Medians of rounds in turns; a peer that is not installed is
// skipped, and the bench prints why.

import { beforeAll, describe, expect, it } from "vitest";
import type { Bench, TrainingRow } from "../../bench/core/rows.ts";
import { figureOf, runBench } from "./support.ts";

let bench: Bench;

beforeAll(async () => {
  bench = await runBench("training", "--rounds", "15");
});

function rowOf(contestant: string, way: string): TrainingRow | undefined {
  return bench.training.find((row) => row.contestant === contestant && row.way === way);
}

/** Throws where its losses were not the reference's, or not ours. */
const timeOf = (contestant: string, way: string): number =>
  figureOf(`${contestant} ${way}`, rowOf(contestant, way)?.outcome);

it("a step takes at most 3.5 times its forward pass", () => {
  expect(timeOf("ours", "step") / timeOf("ours", "forward")).toBeLessThanOrEqual(3.5);
});

it("a step of quantization-aware training takes at most 1.5 times one in float", () => {
  expect(timeOf("ours", "QAT step") / timeOf("ours", "step")).toBeLessThanOrEqual(1.5);
});

describe.each(["TensorFlow.js", "jax-js"])("%s", (peer) => {
  it("takes at least 3 times as long for a step, whose losses are ours", ({ skip }) => {
    const absent = bench.notes.find(({ note }) => note.startsWith(`${peer}: `));
    skip(absent !== undefined, absent?.note);
    const losses = (who: string) => rowOf(who, "step")?.losses ?? [];
    const [theirs, ours] = [losses(peer), losses("ours")];
    expect(theirs.length).toBeGreaterThanOrEqual(3);
    theirs.forEach((loss, step) => expect(Math.abs(loss - (ours[step] ?? NaN))).toBeLessThan(1e-3));
    expect(timeOf(peer, "step") / timeOf("ours", "step")).toBeGreaterThanOrEqual(3);
  });
});
