// How many places a window has along an axis, and how many elements a slice: plain numbers, for shapes and for
// whoever walks the elements.

import type { Window } from "./node.ts";

/** Output size of a window along one spatial axis, ONNX Conv/Pool. */
export function windowSize(size: number, window: Window, axis: 0 | 1, ceilMode = false): number {
  const before = window.pads[axis];
  const after = window.pads[axis + 2] ?? 0;
  const extent = window.dilations[axis] * (window.kernel[axis] - 1) + 1;
  const steps = (size + before + after - extent) / window.strides[axis];
  if (!ceilMode) return Math.floor(steps) + 1;
  const count = Math.ceil(steps) + 1;
  // A window that would start in the right padding does not count (ONNX, PyTorch).
  return (count - 1) * window.strides[axis] >= size + before ? count - 1 : count;
}

/** First index and number of elements of one sliced axis (ONNX Slice clamps out-of-range bounds). */
export function sliceRange(
  size: number,
  start: number,
  end: number,
  step: number,
): { start: number; count: number } {
  const [least, greatest] = step > 0 ? [0, size] : [-1, size - 1];
  const bound = (index: number) =>
    Math.min(Math.max(index < 0 ? index + size : index, least), greatest);
  const from = bound(start);
  // An end of −(size + 1) or less means "past the first element" when stepping backwards.
  const to = step < 0 && end < -size ? -1 : bound(end);
  return { start: from, count: Math.max(0, Math.ceil((to - from) / step)) };
}
