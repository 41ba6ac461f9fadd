// The scale of least squared error. Rounding errors of few numbers depend on where the grid happens to
// lie, so among scales a little larger than the range needs, one fits them best:
//   s = argmin over s₀ · f of Σ (w − s · clamp(rint(w / s), qmin, qmax))²,  f in 0.98 … 1.2
//                                                                        docs/quantization.md (45)
// Short channels gain most; one of a thousand weights next to nothing.

import { clamp, fl, rint } from "../tensor/rounding.ts";

const LEAST = 0.98;
const GREATEST = 1.2;
/** Products tried per channel; long channels gain little and get fewer. */
const BUDGET = 4096;
const MOST = 128;
const FEWEST = 12;

/** The best scale near `scale` for `weights`, on the grid qmin … qmax with zero point 0; `scale` itself
 *  where nothing is better. So many `tries` are spread over the `factors` of it. */
export function searchScale(
  weights: ArrayLike<number>,
  scale: number,
  qmin: number,
  qmax: number,
  [low, high]: readonly [number, number] = [LEAST, GREATEST],
  tries: number = clamp(Math.floor(BUDGET / Math.max(1, weights.length)), FEWEST, MOST),
): number {
  let best = scale;
  let least = squaredError(weights, scale, qmin, qmax, Infinity);
  for (let index = 0; index < tries; index++) {
    const candidate = fl(scale * (low + ((high - low) * index) / (tries - 1)));
    const error = squaredError(weights, candidate, qmin, qmax, least);
    if (error < least) [best, least] = [candidate, error];
  }
  return best;
}

/** Σ (w − ŵ)², or anything above `enough` once it is passed. */
function squaredError(
  weights: ArrayLike<number>,
  scale: number,
  qmin: number,
  qmax: number,
  enough: number,
): number {
  const reciprocal = 1 / scale;
  let sum = 0;
  for (let index = 0; index < weights.length && sum <= enough; index++) {
    const weight = weights[index] ?? 0;
    const error = weight - scale * clamp(rint(weight * reciprocal), qmin, qmax);
    sum += error * error;
  }
  return sum;
}
