// Random movements: every element must arrive, in float and in integers, wherever the layout puts it.

import fc from "fast-check";
import type { Movement } from "../../../src/graph/node.ts";
import type { QParams } from "../../../src/graph/value.ts";
import { dim, family, perTensor, seed, single, type Attributes, type Family } from "../cases.ts";
import { codes, floats } from "../seeded.ts";

interface Move {
  readonly node: Attributes<Movement>;
  readonly shapes: readonly (readonly number[])[];
  readonly outputs: number;
}

const small: fc.Arbitrary<number> = fc.constantFrom(1, 1, 2, 3, 4, 5, 7);
/** Of one part of a Concat or a Split: most are no whole words. */
const partSize: fc.Arbitrary<number> = fc.constantFrom(0, 1, 2, 3, 4, 5, 8);
const shapeOf = (minLength: number, maxLength: number, size = small) =>
  fc.array(size, { minLength, maxLength });

const move = (node: Attributes<Movement>, shapes: Move["shapes"], outputs = 1): Move => ({
  node,
  shapes,
  outputs,
});

const transpose = shapeOf(2, 6).chain((shape) =>
  fc
    .shuffledSubarray(
      shape.map((_, axis) => axis),
      { minLength: shape.length },
    )
    .map((perm) => move({ op: "Transpose", perm }, [shape])),
);

const concat = fc
  .tuple(shapeOf(1, 5), fc.array(partSize, { minLength: 1, maxLength: 4 }), fc.nat(4))
  .map(([shape, lengths, at]) => {
    const axis = at % shape.length;
    const shapes = lengths.map((length) => shape.map((d, a) => (a === axis ? length : d)));
    return move({ op: "Concat", axis }, shapes);
  });

const slice = shapeOf(1, 5, fc.constantFrom(1, 2, 4, 5, 9)).chain((shape) =>
  fc
    .array(
      fc.record({
        start: fc.integer({ min: -12, max: 12 }),
        end: fc.oneof(fc.integer({ min: -12, max: 12 }), fc.constantFrom(2 ** 31 - 1, -(2 ** 31))),
        step: fc.constantFrom(1, 1, 2, 3, -1, -2),
        used: fc.boolean(),
      }),
      { minLength: shape.length, maxLength: shape.length },
    )
    .map((parts) => {
      const listed = parts.flatMap((part, axis) => (part.used ? [{ ...part, axis }] : []));
      const node = {
        op: "Slice" as const,
        axes: listed.map(({ axis }) => axis),
        starts: listed.map(({ start }) => start),
        ends: listed.map(({ end }) => end),
        steps: listed.map(({ step }) => step),
      };
      return move(node, [shape]);
    }),
);

const pad = shapeOf(1, 5).chain((shape) =>
  fc
    .record({
      begins: fc.array(fc.nat(3), { minLength: shape.length, maxLength: shape.length }),
      ends: fc.array(fc.integer({ min: -1, max: 3 }), {
        minLength: shape.length,
        maxLength: shape.length,
      }),
      value: fc.constantFrom(0, 0.3, -1.5),
    })
    .map(({ begins, ends, value }) =>
      move({ op: "Pad", pads: [...begins, ...ends], value }, [shape]),
    ),
);

/** Pads that mirror have fewer elements than the axis. */
const mirror = shapeOf(1, 5).chain((shape) =>
  fc
    .record({
      mode: fc.constantFrom("reflect" as const, "edge" as const),
      parts: fc.array(fc.tuple(fc.nat(6), fc.nat(6)), {
        minLength: shape.length,
        maxLength: shape.length,
      }),
    })
    .map(({ mode, parts }) => {
      const least = (pad: number, axis: number) =>
        mode === "edge" ? pad : Math.min(pad, (shape[axis] ?? 1) - 1);
      const pads = [0, 1].flatMap((side) =>
        parts.map((pair, axis) => least(pair[side] ?? 0, axis)),
      );
      return move({ op: "Pad", pads, value: 0, mode }, [shape]);
    }),
);

