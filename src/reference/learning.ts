// Losses and what only gradients need, element by element. Sums run in f64 and are rounded once.

import {
  IGNORED_LABEL,
  type CrossEntropy,
  type CrossEntropyGrad,
  type GatherGrad,
} from "../graph/learning.ts";
import type { Node } from "../graph/node.ts";
import { nodeError } from "../graph/shapes.ts";
import { sizeOf, toNumbers, type Tensor } from "../tensor/tensor.ts";
import { floatInput, inputAt, outputShape, rounded } from "./operands.ts";

/** Integers of input `index`, each in least … greatest or `also`. */
function integersAt(
  node: Node,
  inputs: readonly Tensor[],
  index: number,
  what: string,
  [least, greatest]: readonly [number, number],
  also?: number,
): readonly number[] {
  const value = inputAt(node, inputs, index);
  if (value.dtype !== "int32" && value.dtype !== "int64")
    throw nodeError(node, `${what} must be int32 or int64`, value.dtype, "Insert a Cast.");
  const numbers = Array.from(toNumbers(value));
  const bad = numbers.find((n) => n !== also && (n < least || n > greatest));
  if (bad === undefined) return numbers;
  const rule = `${what} must be in ${least} … ${greatest}`;
  throw nodeError(node, rule, String(bad), "Check the inputs that these come from.");
}

/** docs/quantization.md (75). */
export function crossEntropy(node: CrossEntropy, inputs: readonly Tensor[]): Tensor<"float32"> {
  return rounded({ shape: outputShape(node, inputs), data: rows(node, inputs).losses });
}

/** docs/quantization.md (76). */
export function crossEntropyGrad(
  node: CrossEntropyGrad,
  inputs: readonly Tensor[],
): Tensor<"float32"> {
  const shape = outputShape(node, inputs);
  const dY = floatInput(node, inputs, 2).data;
  const { gradients, classes } = rows(node, inputs);
  const data = gradients.map((gradient, at) => gradient * (dY[Math.floor(at / classes)] ?? NaN));
  return rounded({ shape, data });
}

/** The loss of each row, and its gradient by the logits. */
function rows(node: CrossEntropy | CrossEntropyGrad, inputs: readonly Tensor[]) {
  const { shape, data } = floatInput(node, inputs, 0);
  const classes = shape.at(-1) ?? 1;
  const labels = integersAt(node, inputs, 1, "labels", [0, classes - 1], IGNORED_LABEL);
  const losses = new Float64Array(labels.length);
  const gradients = new Float64Array(data.length);
  const { labelSmoothing } = node;
  labels.forEach((label, row) => {
    if (label === IGNORED_LABEL) return;
    const logits = data.subarray(row * classes, (row + 1) * classes);
    const greatest = logits.reduce((most, logit) => Math.max(most, logit), -Infinity);
    const total = logits.reduce((sum, logit) => sum + Math.exp(logit - greatest), 0);
    logits.forEach((logit, c) => {
      const target = (c === label ? 1 - labelSmoothing : 0) + labelSmoothing / classes;
      const share = Math.exp(logit - greatest) / total;
      // 0 · ∞ is no loss: a class of no weight may have a logit of −∞.
      if (target !== 0)
        losses[row] = (losses[row] ?? 0) - target * (logit - greatest - Math.log(total));
      gradients[row * classes + c] = share - target;
    });
  });
  return { losses, gradients, classes };
}

/** dY added up by the index that picked it. */
export function gatherGrad(node: GatherGrad, inputs: readonly Tensor[]): Tensor<"float32"> {
  const dY = floatInput(node, inputs, 0);
  const { axis, size } = node;
  const indices = integersAt(node, inputs, 1, "indices", [-size, size - 1]);
  const shape = outputShape(node, inputs);
  const inner = sizeOf(shape.slice(axis + 1));
  const outer = sizeOf(shape.slice(0, axis));
  const data = new Float64Array(sizeOf(shape));
  for (let block = 0; block < outer; block++) {
    indices.forEach((index, place) => {
      const from = (block * indices.length + place) * inner;
      const to = (block * size + (index < 0 ? index + size : index)) * inner;
      for (let i = 0; i < inner; i++)
        data[to + i] = (data[to + i] ?? 0) + (dY.data[from + i] ?? NaN);
    });
  }
  return rounded({ shape, data });
}
