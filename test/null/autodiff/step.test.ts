// What a training step is made of, and what it refuses: losses, teachers, and normalizations by a batch.

import { describe, expect, it } from "vitest";
import { floatForward } from "../../../src/autodiff/forward.ts";
import { stepGraph, type LossSpec, type StepSpec } from "../../../src/autodiff/step.ts";
import type { BoundGraph } from "../../../src/graph/bind.ts";
import { GraphBuilder } from "../../../src/graph/builder.ts";
import { float32 } from "../../../src/tensor/tensor.ts";
import { floats } from "../../support/seeded.ts";
import { messageOf } from "../formats/onnxModels.ts";

const optimizer = { kind: "sgd", learningRate: 0.1 } as const;

/** Logits (2, 3) of x (2, 4), each output a product of its own. */
function heads(...outputs: readonly string[]): BoundGraph {
  const builder = new GraphBuilder();
  builder.input("x", { dtype: "float32", shape: [2, 4] });
  for (const [seed, output] of outputs.entries()) {
    const filter = builder.constant(`${output}.weight`, floats([4, 3], seed));
    builder.add({ op: "MatMul", name: output, inputs: ["x", filter], outputs: [output] });
  }
  return builder.build("heads", ["x"], outputs) as BoundGraph;
}

const step = (spec: Omit<StepSpec, "optimizer">, student = heads("logits")) =>
  stepGraph(floatForward(student, "batch"), { ...spec, optimizer });

describe("the teacher", () => {
  const read = (teacher: BoundGraph) => {
    const { graph } = step({ loss: { kind: "distillation" }, teacher });
    const inputs = graph.nodes.flatMap((node) => node.inputs);
    return inputs.filter((name) => /^teacher\/\w+$/.test(name));
  };

  it("answers by its output of the student's name, or by its first", () => {
    expect(new Set(read(heads("auxiliary", "logits")))).toEqual(new Set(["teacher/logits"]));
    expect(new Set(read(heads("scores", "auxiliary")))).toEqual(new Set(["teacher/scores"]));
  });

  it("is refused where no loss asks for it, and missed where one does", () => {
    const loss = { kind: "crossEntropy" } as const;
    expect(messageOf(() => step({ loss, teacher: heads("logits") }))).toMatchInlineSnapshot(
      `"InputError: train: loss "crossEntropy" asks no teacher; got one. Use loss { kind: "distillation" }, or leave the teacher out."`,
    );
    expect(messageOf(() => step({ loss: { kind: "distillation" } }))).toMatchInlineSnapshot(
      `"InputError: train: loss "distillation" needs a teacher; got none. Pass { teacher: model }."`,
    );
  });
});

describe("numbers of a loss out of range are refused", () => {
  const message = (loss: LossSpec) =>
    messageOf(() =>
      step({ loss, ...(loss.kind === "distillation" ? { teacher: heads("logits") } : {}) }),
    );

  it.each<LossSpec>([
    { kind: "distillation", temperature: 0 },
    { kind: "distillation", temperature: NaN },
    { kind: "distillation", weight: -0.1 },
    { kind: "distillation", weight: 1.1 },
    { kind: "distillation", labelSmoothing: 1 },
    { kind: "crossEntropy", labelSmoothing: -0.1 },
  ])("%o", (loss) => {
    expect(message(loss)).toContain(`InputError: train: loss "${loss.kind}"`);
  });

  it("with these words", () => {
    expect(message({ kind: "distillation", temperature: 0 })).toMatchInlineSnapshot(
      `"InputError: train: loss "distillation": temperature must be more than 0; got 0. Change it."`,
    );
  });
});

/** Normalizations a and b of x, the statistics of b by the names given. */
function norms(shape: readonly number[], mean = "b.mean", variance = "b.variance"): BoundGraph {
  const builder = new GraphBuilder();
  let x = builder.input("x", { dtype: "float32", shape });
  const channels = [shape[1] ?? 0];
  for (const name of ["a", "b"])
    for (const what of ["gamma", "beta", "mean", "variance"])
      builder.constant(`${name}.${what}`, float32(channels, new Float32Array(channels[0] ?? 0)));
  for (const name of ["a", "b"]) {
    const statistics = name === "a" ? ["a.mean", "a.variance"] : [mean, variance];
    const inputs = [x, `${name}.gamma`, `${name}.beta`, ...statistics];
    const op = "BatchNormalization";
    x = builder.add({ op, name, inputs, outputs: [`${name}:y`], epsilon: 1e-5 });
  }
  return builder.build("norms", ["x"], [x]) as BoundGraph;
}

describe("a normalization by the batch", () => {
  it("needs more than one value a channel", () => {
    expect(messageOf(() => floatForward(norms([1, 3, 1, 1]), "batch"))).toMatchInlineSnapshot(
      `"InputError: BatchNormalization of "a": training needs more than 1 value per channel; got 1 of [1, 3, 1, 1]. Use a larger batch, or controls { freezeBatchNorm: { epoch: 0 } }."`,
    );
    expect(floatForward(norms([1, 3, 1, 2]), "batch").parameters).toHaveLength(4);
    expect(floatForward(norms([1, 3, 1, 1]), "frozen").parameters).toHaveLength(4);
  });

  it("needs running statistics of its own", () => {
    const shared = norms([2, 3], "a.mean");
    expect(messageOf(() => floatForward(shared, "batch"))).toMatchInlineSnapshot(
      `"InputError: train: nodes "a" and "b" must have running statistics of their own; got "a.mean" for both. Give each a constant, or keep them: controls { freezeBatchNorm: { epoch: 0 } }."`,
    );
    expect(floatForward(shared, "frozen").parameters).toHaveLength(4);
    const trained = norms([2, 3], "b.mean", "b.gamma");
    expect(messageOf(() => floatForward(trained, "batch"))).toContain('nodes "b" and "b"');
  });
});
