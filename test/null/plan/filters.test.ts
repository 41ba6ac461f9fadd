// Filters in the order the kernels read them: every weight arrives in its own place, the rest is 0.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  isDepthwise,
  packByteFilter,
  packDepthwise,
  packFloatFilter,
  padWords,
  widenGroups,
} from "../../../src/plan/lower/filters.ts";
import { float32, sizeOf } from "../../../src/tensor/tensor.ts";
import { floats } from "../../support/seeded.ts";
import { bindShapes } from "../../../src/graph/bind.ts";
import { interpret } from "../../../src/reference/interpret.ts";
import { single } from "../../support/cases.ts";

const counting = (length: number) => Float32Array.from({ length }, (_, index) => index + 1);

it("a float block is four output lanes of four input lanes", () => {
  const packed = packFloatFilter({ outs: 2, perGroup: 4, taps: 1, group: 1 }, counting(8));
  expect([...packed]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0]);
});

it("a byte block is four output words of four input lanes", () => {
  const packed = packByteFilter({ outs: 2, perGroup: 3, taps: 1, group: 1 }, counting(6));
  expect([...packed]).toEqual([1, 2, 3, 0, 4, 5, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
});

it("blocks run over taps before input words of the next tap, and output words outermost", () => {
  const shape = { outs: 5, perGroup: 5, taps: 2, group: 1 };
  const packed = packByteFilter(shape, counting(50));
  expect(packed.length).toBe(2 * 2 * 2 * 16);
  // Weight (output 4, input 4, tap 1): the last block, first output lane, first input lane.
  expect(packed[7 * 16]).toBe(50);
  // Weight (output 0, input 0, tap 1) opens the third block: tap 0 has two input words.
  expect(packed[2 * 16]).toBe(2);
});

it("a depthwise filter is (words, taps) of four channels", () => {
  const shape = { outs: 5, perGroup: 1, taps: 2, group: 5 };
  const packed = packDepthwise(shape, counting(10), (length) => new Float32Array(length));
  expect([...packed]).toEqual([1, 3, 5, 7, 2, 4, 6, 8, 9, 0, 0, 0, 10, 0, 0, 0]);
});

it("packing keeps every weight once and adds nothing but 0", () => {
  const sizes = fc.integer({ min: 1, max: 9 });
  const property = fc.property(sizes, sizes, sizes, (outs, perGroup, taps) => {
    const data = counting(outs * perGroup * taps);
    const packed = packFloatFilter({ outs, perGroup, taps, group: 1 }, data);
    expect([...packed].filter((weight) => weight !== 0).sort((a, b) => a - b)).toEqual([...data]);
  });
  fc.assert(property, { seed: 6 });
});

describe("a grouped filter", () => {
  it("stays as it is where groups are whole words or single channels", () => {
    const data = new Float32Array(8 * 4);
    const words = { outs: 8, perGroup: 4, taps: 1, group: 2 };
    expect(widenGroups(words, data).shape).toBe(words);
    const depthwise = { outs: 6, perGroup: 1, taps: 1, group: 6 };
    expect(isDepthwise(depthwise)).toBe(true);
    expect(widenGroups(depthwise, data).shape).toBe(depthwise);
    expect(isDepthwise({ outs: 6, perGroup: 1, taps: 1, group: 3 })).toBe(false);
    expect(isDepthwise({ outs: 1, perGroup: 1, taps: 1, group: 1 })).toBe(false);
  });

  it.each([
    [2, 3, 1],
    [3, 1, 2],
    [2, 4, 3],
    [5, 2, 2],
  ])(
    "of %i groups × %i in × %i out becomes a dense one that computes the same",
    (group, perGroup, outsPerGroup) => {
      const plain = { strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] } as const;
      const outs = group * outsPerGroup;
      const filter = floats([outs, perGroup, 2, 1], 8);
      const x = floats([1, group * perGroup, 3, 2], 9);
      const wide = widenGroups({ outs, perGroup, taps: 2, group }, filter.data);
      expect(wide.shape).toEqual({ outs, perGroup: perGroup * group, taps: 2, group: 1 });
      const results = [
        { filter, group },
        { filter: float32([outs, perGroup * group, 2, 1], wide.data), group: 1 },
      ].map((given) => {
        const { graph, feeds } = single(
          { op: "Conv", kernel: [2, 1], ...plain, group: given.group },
          [{ tensor: x }, { tensor: given.filter, constant: true }],
        );
        return interpret(bindShapes(graph, new Map()), feeds).get("y0");
      });
      expect(sizeOf(results[0]!.shape)).toBeGreaterThan(0);
      expect(results[1]).toEqual(results[0]); // f64 sums of the same terms and exact zeros
    },
  );
});

it("per-channel values fill whole words, one at least", () => {
  const pad = (values: number[]) => [...padWords(values, (length) => new Int32Array(length))];
  expect([pad([]), pad([1, 2]), pad([1, 2, 3, 4, 5])]).toEqual([
    [0, 0, 0, 0],
    [1, 2, 0, 0],
    [1, 2, 3, 4, 5, 0, 0, 0],
  ]);
});
