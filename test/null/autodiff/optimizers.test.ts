// Optimizers by the reference against PyTorch's, twenty steps each, and the refusals of appendOptimizer.

import { describe, expect, it } from "vitest";
import {
  appendOptimizer,
  groupOf,
  trainable,
  validateOptimizer,
  type OptimizerSpec,
} from "../../../src/autodiff/optimizers.ts";
import { GraphBuilder } from "../../../src/graph/builder.ts";
import { printGraph } from "../../../src/graph/print.ts";
import { float32, toNumbers } from "../../../src/tensor/tensor.ts";
import { optimizerCases, optimizerGraph } from "../../support/optimizerFixture.ts";
import { interpretRuns } from "../../support/training.ts";

/** PyTorch rounds to f32 after every operation of a step, the reference once: after 20 steps of size 0.1 and sums
 *  of about 1 they are apart by some of f32's steps of 6e-8. Adam divides by √second, which magnifies them. */
const TOLERANCE = 2e-6;

function furthest(got: readonly number[], want: readonly number[]): number {
  expect(got).toHaveLength(want.length);
  return Math.max(...got.map((value, index) => Math.abs(value - want[index]!)));
}

describe("an optimizer's twenty steps are PyTorch's", () => {
  it.each(optimizerCases)("$title", ({ graph, feeds, every, parameters, state, norms }) => {
    const after = interpretRuns(graph, feeds);
    for (const [step, values] of parameters) {
      for (const [name, want] of values) {
        const got = toNumbers(after[step * every - 1]!.get(name)!);
        expect(furthest(got, want), `${name} after step ${step}`).toBeLessThan(TOLERANCE);
      }
    }
    for (const [name, want] of state)
      expect(furthest(toNumbers(after.at(-1)!.get(name)!), want), name).toBeLessThan(TOLERANCE);
    norms.forEach((norm, index) => {
      const [got] = toNumbers(after[(index + 1) * every - 1]!.get("clip/norm")!);
      expect(Math.abs(got! - norm)).toBeLessThan(TOLERANCE * norm);
    });
  });

  it("and other dampening, betas or weight decay give other parameters", () => {
    const last = optimizerCases.map(({ parameters }) => [...parameters.get(20)!.values()].join());
    expect(new Set(last).size).toBe(optimizerCases.length);
  });
});

