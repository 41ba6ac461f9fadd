// The verb on models that are written down here: what each task counts, that state is carried, and what
// labels and outputs are refused.

import { expect, it } from "vitest";
import { WebGpuQuantError } from "../../src/errors.ts";
import { evaluate, type EvaluateOptions, type LabelledBatch } from "../../src/evaluate.ts";
import type { Session } from "../../src/session.ts";
import { float32, type Tensors } from "../../src/tensor/tensor.ts";

/** A session of inputs `x` (batch) and `h` (1, batch) that gives `y` and `hOut`, as `step` says. */
function session(step: (inputs: Tensors) => Tensors): Session {
  const value = (shape: (string | number)[]) => ({ dtype: "float32", shape }) as const;
  const values = new Map([
    ["x", value(["batch"])],
    ["h", value([1, "batch"])],
    ["y", value(["batch", 3])],
    ["hOut", value([1, "batch"])],
  ]);
  const graph = { inputs: ["x", "h"], outputs: ["y", "hOut"], values };
  const run = (inputs: Tensors) => Promise.resolve(step(inputs));
  return { graph, program: () => Promise.resolve(), run } as unknown as Session;
}

const rows = (...values: number[][]) =>
  session(({ x }) => {
    const picked = Array.from(x!.data as Float32Array, (index) => values[index]!);
    return { y: float32([picked.length, picked[0]!.length], picked.flat()) };
  });
const data = (...labels: number[]): LabelledBatch[] => [
  { tensors: { x: float32([labels.length], [...labels.keys()]) }, labels },
];

async function messageOf(labels: number[], of: Session, options: EvaluateOptions = {}) {
  try {
    await evaluate(of, data(...labels), options);
  } catch (error) {
    if (error instanceof WebGpuQuantError) return `${error.name}: ${error.message}`;
    throw error;
  }
  throw new Error("nothing was thrown");
}

it("classification leaves ignored labels out, and compares every row with the reference", async () => {
  const own = rows([1, 2, 0], [5, 1, 2], [0, 0, 9]);
  const reference = rows([1, 2, 0], [5, 1, 2], [9, 0, 0]);
  const found = await evaluate(own, data(1, 2, -100), { reference });
  expect(found).toMatchObject({ count: 2, top1: 50, top5: 100, agreement: 100, referenceTop1: 50 });
  expect(found.sqnrDb).toBeCloseTo(10 * Math.log10((5 + 30 + 81) / (2 * 81)), 10); // exact in f64
});

it("a language model's perplexity is the exponential of its mean cross-entropy", async () => {
  const found = await evaluate(rows([0, 0, 0], [0, 0, Math.log(2)], [7, 7, 7]), data(1, 2, -100), {
    task: "language-model",
  });
  const nats = (Math.log(3) + Math.log(2)) / 2; // 1/3 and 2/4
  expect(found).toMatchObject({ count: 2, top1: 50 });
  expect(found.crossEntropy).toBeCloseTo(nats, 6); // ln 2 was rounded to f32
  expect(found.perplexity).toBeCloseTo(Math.sqrt(6), 6);
});

it("greatest logits of 1e4 do not overflow the likelihood", async () => {
  const found = await evaluate(rows([1e4, 0, 0]), data(1), { task: "language-model" });
  expect(found.crossEntropy).toBe(1e4);
});

it("binary counts sides of a half, ranks for the area, and measures against soft labels", async () => {
  const own = rows([0.9], [0.4], [0.4], [0.1]);
  const reference = rows([0.8], [0.6], [0.4], [0.1]);
  const hard = await evaluate(own, data(1, 1, 0, 0), { task: "binary", reference });
  expect(hard).toMatchObject({ accuracy: 75, auc: 3.5 / 4, agreement: 75, referenceAccuracy: 100 });
  expect(hard.largestDifference).toBeCloseTo(0.2, 6); // of f32 probabilities
  expect(hard).not.toHaveProperty("largestError");
  const soft = await evaluate(own, data(1, 0.75, 0.25, 0), { task: "binary" });
  expect(soft).toMatchObject({ accuracy: 75, auc: 3.5 / 4 });
  expect(soft.largestError).toBeCloseTo(0.35, 6);
});

