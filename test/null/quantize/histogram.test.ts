// Old counts that move into a wider range: as PyTorch moves them, part by part, whatever is skipped on the way.

import { expect, it } from "vitest";
import fc from "fast-check";
import { mergeHistogram } from "../../../src/quantize/histogram.ts";
import { fl, fma } from "../../../src/tensor/rounding.ts";

const SEED = 20261126;
const PARTS = 16;

/** torch.linspace(a, b, n + 1)[i], as PyTorch rounds it. */
function edge(a: number, b: number, n: number, i: number): number {
  const d = fl(fl(b - a) / n);
  return i < Math.floor((n + 1) / 2) ? fma(i, d, a) : fma(i - n, d, b);
}

/** _upscale_histogram and _combine_histograms, every part on its own. */
function partByPart(
  counts: Float32Array,
  [min, max]: readonly [number, number],
  added: Float32Array,
  [low, high]: readonly [number, number],
): Float32Array {
  const bins = counts.length;
  const half = fl(0.5 * fl(fl(max - min) / (bins * PARTS)));
  const moved = new Float32Array(bins);
  for (let part = 0; part < bins * PARTS; part++) {
    const middle = fl(edge(min, max, bins * PARTS, part) + half);
    let bin = -1;
    while (bin < bins && edge(low, high, bins, bin + 1) <= middle) bin++;
    const target = Math.min(Math.max(bin, 0), bins - 1);
    const weight = fl((counts[Math.floor(part / PARTS)] ?? 0) / PARTS);
    moved[target] = fl((moved[target] ?? 0) + weight);
  }
  return added.map((count, i) => fl(count + (moved[i] ?? 0)));
}

it(`moves every part to where it belongs, seed ${SEED}`, () => {
  const count = fc.oneof(
    fc.constant(0),
    fc.integer({ min: 1, max: 2 ** 24 }),
    fc.float({ min: fl(0.001), max: fl(1e8), noNaN: true }),
  );
  const bins = fc.constantFrom(1, 2, 7, 16, 50);
  const histogram = bins.chain((length) => {
    const counts = fc.array(count, { minLength: length, maxLength: length });
    return fc.tuple(counts, counts);
  });
  const real = fc.float({ min: -1000, max: 1000, noNaN: true });
  // From far wider than the old range down to no wider at all, on either side.
  const wider = fc.constantFrom(0, 1e-6, 0.01, 0.3, 1, 40);
  fc.assert(
    fc.property(histogram, real, real, wider, wider, ([old, more], a, b, left, right) => {
      const [min, max] = [Math.min(a, b), Math.max(a, b)];
      fc.pre(min < max);
      const [low, high] = [fl(min - left * (max - min)), fl(max + right * (max - min))];
      fc.pre(low < min || high > max);
      const [counts, added] = [Float32Array.from(old), Float32Array.from(more)];
      const got = mergeHistogram(counts, min, max, added, low, high);
      expect(got).toEqual(partByPart(counts, [min, max], added, [low, high]));
    }),
    { seed: SEED, numRuns: 400 },
  );
});

it.each([
  ["far wider", [-3, 5], [-900, 700]],
  ["hardly wider", [-3, 5], [-3, 5.0001]],
  ["wider on the left alone", [0, 6], [-2, 6]],
  ["wider by less than a part on both sides", [-3, 5], [-3.00001, 5.00001]],
] as const)("moves 2,048 bins into a range %s", (_, old, wide) => {
  const counts = Float32Array.from({ length: 2048 }, (_, i) => (i % 7 === 0 ? 0 : (i * 37) % 1000));
  const added = Float32Array.from({ length: 2048 }, (_, i) => i % 3);
  const [min, max, low, high] = [...old, ...wide].map(fl) as [number, number, number, number];
  const got = mergeHistogram(counts, min, max, added, low, high);
  expect(got).toEqual(partByPart(counts, [min, max], added, [low, high]));
});
