// Random matrix products: Gemm in all its forms, MatMul of every pair of ranks.

import fc from "fast-check";
import type { Tensor } from "../../../src/tensor/tensor.ts";
import { family, perTensor, seed, single, sums, size, type Family } from "../cases.ts";
import { codes, floats } from "../seeded.ts";
import {
  biasOperand,
  clampFor,
  spread,
  weightForm,
  weightOperand,
  weightQuant,
  type AnyClamp,
} from "./convolution.ts";

const inner = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(1, 2, 3, 4, 5, 8, 17) },
  { weight: 1, arbitrary: fc.constant(0) },
);
const side = fc.oneof(
  { weight: 12, arbitrary: size },
  { weight: 1, arbitrary: fc.constant(0) },
  { weight: 2, arbitrary: fc.constantFrom(65, 70) },
);

const floatGemm = family(
  "Gemm in float equals the reference",
  fc.record({
    m: side,
    n: side,
    k: inner,
    transA: fc.boolean(),
    transB: fc.boolean(),
    alpha: fc.constantFrom(1, 0.5, -1.25),
    beta: fc.constantFrom(1, 2, -0.75),
    bIsConstant: fc.boolean(),
    c: fc.constantFrom("none", "scalar", "one", "row", "row2", "column", "matrix"),
    cIsConstant: fc.boolean(),
    clamp: fc.constantFrom<AnyClamp>({}, { low: 0 }, { low: -0.5, high: 1 }, "high", "both"),
    seed,
  }),
  ({ m, n, k, transA, transB, alpha, beta, bIsConstant, c, cIsConstant, clamp, seed: from }) => {
    const forms = {
      none: undefined,
      scalar: [],
      one: [1],
      row: [n],
      row2: [1, n],
      column: [m, 1],
      matrix: [m, n],
    };
    const shape = forms[c as keyof typeof forms];
    const bounds = clampFor(clamp, n, from + 3, 1);
    return single({ op: "Gemm", alpha, beta, transA, transB, ...bounds }, [
      { tensor: floats(transA ? [k, m] : [m, k], from) },
      { tensor: floats(transB ? [n, k] : [k, n], from + 1), constant: bIsConstant },
      ...(shape ? [{ tensor: floats(shape, from + 2), constant: cIsConstant }] : []),
    ]);
  },
  sums,
);

const integerGemm = family(
  "Gemm in integers equals the reference bit for bit",
  fc.record({
    m: side,
    n: size,
    k: inner,
    transB: fc.boolean(),
    from: perTensor,
    to: perTensor,
    perChannel: fc.boolean(),
    form: weightForm,
    bias: fc.constantFrom(undefined, 3000, 2 ** 27),
    clamp: fc.constantFrom<AnyClamp>({}, { low: 0 }, "high", "both"),
    seed,
  }),
  ({ m, n, k, transB, from, to, perChannel, form, bias, clamp, seed: start }) => {
    const quant = weightQuant(perChannel ? (transB ? 0 : 1) : undefined, n, start + 3);
    const magnitude = (5000 * Math.sqrt(k + 1) + (bias ?? 0)) * (from.scale[0] ?? 1) * 0.03;
    const bounds = clampFor(clamp, n, start + 4, magnitude);
    return single(
      { op: "Gemm", alpha: 1, beta: 1, transA: false, transB, ...bounds },
      [
        { tensor: codes(from.dtype as "int8" | "uint8", [m, k], start), quant: from },
        weightOperand(transB ? [n, k] : [k, n], quant, form, start + 1),
        ...(bias === undefined ? [] : [biasOperand(n, start + 2, bias)]),
      ],
      spread(to, magnitude),
    );
  },
);

/** Leading axes of two operands that broadcast: each axis full, or 1 in one of them, or missing. */
const leading = fc
  .array(fc.tuple(fc.constantFrom(1, 2, 3), fc.constantFrom("both", "left", "right")), {
    maxLength: 3,
  })
  .chain((axes) =>
    fc.record({
      left: fc.constant(axes.map(([length, who]) => (who === "right" ? 1 : length))),
      right: fc.constant(axes.map(([length, who]) => (who === "left" ? 1 : length))),
      dropLeft: fc.nat(axes.length),
      dropRight: fc.nat(axes.length),
    }),
  );

const floatMatMul = family(
  "MatMul in float equals the reference, vectors and broadcast batches included",
  fc.record({
    m: side,
    n: side,
    k: inner,
    leading,
    aIsVector: fc.boolean(),
    bIsVector: fc.boolean(),
    constant: fc.constantFrom("none", "left", "right"),
    seed,
  }),
  ({ m, n, k, leading: axes, aIsVector, bIsVector, constant, seed: from }) => {
    const a = aIsVector ? [k] : [...axes.left.slice(axes.dropLeft), m, k];
    const b = bIsVector ? [k] : [...axes.right.slice(axes.dropRight), k, n];
    const operand = (tensor: Tensor, side: string) => ({ tensor, constant: constant === side });
    return single({ op: "MatMul" }, [
      operand(floats(a, from), "left"),
      operand(floats(b, from + 1), "right"),
    ]);
  },
  sums,
);

const integerMatMul = family(
  "MatMul in integers equals the reference bit for bit",
  fc.record({
    lead: fc.constantFrom([], [2], [3, 2], [2, 1, 3], [1, 2, 1, 2]),
    isVector: fc.boolean(),
    m: side,
    n: size,
    k: inner,
    from: perTensor,
    to: perTensor,
    perChannel: fc.boolean(),
    form: weightForm,
    seed,
  }),
  ({ lead, isVector, m, n, k, from, to, perChannel, form, seed: start }) =>
    single(
      { op: "MatMul" },
      [
        {
          tensor: codes(
            from.dtype as "int8" | "uint8",
            isVector && lead.length === 0 ? [k] : [...lead, m, k],
            start,
          ),
          quant: from,
        },
        weightOperand(
          [k, n],
          weightQuant(perChannel ? 1 : undefined, n, start + 3),
          form,
          start + 1,
        ),
      ],
      spread(to, 5000 * Math.sqrt(k + 1) * (from.scale[0] ?? 1) * 0.03),
    ),
);

export const products: readonly Family[] = [floatGemm, integerGemm, floatMatMul, integerMatMul];
