// No kernel sees a lower bound above the upper one: WGSL leaves such a clamp open. Files that have one mean the upper
// bound, and a graph refuses it.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { clampBounds } from "../../../src/graph/arithmetic.ts";
import { GraphBuilder } from "../../../src/graph/builder.ts";
import { boundAt, clampPerChannel, joinClamps, orderedClamp } from "../../../src/graph/clamp.ts";
import type { Bound, ChannelClamp, Node } from "../../../src/graph/node.ts";
import { float32 } from "../../../src/tensor/tensor.ts";

const SEED = 20261201;

function conv(clamp: ChannelClamp): () => string {
  const builder = new GraphBuilder();
  builder.input("x", { dtype: "float32", shape: [1, 1, 2, 2] });
  builder.constant("w", float32([2, 1, 1, 1], [1, 1]));
  const form = { kernel: [1, 1], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0], group: 1 };
  const node = { op: "Conv", name: "conv", inputs: ["x", "w"], outputs: ["y"], ...form, ...clamp };
  return () => builder.add(node as unknown as Node);
}

describe("a clamp", () => {
  it("whose bounds cross is refused by node and channel", () => {
    expect(conv({ low: 6, high: 1 })).toThrowErrorMatchingInlineSnapshot(
      `[InputError: Conv "conv": low must be at most high; got low=6, high=1. Swap them, or leave one out.]`,
    );
    expect(conv({ low: [0, 3], high: 2 })).toThrowErrorMatchingInlineSnapshot(
      `[InputError: Conv "conv": low must be at most high; got low=3, high=2 in channel 1. Swap them, or leave one out.]`,
    );
    expect(conv({ low: NaN })).toThrow("got low=NaN, high=Infinity");
    expect(conv({ low: [0, 2], high: 2 })).not.toThrow();
  });

  const pair = fc
    .tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -9, max: 9 }))
    .map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
  const clamp = fc
    .record({ pairs: fc.array(pair, { minLength: 3, maxLength: 3 }), open: fc.nat(3) })
    .map(({ pairs, open }) =>
      clampPerChannel(3, (channel) => [
        open & 1 ? -Infinity : (pairs[channel]?.[0] ?? 0),
        open & 2 ? Infinity : (pairs[channel]?.[1] ?? 0),
      ]),
    );
  const at = (bound: Bound | undefined, channel: number, open: number) =>
    boundAt(bound, channel) ?? open;

  it("after another is in order, and the two as one", () => {
    fc.assert(
      fc.property(clamp, clamp, fc.integer({ min: -12, max: 12 }), (first, second, x) => {
        const joined = joinClamps(first, second);
        for (let channel = 0; channel < 3; channel++) {
          const apply = (value: number, of: ChannelClamp) =>
            Math.min(
              at(of.high, channel, Infinity),
              Math.max(at(of.low, channel, -Infinity), value),
            );
          expect(apply(x, joined)).toBe(apply(apply(x, first), second));
          const [low, high] = [
            at(joined.low, channel, -Infinity),
            at(joined.high, channel, Infinity),
          ];
          expect(low).toBeLessThanOrEqual(high);
        }
      }),
      { seed: SEED },
    );
  });

  it("of codes is in order after its bounds are rounded", () => {
    const params = fc.record({
      bounds: pair,
      scale: fc.constantFrom(1e-38, 1e-6, 0.031, 1, 17, 3e38),
      zero: fc.integer({ min: -128, max: 127 }),
    });
    fc.assert(
      fc.property(params, ({ bounds: [low, high], scale, zero }) => {
        const quant = {
          dtype: "int8",
          scale: Float32Array.of(scale),
          zeroPoint: Int32Array.of(zero),
        } as const;
        const [least, greatest] = clampBounds(low, high, quant);
        expect(least).toBeLessThanOrEqual(greatest);
      }),
      { seed: SEED },
    );
  });

  it("of a file that crosses them is its upper bound everywhere", () => {
    expect(orderedClamp(6, 1)).toEqual({ low: 1, high: 1 });
    expect(orderedClamp(-1, 1)).toEqual({ low: -1, high: 1 });
  });
});
