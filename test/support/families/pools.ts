// Random pools, means and softmaxes.

import fc from "fast-check";
import type { QParams } from "../../../src/graph/value.ts";
import { sizeOf, tensor, type Tensor } from "../../../src/tensor/tensor.ts";
import { family, perTensor, seed, single, sums, size, type Family } from "../cases.ts";
import { codes, floats, integers } from "../seeded.ts";

const two = (max: number) => fc.tuple(fc.integer({ min: 1, max }), fc.integer({ min: 1, max }));

export const window = fc
  .record({
    batch: fc.constantFrom(0, 1, 1, 1, 2, 3),
    channels: size,
    kernel: two(3),
    strides: two(3),
    dilations: two(2),
    /** Of kernel − 1: a window all in the padding has no greatest value. */
    padding: fc.tuple(fc.nat(2), fc.nat(2), fc.nat(2), fc.nat(2)),
    beyond: fc.tuple(fc.nat(6), fc.nat(6)),
    ceilMode: fc.boolean(),
    seed,
  })
  .map(({ padding, ...rest }) => {
    const pads = padding.map((pad, at) => Math.min(pad, (rest.kernel[at % 2] ?? 1) - 1)) as [
      number,
      number,
      number,
      number,
    ];
    // Pictures of at least one whole window: then dilated taps cannot all miss it.
    const extent = (axis: 0 | 1) =>
      rest.dilations[axis] * (rest.kernel[axis] - 1) + 1 + rest.beyond[axis];
    return { ...rest, pads, shape: [rest.batch, rest.channels, extent(0), extent(1)] };
  });

export type WindowCase = typeof window extends fc.Arbitrary<infer W> ? W : never;

export const attributesOf = ({ kernel, strides, dilations, pads, ceilMode }: WindowCase) => ({
  kernel,
  strides,
  dilations,
  pads,
  ceilMode,
});

const kind = fc.constantFrom(
  { op: "MaxPool" } as const,
  { op: "AveragePool", countIncludePad: false } as const,
  { op: "AveragePool", countIncludePad: true } as const,
);

const floatPool = family(
  "MaxPool and AveragePool in float equal the reference",
  fc.record({ window, kind }),
  ({ window: w, kind: op }) =>
    single({ ...op, ...attributesOf(w) }, [{ tensor: floats(w.shape, w.seed) }]),
  sums,
);

const operand = (shape: readonly number[], quant: QParams, from: number) => ({
  tensor: codes(quant.dtype as "int8" | "uint8", shape, from),
  quant,
});

const integerPool = family(
  "MaxPool and AveragePool in integers equal the reference bit for bit",
  fc.record({ window, kind, from: perTensor, to: perTensor, same: fc.boolean() }),
  ({ window: w, kind: op, from, to, same }) =>
    single({ ...op, ...attributesOf(w) }, [operand(w.shape, from, w.seed)], same ? from : to),
);

const subset = fc
  .array(fc.tuple(fc.constantFrom(1, 2, 3, 4, 5, 9, 40), fc.boolean()), {
    minLength: 1,
    maxLength: 5,
  })
  .map((axes) => ({
    shape: axes.map(([length]) => length),
    // At most four axes are reduced at once; a mean over none is not a mean.
    axes: axes
      .flatMap(([, reduced], axis) => (reduced || axes.length === 1 ? [axis] : []))
      .slice(0, 4),
  }))
  .filter(({ axes, shape }) => axes.length > 0 && sizeOf(shape) < 20000);

const floatMean = family(
  "ReduceMean in float equals the reference over every set of axes",
  fc.record({ subset, keepdims: fc.boolean(), seed }),
  ({ subset: { shape, axes }, keepdims, seed: from }) =>
    single({ op: "ReduceMean", axes, keepdims }, [{ tensor: floats(shape, from) }]),
  sums,
);

