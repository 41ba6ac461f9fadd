// Losses and their gradients against PyTorch's (test/fixtures/make_losses.py), and what a caller may get wrong.

import { describe, expect, it } from "vitest";
import { appendGradients } from "../../../src/autodiff/gradients.ts";
import {
  accuracy,
  crossEntropy,
  distillation,
  mse,
  weighted,
} from "../../../src/autodiff/losses.ts";
import { bindShapes } from "../../../src/graph/bind.ts";
import { GraphBuilder } from "../../../src/graph/builder.ts";
import { interpret } from "../../../src/reference/interpret.ts";
import { float32, tensor, toNumbers, type Tensor } from "../../../src/tensor/tensor.ts";
import fixture from "../../fixtures/losses.json";
import { numbers, run } from "../reference/support.ts";

const { rows, classes } = fixture;
const logits = float32([rows, classes], fixture.logits);
const teacher = float32([rows, classes], fixture.teacher);
const labels = tensor("int32", [rows], Int32Array.from(fixture.labels));
const feature = float32([2, 3], fixture.feature);
const wanted = float32([2, 3], fixture.wanted);
const feeds = { logits, teacher, labels, feature, wanted };

/** The loss that `make` makes of these values, and its gradients by `of`. */
function evaluate(make: (builder: GraphBuilder) => string, of: readonly string[] = []) {
  const builder = new GraphBuilder();
  for (const [name, { dtype, shape }] of Object.entries(feeds))
    builder.input(name, { dtype, shape });
  const loss = make(builder);
  const gradients = appendGradients(builder, loss, of);
  const outputs = [loss, ...of.map((name) => gradients.get(name) ?? "")];
  const graph = bindShapes(builder.build("loss", Object.keys(feeds), outputs), new Map());
  const values = interpret(graph, feeds);
  expect(graph.values.get(loss)).toMatchObject({ dtype: "float32", shape: [] });
  const [first = [], ...rest] = outputs.map((name) => toNumbers(values.get(name)!));
  return { loss: first[0], gradients: rest };
}

/** f32 of numbers around 1, after a few f32 operations. */
function expectNear(
  got: { loss: number | undefined; gradients: readonly (readonly number[])[] },
  want: { loss: number; gradients: readonly (readonly number[])[] },
) {
  expect(got.loss).toBeCloseTo(want.loss, 5);
  expect(got.gradients.length).toBe(want.gradients.length);
  want.gradients.forEach((gradient, index) => {
    gradient.forEach((value, at) => expect(got.gradients[index]?.[at]).toBeCloseTo(value, 6));
  });
}

describe("losses are PyTorch's", () => {
  it.each(fixture.crossEntropy)(
    "crossEntropy with label smoothing $labelSmoothing, labels −100 not counted",
    ({ labelSmoothing, ...want }) => {
      const { loss } = evaluate((builder) =>
        crossEntropy(builder, "logits", "labels", { labelSmoothing }),
      );
      const share = 1 / fixture.labels.filter((label) => label >= 0).length;
      const dY = float32([rows], new Float32Array(rows).fill(share));
      const gradient = numbers({ op: "CrossEntropyGrad", labelSmoothing }, [logits, labels, dY]);
      expectNear({ loss, gradients: [gradient] }, want);
    },
  );

  it("mse", () => {
    const difference = feature.data.map((value, at) => value - (wanted.data[at] ?? 0));
    const mean = difference.reduce((sum, d) => sum + d * d, 0) / difference.length;
    expect(evaluate((builder) => mse(builder, "feature", "wanted")).loss).toBeCloseTo(mean, 5);
    expect(fixture.mse.loss).toBeCloseTo(mean, 5);
  });

  it("distillation: KL at a temperature, and features", () => {
    const features = [{ student: "feature", teacher: "wanted", weight: fixture.weight }];
    const { temperature } = fixture;
    const { loss } = evaluate((builder) =>
      distillation(builder, { student: "logits", teacher: "teacher", temperature, features }),
    );
    expect(loss).toBeCloseTo(fixture.distillation.loss, 4);
  });

  it("a loss of several is their weighted sum", () => {
    const { loss } = evaluate((builder) =>
      weighted(builder, [
        { loss: crossEntropy(builder, "logits", "labels"), weight: 1 },
        { loss: mse(builder, "feature", "wanted"), weight: 0.25 },
      ]),
    );
    expect(loss).toBeCloseTo(fixture.crossEntropy[0]!.loss + 0.25 * fixture.mse.loss, 5);
  });

  it("accuracy counts the rows that count", () => {
    const { loss } = evaluate((builder) => accuracy(builder, "logits", "labels"));
    expect(loss).toBeCloseTo(fixture.accuracy, 6);
  });
});

describe("CrossEntropy refuses", () => {
  const logits = tensor("float32", [2, 3]);
  const refused = (labels: Tensor) =>
    expect(() => run({ op: "CrossEntropy", labelSmoothing: 0 }, [logits, labels]));
  const int32 = (data: readonly number[]) => tensor("int32", [data.length], Int32Array.from(data));

  it("a label past the classes", () => {
    refused(int32([0, 3])).toThrowErrorMatchingInlineSnapshot(
      `[InputError: CrossEntropy "node": labels must be in 0 … 2; got 3. Check the inputs that these come from.]`,
    );
  });
  it("a label below 0 that is not −100", () => {
    refused(int32([-1, 0])).toThrowErrorMatchingInlineSnapshot(
      `[InputError: CrossEntropy "node": labels must be in 0 … 2; got -1. Check the inputs that these come from.]`,
    );
  });
  it("another number of labels than of rows", () => {
    refused(int32([0, 1, 2])).toThrowErrorMatchingInlineSnapshot(
      `[InputError: CrossEntropy "node": labels must have shape [2]; got [3] for logits [2, 3]. Pass one label for each row.]`,
    );
  });
  it("labels that are not integers", () => {
    refused(float32([2], [0, 1])).toThrowErrorMatchingInlineSnapshot(
      `[InputError: CrossEntropy "node": labels must be int32 or int64; got float32. Insert a Cast.]`,
    );
  });
});
