// A histogram whose range grows: docs/quantization.md, section 4, steps 1 and 2. Old counts move into
// the bins of the wider range exactly as PyTorch's HistogramObserver moves them (torch 2.13,
// torch/ao/quantization/observer.py, _upscale_histogram and _combine_histograms).

import { fl, fma } from "../tensor/rounding.ts";
import { sumF32 } from "./sum.ts";

/** Each old bin is split into this many equal parts before it moves. */
const upsampleRate = 16;

/** ⌊fl(fl(x − low)·bins) / fl(high − low)⌋, the last bin closed; low = high spans [low − 1, high + 1].
 *  x must be in [low, high]. */
export function binOf(x: number, low: number, high: number, bins: number): number {
  const left = low === high ? fl(low - 1) : low;
  const right = low === high ? fl(high + 1) : high;
  const position = Math.floor(fl(fl(fl(x - left) * bins) / fl(right - left)));
  return position < bins ? position : bins - 1; // NaN, where low − 1 = low in f32, goes to the last bin
}

/** `counts` (bins) over [min, max], moved to [low, high] ⊇ [min, max], plus `added` over [low, high]:
 *  a new array, f32 at every step. (15) */
export function mergeHistogram(
  counts: Float32Array,
  min: number,
  max: number,
  added: Float32Array,
  low: number,
  high: number,
): Float32Array {
  const moved =
    low === min && high === max
      ? counts
      : min === max
        ? moveSingleValue(counts, min, low, high)
        : moveParts(counts, min, max, low, high);
  return added.map((count, i) => fl(count + (moved[i] ?? 0)));
}

/** All mass in the bin of the one value seen so far. */
function moveSingleValue(counts: Float32Array, value: number, low: number, high: number) {
  const moved = new Float32Array(counts.length);
  moved[binOf(value, low, high, counts.length)] = sumF32(counts);
  return moved;
}

/** Each part goes whole into the new bin that holds its mid-point (right-open, ends clamped). Mid-points only rise, so that
 *  a bisection finds the part at which an old bin's parts pass the next edge. */
function moveParts(counts: Float32Array, min: number, max: number, low: number, high: number) {
  const bins = counts.length;
  const parts = bins * upsampleRate;
  const halfPart = fl(0.5 * fl(fl(max - min) / parts));
  const partEdge = edges(min, max, parts);
  const binEdge = edges(low, high, bins);
  const midPoint = (part: number) => fl(partEdge(part) + halfPart);
  const moved = new Float32Array(bins);
  let bin = -1; // the last edge at or below the mid-point
  let next = binEdge(0);
  for (let old = 0; old < bins; old++) {
    const weight = fl((counts[old] ?? 0) / upsampleRate);
    if (weight === 0) continue;
    const end = (old + 1) * upsampleRate;
    const last = midPoint(end - 1);
    for (let part = old * upsampleRate; part < end;) {
      const point = midPoint(part);
      while (bin < bins && next <= point) next = binEdge(++bin + 1);
      const stop = bin < bins && next <= last ? passing(midPoint, part, end - 1, next) : end;
      const target = Math.min(Math.max(bin, 0), bins - 1);
      let sum = moved[target] ?? 0;
      for (; part < stop; part++) sum = fl(sum + weight);
      moved[target] = sum;
    }
  }
  return moved;
}

/** The first i with `rising`(i) ≥ `edge`, where that holds of `above` and not of `below`. */
function passing(rising: (i: number) => number, below: number, above: number, edge: number) {
  while (above - below > 1) {
    const middle = (below + above) >> 1;
    if (rising(middle) < edge) below = middle;
    else above = middle;
  }
  return above;
}

/** Edge i of n equal intervals over [a, b], counted from the nearer end, one rounding each:
 *  fl(a + i·d) for i < ⌊(n + 1)/2⌋, else fl(b − (n − i)·d), d = fl(fl(b − a)/n). */
function edges(a: number, b: number, n: number): (i: number) => number {
  const d = fl(fl(b - a) / n);
  const halfway = Math.floor((n + 1) / 2);
  return (i) => (i < halfway ? fma(i, d, a) : fma(i - n, d, b));
}
