// Statistics of one batch on the CPU: what the observer kernels must find. Every step is f32, as on
// the device, so counts are equal and not merely close.

import { InputError } from "../errors.ts";
import { fl } from "../tensor/rounding.ts";
import { sizeOf, stridesOf, type Tensor } from "../tensor/tensor.ts";

/** Least and greatest finite value, per slice or of the whole. */
export interface MinMax {
  /** (1), or (size of axis). +∞ where nothing finite was seen. */
  readonly min: Float32Array;
  /** As `min`; −∞ where nothing finite was seen. */
  readonly max: Float32Array;
  /** How many elements are NaN or ±∞. */
  readonly nonFinite: number;
  /** Index of the first of them in the tensor, −1 if there is none. */
  readonly firstNonFinite: number;
}

/** Minimum and maximum over finite elements: of each slice of `axis`, or of all elements. */
export function minMaxOf(value: Tensor<"float32">, axis?: number): MinMax {
  const slices = axis === undefined ? 1 : value.shape[axis];
  if (slices === undefined) {
    throw new InputError(
      `minMaxOf: axis must be below ${value.shape.length}; got ${axis}. Name an axis of the tensor.`,
    );
  }
  const inner = axis === undefined ? sizeOf(value.shape) : (stridesOf(value.shape)[axis] ?? 1);
  const min = new Float32Array(slices).fill(Infinity);
  const max = new Float32Array(slices).fill(-Infinity);
  let nonFinite = 0;
  let firstNonFinite = -1;
  value.data.forEach((x, index) => {
    if (!Number.isFinite(x)) {
      if (nonFinite++ === 0) firstNonFinite = index;
      return;
    }
    const slice = Math.floor(index / inner) % slices;
    min[slice] = Math.min(min[slice] ?? NaN, x);
    max[slice] = Math.max(max[slice] ?? NaN, x);
  });
  return { min, max, nonFinite, firstNonFinite };
}

/**
 * Counts of finite elements in `bins` equal bins over [low, high], docs/quantization.md section 4
 * step 1: bin = ⌊fl(fl(fl(x − low) · bins) / fl(high − low))⌋, the last bin closed. Elements
 * outside are not counted. If low = high the bins span [low − 1, high + 1].
 * @param low Least value of the first bin, f32.
 * @param high Greatest value of the last bin, f32.
 */
export function histogramOf(
  value: Tensor<"float32">,
  low: number,
  high: number,
  bins: number,
): Uint32Array {
  if (!(low <= high) || !Number.isFinite(high - low) || !Number.isInteger(bins) || bins < 1) {
    throw new InputError(
      `histogramOf: low must not exceed high, both finite, and bins must be a positive integer; ` +
        `got low=${low}, high=${high}, bins=${bins}. Take low and high from minMaxOf.`,
    );
  }
  const [from, to] = low === high ? [fl(low - 1), fl(high + 1)] : [fl(low), fl(high)];
  const span = fl(to - from);
  const counts = new Uint32Array(bins);
  for (const x of value.data) {
    if (!(x >= from && x <= to)) continue; // NaN and ±∞ too
    const bin = Math.floor(fl(fl(fl(x - from) * bins) / span));
    const place = Math.min(bin, bins - 1);
    counts[place] = (counts[place] ?? 0) + 1;
  }
  return counts;
}
