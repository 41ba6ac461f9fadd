// Softmax along one axis: exp(x − max) / Σ exp(x − max), so that no exponential overflows. LogSoftmax is its
// logarithm, x − max − log Σ exp(x − max), which does not underflow either.

import type { NodeOf } from "../graph/node.ts";
import { sizeOf, type Tensor } from "../tensor/tensor.ts";
import { floatInput, rounded } from "./operands.ts";

/** Float Softmax or LogSoftmax. */
export function softmax(
  node: NodeOf<"Softmax" | "LogSoftmax">,
  inputs: readonly Tensor[],
): Tensor<"float32"> {
  const { shape, data } = floatInput(node, inputs, 0);
  const axis = node.axis < 0 ? node.axis + shape.length : node.axis;
  const length = shape[axis] ?? 1;
  const inner = sizeOf(shape.slice(axis + 1)); // distance between neighbours along the axis
  const result = new Float64Array(data.length);
  for (let first = 0; first < data.length; first++) {
    if (Math.floor(first / inner) % length !== 0) continue; // not the first of its row
    const places = Array.from({ length }, (_, i) => first + i * inner);
    const greatest = places.reduce((most, place) => Math.max(most, data[place] ?? NaN), -Infinity);
    const powers = places.map((place) => Math.exp((data[place] ?? NaN) - greatest));
    const total = powers.reduce((sum, power) => sum + power, 0);
    places.forEach((place, i) => {
      result[place] =
        node.op === "Softmax"
          ? (powers[i] ?? NaN) / total
          : (data[place] ?? NaN) - greatest - Math.log(total);
    });
  }
  return rounded({ shape, data: result });
}
