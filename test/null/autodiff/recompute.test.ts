// A step under a memory budget: half of the arena that its plan has, with the same bits, and what cannot be met.

import { describe, expect, it } from "vitest";
import type { Fields } from "../../../src/autodiff/backward.ts";
import { appendGradients } from "../../../src/autodiff/gradients.ts";
import { hyperOf } from "../../../src/autodiff/optimizers.ts";
import { stepGraph } from "../../../src/autodiff/step.ts";
import { peakOf } from "../../../src/autodiff/liveness.ts";
import { recompute } from "../../../src/autodiff/recompute.ts";
import { rematerialize, splitOf } from "../../../src/autodiff/rematerialize.ts";
import type { BoundGraph } from "../../../src/graph/bind.ts";
import { GraphBuilder } from "../../../src/graph/builder.ts";
import type { Node } from "../../../src/graph/node.ts";
import { prepareQat, qatQConfigs } from "../../../src/node.ts";
import { trainableOf } from "../../../src/trainable.ts";
import { lower } from "../../../src/plan/lower.ts";
import { bytesOf } from "../../../src/plan/plan.ts";
import { float32, tensor, toNumbers } from "../../../src/tensor/tensor.ts";
import { convnetFeeds, convnetStep } from "../../support/convnet.ts";
import { TINY_SIDE, tinyModel } from "../../support/tinyTraining.ts";
import { floats } from "../../support/seeded.ts";
import { interpretRuns } from "../../support/training.ts";

const arenaOf = (graph: BoundGraph) => bytesOf(lower(graph), "arena");

describe.each([
  { title: "a chain of ten layers", skip: 0, share: 0.5 },
  { title: "ten layers with skip connections", skip: 3, share: 0.55 },
])("$title", ({ skip, share }) => {
  it(`fits in ${share} of its plan's arena`, () => {
    const large = convnetStep({ batch: 16, channels: 16, size: 16, layers: 10, skip });
    const whole = arenaOf(large.graph);
    const budget = whole * share;
    const made = recompute(large.graph, { loss: large.loss, budget, measure: arenaOf });
    expect(made.bytes).toBe(arenaOf(made.graph));
    expect(made.bytes).toBeLessThanOrEqual(budget);
    expect(made.again).toBeGreaterThan(0);
  });

  it("computes the same bits, whatever the budget", () => {
    const options = { batch: 2, channels: 3, size: 5, layers: 10, skip };
    const small = convnetStep(options);
    const feeds = convnetFeeds(options, small, 2);
    const want = interpretRuns(small.graph, feeds);
    const whole = peakOf(small.graph);
    const seen = new Set<number>();
    for (const share of [0.9, 0.8, 0.7, 0.6]) {
      const made = recompute(small.graph, { loss: small.loss, budget: whole * share });
      seen.add(made.again);
      interpretRuns(made.graph, feeds).forEach((after, run) => {
        expect([...after.keys()]).toEqual([...want[run]!.keys()]);
        for (const [name, value] of after)
          expect(toNumbers(value), name).toEqual(toNumbers(want[run]!.get(name)!));
      });
    }
    expect(seen.size).toBeGreaterThan(1);
  });
});

it("a budget that is met already changes nothing", () => {
  const { graph, loss } = convnetStep({ batch: 2, channels: 4, size: 6, layers: 3 });
  const made = recompute(graph, { loss, budget: peakOf(graph) });
  expect(made).toEqual({ graph, bytes: peakOf(graph), again: 0 });
  expect(made.graph).toBe(graph);
});

it("a budget that cannot be met names the least that can", () => {
  const { graph, loss } = convnetStep({ batch: 2, channels: 4, size: 6, layers: 6 });
  const attempt = (budget: number) => recompute(graph, { loss, budget });
  expect(() => attempt(10_000)).toThrowErrorMatchingInlineSnapshot(
    `[MemoryBudgetError: recompute: the values of a step must fit in 10000 bytes; got 11264 at least. Give it so many, or train with a smaller batch and accumulate gradients.]`,
  );
  const least = catchLeast(() => attempt(10_000));
  expect(attempt(least).bytes).toBe(least);
  expect(catchLeast(() => attempt(least - 1))).toBe(least);
});

