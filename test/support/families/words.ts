// Integers and bools at run time, and what picks by them. Everything is equal bit for bit.

import fc from "fast-check";
import type { Dim } from "../../../src/graph/value.ts";
import type { DType } from "../../../src/tensor/dtype.ts";
import { sizeOf, tensor, type Tensor } from "../../../src/tensor/tensor.ts";
import { dim, family, perTensor, seed, single, type Family } from "../cases.ts";
import { codes, generator, integers } from "../seeded.ts";

const dtypes = fc.constantFrom<DType>("float32", "int32", "int64", "int8", "uint8", "bool");
const numeric = fc.constantFrom(
  "int32" as const,
  "int64" as const,
  "int8" as const,
  "uint8" as const,
);
const exact = { tolerance: 0 };

/** Elements of `dtype` in [−span, span]; few values, so that many are equal and some are 0. */
function elements(dtype: DType, shape: readonly number[], from: number, span: number): Tensor {
  const count = sizeOf(shape);
  if (dtype === "float32") {
    return tensor(
      dtype,
      shape,
      Float32Array.from(integers(count, from, span), (value) => value / 2),
    );
  }
  if (dtype === "int8" || dtype === "uint8") return codes(dtype, shape, from);
  const values = integers(count, from, span);
  if (dtype === "int32") return tensor(dtype, shape, values);
  if (dtype === "int64") return tensor(dtype, shape, BigInt64Array.from(values, BigInt));
  return tensor(
    dtype,
    shape,
    Uint8Array.from(values, (value) => value & 1),
  );
}

/** Shapes that broadcast to `shape`: sizes replaced by 1, leading 1s dropped. */
const broadcastable = (shape: readonly number[], count: number) =>
  fc.array(
    fc
      .record({
        ones: fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length }),
        drop: fc.boolean(),
      })
      .map(({ ones, drop }) => {
        const own = shape.map((size, axis) => (ones[axis] ? 1 : size));
        const first = own.findIndex((size) => size !== 1);
        return drop ? own.slice(first < 0 ? own.length : first) : own;
      }),
    { minLength: count, maxLength: count },
  );

const shapes = (count: number) =>
  fc
    .array(dim, { maxLength: 5 })
    .filter((shape) => sizeOf(shape) < 5000)
    .chain((shape) => fc.record({ parts: broadcastable(shape, count), seed }));

const arithmetic = family(
  "Add, Sub, Mul and Div of plain integers",
  fc.record({
    op: fc.constantFrom("Add" as const, "Sub" as const, "Mul" as const, "Div" as const),
    dtype: numeric,
    // Past what a product keeps within 32 bits: int32 wraps.
    wide: fc.boolean(),
    shapes: shapes(2),
  }),
  ({ op, dtype, wide, shapes: { parts, seed: from } }) => {
    const span = wide && dtype === "int32" ? 2 ** 31 - 1 : 40;
    return single(
      { op },
      parts.map((shape, index) => ({ tensor: elements(dtype, shape, from + index, span) })),
    );
  },
);

const comparison = family(
  "comparisons of every element type",
  fc.record({
    op: fc.constantFrom(
      "Equal" as const,
      "Less" as const,
      "LessOrEqual" as const,
      "Greater" as const,
      "GreaterOrEqual" as const,
    ),
    dtype: dtypes,
    shapes: shapes(2),
  }),
  ({ op, dtype, shapes: { parts, seed: from } }) =>
    single(
      { op },
      parts.map((shape, index) => ({ tensor: elements(dtype, shape, from + index, 3) })),
    ),
);

const logic = family(
  "And, Or, Xor and Not",
  fc.record({
    op: fc.constantFrom("And" as const, "Or" as const, "Xor" as const, "Not" as const),
    shapes: shapes(2),
  }),
  ({ op, shapes: { parts, seed: from } }) => {
    const operands = parts.map((shape, index) => ({
      tensor: elements("bool", shape, from + index, 9),
    }));
    return op === "Not" ? single({ op }, operands.slice(0, 1)) : single({ op }, operands);
  },
);

