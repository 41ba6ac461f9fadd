// The figures a classifier is judged by, on cases small enough to count by hand.

import { expect, it } from "vitest";
import { argmax, ErrorSum, inTop, median } from "../../src/metrics.ts";

it("argmax and rank give ties to the lower index", () => {
  expect(argmax([1, 3, 3, 2])).toBe(1);
  expect([inTop([1, 3, 3, 2], 1, 1), inTop([1, 3, 3, 2], 2, 1), inTop([1, 3, 3, 2], 2, 2)]).toEqual(
    [true, false, true],
  );
});

it("a logit that is not a number is in no top", () => {
  expect(inTop([NaN, NaN], 0, 1)).toBe(false);
});

it("the median of an even number is the mean of the middle two", () => {
  expect([median([3, 1, 2]), median([4, 1, 2, 3])]).toEqual([2, 2.5]);
});

it("SQNR is 20 dB where the error is a tenth of the signal, and infinite where there is none", () => {
  const error = new ErrorSum();
  error.add([10, -10], [10, -10]);
  expect(error.sqnrDb).toBe(Infinity);
  error.add([10, -10], [9, -11]);
  error.add([0], [0]);
  expect(error.sqnrDb).toBeCloseTo(10 * Math.log10(400 / 2), 12); // exact in f64 but for log10
});
