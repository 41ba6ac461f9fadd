// Numbers that are none: where data has NaN or ±∞, how many and the first.

import type { TypedArray } from "./tensor/dtype.ts";

/** The non-finite values of float data, or undefined where there are none. Integers have none. */
export function nonFiniteOf(
  data: TypedArray | undefined,
): { readonly count: number; readonly first: number } | undefined {
  if (!(data instanceof Float32Array)) return undefined;
  const first = firstNonFinite(data);
  if (first < 0) return undefined;
  return { count: data.filter((value) => !Number.isFinite(value)).length, first };
}

/** A loop and no callback: every picture that is calibrated on passes through. */
function firstNonFinite(data: Float32Array): number {
  for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i])) return i;
  return -1;
}
