// The figures a classifier is judged by: docs/quantization.md (41), (42).

/** Index of the greatest of `values`; the lowest index wins a tie. */
export function argmax(values: ArrayLike<number>): number {
  let best = 0;
  for (let index = 1; index < values.length; index++) {
    if ((values[index] ?? -Infinity) > (values[best] ?? -Infinity)) best = index;
  }
  return best;
}

/** True where fewer than k values are greater than the label's, the lower index winning ties. */
export function inTop(values: ArrayLike<number>, label: number, k: number): boolean {
  const own = values[label] ?? -Infinity;
  if (Number.isNaN(own)) return false;
  let before = 0;
  for (let index = 0; index < values.length; index++) {
    const value = values[index] ?? -Infinity;
    if (value > own || (value === own && index < label)) before++;
  }
  return before < k;
}

/** The middle value; the mean of the two middle ones of an even number. NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? NaN)
    : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}

/** Sums Σ x² and Σ (x − x̂)² over samples, in f64. */
export class ErrorSum {
  signal = 0;
  noise = 0;

  add(reference: ArrayLike<number>, value: ArrayLike<number>): void {
    for (let index = 0; index < reference.length; index++) {
      const x = reference[index] ?? 0;
      const error = x - (value[index] ?? 0);
      this.signal += x * x;
      this.noise += error * error;
    }
  }

  /** dB; ∞ where nothing differs. */
  get sqnrDb(): number {
    return this.noise === 0 ? Infinity : 10 * Math.log10(this.signal / this.noise);
  }
}
