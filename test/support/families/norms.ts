// Random layer normalizations: rows of every length, rows far from 0, and every form that scale and bias take.

import fc from "fast-check";
import { float32, sizeOf } from "../../../src/tensor/tensor.ts";
import { family, seed, single, size, type Family } from "../cases.ts";
import { floats } from "../seeded.ts";

const long = fc.constantFrom(1, 2, 3, 5, 8, 64, 130, 384, 515);

const rows = fc
  .record({
    lead: fc.array(size, { maxLength: 4 }),
    middle: fc.constantFrom([], [1], [2], [4]),
    long,
  })
  .map(({ lead, middle, long: last }) => ({
    shape: [...lead, ...middle, last].slice(-5),
    tail: middle.length + 1,
  }))
  .filter(({ shape }) => sizeOf(shape) < 20000);

/** What scale and bias may be, of a row's shape: all of it, one number, or with leading axes of 1. */
const forms = {
  row: (tail: readonly number[]) => [...tail],
  ones: (tail: readonly number[]) => [1, ...tail].slice(-Math.max(1, tail.length)),
  scalar: () => [],
  last: (tail: readonly number[]) => tail.slice(-1),
};

export const layerNorm = family(
  "LayerNormalization equals the reference over every axis",
  fc.record({
    rows,
    scale: fc.constantFrom("row" as const, "row" as const, "ones" as const, "scalar" as const),
    bias: fc.constantFrom(undefined, "row" as const, "row" as const, "last" as const),
    constant: fc.boolean(),
    offset: fc.constantFrom(0, 3, 1000),
    epsilon: fc.constantFrom(1e-5, 1e-12, 0.1),
    seed,
  }),
  ({ rows: { shape, tail }, scale, bias, constant, offset, epsilon, seed: from }) => {
    const x = floats(shape, from);
    const axis = shape.length - Math.min(tail, shape.length);
    const row = shape.slice(axis);
    const moved = float32(
      shape,
      x.data.map((value) => value + offset),
    );
    const operand = (form: keyof typeof forms, start: number) => ({
      tensor: floats(forms[form](row), start),
      constant,
    });
    return single({ op: "LayerNormalization", axis, epsilon }, [
      { tensor: moved },
      operand(scale, from + 1),
      ...(bias ? [operand(bias, from + 2)] : []),
    ]);
  },
  // Of a row of one element nothing is left but its bias; d = x − mean has f32's steps at the offset.
  { tolerance: 2e-5, terms: 1 },
);

export const norms: readonly Family[] = [layerNorm];