it("a value is kept where a variable that it was computed from has changed since", () => {
  const builder = new GraphBuilder();
  builder.input("x", { dtype: "float32", shape: [2, 2, 3, 3] });
  const channel = (value: number) => float32([2], [value, value + 1]);
  for (const [name, value] of Object.entries({ scale: 1, shift: 0, mean: 0, variance: 2 }))
    builder.variable(name, channel(value));
  const add = (fields: Fields, outputs: readonly string[]) =>
    builder.add({ ...fields, name: outputs[0] ?? "update", outputs } as Node);
  const norm = { op: "BatchNormalization", epsilon: 1e-3 } as const;
  add({ ...norm, inputs: ["x", "scale", "shift", "mean", "variance"] }, ["frozen"]);
  add({ op: "BatchNormTraining", epsilon: 1e-3, inputs: ["x", "scale", "shift"] }, ["y", "m", "v"]);
  const update = { op: "UpdateRunning", momentum: 0.5, count: 18 } as const;
  add({ ...update, inputs: ["mean", "variance", "m", "v"] }, []);
  add({ op: "Mul", inputs: ["frozen", "y"] }, ["product"]);
  const loss = reduceAll(builder, "product");
  const gradients = appendGradients(builder, loss, ["scale"]);
  const outputs = [loss, ...gradients.values()];
  const graph = builder.build("frozen", ["x"], outputs) as BoundGraph;
  const split = splitOf(graph, loss);
  expect([...split.fixed]).toEqual(["frozen"]);
  const feeds = [{ x: floats([2, 2, 3, 3], 1) }];
  const run = (kept: ReadonlySet<string>) => {
    const made = rematerialize(graph, split, kept);
    expect(made.again.length).toBeGreaterThan(0);
    return interpretRuns(made.graph, feeds)[0];
  };
  const want = interpretRuns(graph, feeds)[0];
  expect(run(split.fixed)).toEqual(want);
  expect(run(new Set())).not.toEqual(want);
});

it("quantization-aware training, whose observers change variables on the way, keeps its bits", () => {
  const qat = prepareQat(tinyModel(3), { qconfig: qatQConfigs.int8 });
  const mode = {
    observers: true,
    fakeQuantize: true,
    batchNorm: "batch",
    learnable: false,
  } as const;
  const { graph, loss, target, hyper } = stepGraph(trainableOf(qat).forward(mode, 2, new Map()), {
    loss: { kind: "crossEntropy" },
    optimizer: { kind: "adam", learningRate: 0.01 },
  });
  const feeds = [1, 2].map((update) => ({
    images: floats([2, 3, TINY_SIDE, TINY_SIDE], 60 + update),
    [target]: tensor("int32", [2], Int32Array.of(update, 0)),
    [hyper]: float32(
      [8],
      hyperOf({ kind: "adam", learningRate: 0.01 }, { learningRate: 0.01, update }),
    ),
  }));
  const least = catchLeast(() => recompute(graph, { loss, budget: 1 }));
  expect(least).toBeLessThan(peakOf(graph) * 0.7);
  const made = recompute(graph, { loss, budget: least });
  expect(interpretRuns(made.graph, feeds)).toEqual(interpretRuns(graph, feeds));
});

function reduceAll(builder: GraphBuilder, name: string): string {
  const sum = { op: "ReduceSum", name: "sum", axes: [0, 1, 2, 3], keepdims: false } as const;
  return builder.add({ ...sum, inputs: [name], outputs: ["sum"] });
}

function catchLeast(attempt: () => unknown): number {
  try {
    attempt();
  } catch (error) {
    return (error as { least: number }).least;
  }
  throw new Error("the budget was met");
}