describe("appendOptimizer", () => {
  const shapes = new Map([
    ["layer1.weight", [2, 3]],
    ["layer1.bias", [2]],
    ["layer4.weight", [2, 2]],
  ]);

  it("adds one update a parameter, with the rate and decay of its group, and none for frozen ones", () => {
    const groups = [
      { match: "layer*", weightDecay: 0.5 },
      { match: "layer4.*", learningRate: 0.01 },
      { match: "layer1.bias", frozen: true },
    ];
    const spec = { kind: "sgd", learningRate: 0.1, momentum: 0.9, maxNorm: 1 } as const;
    expect(printGraph(optimizerGraph(spec, groups, shapes, false))).toMatchInlineSnapshot(`
      "graph optimizer(hyper: float32[8], gradient layer1.weight: float32[2, 3], gradient layer1.bias: float32[2], gradient layer4.weight: float32[2, 2])
        clip/factor: float32[], clip/norm: float32[] = ClipFactor(gradient layer1.weight, gradient layer4.weight) maxNorm=1
        SgdUpdate(layer1.weight, gradient layer1.weight, hyper, layer1.weight.momentum_buffer, clip/factor) rate=1 weightDecay=0.5 accumulated=false momentum=0.9 dampening=0 nesterov=false
        SgdUpdate(layer4.weight, gradient layer4.weight, hyper, layer4.weight.momentum_buffer, clip/factor) rate=0.09999999999999999 weightDecay=0 accumulated=false momentum=0.9 dampening=0 nesterov=false
        return clip/norm"
    `);
  });

  it("accumulates into variables that updates empty", () => {
    const spec = { kind: "adamw", learningRate: 0.1 } as const;
    const graph = optimizerGraph(spec, [], new Map([["w", [2]]]), true);
    expect(printGraph(graph)).toMatchInlineSnapshot(`
      "graph optimizer(hyper: float32[8], gradient w: float32[2])
        Accumulate(w.grad, gradient w, hyper)
        AdamUpdate(w, w.grad, hyper, w.exp_avg, w.exp_avg_sq) rate=1 weightDecay=0.01 accumulated=true beta1=0.9 beta2=0.999 epsilon=1e-8 decoupled=true
        return "
    `);
    expect([...graph.variables!.keys()]).toEqual(["w", "w.grad", "w.exp_avg", "w.exp_avg_sq"]);
    const gradient = float32([2], [2, 4]);
    const hyper = (apply: number) => float32([8], [0.1, apply, 0.5, 10, 1000, 1, 0, 0]);
    const feeds = [0, 0, 1].map((apply) => ({ hyper: hyper(apply), "gradient w": gradient }));
    const sums = interpretRuns(graph, feeds).map((after) => toNumbers(after.get("w.grad")!));
    expect(sums).toEqual([
      [1, 2],
      [2, 4],
      [0, 0],
    ]);
  });

  it("changes nothing where hyper says not to", () => {
    const spec = { kind: "sgd", learningRate: 0.1, momentum: 0.9 } as const;
    const graph = optimizerGraph(spec, [], new Map([["w", [2]]]), false);
    const hyper = float32([8], [0.1, 0, 1, 1, 1, 1, 0, 0]);
    const [after] = interpretRuns(graph, [{ hyper, "gradient w": float32([2], [1, 1]) }]);
    for (const [name, data] of graph.variables!) expect(after!.get(name)).toEqual(data);
  });

  it("refuses state of another shape, and a hyper that is none", () => {
    const builder = new GraphBuilder();
    builder.input("hyper", { dtype: "float32", shape: [8] });
    builder.input("g", { dtype: "float32", shape: [3] });
    builder.variable("w", float32([2], [1, 2]));
    const update = { op: "Accumulate", name: "a", outputs: [] } as const;
    expect(() =>
      builder.add({ ...update, inputs: ["w", "g", "hyper"] }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[InputError: Accumulate "a": "g" must have the shape of "w" [2]; got [3]. Pass the gradient, and variables of zeros, of that parameter.]`,
    );
    expect(() =>
      builder.add({ ...update, inputs: ["w", "w", "g"] }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[InputError: Accumulate "a": hyper must have shape [8]; got [3]. Pass the graph's input of hyperparameters.]`,
    );
    const spec = { kind: "sgd", learningRate: 1 } as const;
    expect(() =>
      appendOptimizer(builder, spec, [], new Map([["w", "w"]]), { hyper: "g" }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[Error: optimizer: "g" must have shape [8]; please report.]`,
    );
  });
});

describe("groups", () => {
  const groups = [
    { match: "*", weightDecay: 1 },
    { match: "layer4.*", weightDecay: 2 },
    { match: "layer4.bias", weightDecay: 3 },
  ];

  it.each([
    ["conv1", 1],
    ["layer4.weight", 2],
    ["layer4.bias", 3],
  ])("%s has the most specific one", (name, weightDecay) => {
    expect(groupOf(groups, name)?.weightDecay).toBe(weightDecay);
  });

  it("a dot is a dot, and no group is none", () => {
    expect(groupOf([{ match: "layer4.*" }], "layer41weight")).toBeUndefined();
  });

  it("frozen parameters are not trained", () => {
    const names = ["stem.weight", "head.weight"];
    const frozen = [{ match: "*", frozen: true }, { match: "head.*" }];
    expect(trainable(names, frozen)).toEqual(["head.weight"]);
    expect(() => trainable(names, frozen.slice(0, 1))).toThrowErrorMatchingInlineSnapshot(
      `[InputError: groups: at least one parameter must be trained; got 2 frozen. Free some of them.]`,
    );
    expect(() =>
      trainable(names, [{ match: "tail.*", frozen: true }]),
    ).toThrowErrorMatchingInlineSnapshot(
      `[InputError: groups "tail.*": it must name a parameter or be a pattern of names. Use one of "stem.weight", "head.weight".]`,
    );
  });
});

describe("numbers out of range are refused", () => {
  it.each<[string, OptimizerSpec]>([
    ["learning rate 0", { kind: "sgd", learningRate: 0 }],
    ["a NaN momentum", { kind: "sgd", learningRate: 1, momentum: NaN }],
    ["beta 1", { kind: "adam", learningRate: 1, betas: [0.9, 1] }],
    ["negative decay", { kind: "adamw", learningRate: 1, weightDecay: -1 }],
    ["norm 0", { kind: "sgd", learningRate: 1, maxNorm: 0 }],
    ["Nesterov without momentum", { kind: "sgd", learningRate: 1, nesterov: true }],
  ])("%s", (_, spec) => {
    expect(() => validateOptimizer(spec)).toThrowErrorMatchingSnapshot();
  });

  it("those of a group too", () => {
    expect(() =>
      validateOptimizer({ kind: "sgd", learningRate: 1 }, [{ match: "a.*", learningRate: -1 }]),
    ).toThrowErrorMatchingInlineSnapshot(
      `[InputError: optimizer "sgd": learningRate of group "a.*" must be 0 or more; got -1. Change it.]`,
    );
  });
});