it("logits of a binary model become probabilities when they are called so", async () => {
  const found = await evaluate(rows([-2], [3]), data(0, 1), { task: "binary", logits: true });
  expect(found).toMatchObject({ accuracy: 100, auc: 1 });
});

it("the area of labels on one side is no number", async () => {
  const found = await evaluate(rows([0.2], [0.3]), data(0, 0), { task: "binary" });
  expect([found.accuracy, found.auc]).toEqual([100, NaN]);
});

it("state goes from run to run, apart for the reference, and is zero where a sequence starts", async () => {
  const seen: number[][] = [];
  const counter = (step: number) =>
    session(({ x, h }) => {
      seen.push(Array.from(h!.data as Float32Array));
      expect(h!.shape).toEqual([1, x!.shape[0]]);
      const hOut = float32(
        h!.shape,
        (h!.data as Float32Array).map((value) => value + step),
      );
      return { y: float32([2, 1], [0, 0]), hOut };
    });
  const batch = (starts?: boolean): LabelledBatch => ({
    tensors: { x: float32([2], [0, 0]) },
    labels: [0, 0],
    ...(starts === undefined ? {} : { starts }),
  });
  await evaluate(counter(1), [batch(), batch(), batch(true), batch()], {
    reference: counter(10),
    state: { h: "hOut" },
  });
  const column = [0, 0, 1, 10, 0, 0, 1, 10];
  expect(seen).toEqual(column.map((value) => [value, value]));
});

it("labels, outputs and names that do not fit are refused", async () => {
  const three = rows([0, 1, 2]);
  const task = "language-model";
  expect(await messageOf([3], three, { task })).toMatchInlineSnapshot(
    `"InputError: evaluate: the label of position 0 must be a token from 0 to 2; got 3. Check the labels; those of −100 are ignored."`,
  );
  expect(await messageOf([0], rows([NaN, 1, 2]), { task })).toMatchInlineSnapshot(
    `"NonFiniteError: evaluate: batch 0, output "y": must be finite; got NaN at index 0. Check the preprocessing of that batch and the model's weights."`,
  );
  expect(await messageOf([-100], three, { task })).toMatchInlineSnapshot(
    `"InputError: evaluate: data must hold at least one labelled sample; got none. Check the data source."`,
  );
  expect(await messageOf([0], three, { task: "binary" })).toMatchInlineSnapshot(
    `"InputError: evaluate: a binary model gives one number a label; got 3. Evaluate it as a classification."`,
  );
  expect(await messageOf([0], rows([1.5]), { task: "binary" })).toMatchInlineSnapshot(
    `"InputError: evaluate: output 0 must be a probability from 0 to 1; got 1.5. Where the model gives logits, say so: logits."`,
  );
  expect(await messageOf([2], rows([0.5]), { task: "binary" })).toMatchInlineSnapshot(
    `"InputError: evaluate: label 0 must be 0, 1 or a probability between; got 2. Check the labels; those of −100 are ignored."`,
  );
  expect(await messageOf([0], three, { output: "z" })).toMatchInlineSnapshot(
    `"InputError: evaluate: the model has no output "z" to judge; got outputs y, hOut. Name one of them."`,
  );
  expect(await messageOf([0], three, { state: { h9: "hOut" } })).toMatchInlineSnapshot(
    `"InputError: evaluate: state: the model has no input "h9"; got inputs x, h. Name an input and the output that feeds it."`,
  );
  expect(await messageOf([0], three, { state: { h: "out" } })).toMatchInlineSnapshot(
    `"InputError: evaluate: state: the model has no output "out"; got outputs y, hOut. Did you mean "hOut"?"`,
  );
  const uneven = session(() => ({ y: float32([3], [1, 2, 3]) }));
  expect(await messageOf([0, 1], uneven)).toMatchInlineSnapshot(
    `"InputError: evaluate: batch 0: 2 label(s) must divide the output evenly, the reference's alike; got 3 values. Give one label a row of the output."`,
  );
  const task2 = "regression" as "binary";
  expect(await messageOf([0], three, { task: task2 })).toMatchInlineSnapshot(
    `"InputError: evaluate: task must be classification, language-model or binary; got regression. Choose one."`,
  );
});
