// The figures that models are judged by: docs/quantization.md (41), (42), (60), (61).

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

/** −ln softmax(logits)[label] in nats, in f64: ln Σ exp(xⱼ − max) − (x_label − max). */
export function crossEntropy(logits: ArrayLike<number>, label: number): number {
  let max = -Infinity;
  for (let index = 0; index < logits.length; index++) max = Math.max(max, logits[index] ?? NaN);
  let sum = 0;
  for (let index = 0; index < logits.length; index++) sum += Math.exp((logits[index] ?? 0) - max);
  return Math.log(sum) - ((logits[label] ?? NaN) - max);
}

/** Area under the ROC curve: the share of pairs of a positive and a negative in which the positive has the
 *  greater score, ties counting half (Mann and Whitney's U). NaN where one of the two is missing. */
export function areaUnderRoc(scores: readonly number[], positive: readonly boolean[]): number {
  const order = scores.map((_, index) => index).sort((a, b) => at(scores, a) - at(scores, b));
  let [rankSum, positives] = [0, 0];
  for (let from = 0; from < order.length;) {
    let to = from + 1;
    while (to < order.length && at(scores, order[to]) === at(scores, order[from])) to++;
    const rank = (from + 1 + to) / 2; // the mean of ranks from + 1 … to
    for (; from < to; from++) {
      if (!positive[order[from] ?? 0]) continue;
      rankSum += rank;
      positives++;
    }
  }
  const pairs = positives * (order.length - positives);
  return pairs === 0 ? NaN : (rankSum - (positives * (positives + 1)) / 2) / pairs;
}

function at(values: readonly number[], index: number | undefined): number {
  return values[index ?? 0] ?? NaN;
}
