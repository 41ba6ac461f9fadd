// Gradients of convolutions: strides that leave places out, dilations that share a divisor with them, asymmetric pads
// larger than the window, and groups of every kind.

import fc from "fast-check";
import { windowSize } from "../../../src/graph/extents.ts";
import { family, seed, single, sums, type Case, type Family } from "../cases.ts";
import { floats } from "../seeded.ts";
import { attributesOf, geometry, shapes, type Geometry } from "./convolution.ts";

/** The shapes of a Conv's operands and of its output. */
function operands(g: Geometry) {
  const { x, filter, outs } = shapes(g);
  const window = attributesOf(g);
  const places = ([0, 1] as const).map((axis) => windowSize(x[axis + 2] ?? 0, window, axis));
  return { x, filter, y: [g.batch, outs, ...places], window };
}

const transposed = (g: Geometry): Case => {
  const { x, filter, y, window } = operands(g);
  const size = [x[2] ?? 0, x[3] ?? 0] as const;
  return single({ ...window, op: "ConvTranspose", size }, [
    { tensor: floats(y, g.seed) },
    { tensor: floats(filter, g.seed + 1) },
  ]);
};

const filterGradient = (g: Geometry): Case => {
  const { x, y, window } = operands(g);
  return single({ ...window, op: "ConvGradFilter" }, [
    { tensor: floats(x, g.seed) },
    { tensor: floats(y, g.seed + 1) },
  ]);
};

/** Strides and dilations up to four: all the common divisors that phases tell apart. */
const strided = geometry.chain((g) =>
  fc
    .record({
      strides: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })),
      dilations: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })),
    })
    .map((sizes): Geometry => ({ ...g, ...sizes })),
);

const transpose = family("ConvTranspose equals the reference", strided, transposed, sums);
const gradFilter = family("ConvGradFilter equals the reference", geometry, filterGradient, sums);

/** Depthwise with strides of two: the kernel that does all phases at once, but for channel multipliers. */
const cells = fc.record({
  channels: fc.oneof(
    fc.record({
      group: fc.constantFrom(2, 3, 4, 5, 8, 9),
      perGroup: fc.constant(1),
      outs: fc.constant(1),
    }),
    fc.record({
      group: fc.constantFrom(2, 3, 5),
      perGroup: fc.constant(1),
      outs: fc.constant(2),
    }),
  ),
  // A kernel each is compiled: few.
  kernel: fc.constantFrom([3, 3], [5, 5], [2, 3], [1, 4]),
  strides: fc.constantFrom([2, 2], [1, 2]),
  pad: fc.nat(3),
  beyond: fc.tuple(fc.nat(8), fc.nat(8)),
  seed,
});

const cellular = family(
  "ConvTranspose of one filter a channel, with strides, equals the reference",
  cells,
  ({ pad, strides, kernel, ...rest }) =>
    transposed({
      ...{ batch: 2, dilations: [1, 1], pads: [pad, 0, pad, 1], hasBias: false },
      ...{ ...rest, strides: strides as [number, number], kernel: kernel as [number, number] },
    }),
  sums,
);

/** More than one tile and more than one slice of every kernel. */
const large = fc
  .record({
    kind: fc.constantFrom("dense", "depthwise", "grouped", "odd"),
    stride: fc.constantFrom(1, 2),
    seed,
  })
  .map(({ kind, stride, seed: from }): Geometry => {
    const channels = {
      dense: { group: 1, perGroup: 19, outs: 21 },
      depthwise: { group: 19, perGroup: 1, outs: 1 },
      grouped: { group: 2, perGroup: 8, outs: 12 },
      odd: { group: 3, perGroup: 3, outs: 5 },
    }[kind as "dense"] as Geometry["channels"];
    return {
      ...{ batch: 2, channels, kernel: [3, 3], strides: [stride, stride], dilations: [1, 1] },
      ...{ pads: [1, 1, 1, 1], beyond: [16, 22], hasBias: false, seed: from },
    };
  });

export const convGrads: readonly Family[] = [transpose, cellular, gradFilter];
export const largeConvGrads: readonly Family[] = [
  family("ConvTranspose past one tile equals the reference", large, transposed, sums),
  family("ConvGradFilter past one slice equals the reference", large, filterGradient, sums),
];
