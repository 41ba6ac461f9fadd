// What the device delivers for one batch, computed plainly on the host: the oracle of the observer
// kernels, and the way weights are observed, which never leave the host.

import { InputError } from "../errors.ts";
import type { ObserverSpec } from "../graph/observer.ts";
import { formatShape, stridesOf, type Tensor } from "../tensor/tensor.ts";
import { binOf } from "./histogram.ts";
import type { BatchStatistics, HistogramBatch, MinMaxBatch, Statistics } from "./observers.ts";

/** One batch for `addBatch`. `statistics` are those of the batches before, which the histogram's
 *  range must include. Throws InputError on NaN, on ±Infinity and on a tensor without elements. */
export function observeTensor(
  spec: ObserverSpec,
  tensor: Tensor<"float32">,
  statistics: Statistics,
): BatchStatistics {
  const bad = tensor.data.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0 || tensor.data.length === 0) {
    throw new InputError(
      `observe: a tensor must have elements, all finite; got ` +
        (bad < 0 ? `none` : `${tensor.data[bad]} at index ${bad}`) +
        `. Check the preprocessing of the batch, or the weights.`,
    );
  }
  if ("axis" in spec && !(spec.axis < tensor.shape.length)) {
    throw new InputError(
      `observe: axis ${spec.axis} must be one of shape ${formatShape(tensor.shape)}; got an observer ` +
        `per axis ${spec.axis}. Observe this tensor per tensor, or name an axis that it has.`,
    );
  }
  switch (spec.kind) {
    case "minMax":
    case "movingAverageMinMax":
      return minMax(tensor, undefined);
    case "perChannelMinMax":
    case "movingAveragePerChannelMinMax":
      return minMax(tensor, spec.axis);
    case "histogram":
      return histogram(tensor, statistics, spec.bins ?? 2048);
    default:
      return spec satisfies never;
  }
}

function minMax(tensor: Tensor<"float32">, axis: number | undefined): MinMaxBatch {
  const channels = axis === undefined ? 1 : (tensor.shape[axis] ?? 1);
  const stride = axis === undefined ? 1 : (stridesOf(tensor.shape)[axis] ?? 1);
  const min = new Float32Array(channels).fill(Infinity);
  const max = new Float32Array(channels).fill(-Infinity);
  tensor.data.forEach((value, i) => {
    const channel = Math.floor(i / stride) % channels;
    if (value < (min[channel] ?? NaN)) min[channel] = value;
    if (value > (max[channel] ?? NaN)) max[channel] = value;
  });
  return { min, max };
}

function histogram(
  tensor: Tensor<"float32">,
  statistics: Statistics,
  bins: number,
): HistogramBatch {
  const seen = minMax(tensor, undefined);
  const min = seen.min[0] ?? NaN;
  const max = seen.max[0] ?? NaN;
  const [oldMin, oldMax] =
    statistics.kind === "histogram" ? [statistics.min, statistics.max] : [Infinity, -Infinity];
  const low = Math.min(min, oldMin);
  const high = Math.max(max, oldMax);
  const counts = new Uint32Array(bins);
  for (const value of tensor.data) {
    const bin = binOf(value, low, high, bins);
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return { min, max, low, high, counts };
}