const split = fc
  .tuple(shapeOf(1, 5), fc.array(partSize, { minLength: 1, maxLength: 4 }), fc.nat(4))
  .map(([shape, sizes, at]) => {
    const axis = at % shape.length;
    const whole = sizes.reduce((sum, part) => sum + part, 0);
    return move(
      { op: "Split", axis, sizes },
      [shape.map((d, a) => (a === axis ? whole : d))],
      sizes.length,
    );
  });

/** Another shape of as many elements: the sizes in another order, some merged, 1s between. */
const reshape = fc
  .array(dim, { maxLength: 5 })
  .chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      order: fc.shuffledSubarray(
        shape.map((_, axis) => axis),
        { minLength: shape.length },
      ),
      mergeAt: fc.nat(4),
      oneAt: fc.nat(4),
    }),
  )
  .map(({ shape, order, mergeAt, oneAt }) => {
    const target = order.map((axis) => shape[axis] ?? 1);
    if (mergeAt + 1 < target.length) {
      target.splice(mergeAt, 2, (target[mergeAt] ?? 1) * (target[mergeAt + 1] ?? 1));
    }
    if (oneAt < target.length) target.splice(oneAt, 0, 1);
    // A 0 in a Reshape copies the input's size at that place, so it cannot stand for itself elsewhere.
    const isPlain = target.every((length, axis) => length !== 0 || shape[axis] === 0);
    return move({ op: "Reshape", shape: isPlain ? target : shape }, [shape]);
  });

const flatten = fc
  .tuple(fc.array(dim, { maxLength: 5 }), fc.nat(5))
  .map(([shape, axis]) => move({ op: "Flatten", axis: Math.min(axis, shape.length) }, [shape]));

const squeeze = shapeOf(1, 5).map((shape) =>
  move({ op: "Squeeze", axes: shape.flatMap((d, axis) => (d === 1 ? [axis] : [])) }, [shape]),
);

const unsqueeze = fc
  .tuple(shapeOf(0, 4), fc.uniqueArray(fc.nat(4), { minLength: 1, maxLength: 2 }))
  .map(([shape, axes]) => {
    const fits = axes.filter((axis) => axis < shape.length + axes.length).sort((a, b) => a - b);
    return move({ op: "Unsqueeze", axes: fits.length === axes.length ? fits : [0] }, [shape]);
  });

/** Sums of sizes that this case would need, kept small. */
const isSmall = ({ shapes }: Move) =>
  shapes.every((shape) => shape.reduce((product, length) => product * length, 1) < 8000);

const moves = {
  transpose,
  concat,
  slice,
  pad,
  mirror,
  split,
  reshape,
  flatten,
  squeeze,
  unsqueeze,
};

function both(name: keyof typeof moves): Family[] {
  const cases: fc.Arbitrary<Move> = moves[name].filter(isSmall);
  const title = name[0]!.toUpperCase() + name.slice(1);
  return [
    family(`${title} in float moves every element`, fc.record({ move: cases, seed }), (p) =>
      single(
        p.move.node,
        p.move.shapes.map((shape, index) => ({ tensor: floats(shape, p.seed + index) })),
        undefined,
        p.move.outputs,
      ),
    ),
    family(
      `${title} in integers moves every code, and rescales where parameters differ`,
      fc.record({
        move: cases,
        from: fc.array(perTensor, { minLength: 4, maxLength: 4 }),
        to: fc.option(perTensor, { nil: undefined }),
        seed,
      }),
      ({ move: { node, shapes, outputs }, from, to, seed: start }) => {
        const quantOf = (index: number): QParams => (to ? from[index] : from[0])!;
        const operands = shapes.map((shape, index) => {
          const quant = quantOf(index);
          return { tensor: codes(quant.dtype as "int8" | "uint8", shape, start + index), quant };
        });
        return single(node, operands, to ?? quantOf(0), outputs);
      },
    ),
  ];
}

export const movements: readonly Family[] = (Object.keys(moves) as (keyof typeof moves)[]).flatMap(
  both,
);
