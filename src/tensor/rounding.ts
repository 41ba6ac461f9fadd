// f32 arithmetic on the host, one rounding at a time: docs/quantization.md, section 1.

/** fl(e): e rounded once to f32, ties to even. */
export const fl: (value: number) => number = Math.fround;

/** Nearest integer, ties to even, for |value| < 2^51. `Math.round` is half-up and must not be used. */
export function rint(value: number): number {
  return value + 6755399441055744 - 6755399441055744;
}

export function clamp(value: number, low: number, high: number): number {
  return value < low ? low : value > high ? high : value;
}

/** a·b + c rounded once to f32, for f32 a, b, c: the product is exact in f64, and TwoSum finds the
 *  f64 sum's error, which decides the cases where rounding twice would differ from rounding once. */
export function fma(a: number, b: number, c: number): number {
  const product = a * b;
  const sum = product + c;
  const back = sum - product;
  const error = product - (sum - back) + (c - back);
  const rounded = fl(sum);
  if (error === 0 || rounded === sum || !Number.isFinite(sum)) return rounded;
  // Rounding the inexact f64 sum is wrong only if that sum lies exactly between two f32 values.
  const other = fl(sum + (sum - rounded));
  if (sum - rounded !== other - sum) return rounded;
  return error > 0 === other > rounded ? other : rounded;
}
