// What several measurements of one thing come to: the middle one, and how far the others lie from it.
// Never the mean: one stall of the machine would move it.

/** ms, or whatever was measured. */
export interface Spread {
  readonly median: number;
  /** A tenth of the values lie below, a tenth above `p90`. */
  readonly p10: number;
  readonly p90: number;
  readonly least: number;
  readonly count: number;
}

/** The value below which `share` of the sorted values lie, between two neighbours in proportion. */
function quantile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)] ?? NaN;
  const above = sorted[Math.ceil(at)] ?? NaN;
  return below + (above - below) * (at - Math.floor(at));
}

/** NaN throughout where there are no values. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  return {
    median: quantile(sorted, 0.5),
    p10: quantile(sorted, 0.1),
    p90: quantile(sorted, 0.9),
    least: sorted[0] ?? NaN,
    count: sorted.length,
  };
}

/** The same in another unit: `ms` of a whole batch to ms of one picture, say. */
export function scaleSpread(spread: Spread, by: number): Spread {
  const { median, p10, p90, least, count } = spread;
  return { median: median * by, p10: p10 * by, p90: p90 * by, least: least * by, count };
}
