// What training makes small, and what it counts, as nodes on a graph that is being built. Each function gives the
// name of a float32 scalar; a mean over rows is over those whose label counts (docs/quantization.md (75) – (78)).

import type { GraphBuilder } from "../graph/builder.ts";
import { IGNORED_LABEL } from "../graph/learning.ts";
import type { Node } from "../graph/node.ts";
import { float32, tensor, type Tensor } from "../tensor/tensor.ts";
import type { Fields } from "./backward.ts";

/** Adds nodes and constants with names of their own, all after one loss. */
function writer(builder: GraphBuilder, loss: string) {
  return {
    add: (fields: Fields): string => {
      const name = builder.fresh(`${loss}/${fields.op}`);
      return builder.add({ ...fields, name, outputs: [builder.fresh(`${name}:y`)] } as Node);
    },
    constant: (data: Tensor): string => builder.constant(builder.fresh(`${loss}/constant`), data),
  };
}
type Writer = ReturnType<typeof writer>;

const scalar = (value: number) => float32([], [value]);
const axesOf = (builder: GraphBuilder, name: string) =>
  builder.value(name).shape.map((_, axis) => axis);

/** Σ of all elements of `name`, and their mean. A picture's places first: each channel is a sum of its own, which
 *  a device does side by side. */
function reduceAll(
  builder: GraphBuilder,
  { add }: Writer,
  op: "ReduceSum" | "ReduceMean",
  name: string,
): string {
  const axes = axesOf(builder, name);
  if (axes.length === 0) return name;
  const places = axes.slice(2);
  const first =
    places.length === 0 ? name : add({ op, inputs: [name], axes: places, keepdims: false });
  return add({ op, inputs: [first], axes: axes.slice(0, 2), keepdims: false });
}

/** How many of `labels` count. */
function countOf(builder: GraphBuilder, write: Writer, labels: string): string {
  const { dtype } = builder.value(labels);
  const none =
    dtype === "int64"
      ? tensor("int64", [], BigInt64Array.of(BigInt(IGNORED_LABEL)))
      : tensor("int32", [], Int32Array.of(IGNORED_LABEL));
  const ignored = write.add({ op: "Equal", inputs: [labels, write.constant(none)] });
  const counts = write.add({ op: "Not", inputs: [ignored] });
  const ones = write.add({ op: "Cast", inputs: [counts], to: "float32" });
  return reduceAll(builder, write, "ReduceSum", ones);
}

/** The mean of CrossEntropy over the rows that count, as PyTorch's cross_entropy: docs/quantization.md (75).
 *  logits (…, C), labels (…) of int32 or int64, −100 where a row is not to count; NaN where none does. */
export function crossEntropy(
  builder: GraphBuilder,
  logits: string,
  labels: string,
  { labelSmoothing = 0 }: { readonly labelSmoothing?: number } = {},
): string {
  const write = writer(builder, "crossEntropy");
  const losses = write.add({ op: "CrossEntropy", inputs: [logits, labels], labelSmoothing });
  const total = reduceAll(builder, write, "ReduceSum", losses);
  return write.add({ op: "Div", inputs: [total, countOf(builder, write, labels)] });
}

/** The share of rows whose greatest logit is the label's, of those that count. Has no gradient. */
export function accuracy(builder: GraphBuilder, logits: string, labels: string): string {
  const write = writer(builder, "accuracy");
  const { add } = write;
  const axis = builder.value(logits).shape.length - 1;
  const flags = { axis, keepdims: false, selectLastIndex: false };
  const chosen = add({ op: "ArgMax", inputs: [logits], ...flags });
  const { dtype } = builder.value(labels);
  const places = dtype === "int64" ? chosen : add({ op: "Cast", inputs: [chosen], to: dtype });
  const hits = add({ op: "Equal", inputs: [places, labels] });
  const ones = add({ op: "Cast", inputs: [hits], to: "float32" });
  const total = reduceAll(builder, write, "ReduceSum", ones);
  return add({ op: "Div", inputs: [total, countOf(builder, write, labels)] });
}

/** The mean of (x − target)² over all elements. */
export function mse(builder: GraphBuilder, x: string, target: string): string {
  const write = writer(builder, "mse");
  const difference = write.add({ op: "Sub", inputs: [x, target] });
  const square = write.add({ op: "Mul", inputs: [difference, difference] });
  return reduceAll(builder, write, "ReduceMean", square);
}

/** Values of the student that are to come near the teacher's, of one shape. */
export interface FeaturePair {
  readonly student: string;
  readonly teacher: string;
  readonly weight: number;
}

export interface Distillation {
  /** Logits (…, C) of both. */
  readonly student: string;
  readonly teacher: string;
  /** T: what both logits are divided by. */
  readonly temperature: number;
  readonly features?: readonly FeaturePair[];
}

/** T² · mean over rows of KL(softmax(teacher / T) ‖ softmax(student / T)), and each pair's weight · mse:
 *  docs/quantization.md (77), (78); Hinton, Vinyals and Dean, arXiv 1503.02531, section 2. */
export function distillation(
  builder: GraphBuilder,
  { student, teacher, temperature, features = [] }: Distillation,
): string {
  const write = writer(builder, "distillation");
  const { add, constant } = write;
  const { shape } = builder.value(student);
  const axis = shape.length - 1;
  const inverse = constant(scalar(1 / temperature));
  const logOf = (logits: string) => {
    const cooled = add({ op: "Mul", inputs: [logits, inverse] });
    return add({ op: "LogSoftmax", inputs: [cooled], axis });
  };
  const [own, wanted] = [logOf(student), logOf(teacher)];
  const share = add({ op: "Exp", inputs: [wanted] });
  const gap = add({ op: "Sub", inputs: [wanted, own] });
  const terms = add({ op: "Mul", inputs: [share, gap] });
  const rows = add({ op: "ReduceSum", inputs: [terms], axes: [axis], keepdims: false });
  const divergence = reduceAll(builder, write, "ReduceMean", rows);
  return weighted(builder, [
    { loss: divergence, weight: temperature ** 2 },
    ...features.map((pair) => ({
      loss: mse(builder, pair.student, pair.teacher),
      weight: pair.weight,
    })),
  ]);
}

/** Σ weight · loss: a loss of several. */
export function weighted(
  builder: GraphBuilder,
  terms: readonly { readonly loss: string; readonly weight: number }[],
): string {
  const { add, constant } = writer(builder, "weighted");
  const scaled = terms.map(({ loss, weight }) =>
    weight === 1 ? loss : add({ op: "Mul", inputs: [loss, constant(scalar(weight))] }),
  );
  return scaled.reduce((a, b) => add({ op: "Add", inputs: [a, b] }));
}
