// How a tensor lies in GPU memory. A layout follows from the shape alone: four axes (batch, channel,
// height, width) lie as batch, height, width, channel; others lie in their own order; the last
// physical axis is padded to a multiple of four, so that a word holds four of its elements. int8
// takes a byte an element and float32 four. Padding holds finite values that nobody may use.

import { allocate } from "../tensor/dtype.ts";
import { sizeOf } from "../tensor/tensor.ts";

/** Bytes of a word: four float32, or four int8. */
export type WordBytes = 16 | 4;

export interface Layout {
  /** The logical (ONNX) shape; a scalar counts as [1]. */
  readonly logical: readonly number[];
  /** Logical axis of each physical axis, outermost first. */
  readonly order: readonly number[];
  /** Sizes in physical order, the last one padded. */
  readonly physical: readonly number[];
  /** Elements of the last physical axis, padding excluded. */
  readonly last: number;
  /** Words of the last physical axis. */
  readonly lastWords: number;
  /** Words of the whole tensor. */
  readonly words: number;
}

/** The layout of `shape`. */
export function layoutOf(shape: readonly number[]): Layout {
  const logical = shape.length === 0 ? [1] : shape;
  const order = logical.length === 4 ? [0, 2, 3, 1] : logical.map((_, axis) => axis);
  const sizes = order.map((axis) => logical[axis] ?? 1);
  const last = sizes.at(-1) ?? 1;
  const lastWords = Math.ceil(last / 4);
  const physical = [...sizes.slice(0, -1), lastWords * 4];
  const words = physical.reduce((product, size) => product * size, 1) / 4;
  return { logical, order, physical, last, lastWords, words };
}

/** True where the axes longer than 1 lie in their logical order. */
export function keepsOrder({ logical, order }: Layout): boolean {
  const long = order.filter((axis) => logical[axis] !== 1);
  return long.every((axis, at) => at === 0 || axis > (long[at - 1] ?? -1));
}

/** True where the elements lie as in a dense row-major array: nothing moved, padding only at the end. */
export function isDense(layout: Layout): boolean {
  return keepsOrder(layout) && (layout.last % 4 === 0 || layout.words === layout.lastWords);
}

/** Strides in elements, per logical axis. */
export function elementStrides(layout: Layout): number[] {
  const strides = new Array<number>(layout.logical.length).fill(0);
  let stride = 1;
  for (let at = layout.order.length - 1; at >= 0; at--) {
    strides[layout.order[at] ?? 0] = stride;
    stride *= layout.physical[at] ?? 1;
  }
  return strides;
}

/** `values` aligned to `count` entries by `fill` in front. */
export function padFront<T>(values: readonly T[], count: number, fill: T): T[] {
  return [...new Array<T>(Math.max(0, count - values.length)).fill(fill), ...values];
}

/** Calls `visit` with the place in the layout of each element, in row-major order. */
function forEachPlace(layout: Layout, count: number, visit: (index: number, at: number) => void) {
  const strides = elementStrides(layout);
  const { logical } = layout;
  const counter = new Array<number>(logical.length).fill(0);
  let offset = 0;
  for (let index = 0; index < count; index++) {
    visit(index, offset);
    for (let axis = logical.length - 1; axis >= 0; axis--) {
      const next = (counter[axis] ?? 0) + 1;
      if (next < (logical[axis] ?? 1)) {
        counter[axis] = next;
        offset += strides[axis] ?? 0;
        break;
      }
      offset -= (counter[axis] ?? 0) * (strides[axis] ?? 0);
      counter[axis] = 0;
    }
  }
}

/** Elements that lie in the layout, row-major. */
export function unpackLayout<T extends Float32Array | Int32Array>(layout: Layout, stored: T): T {
  const out = stored.slice(0, sizeOf(layout.logical)) as T;
  forEachPlace(layout, out.length, (index, at) => (out[index] = stored[at] ?? 0));
  return out;
}

/** Host data (row-major) in the layout, padding 0. `shift` is subtracted from each element. */
export function packLayout(
  layout: Layout,
  data: ArrayLike<number>,
  kind: "float32" | "int32" | "int8",
  shift = 0,
): Float32Array | Int32Array | Int8Array {
  const out = allocate(kind, layout.words * 4);
  forEachPlace(layout, data.length, (index, at) => (out[at] = (data[index] ?? 0) - shift));
  return out;
}
