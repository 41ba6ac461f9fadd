// What the names of a file stand for while it is imported, and small questions about that.

import { comparisons } from "./evaluate.ts";
import type { Dim, Value } from "../../graph/value.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** Element types of sizes: Shape gives int64, and some exporters cast it to int32. */
export type Whole = "int64" | "int32";

/** Types of 16 bits, which no tensor here has: constants of them are int32, values that a node computes float32. */
export type Wide = "uint16" | "int16";

export type Entry =
  /** Known elements; becomes a constant of the graph when a node that stays needs it. */
  | { readonly kind: "constant"; readonly tensor: Tensor }
  /** Elements of which some are names of sizes ("batch"), row-major. */
  | {
      readonly kind: "sizes";
      readonly dtype: Whole;
      readonly shape: readonly number[];
      readonly sizes: readonly Dim[];
    }
  /** Elements start, start + 1, … along the one axis that is longer than 1; its size has a name. */
  | {
      readonly kind: "range";
      readonly dtype: Whole;
      readonly shape: readonly Dim[];
      readonly start: Dim;
    }
  | { readonly kind: "value"; readonly value: Value };

/** Sizes, or positions up to one. */
export type Counted = Extract<Entry, { kind: "sizes" | "range" }>;

/** Whether a comparison of two sizes holds; undefined where that hangs on a size that is not known, of which
 *  only this is sure: it is not negative. */
export function compareDims(op: keyof typeof comparisons, a: Dim, b: Dim): boolean | undefined {
  const holds = comparisons[op];
  if (typeof a === "number" && typeof b === "number") return holds(a, b);
  if (a === b) return holds(0, 0);
  if (typeof a === "string" && typeof b === "number" && b < 0) return holds(0, b);
  if (typeof b === "string" && typeof a === "number" && a < 0) return holds(a, 0);
  return undefined;
}

export function numbersOf(entry: Entry | undefined): number[] {
  if (entry?.kind !== "constant") return [];
  return Array.from(entry.tensor.data as ArrayLike<number | bigint>, Number);
}
