// What the reference ops share: a tensor's elements as f64, broadcasting, and the one rounding at
// the end. The reference is the most accurate oracle that is still plain to read: sums run in f64
// (products of two f32 or two int8 are exact in it) and each output element is rounded to f32 once.

import { boundAt, isPerChannel } from "../graph/clamp.ts";
import type { ChannelClamp, Node } from "../graph/node.ts";
import { inferShapes, nodeError } from "../graph/shapes.ts";
import { clamp } from "../tensor/rounding.ts";
import { float32, formatShape, sizeOf, stridesOf, type Tensor } from "../tensor/tensor.ts";

/** The way out of shapes that do not fit together. */
export const WRONG_SHAPES = "Check the model file; its shapes contradict each other.";

/** Numbers in f64, row-major: the reals of a float tensor, or q − zeroPoint of a quantized one. */
export interface Reals {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** The elements of `value` less `zeroPoint`, exactly. */
export function realsOf(value: Tensor, zeroPoint = 0): Reals {
  const { data } = value;
  const exact =
    data instanceof BigInt64Array ? Float64Array.from(data, Number) : new Float64Array(data);
  return { shape: value.shape, data: zeroPoint === 0 ? exact : exact.map((q) => q - zeroPoint) };
}

/** Element → its channel, which is axis 1 of `shape`. */
export function channelsOf(shape: readonly number[]): (index: number) => number {
  const inner = sizeOf(shape.slice(2));
  const channels = shape[1] ?? 1;
  return (index) => Math.floor(index / inner) % channels;
}

/** Each sum clamped to the bounds of its channel (real units) and rounded once to f32. */
export function rounded({ shape, data }: Reals, clamps: ChannelClamp = {}): Tensor<"float32"> {
  const channelOf = isPerChannel(clamps) ? channelsOf(shape) : () => 0;
  const clamped = data.map((sum, index) => {
    const channel = channelOf(index);
    const low = boundAt(clamps.low, channel) ?? -Infinity;
    return clamp(sum, low, boundAt(clamps.high, channel) ?? Infinity);
  });
  return float32(shape, new Float32Array(clamped));
}

/** Input `index` of `node` as f64; an InputError names the node where it is absent or not
 *  float32. */
export function floatInput(node: Node, inputs: readonly Tensor[], index: number): Reals {
  const value = inputAt(node, inputs, index);
  if (value.dtype === "float32") return realsOf(value);
  throw nodeError(
    node,
    `input ${index} must be float32`,
    `${value.dtype}${formatShape(value.shape)}`,
    "Insert a Cast or a Dequantize before it.",
  );
}

/** Input `index` of `node`, or an InputError that names the node. */
export function inputAt<T>(node: Node, inputs: readonly T[], index: number): T {
  const value = inputs[index];
  if (value !== undefined) return value;
  throw nodeError(
    node,
    `input ${index} is needed`,
    `${inputs.length} input(s)`,
    "Check the model file or the pass that made this node.",
  );
}

/** The shape of output 0, every size known. */
export function outputShape(node: Node, inputs: readonly { shape: readonly number[] }[]): number[] {
  const [shape = []] = inferShapes(
    node,
    inputs.map((input) => input.shape),
  );
  return shape.map((dim) => {
    if (typeof dim === "number") return dim;
    throw new Error(`reference: size "${dim}" of "${node.name}" is unbound; please report.`);
  });
}

/** Calls `visit` with the coordinates of each element of `shape` in row-major order. The array is
 *  reused between calls. */
export function forEachIndex(
  shape: readonly number[],
  visit: (at: readonly number[], index: number) => void,
): void {
  const at = shape.map(() => 0);
  const size = sizeOf(shape);
  for (let index = 0; index < size; index++) {
    visit(at, index);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at[axis] = (at[axis] ?? 0) + 1;
      if ((at[axis] ?? 0) < (shape[axis] ?? 0)) break;
      at[axis] = 0;
    }
  }
}

/** For each element of `to`, the element of `from` that numpy broadcasting puts there. */
export function broadcastIndices(from: readonly number[], to: readonly number[]): Uint32Array {
  const strides = stridesOf(from);
  const skipped = to.length - from.length; // leading axes that `from` does not have
  const indices = new Uint32Array(sizeOf(to));
  forEachIndex(to, (at, index) => {
    let source = 0;
    for (let axis = 0; axis < from.length; axis++) {
      if (from[axis] !== 1) source += (strides[axis] ?? 0) * (at[axis + skipped] ?? 0);
    }
    indices[index] = source;
  });
  return indices;
}

/** `from` repeated to `shape` by numpy broadcasting; an InputError names the node where it
 *  cannot be. */
export function broadcast(node: Node, from: Reals, shape: readonly number[]): Float64Array {
  const skipped = shape.length - from.shape.length;
  const fits = from.shape.every((dim, axis) => dim === 1 || dim === shape[axis + skipped]);
  if (!fits) {
    throw nodeError(
      node,
      `an operand must broadcast to ${formatShape(shape)}`,
      formatShape(from.shape),
      WRONG_SHAPES,
    );
  }
  return Float64Array.from(
    broadcastIndices(from.shape, shape),
    (source) => from.data[source] ?? NaN,
  );
}

/** One number per channel, checked against the number of channels. */
export function perChannel(node: Node, value: Reals, channels: number): Float64Array {
  if (value.data.length === channels) return value.data;
  throw nodeError(
    node,
    `per-channel operands need ${channels} elements`,
    formatShape(value.shape),
    WRONG_SHAPES,
  );
}
