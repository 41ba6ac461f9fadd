// Fake-quantization in training: forward (7), its straight-through gradient (18), the gradients of learned
// scales and zero points (20), and the observer that chooses them. One idea: every element has the scale and
// zero point of its slice, rounded to what is used before anything else.

import { passesGradient, quantizeValue, roundFused } from "../graph/arithmetic.ts";
import type { FakeQuantized } from "../graph/fakeQuantized.ts";
import type { Node, NodeOf } from "../graph/node.ts";
import { movingAverage, paramsOfRange } from "../graph/qparams.ts";
import { clamp, fl, rint } from "../tensor/rounding.ts";
import { float32, sizeOf, stridesOf, type Tensor } from "../tensor/tensor.ts";
import { floatInput } from "./operands.ts";

interface Used {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** The slice of `axis` that element `index` of `shape` lies in. */
function sliceOf(shape: readonly number[], axis: number | undefined): (index: number) => number {
  if (axis === undefined) return () => 0;
  const [stride = 1, count = 1] = [stridesOf(shape)[axis], shape[axis]];
  return (index) => Math.floor(index / stride) % count;
}

/** z = clamp(rint(zf), qmin, qmax), s ≥ eps: docs/quantization.md (19), for every slice. */
function usedParams(
  node: Node & FakeQuantized,
  inputs: readonly Tensor[],
  scaleAt: number,
): readonly Used[] {
  const { qmin, qmax, eps = 0 } = node;
  const zeroPoints = floatInput(node, inputs, scaleAt + 1).data;
  return Array.from(floatInput(node, inputs, scaleAt).data, (scale, slice) => ({
    scale: Math.max(scale, fl(eps)),
    zeroPoint: clamp(rint(zeroPoints[slice] ?? 0), qmin, qmax),
  }));
}

const unused: Used = { scale: NaN, zeroPoint: 0 };

/** docs/quantization.md (7): dequantize(quantize(x)). */
export function fakeQuantize(node: NodeOf<"FakeQuantize">, inputs: readonly Tensor[]): Tensor {
  const { shape, data } = floatInput(node, inputs, 0);
  const { qmin, qmax, axis } = node;
  const used = usedParams(node, inputs, 1);
  const slice = sliceOf(shape, axis);
  const quantized = data.map((x, index) => {
    const { scale, zeroPoint } = used[slice(index)] ?? unused;
    return fl((quantizeValue(x, scale, zeroPoint, qmin, qmax) - zeroPoint) * scale);
  });
  return float32(shape, quantized);
}

/** dY where the forward pass did not clamp x, else 0, (18); with three outputs (20). */
export function fakeQuantizeGrad(
  node: NodeOf<"FakeQuantizeGrad">,
  inputs: readonly Tensor[],
): Tensor[] {
  if (node.outputs.length > 1) return learnedGrad(node, inputs);
  const x = floatInput(node, inputs, 0);
  const gradient = floatInput(node, inputs, 1);
  const { qmin, qmax, axis } = node;
  const used = usedParams(node, inputs, 2);
  const slice = sliceOf(x.shape, axis);
  const passed = gradient.data.map((dY, index) => {
    const { scale, zeroPoint } = used[slice(index)] ?? unused;
    return passesGradient(x.data[index] ?? NaN, scale, zeroPoint, qmin, qmax) ? dY : 0;
  });
  return [float32(x.shape, passed)];
}

/** inside: dX = dY, dS = dY · (x̂ − x) · r · g; outside: dS = dY · (bound − z) · g, dZ = −dY · s · g; sums in f64.
 *                                                                          docs/quantization.md (20) */
function learnedGrad(node: NodeOf<"FakeQuantizeGrad">, inputs: readonly Tensor[]): Tensor[] {
  const x = floatInput(node, inputs, 0);
  const gradient = floatInput(node, inputs, 1);
  const [scales, zeroPoints] = [floatInput(node, inputs, 2), floatInput(node, inputs, 3)];
  const { qmin, qmax, axis, gradientScale: g = 1 } = node;
  const used = usedParams(node, inputs, 2);
  const slice = sliceOf(x.shape, axis);
  const dX = new Float32Array(x.data.length);
  const dScale = new Float64Array(used.length);
  const dZero = new Float64Array(used.length);
  gradient.data.forEach((dY, index) => {
    const at = slice(index);
    const { scale, zeroPoint } = used[at] ?? unused;
    const value = x.data[index] ?? NaN;
    const u = roundFused(value, scale, zeroPoint);
    if (u >= qmin && u <= qmax) {
      dX[index] = dY;
      const error = fl((u - zeroPoint) * scale) - value;
      dScale[at] = (dScale[at] ?? 0) + (dY * error * g) / scale;
    } else {
      const bound = u < qmin ? qmin : qmax;
      dScale[at] = (dScale[at] ?? 0) + dY * (bound - zeroPoint) * g;
      dZero[at] = (dZero[at] ?? 0) - dY * scale * g;
    }
  });
  return [
    float32(x.shape, dX),
    float32(scales.shape, Float32Array.from(dScale)),
    float32(zeroPoints.shape, Float32Array.from(dZero)),
  ];
}

/** The new range, scale and zero point, in the order of the node's variables. */
export function movingAverageObserve(
  node: NodeOf<"MovingAverageObserve">,
  inputs: readonly Tensor[],
): Tensor[] {
  const x = floatInput(node, inputs, 0);
  const range = floatInput(node, inputs, 1);
  const [scales, zeroPoints] = [floatInput(node, inputs, 2), floatInput(node, inputs, 3)];
  const count = sizeOf(scales.shape);
  const least = new Float32Array(count).fill(Infinity);
  const greatest = new Float32Array(count).fill(-Infinity);
  const slice = sliceOf(x.shape, node.axis);
  x.data.forEach((value, index) => {
    const at = slice(index);
    least[at] = Math.min(least[at] ?? value, value);
    greatest[at] = Math.max(greatest[at] ?? value, value);
  });
  const constant = node.averagingConstant;
  const move = (before: Float64Array, now: Float32Array) =>
    constant === undefined
      ? now
      : now.map((current, at) => movingAverage(before[at] ?? Infinity, current, constant));
  const min = move(range.data.slice(0, count), least);
  const max = move(range.data.slice(count), greatest);
  const chosen = Array.from(min, (low, at) => paramsOfRange(node, low, max[at] ?? NaN));
  const both = new Float32Array(2 * count);
  both.set(min);
  both.set(max, count);
  return [
    float32(range.shape, both),
    float32(
      scales.shape,
      Float32Array.from(chosen, ({ scale }) => scale),
    ),
    float32(
      zeroPoints.shape,
      Float32Array.from(chosen, ({ zeroPoint }) => zeroPoint),
    ),
  ];
}