const where = family(
  "Where of every element type",
  fc.record({ dtype: dtypes, constant: fc.boolean(), shapes: shapes(3) }),
  ({ dtype, constant, shapes: { parts, seed: from } }) => {
    const [condition = [], x = [], y = []] = parts;
    return single({ op: "Where" }, [
      { tensor: elements("bool", condition, from, 9) },
      { tensor: elements(dtype, x, from + 1, 900), constant },
      { tensor: elements(dtype, y, from + 2, 900) },
    ]);
  },
  exact,
);

const expand = family(
  "Expand of every element type",
  fc.record({ dtype: dtypes, shapes: shapes(2) }),
  ({ dtype, shapes: { parts, seed: from } }) => {
    const [x = [], target = []] = parts;
    const shape: Dim[] = target;
    return single({ op: "Expand", shape }, [{ tensor: elements(dtype, x, from, 900) }]);
  },
  exact,
);

const gather = family(
  "Gather along every axis, of every element type",
  fc.record({
    dtype: dtypes,
    quant: fc.option(perTensor, { nil: undefined }),
    index: fc.constantFrom("int32" as const, "int64" as const),
    shape: fc.array(fc.constantFrom(1, 2, 3, 4, 5, 8), { minLength: 1, maxLength: 4 }),
    picked: fc.array(dim, { maxLength: 3 }),
    at: fc.nat(3),
    constant: fc.boolean(),
    seed,
  }),
  ({ dtype, quant, index, shape, picked, at, constant, seed: from }) => {
    const axis = at % shape.length;
    const size = shape[axis] ?? 1;
    const next = generator(from + 7);
    const indices = Int32Array.from(
      { length: sizeOf(picked) },
      () => Math.floor(next() * 2 * size) - size,
    );
    const places =
      index === "int32"
        ? tensor(index, picked, indices)
        : tensor(index, picked, BigInt64Array.from(indices, BigInt));
    const data = quant
      ? { tensor: codes(quant.dtype as "int8" | "uint8", shape, from), quant, constant }
      : { tensor: elements(dtype, shape, from, 900), constant };
    return single({ op: "Gather", axis }, [data, { tensor: places }], quant);
  },
  exact,
);

const cast = family(
  "Cast between all element types",
  fc.record({
    from: dtypes,
    to: dtypes,
    shape: fc.array(fc.constantFrom(1, 2, 3, 4, 5, 7), { maxLength: 5 }),
    span: fc.constantFrom(3, 1000),
    seed,
  }),
  ({ from, to, shape, span, seed: start }) =>
    single({ op: "Cast", to }, [{ tensor: elements(from, shape, start, span) }]),
  exact,
);

const moves = family(
  "int64 and bool move unchanged",
  fc.record({
    dtype: fc.constantFrom<DType>("int64", "bool"),
    shape: fc.array(fc.constantFrom(1, 2, 3, 4, 5), { minLength: 2, maxLength: 4 }),
    how: fc.constantFrom("Transpose", "Pad", "Concat", "Reshape", "Identity", "Split"),
    seed,
  }),
  ({ dtype, shape, how, seed: from }) => {
    const x = { tensor: elements(dtype, shape, from, 2 ** 31 - 1) };
    const axis = shape.length - 1;
    if (how === "Transpose") {
      return single({ op: how, perm: shape.map((_, at) => at).toReversed() }, [x]);
    }
    if (how === "Pad") {
      const pads = [...shape.map(() => 1), ...shape.map((_, at) => at)];
      return single({ op: how, pads, value: 1 }, [x]);
    }
    if (how === "Reshape") return single({ op: how, shape: [-1] }, [x]);
    if (how === "Identity") return single({ op: how }, [x]);
    if (how === "Split") {
      const size = shape[axis] ?? 1;
      return single({ op: how, axis, sizes: [1, size - 1] }, [x], undefined, 2);
    }
    const y = { tensor: elements(dtype, shape, from + 1, 2 ** 31 - 1), constant: true };
    return single({ op: "Concat", axis }, [x, y]);
  },
);

export const words: readonly Family[] = [
  arithmetic,
  comparison,
  logic,
  where,
  expand,
  gather,
  cast,
  moves,
];
