// Augmentation: what each helper may do to a picture, colours against torchvision's, and that only the random numbers
// decide.

import { describe, expect, it } from "vitest";
import {
  adjust,
  colorJitter,
  randomCrop,
  randomHorizontalFlip,
} from "../../../src/training/augment.ts";
import { Random } from "../../../src/training/random.ts";
import { float32, toNumbers } from "../../../src/tensor/tensor.ts";
import fixture from "../../fixtures/training.json";

/** Channel c holds c · 100 + row · 10 + column. */
const picture = float32(
  [2, 3, 4],
  Array.from(
    { length: 24 },
    (_, i) => Math.floor(i / 12) * 100 + Math.floor((i % 12) / 4) * 10 + (i % 4),
  ),
);

describe("randomCrop", () => {
  it("cuts out each place of the padded picture, both channels at the same", () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 200; seed++) {
      const crop = randomCrop(picture, Random.of(seed), { padding: 1, fill: [-1, -2] });
      expect(crop.shape).toEqual([2, 3, 4]);
      const [first, second] = [toNumbers(crop).slice(0, 12), toNumbers(crop).slice(12)];
      expect(second).toEqual(first.map((value) => (value === -1 ? -2 : value + 100)));
      seen.add(first.join());
    }
    expect(seen.size).toBe(9); // three rows by three columns of places
    expect(seen).toContain("-1,-1,-1,-1,-1,0,1,2,-1,10,11,12");
    expect(seen).toContain("11,12,13,-1,21,22,23,-1,-1,-1,-1,-1");
  });

  it("takes a size, and refuses one that does not fit", () => {
    const crop = randomCrop(picture, Random.of(1), { size: [1, 4] });
    expect([0, 10, 20].map((row) => [row, row + 1, row + 2, row + 3].join())).toContain(
      toNumbers(crop).slice(0, 4).join(),
    );
    expect(() =>
      randomCrop(picture, Random.of(1), { size: [4, 4] }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[InputError: randomCrop: size 4 × 4 must fit in the padded picture; got 3 × 4 and padding 0. Pad more, or cut out less.]`,
    );
    expect(() =>
      randomCrop(float32([4], [1, 2, 3, 4]), Random.of(1)),
    ).toThrowErrorMatchingInlineSnapshot(
      `[InputError: randomCrop: the picture must have shape [channels, height, width]; got [4]. Augment samples, before they are stacked.]`,
    );
  });
});

describe("randomHorizontalFlip", () => {
  it("mirrors columns, half of the time", () => {
    const mirrored = toNumbers(picture).map((value) => value - (value % 10) + 3 - (value % 10));
    let flips = 0;
    for (let seed = 0; seed < 400; seed++) {
      const got = toNumbers(randomHorizontalFlip(picture, Random.of(seed)));
      const isFlipped = got.join() === mirrored.join();
      if (!isFlipped) expect(got).toEqual(toNumbers(picture));
      flips += Number(isFlipped);
    }
    expect(Math.abs(flips - 200)).toBeLessThan(35); // 3.5 σ; the seeds are fixed
    expect(toNumbers(randomHorizontalFlip(picture, Random.of(1), 1))).toEqual(mirrored);
    expect(randomHorizontalFlip(picture, Random.of(1), 0)).toBe(picture);
  });
});

describe("colours", () => {
  const colours = float32([3, 2, 3], fixture.picture);

  it.each(fixture.adjusted)(
    "$property times $factor is torchvision's",
    ({ property, factor, want }) => {
      const got = toNumbers(adjust(colours, property as "contrast", factor));
      // torchvision blends in f32, with a mean in f32.
      got.forEach((value, at) => expect(Math.abs(value - want[at]!)).toBeLessThan(3e-7));
      expect(new Set(got).size).toBeGreaterThanOrEqual(factor === 0 ? 1 : 5);
    },
  );

  it("are jittered by what the random numbers say, in some order", () => {
    const options = { brightness: 0.4, contrast: 0.4, saturation: 0.4 };
    const results = Array.from({ length: 20 }, (_, seed) =>
      colorJitter(colours, Random.of(seed), options),
    );
    expect(new Set(results.map(({ data }) => data.join())).size).toBe(20);
    expect(colorJitter(colours, Random.of(3), options)).toEqual(results[3]);
    for (const { data } of results)
      for (const value of data) expect(value >= 0 && value <= 1).toBe(true);
    expect(colorJitter(colours, Random.of(3))).toBe(colours);
  });

  it("of a grey picture have no saturation", () => {
    const grey = float32([1, 1, 2], [0.25, 0.75]);
    expect(adjust(grey, "saturation", 0)).toBe(grey);
    expect(toNumbers(adjust(grey, "contrast", 2))).toEqual([0, 1]);
    expect(toNumbers(adjust(grey, "brightness", 2, [0, 5]))).toEqual([0.5, 1.5]);
  });
});
