// Dynamic products: a float activation is quantized by its own range, multiplied in integers and comes out as
// float. Bytes and parameters are equal bit for bit (integers.ts); results within the tolerance of floats, since
// a device may fuse the last two roundings: docs/quantization.md (40).

import fc from "fast-check";
import type { DynamicRule } from "../../../src/graph/dynamic.ts";
import { GraphBuilder } from "../../../src/graph/builder.ts";
import type { QParams } from "../../../src/graph/value.ts";
import { tensor } from "../../../src/tensor/tensor.ts";
import { family, seed, sums, type Case, type Family } from "../cases.ts";
import { codes, floats } from "../seeded.ts";
import { dynamicRule } from "./integers.ts";

/** Parameters of a weight (K, N): its values less their zero points are int8. */
export function weightOf(
  k: number,
  n: number,
  from: number,
  dtype: "int8" | "uint8",
  perColumn: boolean,
) {
  const count = perColumn ? n : 1;
  const quant: QParams = {
    dtype,
    scale: Float32Array.from({ length: count }, (_, c) => 0.003 + 0.001 * ((from + c) % 5)),
    zeroPoint: new Int32Array(count).fill(dtype === "uint8" ? 128 : 0),
    ...(perColumn ? { axis: 1 } : {}),
  };
  return { data: codes(dtype, [k, n], from), quant };
}

interface Given {
  readonly shape: readonly number[];
  readonly n: number;
  readonly rule: DynamicRule;
  readonly weight: "int8" | "uint8";
  readonly perColumn: boolean;
  readonly hasBias: boolean;
  readonly clamp: { readonly low?: number; readonly high?: number };
  readonly seed: number;
}

/** x → DynamicQuantizeLinear → MatMulIntegerToFloat. */
export function dynamicProduct(given: Given): Case {
  const { shape, n, rule, seed: from } = given;
  const builder = new GraphBuilder();
  const x = floats(shape, from, 3);
  builder.input("x", { dtype: "float32", shape });
  const { data, quant } = weightOf(shape.at(-1) ?? 1, n, from + 1, given.weight, given.perColumn);
  builder.constant("w", data, quant);
  if (given.hasBias) builder.constant("b", floats([n], from + 2));
  const outputs = ["q", "s", "z"];
  builder.add({ op: "DynamicQuantizeLinear", name: "quantize", inputs: ["x"], outputs, ...rule });
  builder.add({
    op: "MatMulIntegerToFloat",
    name: "node",
    inputs: ["q", "w", "s", "z", ...(given.hasBias ? ["b"] : [])],
    outputs: ["y"],
    ...given.clamp,
  });
  return { graph: builder.build("dynamic", ["x"], ["y"]), feeds: { x } };
}

const size = fc.constantFrom(1, 2, 3, 4, 5, 9);
const side = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(1, 2, 3, 4, 5, 8, 9, 17) },
  { weight: 1, arbitrary: fc.constant(0) },
  { weight: 2, arbitrary: fc.constantFrom(65, 70) },
);
const leading = fc.oneof(
  fc.tuple(side),
  fc.constantFrom<readonly number[]>([], [2, 3], [3, 1], [2, 1, 2], [2, 1, 3, 2]),
);

const parameters = {
  rule: dynamicRule,
  weight: fc.constantFrom("int8" as const, "uint8" as const),
  perColumn: fc.boolean(),
  hasBias: fc.boolean(),
  clamp: fc.constantFrom({}, { low: 0 }, { low: -0.5, high: 1 }),
  seed,
};

const dynamicProductFamily = family(
  "a dynamic product of floats equals the reference",
  fc.record({ rows: leading, k: side, n: side, ...parameters }),
  ({ rows, k, n, ...rest }) => dynamicProduct({ shape: [...rows, k], n, ...rest }),
  sums,
);

const deep = family(
  "a dynamic product whose sum only int32 holds equals the reference",
  fc.record({ m: fc.constantFrom(1, 3, 40), ...parameters }),
  ({ m, ...rest }) => dynamicProduct({ shape: [m, 1200], n: 70, ...rest }),
  sums,
);

/** Bytes with parameters that a caller gives, one a tensor or one a row. */
const givenBytes = family(
  "a product of given bytes equals the reference",
  fc.record({ m: size, k: size, n: size, perRow: fc.boolean(), dtype: parameters.weight, seed }),
  ({ m, k, n, perRow, dtype, seed: from }) => {
    const builder = new GraphBuilder();
    const one = perRow ? [m, 1] : [];
    const feeds = {
      q: codes(dtype, [m, k], from),
      s: tensor(
        "float32",
        one,
        floats([perRow ? m : 1], from + 1).data.map((v) => 0.01 + v * v),
      ),
      z: tensor(dtype, one, codes(dtype, [perRow ? m : 1], from + 2).data as never),
    };
    for (const [name, { dtype: type, shape }] of Object.entries(feeds)) {
      builder.input(name, { dtype: type, shape });
    }
    const { data, quant } = weightOf(k, n, from + 3, "int8", true);
    builder.constant("w", data, quant);
    const inputs = ["q", "w", "s", "z"];
    builder.add({ op: "MatMulIntegerToFloat", name: "node", inputs, outputs: ["y"] });
    return { graph: builder.build("given", ["q", "s", "z"], ["y"]), feeds };
  },
  sums,
);

export const dynamicProducts: readonly Family[] = [dynamicProductFamily, deep, givenBytes];
