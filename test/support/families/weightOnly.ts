// Random products of float rows by weights of few bits: every storage, with parameters per tensor, per output
// channel and in blocks that do not divide the sum, around the words and steps of the kernels.

import fc from "fast-check";
import { paramsShape, rangeOf, type QParams } from "../../../src/graph/value.ts";
import { halfOfFloat } from "../../../src/tensor/half.ts";
import { sizeOf, tensor, type Tensor } from "../../../src/tensor/tensor.ts";
import { family, seed, single, sums, type Family, type Operand } from "../cases.ts";
import { codes, floats, generator } from "../seeded.ts";

export const storages = ["float16", "int8", "uint8", "int4", "uint4"] as const;
export type Storage = (typeof storages)[number];

/** How a weight's parameters lie: per tensor, per output channel, or in blocks of so many rows. */
export type Granularity = "tensor" | "channel" | number;

/** A weight (rows, columns) of about ±1, sums along `axis`. */
export function weightOperand(
  storage: Storage,
  shape: readonly [number, number],
  axis: 0 | 1,
  granularity: Granularity,
  from: number,
  zeros = false,
): Operand {
  if (storage === "float16") {
    const data = Uint16Array.from(floats(shape, from).data, halfOfFloat);
    return { tensor: tensor("float16", shape, data), constant: true };
  }
  const slices =
    granularity === "tensor"
      ? {}
      : granularity === "channel"
        ? { axis: 1 - axis }
        : { axis, blockSize: granularity };
  const count = sizeOf(paramsShape(slices, shape));
  const next = generator(from + 1);
  const bits = storage.endsWith("4") ? 4 : 8;
  const [qmin, qmax] = rangeOf({ dtype: storage } as QParams);
  const middle = storage.startsWith("u") ? 2 ** (bits - 1) : 0;
  const quant: QParams = {
    dtype: storage,
    ...slices,
    scale: Float32Array.from({ length: count }, () => (0.2 + next()) / 2 ** (bits - 1)),
    zeroPoint: Int32Array.from({ length: count }, () =>
      zeros ? qmin + Math.floor(next() * (qmax - qmin + 1)) : middle,
    ),
  };
  return { tensor: codes(storage, shape, from) as Tensor, quant, constant: true };
}

const depth = fc.oneof(
  { weight: 10, arbitrary: fc.constantFrom(1, 3, 4, 7, 8, 9, 16, 17, 33, 40, 70, 129) },
  { weight: 1, arbitrary: fc.constant(0) },
);
const columns = fc.constantFrom(1, 2, 3, 4, 5, 8, 9, 17, 36);
const weight = fc.record({
  storage: fc.constantFrom(...storages),
  granularity: fc.constantFrom<Granularity>("tensor", "channel", 8, 16, 24, 32, 64),
  zeros: fc.boolean(),
});

const matmul = family(
  "MatMul of a weight of few bits equals the reference, any number of leading axes",
  fc.record({
    lead: fc.constantFrom([], [1], [2], [5], [19], [2, 3], [2, 1, 3], [70]),
    vector: fc.boolean(),
    n: columns,
    k: depth,
    weight,
    clamp: fc.constantFrom({}, { low: 0 }, { low: -0.5, high: 1 }),
    seed,
  }),
  ({ lead, vector, n, k, weight: { storage, granularity, zeros }, clamp, seed: from }) =>
    single({ op: "MatMul", ...clamp }, [
      { tensor: floats(vector ? [k] : [...lead, 3, k], from) },
      weightOperand(storage, [k, n], 0, granularity, from + 1, zeros),
    ]),
  sums,
);

const gemm = family(
  "Gemm of a weight of few bits equals the reference, transposed or not",
  fc.record({
    m: fc.constantFrom(1, 2, 4, 9, 33, 70),
    n: columns,
    k: depth,
    transB: fc.boolean(),
    alpha: fc.constantFrom(1, 0.5, -1.25),
    beta: fc.constantFrom(1, 2),
    c: fc.constantFrom("none", "row", "matrix"),
    cIsConstant: fc.boolean(),
    weight,
    clamp: fc.constantFrom({}, { low: 0 }),
    seed,
  }),
  ({ m, n, k, transB, alpha, beta, c, cIsConstant, weight: w, clamp, seed: from }) =>
    single({ op: "Gemm", alpha, beta, transA: false, transB, ...clamp }, [
      { tensor: floats([m, k], from) },
      weightOperand(
        w.storage,
        transB ? [n, k] : [k, n],
        transB ? 1 : 0,
        w.granularity,
        from + 1,
        w.zeros,
      ),
      ...(c === "none"
        ? []
        : [{ tensor: floats(c === "row" ? [n] : [m, n], from + 2), constant: cIsConstant }]),
    ]),
  sums,
);

const embedding = family(
  "Gather of a table of few bits equals the reference bit for bit",
  fc.record({
    rows: fc.constantFrom(1, 3, 17),
    inner: fc.constantFrom(1, 3, 4, 7, 16, 33),
    picked: fc.constantFrom([1], [5], [2, 3], [2, 1, 3], []),
    granularity: fc.constantFrom<Granularity>("tensor", "channel", 3, 8, 16),
    storage: fc.constantFrom(...storages),
    zeros: fc.boolean(),
    seed,
  }),
  ({ rows, inner, picked, granularity, storage, zeros, seed: from }) => {
    const next = generator(from + 9);
    const indices = Int32Array.from(
      { length: sizeOf(picked) },
      () => Math.floor(next() * 2 * rows) - rows,
    );
    return single(
      { op: "Gather", axis: 0 },
      [
        weightOperand(storage, [rows, inner], 1, granularity, from, zeros),
        { tensor: tensor("int32", picked, indices) },
      ],
      "float32",
    );
  },
  { tolerance: 0 },
);

export const weightOnly: readonly Family[] = [matmul, gemm];
export const embeddings: readonly Family[] = [embedding];
