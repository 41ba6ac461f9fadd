// Numbers of the page's axes.

import { describe, expect, it } from "vitest";
import { ticksTo, wholeTicksTo } from "../../../demo/ticks.ts";

describe("ticks", () => {
  it("are round, and cover the greatest value", () => {
    expect(ticksTo(1, 4)).toEqual([0, 0.5, 1]);
    expect(ticksTo(2.31, 4)).toEqual([0, 1, 2, 3]);
    expect(ticksTo(0.07, 4)).toEqual([0, 0.02, 0.04, 0.06, 0.08]);
    expect(ticksTo(0, 4)).toEqual([0, 1]);
    for (let most = 1e-6; most < 1e9; most *= 1.37) {
      const ticks = ticksTo(most, 4);
      expect(ticks.at(-1)).toBeGreaterThanOrEqual(most * (1 - 1e-9));
      expect(ticks.length).toBeGreaterThanOrEqual(2);
      expect(ticks.length).toBeLessThanOrEqual(6);
    }
  });

  it("of steps are whole, and none is beyond the last", () => {
    expect(wholeTicksTo(20, 5)).toEqual([0, 5, 10, 15, 20]);
    expect(wholeTicksTo(12, 5)).toEqual([0, 5, 10]);
    expect(wholeTicksTo(1, 5)).toEqual([0, 1]);
  });
});
