// Addition in integers (37), against f64 where it is exact, and the fused product that histograms use.

import { describe, expect, it } from "vitest";
import { addMultipliers, addQuantized, roundShiftEven } from "../../../src/graph/arithmetic.ts";
import { fma, rint } from "../../../src/tensor/rounding.ts";
import { Random } from "./seeded.ts";

const fl = Math.fround;

describe("roundShiftEven (37)", () => {
  it.each([1, 2, 7, 20, 30])("v / 2^%i to the nearest, ties to even, both signs", (k) => {
    const random = new Random(900 + k);
    const values = Array.from({ length: 64 }, (_, i) => (i - 32) * 2 ** (k - 1))
      .flatMap((v) => [v - 1, v, v + 1])
      .filter((v) => Math.abs(v) < 2 ** 31)
      .concat(Array.from({ length: 2000 }, () => random.u32() | 0));
    for (const v of values) {
      expect(roundShiftEven(v, k), `seed ${900 + k}, v ${v}`).toBe(rint(v / 2 ** k)); // exact in f64
    }
  });
});

describe("addition in integers (37), all 65,536 pairs", () => {
  const sets = [
    { sa: 0.02, sb: 0.03, sy: 0.04, za: 128, zb: 3, zy: 77, differing: 0 },
    { sa: 0.5, sb: 0.25, sy: 1, za: 0, zb: 255, zy: 128, differing: 0 },
    { sa: 0.5, sb: 0.25, sy: 1, za: 0, zb: 255, zy: 127, differing: 0 },
    { sa: 0.125, sb: 0.125, sy: 0.25, za: 100, zb: 101, zy: 5, differing: 0 },
    { sa: 1.7e-3, sb: 0.9, sy: 0.31, za: 17, zb: 200, zy: 0, differing: 0 },
    { sa: 0.0371, sb: 0.00912, sy: 0.0333, za: 120, zb: 9, zy: 255, differing: 0 },
    { sa: 3, sb: 2, sy: 1e-4, za: 128, zb: 128, zy: 128, differing: 0 },
    { sa: 0.4151, sb: 0.9433, sy: 0.9186, za: 204, zb: 154, zy: 183, differing: 6 },
    { sa: 0.6369, sb: 0.3077, sy: 0.2708, za: 145, zb: 111, zy: 247, differing: 5 },
  ];
  it.each(sets)("sa $sa, sb $sb, sy $sy, za $za, zb $zb, zy $zy", (set) => {
    const [sa, sb, sy] = [fl(set.sa), fl(set.sb), fl(set.sy)];
    const multipliers = addMultipliers(sa, sb, sy);
    const { ma, mb, k } = multipliers;
    expect(Math.max(ma, mb)).toBeLessThan(2 ** 21);
    expect(k === 30 || Math.max(2 * ma, 2 * mb) >= 2 ** 21 - 2).toBe(true); // the greatest k
    let differing = 0;
    let wrong = 0;
    let greatest = 0;
    for (let i = 0; i < 65536; i++) {
      const [a, b] = [(i >> 8) - set.za, (i & 255) - set.zb];
      const q = addQuantized(a, b, multipliers, set.zy, 0, 255);
      // f64 holds both sums of products exactly, and the division by 2ᵏ.
      const exact = set.zy + rint((a * ma + b * mb) / 2 ** k);
      if (q !== Math.min(Math.max(exact, 0), 255)) wrong++;
      const real = Math.min(Math.max(set.zy + rint((a * sa + b * sb) / sy), 0), 255);
      if (q !== real) differing++;
      greatest = Math.max(greatest, Math.abs(q - real));
    }
    // `differing` counts pairs beside a tie of the real sum, which Ma and Mb resolve otherwise.
    expect({ wrong, differing, greatest: greatest <= 1 }).toEqual({
      wrong: 0,
      differing: set.differing,
      greatest: true,
    });
  });

  it("refuses scales too far apart, and takes the last that are not", () => {
    expect(addMultipliers(2 ** 20 - 1, 1, 1).k).toBe(1);
    expect(() => addMultipliers(2 ** 20, 1, 1)).toThrowErrorMatchingInlineSnapshot(
      `[QConfigError: add: sa / sy and sb / sy must be below 2^20; got sa=1048576, sb=1, sy=1. Check the output's calibration, or keep the op float.]`,
    );
  });
});

describe("fma", () => {
  it("rounds once where two roundings differ: exact in BigInt", () => {
    const random = new Random(8);
    const bits = (value: number): bigint => BigInt(value * 2 ** 100); // exact: |value| ≥ 2⁻⁷⁷ here
    let differs = 0;
    for (let i = 0; i < 3000; i++) {
      const [a, b] = [random.bell(), random.bell()];
      const c = fl(random.bell() * 2 ** (i % 30));
      const once = fma(a, b, c);
      const exact = bits(a) * bits(b) + (bits(c) << 100n);
      const distance = (value: number): bigint => {
        const d = exact - (bits(value) << 100n);
        return d < 0n ? -d : d;
      };
      const ulp = 2 ** (Math.floor(Math.log2(Math.abs(once))) - 23);
      expect(distance(once) <= distance(fl(once + ulp)), `seed 8, ${a} ${b} ${c}`).toBe(true);
      expect(distance(once) <= distance(fl(once - ulp)), `seed 8, ${a} ${b} ${c}`).toBe(true);
      if (once !== fl(fl(a * b) + c)) differs++;
    }
    expect(differs).toBeGreaterThan(50);
  });

  it("decides by the error that f64 left out, where the f64 sum is half-way between two f32", () => {
    const [above, below] = [1 + 2 ** -23, 1 - 2 ** -23]; // their product is 1 − 2⁻⁴⁶
    expect(fma(above, below, 2 ** 24 + 2)).toBe(2 ** 24 + 2); // not the even 2²⁴ + 4
    expect(fma(-above, below, 2 ** 24 + 2)).toBe(2 ** 24 + 2); // not the even 2²⁴
    expect(fma(above, -below, -(2 ** 24) - 2)).toBe(-(2 ** 24) - 2);
  });
});
