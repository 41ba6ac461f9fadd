// Integer ops that follow the roundings of one of PyTorch's engines: a float bias (fbgemm, (30)), the
// reciprocal of the output's scale (qnnpack, (31)), qnnpack's addition and fbgemm's global pool.

import fc from "fast-check";
import { dim, family, perTensor, seed, single, type Family } from "../cases.ts";
import { codes, floats } from "../seeded.ts";
import {
  attributesOf,
  clampFor,
  geometry,
  shapes,
  spread,
  weightQuant,
  type AnyClamp,
} from "./convolution.ts";

const engine = fc.constantFrom("fbgemm" as const, "qnnpack" as const);

const convolution = family(
  "Conv in integers with a float bias, by either engine, equals the reference bit for bit",
  fc.record({
    geometry,
    from: perTensor,
    to: perTensor,
    perChannel: fc.boolean(),
    /** Of |bias|, in units of its layer's sums; the second passes 2²⁴ steps. */
    span: fc.constantFrom(1, 2 ** 14),
    clamp: fc.constantFrom<AnyClamp>({}, { low: 0 }, "both"),
    engine,
  }),
  ({ geometry: g, from, to, perChannel, span, clamp, engine }) => {
    const { x, filter, outs, terms } = shapes(g);
    const steps = 5000 * Math.sqrt(terms) * span;
    const unit = steps * (from.scale[0] ?? 1) * 0.03;
    return single(
      { ...attributesOf(g), ...clampFor(clamp, outs, g.seed + 4, unit), engine },
      [
        { tensor: codes(from.dtype as "int8" | "uint8", x, g.seed), quant: from },
        {
          tensor: codes("int8", filter, g.seed + 1),
          quant: weightQuant(perChannel ? 0 : undefined, outs, g.seed + 3),
          constant: true,
        },
        { tensor: floats([outs], g.seed + 2, unit), constant: true },
      ],
      spread(to, unit),
    );
  },
);

const gemm = family(
  "Gemm in integers with a float bias equals the reference bit for bit",
  fc.record({
    rows: dim,
    inputs: fc.constantFrom(1, 3, 4, 33, 64),
    outs: fc.constantFrom(1, 4, 7, 40),
    from: perTensor,
    to: perTensor,
    engine,
    seed,
  }),
  ({ rows, inputs, outs, from, to, engine, seed: start }) => {
    const unit = 5000 * Math.sqrt(inputs) * (from.scale[0] ?? 1) * 0.03;
    return single(
      { op: "Gemm", alpha: 1, beta: 1, transA: false, transB: true, engine },
      [
        { tensor: codes(from.dtype as "int8" | "uint8", [rows, inputs], start), quant: from },
        {
          tensor: codes("int8", [outs, inputs], start + 1),
          quant: weightQuant(0, outs, start),
          constant: true,
        },
        { tensor: floats([outs], start + 2, unit), constant: true },
      ],
      spread(to, unit),
    );
  },
);

const addition = family(
  "Add in integers by qnnpack equals the reference bit for bit",
  fc.record({
    shape: fc.tuple(dim, dim, dim, dim),
    a: perTensor,
    b: perTensor,
    to: perTensor,
    seed,
  }),
  ({ shape, a, b, to, seed: start }) =>
    single(
      { op: "Add", engine: "qnnpack" },
      [a, b].map((quant, index) => ({
        tensor: codes(quant.dtype as "int8" | "uint8", shape, start + index),
        quant,
      })),
      to,
    ),
);

/** Windows of 2 × 2 and 4 × 4 meet ties, where the zero point's place shows. */
const pool = family(
  "GlobalAveragePool in integers by fbgemm equals the reference bit for bit",
  fc.record({
    batch: dim,
    channels: fc.constantFrom(1, 3, 4, 9, 40),
    side: fc.constantFrom(1, 2, 3, 4, 7, 10),
    quant: perTensor,
    seed,
  }),
  ({ batch, channels, side, quant, seed: start }) => {
    const shape = [batch, channels, side, side];
    const x = codes(quant.dtype as "int8" | "uint8", shape, start);
    return single({ op: "GlobalAveragePool", engine: "fbgemm" }, [{ tensor: x, quant }], quant);
  },
);

export const engines: readonly Family[] = [convolution, gemm, addition, pool];
