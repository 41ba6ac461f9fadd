// Random attention: heads of whole words and of other sizes, masks of every form that broadcasts.

import fc from "fast-check";
import { float32, sizeOf, type Tensor } from "../../../src/tensor/tensor.ts";
import { family, seed, single, sums, type Family } from "../cases.ts";
import { floats, generator } from "../seeded.ts";

const length = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(1, 2, 3, 4, 5, 8, 9, 17) },
  { weight: 3, arbitrary: fc.constantFrom(33, 70) },
);

/** A mask as exporters write it: 0, the least float or −∞ where a key is hidden, and now and then a bias. */
function maskOf(shape: readonly number[], keys: number, hidden: number, from: number): Tensor {
  const next = generator(from);
  const data = Float32Array.from({ length: sizeOf(shape) }, (_, index) => {
    const first = shape.at(-1) === 1 || index % keys === 0;
    const draw = next();
    return !first && draw < 0.3 ? hidden : draw < 0.6 ? 0 : draw * 4 - 2;
  });
  return float32(shape, data);
}

const floatAttention = (title: string, d: readonly number[]): Family =>
  family(
    title,
    fc.record({
      batch: fc.constantFrom(1, 2, 3),
      rows: length,
      keys: length,
      heads: fc.constantFrom(1, 2, 3, 5),
      d: fc.constantFrom(...d),
      dv: fc.constantFrom(...d),
      mask: fc.constantFrom("none", "key", "batch", "matrix", "pairs", "heads", "all", "one"),
      hidden: fc.constantFrom(-3.4028234663852886e38, -1e4, -Infinity),
      maskIsConstant: fc.boolean(),
      seed,
    }),
    ({ batch, rows, keys, heads, d, dv, mask, hidden, maskIsConstant, seed: from }) => {
      const forms: Readonly<Record<string, readonly number[] | undefined>> = {
        key: [1, 1, 1, keys],
        batch: [batch, 1, 1, keys],
        matrix: [batch, 1, rows, keys],
        pairs: [rows, keys],
        heads: [heads, 1, keys],
        all: [batch, heads, rows, keys],
        one: [1],
      };
      const form = forms[mask];
      return single({ op: "Attention", heads, scale: 1 / Math.sqrt(d) }, [
        { tensor: floats([batch, rows, heads * d], from, 2) },
        { tensor: floats([batch, keys, heads * d], from + 1, 2) },
        { tensor: floats([batch, keys, heads * dv], from + 2) },
        ...(form
          ? [{ tensor: maskOf(form, keys, hidden, from + 3), constant: maskIsConstant }]
          : []),
      ]);
    },
    sums,
  );

export const attentions: readonly Family[] = [
  floatAttention("Attention with heads of whole words equals the reference", [4, 8, 12, 32]),
  floatAttention("Attention with heads of any size equals the reference", [1, 2, 3, 4, 5, 7]),
];
