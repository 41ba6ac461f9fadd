// Losses and gradients that are nodes of their own: rows of every rank, labels that do not count, indices that
// repeat.

import fc from "fast-check";
import { IGNORED_LABEL } from "../../../src/graph/learning.ts";
import { sizeOf, tensor, type Tensor } from "../../../src/tensor/tensor.ts";
import { dim, family, seed, single, size, sums, type Family } from "../cases.ts";
import { floats, generator } from "../seeded.ts";

/** Labels 0 … classes − 1, and now and then one that does not count. */
function labelsOf(
  dtype: "int32" | "int64",
  shape: readonly number[],
  classes: number,
  from: number,
): Tensor {
  const next = generator(from);
  const labels = Array.from({ length: sizeOf(shape) }, () =>
    next() < 0.2 ? IGNORED_LABEL : Math.floor(next() * classes),
  );
  return dtype === "int32"
    ? tensor("int32", shape, Int32Array.from(labels))
    : tensor("int64", shape, BigInt64Array.from(labels, BigInt));
}

const rows = fc.record({
  leading: fc.oneof(
    { weight: 4, arbitrary: fc.tuple(dim) },
    { weight: 4, arbitrary: fc.array(size, { maxLength: 4 }) },
  ),
  classes: fc.constantFrom(1, 2, 3, 4, 5, 9, 10, 130),
  labelSmoothing: fc.constantFrom(0, 0.1, 0.5),
  dtype: fc.constantFrom("int32" as const, "int64" as const),
  span: fc.constantFrom(1, 30, 200),
  seed,
});

const loss = family(
  "CrossEntropy equals the reference, labels that do not count included",
  rows,
  ({ leading, classes, labelSmoothing, dtype, span, seed: from }) =>
    single({ op: "CrossEntropy", labelSmoothing }, [
      { tensor: floats([...leading, classes], from, span) },
      { tensor: labelsOf(dtype, leading, classes, from + 1) },
    ]),
  sums,
);

const lossGrad = family(
  "CrossEntropyGrad equals the reference",
  rows,
  ({ leading, classes, labelSmoothing, dtype, span, seed: from }) =>
    single({ op: "CrossEntropyGrad", labelSmoothing }, [
      { tensor: floats([...leading, classes], from, span) },
      { tensor: labelsOf(dtype, leading, classes, from + 1) },
      { tensor: floats(leading, from + 2) },
    ]),
  sums,
);

const gatherGrad = family(
  "GatherGrad equals the reference, indices that repeat or count from the end included",
  fc
    .record({
      outer: fc.array(size, { maxLength: 2 }),
      picked: fc.oneof(fc.array(size, { maxLength: 2 }), fc.constant([70])),
      inner: fc.array(size, { maxLength: 2 }),
      axis: fc.constantFrom(1, 2, 3, 5, 40),
      seed,
    })
    .filter(({ outer, inner }) => outer.length + inner.length < 4),
  ({ outer, picked, inner, axis, seed: from }) => {
    const next = generator(from);
    const indices = Int32Array.from(
      { length: sizeOf(picked) },
      () => Math.floor(next() * 2 * axis) - axis,
    );
    return single({ op: "GatherGrad", axis: outer.length, size: axis }, [
      { tensor: floats([...outer, ...picked, ...inner], from + 1) },
      { tensor: tensor("int32", picked, indices) },
    ]);
  },
  sums,
);

const recurrentGrad = family(
  "LSTMGrad and GRUGrad equal the reference, steps past an element's length included",
  fc.record({
    isLstm: fc.boolean(),
    reverse: fc.boolean(),
    time: fc.constantFrom(1, 2, 3, 6),
    batch: fc.constantFrom(1, 2, 3, 5),
    units: fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom(1, 2, 3, 4, 5, 8, 9) },
      { weight: 1, arbitrary: fc.constantFrom(66, 130) },
    ),
    lens: fc.boolean(),
    seed,
  }),
  ({ isLstm, reverse, time, batch, units, lens, seed: from }) => {
    const next = generator(from);
    const lengths = Int32Array.from({ length: batch }, () => Math.floor(next() * (time + 1)));
    const states = isLstm ? 2 : 1;
    const before = isLstm ? [batch, units] : [time, batch, units];
    return single(
      { op: isLstm ? "LSTMGrad" : "GRUGrad", reverse },
      [
        { tensor: floats([time, batch, 4 * units], from, 3) },
        { tensor: floats([(isLstm ? 4 : 3) * units, units], from + 1, 2 / Math.sqrt(units)) },
        { tensor: floats(before, from + 2) },
        { tensor: floats([time, batch, units], from + 3) },
        { tensor: floats([states, batch, units], from + 4) },
        ...(lens ? [{ tensor: tensor("int32", [batch], lengths) }] : []),
      ],
      undefined,
      2,
    );
  },
  sums,
);

export const learning: readonly Family[] = [loss, lossGrad, gatherGrad];
export const recurrentGradients: readonly Family[] = [recurrentGrad];
