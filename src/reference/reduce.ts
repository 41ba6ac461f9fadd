// Means over whole axes: ReduceMean over those it lists, GlobalAveragePool over all after the
// second.

import type { NodeOf } from "../graph/node.ts";
import { sizeOf, stridesOf, type Tensor } from "../tensor/tensor.ts";
import { floatInput, forEachIndex, outputShape, rounded, type Reals } from "./operands.ts";
import { means, type Sums } from "./pool.ts";

type Reduce = NodeOf<"ReduceMean" | "GlobalAveragePool">;

/** Sum over the reduced axes, each over the same number of elements. */
export function reduceSums(node: Reduce, x: Reals): Sums {
  const axes =
    node.op === "ReduceMean"
      ? node.axes
      : x.shape.map((_, axis) => axis).filter((axis) => axis > 1);
  const kept = x.shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim));
  const strides = stridesOf(kept);
  const data = new Float64Array(sizeOf(kept));
  forEachIndex(x.shape, (at, index) => {
    const target = at.reduce(
      (sum, place, axis) => sum + (axes.includes(axis) ? 0 : place * (strides[axis] ?? 0)),
      0,
    );
    data[target] = (data[target] ?? NaN) + (x.data[index] ?? NaN);
  });
  const count = axes.reduce((product, axis) => product * (x.shape[axis] ?? 1), 1);
  return { shape: outputShape(node, [x]), data, counts: data.map(() => count) };
}

/** Float ReduceMean or GlobalAveragePool. The mean over an empty axis is 0. */
export function reduceMean(node: Reduce, inputs: readonly Tensor[]): Tensor<"float32"> {
  return rounded(means(reduceSums(node, floatInput(node, inputs, 0))));
}
