// The searched scale is never worse than the range's own, and finds a grid that fits.

import { describe, expect, it } from "vitest";
import { searchScale } from "../../../src/quantize/searchScale.ts";
import { clamp, fl, rint } from "../../../src/tensor/rounding.ts";

const error = (weights: number[], scale: number) =>
  weights.reduce((sum, w) => sum + (w - scale * clamp(rint(w / scale), -127, 127)) ** 2, 0);

describe("searchScale (45)", () => {
  it("finds the grid that the weights were made on, though their range suggests another", () => {
    const step = fl(0.011);
    const weights = [110, -57, 3, 88, -20, 41, 7, -99, 64].map((q) => q * step);
    const found = searchScale(weights, fl((110 * step) / 127), -127, 127);
    expect(error(weights, found)).toBeLessThan(error(weights, fl((110 * step) / 127)) / 4);
  });

  it("is never worse than the scale it is given, over 200 seeded channels", () => {
    let state = 12345;
    const next = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32 - 0.5;
    for (let channel = 0; channel < 200; channel++) {
      const weights = Array.from({ length: 1 + (channel % 40) }, next);
      const scale = fl(Math.max(...weights.map(Math.abs)) / 127);
      const found = searchScale(weights, scale, -127, 127);
      expect(error(weights, found), `seed 12345, channel ${channel}`).toBeLessThanOrEqual(
        error(weights, scale),
      );
    }
  });

  it("leaves a channel of zeros alone", () => {
    expect(searchScale([0, 0, 0], fl(2 ** -23), -127, 127)).toBe(fl(2 ** -23));
  });
});
