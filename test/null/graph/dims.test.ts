// Arithmetic on sizes that have names: one text for equal sizes, and the same numbers as arithmetic gives.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  addDims,
  canonical,
  divideDims,
  multiplyDims,
  namesOf,
  productOf,
  solveDim,
  substitute,
} from "../../../src/graph/dims.ts";
import type { Dim } from "../../../src/graph/value.ts";

const sizes = new Map([
  ["batch", 3],
  ["past", 7],
  ["batch-size", 5],
]);
const dim: fc.Arbitrary<Dim> = fc.letrec<{ dim: Dim; leaf: Dim }>((tie) => ({
  leaf: fc.oneof(fc.integer({ min: -4, max: 9 }), fc.constantFrom(...sizes.keys())),
  dim: fc.oneof(
    { maxDepth: 3 },
    tie("leaf"),
    fc.tuple(tie("dim"), tie("dim")).map(([a, b]) => addDims(a, b)),
    fc.tuple(tie("dim"), tie("dim")).map(([a, b]) => addDims(a, b, -1)),
    fc.tuple(tie("dim"), tie("dim")).map(([a, b]) => multiplyDims(a, b) ?? a),
  ),
})).dim;
const at = (value: Dim) => Number(substitute(value, sizes));
const seed = { seed: 20261126, numRuns: 500 };

it("sums, differences, products and quotients have the values that numbers give", () => {
  fc.assert(
    fc.property(dim, dim, (a, b) => {
      expect(at(addDims(a, b))).toBe(at(a) + at(b));
      expect(at(addDims(a, b, -1))).toBe(at(a) - at(b));
      const product = multiplyDims(a, b);
      if (product !== undefined) expect(at(product) === at(a) * at(b)).toBe(true);
      const quotient = divideDims(a, b);
      if (quotient !== undefined) expect(at(quotient) * at(b) === at(a)).toBe(true);
    }),
    seed,
  );
});

it("a size is written in one way, which reads back as itself", () => {
  fc.assert(
    fc.property(dim, dim, (a, b) => {
      expect(canonical(a)).toBe(a);
      expect(addDims(a, b)).toBe(addDims(b, a));
      expect(multiplyDims(a, b)).toBe(multiplyDims(b, a));
      expect(addDims(addDims(a, b), b, -1)).toBe(a);
    }),
    seed,
  );
  expect(canonical("sequence + past")).toBe("past + sequence");
  expect(canonical("batch-size")).toBe("batch-size");
  expect(productOf(["sequence", 2, "batch"])).toBe("2*batch*sequence");
  expect(namesOf("2*batch*sequence + past - 1")).toEqual(["batch", "sequence", "past"]);
});

it("a quotient is exact or none", () => {
  expect(divideDims("batch*sequence", "batch")).toBe("sequence");
  expect(divideDims("768*sequence", 12)).toBe("64*sequence");
  expect(divideDims("8*past + 8", "past + 1")).toBe(8);
  expect(divideDims("batch", 2)).toBeUndefined();
  expect(divideDims("batch", "sequence")).toBeUndefined();
  expect(divideDims(6, 0)).toBeUndefined();
});

it("one name is found from the size of a sum", () => {
  expect(solveDim("past + 1", 8, new Map())).toEqual({ name: "past", size: 7 });
  expect(solveDim("2*past", 7, new Map())).toBeUndefined();
  expect(solveDim("batch + past", 8, new Map([["batch", 3]]))).toEqual({ name: "past", size: 5 });
  expect(solveDim("batch*past", 8, new Map())).toBeUndefined();
});

describe("a size that grows without end", () => {
  it("is refused in words: too many terms, names, digits or characters", () => {
    const sum = (count: number) => Array.from({ length: count }, (_, at) => `n${at}`).join(" + ");
    expect(addDims(sum(31), "z")).toContain(" + z");
    expect(() => addDims(sum(32), "z")).toThrowErrorMatchingInlineSnapshot(
      `[InputError: sizes: a size that is open must have at most 32 terms; got n0 + n1 + n10 + n11 + n12 + n13 + n14 + n15 + n16 + n17 + n18 + n19 + n2 + n20 +…. Fix some of its names when loading: load(bytes, { dims: { name: size } }).]`,
    );
    expect(() => canonical(sum(40))).toThrow("at most 32 terms");
    let power: ReturnType<typeof multiplyDims> = "a";
    for (let at = 0; at < 15; at++) power = multiplyDims(power ?? 0, "a");
    expect(power).toBe(Array(16).fill("a").join("*"));
    expect(multiplyDims(power ?? 0, "a")).toBeUndefined();
    expect(multiplyDims("a", 2 ** 40)).toBe("1099511627776*a");
    expect(multiplyDims(`${2 ** 40}*a`, 2 ** 40)).toBeUndefined();
    expect(() => addDims("a".repeat(4000), "b".repeat(4000))).toThrow("shorter names");
  });
});
