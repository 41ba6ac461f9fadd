// Batch normalization by the batch's own statistics, its gradient, and the running statistics:
// docs/quantization.md (70) – (72), with the sums written out in f64.

import type { BatchNormGrad, BatchNormTraining, UpdateRunning } from "../graph/gradients.ts";
import type { Clamp } from "../graph/node.ts";
import { sizeOf, type Tensor } from "../tensor/tensor.ts";
import { floatInput, perChannel, rounded, type Reals } from "./operands.ts";

/** Which channel each element of x (B, C, …) is of, and how many of them each channel has. */
function channelsOf({ shape }: Reals) {
  const [batch = 1, channels = 1, ...space] = shape;
  const inner = sizeOf(space);
  return {
    channels,
    count: batch * inner,
    of: (index: number) => Math.floor(index / inner) % channels,
  };
}

/** Σ term(i) over the elements i of each channel. */
function channelSums(x: Reals, term: (index: number, channel: number) => number): Float64Array {
  const { channels, of } = channelsOf(x);
  const sums = new Float64Array(channels);
  x.data.forEach((_, index) => {
    const channel = of(index);
    sums[channel] = (sums[channel] ?? 0) + term(index, channel);
  });
  return sums;
}

const at = (values: Float64Array | undefined, index: number): number => values?.[index] ?? NaN;

const isInside = (y: number, { low = -Infinity, high = Infinity }: Clamp): boolean =>
  low < y && y < high;

/** (70). inputs: x, scale, bias, divisor?. outputs: y, mean, variance. */
export function batchNormTraining(
  node: BatchNormTraining,
  inputs: readonly Tensor[],
): Tensor<"float32">[] {
  const x = floatInput(node, inputs, 0);
  const { channels, count, of } = channelsOf(x);
  const [scale, bias, divisor] = inputs
    .slice(1)
    .map((_, index) => perChannel(node, floatInput(node, inputs, index + 1), channels));
  const u = x.data.map((value, i) => value / (divisor ? at(divisor, of(i)) : 1));
  const mean = channelSums(x, (i) => at(u, i)).map((sum) => sum / count);
  const variance = channelSums(x, (i, c) => (at(u, i) - at(mean, c)) ** 2).map(
    (sum) => sum / count,
  );
  const data = u.map((value, i) => {
    const c = of(i);
    const normal = (value - at(mean, c)) / Math.sqrt(at(variance, c) + node.epsilon);
    return normal * at(scale, c) + at(bias, c);
  });
  const statistics = [mean, variance].map((values) => rounded({ shape: [channels], data: values }));
  return [rounded({ shape: x.shape, data }, node), ...statistics];
}

/** (71). inputs: dY, x, scale, bias, mean, variance, divisor?. outputs: dX, dScale, dBias, dDivisor?. */
export function batchNormGrad(node: BatchNormGrad, inputs: readonly Tensor[]): Tensor<"float32">[] {
  const [dY, x] = [floatInput(node, inputs, 0), floatInput(node, inputs, 1)];
  const { channels, count, of } = channelsOf(x);
  const [scale, bias, mean, variance, divisor] = inputs
    .slice(2)
    .map((_, index) => perChannel(node, floatInput(node, inputs, index + 2), channels));
  const inverse = Float64Array.from({ length: channels }, (_, c) => {
    return 1 / Math.sqrt(at(variance, c) + node.epsilon);
  });
  const by = (c: number) => (divisor ? at(divisor, c) : 1);
  const u = x.data.map((value, i) => value / by(of(i)));
  const normal = u.map((value, i) => (value - at(mean, of(i))) * at(inverse, of(i)));
  const gradient = dY.data.map((value, i) => {
    const y = at(normal, i) * at(scale, of(i)) + at(bias, of(i));
    return isInside(y, node) ? value : 0;
  });
  const dBias = channelSums(x, (i) => at(gradient, i));
  const dScale = channelSums(x, (i) => at(gradient, i) * at(normal, i));
  const dU = gradient.map((value, i) => {
    const c = of(i);
    const through = node.frozen ? 0 : (at(dBias, c) + at(normal, i) * at(dScale, c)) / count;
    return at(scale, c) * at(inverse, c) * (value - through);
  });
  const dX = rounded({ shape: x.shape, data: dU.map((value, i) => value / by(of(i))) });
  // Σ −dU · u / divisor. Without epsilon a scaled x would change nothing, so of that sum this is left.
  const dDivisor = dScale.map(
    (value, c) => (-at(scale, c) * node.epsilon * at(inverse, c) ** 2 * value) / by(c),
  );
  const perChannels = [dScale, dBias, ...(divisor ? [dDivisor] : [])];
  return [dX, ...perChannels.map((data) => rounded({ shape: [channels], data }))];
}

/** (72): what runningMean and runningVariance become, by the index of the input. */
export function updateRunning(
  node: UpdateRunning,
  inputs: readonly Tensor[],
): readonly (readonly [number, Tensor])[] {
  const { momentum, count } = node;
  const move = (index: number, factor: number): readonly [number, Tensor] => {
    const [running, batch] = [floatInput(node, inputs, index), floatInput(node, inputs, index + 2)];
    const data = running.data.map(
      (value, c) => (1 - momentum) * value + momentum * factor * at(batch.data, c),
    );
    return [index, rounded({ shape: running.shape, data })];
  };
  return [move(0, 1), move(1, count / (count - 1))];
}