/** Numbers around 1, so that products stay in range; some are equal, one may be NaN. */
function near(shape: readonly number[], from: number, hasNan: boolean): Tensor {
  const values = integers(sizeOf(shape), from, 8);
  const data = Float32Array.from(values, (value) =>
    value < 0 ? value / 8 - 0.5 : value / 8 + 0.5,
  );
  if (hasNan) data[from % data.length] = NaN;
  return tensor("float32", shape, data);
}

const floatReduce = family(
  "Reduce ops in float equal the reference over every set of axes",
  fc.record({
    op: fc.constantFrom(
      "ReduceSum" as const,
      "ReduceMax" as const,
      "ReduceMin" as const,
      "ReduceProd" as const,
      "ReduceL1" as const,
      "ReduceL2" as const,
      "ReduceSumSquare" as const,
    ),
    subset,
    keepdims: fc.boolean(),
    hasNan: fc.constantFrom(false, false, true),
    seed,
  }),
  ({ op, subset: { shape, axes }, keepdims, hasNan, seed: from }) => {
    // Products of many terms leave f32's range.
    const sizes = op === "ReduceProd" ? shape.map((length) => Math.min(length, 5)) : shape;
    return single({ op, axes, keepdims }, [{ tensor: near(sizes, from, hasNan) }]);
  },
  sums,
);

const arg = family(
  "ArgMax and ArgMin equal the reference along every axis, ties and NaN included",
  fc.record({
    op: fc.constantFrom("ArgMax" as const, "ArgMin" as const),
    subset,
    keepdims: fc.boolean(),
    selectLastIndex: fc.boolean(),
    hasNan: fc.constantFrom(false, false, true),
    seed,
  }),
  ({ op, subset: { shape, axes }, keepdims, selectLastIndex, hasNan, seed: from }) => {
    const attributes = { axis: axes[0] ?? 0, keepdims, selectLastIndex };
    return single({ op, ...attributes }, [{ tensor: near(shape, from, hasNan) }]);
  },
);

const integerMean = family(
  "ReduceMean in integers equals the reference bit for bit over every set of axes",
  fc.record({ subset, keepdims: fc.boolean(), from: perTensor, to: perTensor, seed }),
  ({ subset: { shape, axes }, keepdims, from, to, seed: start }) =>
    single({ op: "ReduceMean", axes, keepdims }, [operand(shape, from, start)], to),
);

const globalShape = fc
  .tuple(
    fc.constantFrom(0, 1, 2, 3),
    size,
    fc.array(fc.constantFrom(1, 2, 5, 7, 13), { minLength: 1, maxLength: 3 }),
  )
  .map(([batch, channels, rest]) => [batch, channels, ...rest]);

const globalPool = family(
  "GlobalAveragePool equals the reference in float and in integers",
  fc.record({
    shape: globalShape,
    quant: fc.option(fc.record({ from: perTensor, to: perTensor }), { nil: undefined }),
    seed,
  }),
  ({ shape, quant, seed: start }) =>
    quant
      ? single({ op: "GlobalAveragePool" }, [operand(shape, quant.from, start)], quant.to)
      : single({ op: "GlobalAveragePool" }, [{ tensor: floats(shape, start) }]),
  sums,
);

const softmax = family(
  "Softmax and LogSoftmax equal the reference along every axis",
  fc
    .array(fc.constantFrom(1, 2, 3, 4, 5, 9, 21), { minLength: 1, maxLength: 5 })
    .filter((shape) => sizeOf(shape) < 20000)
    .chain((shape) =>
      fc.record({
        shape: fc.constant(shape),
        axis: fc.nat(shape.length - 1),
        span: fc.constantFrom(1, 30, 500),
        op: fc.constantFrom("Softmax" as const, "LogSoftmax" as const),
        seed,
      }),
    ),
  ({ shape, axis, span, op, seed: from }) =>
    single({ op, axis }, [{ tensor: floats(shape, from, span) }]),
);

export const pools: readonly Family[] = [
  floatPool,
  integerPool,
  floatMean,
  floatReduce,
  arg,
  integerMean,
  globalPool,
  softmax,
];
