// What makes many elements one along axes: the Reduce ops, GlobalAveragePool over all axes after the second, and
// the places of greatest and least elements.

import { reductions, type Reduction } from "../graph/functions.ts";
import type { ArgReduce, NodeOf, Reduce } from "../graph/node.ts";
import { float32, sizeOf, stridesOf, tensor, type Tensor } from "../tensor/tensor.ts";
import { floatInput, forEachIndex, outputShape, rounded, type Reals } from "./operands.ts";
import { means, type Sums } from "./pool.ts";

type Mean = NodeOf<"ReduceMean" | "GlobalAveragePool">;

/** Calls `visit` with each element's index and that of the element of the result it is reduced to. */
function forEachReduced(
  shape: readonly number[],
  axes: readonly number[],
  visit: (index: number, target: number, at: readonly number[]) => void,
): void {
  const strides = stridesOf(shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim)));
  forEachIndex(shape, (at, index) => {
    const target = at.reduce(
      (sum, place, axis) => sum + (axes.includes(axis) ? 0 : place * (strides[axis] ?? 0)),
      0,
    );
    visit(index, target, at);
  });
}

/** The totals over `axes`, not finished. */
function totals(x: Reals, axes: readonly number[], { start, term, join }: Reduction) {
  const size = sizeOf(x.shape.filter((_, axis) => !axes.includes(axis)));
  const data = new Float64Array(size).fill(start);
  forEachReduced(x.shape, axes, (index, target) => {
    data[target] = join(data[target] ?? NaN, term(x.data[index] ?? NaN));
  });
  return { data, count: sizeOf(axes.map((axis) => x.shape[axis] ?? 1)) };
}

/** Sum over the reduced axes, each over the same number of elements. */
export function reduceSums(node: Mean, x: Reals): Sums {
  const axes =
    node.op === "ReduceMean"
      ? node.axes
      : x.shape.map((_, axis) => axis).filter((axis) => axis > 1);
  const { data, count } = totals(x, axes, reductions.ReduceSum);
  return { shape: outputShape(node, [x]), data, counts: data.map(() => count) };
}

/** Float GlobalAveragePool. The mean over an empty axis is 0. */
export function globalMean(
  node: NodeOf<"GlobalAveragePool">,
  inputs: readonly Tensor[],
): Tensor<"float32"> {
  return rounded(means(reduceSums(node, floatInput(node, inputs, 0))));
}

/** A float Reduce: graph/functions.ts in f64, rounded once. */
export function reduce(node: Reduce, inputs: readonly Tensor[]): Tensor<"float32"> {
  const x = floatInput(node, inputs, 0);
  const reduction = reductions[node.op];
  const { data, count } = totals(x, node.axes, reduction);
  const results = data.map((total) => reduction.finish(total, count));
  return float32(outputShape(node, [x]), new Float32Array(results));
}

/** ArgMax and ArgMin of floats. */
export function argReduce(node: ArgReduce, inputs: readonly Tensor[]): Tensor<"int64"> {
  const x = floatInput(node, inputs, 0);
  const shape = outputShape(node, [x]);
  const best = new Float64Array(sizeOf(shape)).fill(NaN);
  const places = new BigInt64Array(best.length);
  const isBetter = (value: number, than: number) =>
    Number.isNaN(value) ? !Number.isNaN(than) : node.op === "ArgMax" ? value > than : value < than;
  const isSame = (a: number, b: number) => a === b || (Number.isNaN(a) && Number.isNaN(b));
  forEachReduced(x.shape, [node.axis], (index, target, at) => {
    const [value, place] = [x.data[index] ?? NaN, at[node.axis] ?? 0];
    const than = best[target] ?? NaN;
    const wins = isBetter(value, than) || (node.selectLastIndex && isSame(value, than));
    if (place > 0 && !wins) return;
    best[target] = value;
    places[target] = BigInt(place);
  });
  return tensor("int64", shape, places);
}
