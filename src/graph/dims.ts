// Arithmetic on sizes that are known only at run time. Its one idea: such a size is a polynomial of names
// with whole coefficients, written in one canonical way ("batch*sequence", "past + 1"), so that two sizes
// are equal where their texts are. Exporters of models write the same: operators are `*` and, between
// blanks, `+` and `-`; any other character belongs to a name.

import { InputError } from "../errors.ts";
import type { Dim } from "./value.ts";

/** Monomial (sorted names joined by `*`; "" for the constant) → coefficient, none of them 0. */
type Polynomial = ReadonlyMap<string, number>;

/** Of a size at most: models have two or three terms of one or two names, and sizes that are computed from sizes
 *  must not grow without end. */
const MOST_TERMS = 32;
const MOST_NAMES = 16; // in one term
const MOST_CHARACTERS = 4096; // of its text

/** Why a size is too large to be handled; undefined where it is not. */
function tooLarge(terms: Polynomial): string | undefined {
  if (terms.size > MOST_TERMS) return `at most ${MOST_TERMS} terms`;
  let length = 0;
  for (const [monomial, coefficient] of terms) {
    if (!Number.isSafeInteger(coefficient)) return "factors that fit an integer";
    if (degree(monomial) > MOST_NAMES) return `at most ${MOST_NAMES} names in a term`;
    length += monomial.length;
  }
  // What the file itself calls a size may be as long as a name of it.
  return length > MOST_CHARACTERS && terms.size > 1 ? "shorter names" : undefined;
}

function parse(dim: Dim): Polynomial {
  if (typeof dim === "number") return new Map(dim === 0 ? [] : [["", dim]]);
  const terms = new Map<string, number>();
  let sign = 1;
  for (const part of dim.split(/ ([+-]) /)) {
    if (part === "+" || part === "-") {
      sign = part === "+" ? 1 : -1;
      continue;
    }
    let coefficient = sign;
    const names: string[] = [];
    for (const factor of part.split("*").map((text) => text.trim())) {
      if (/^-?\d+$/.test(factor)) coefficient *= Number(factor);
      else names.push(factor);
    }
    addTerm(terms, names.sort().join("*"), coefficient);
  }
  return terms;
}

function addTerm(terms: Map<string, number>, monomial: string, coefficient: number): void {
  const sum = (terms.get(monomial) ?? 0) + coefficient;
  if (sum === 0) terms.delete(monomial);
  else terms.set(monomial, sum);
}

const degree = (monomial: string) => (monomial === "" ? 0 : monomial.split("*").length);

function format(terms: Polynomial): Dim {
  const sorted = [...terms].sort(
    ([a], [b]) => degree(b) - degree(a) || (a < b ? -1 : a > b ? 1 : 0),
  );
  if (sorted.every(([monomial]) => monomial === "")) return terms.get("") ?? 0;
  return sorted
    .map(([monomial, coefficient], index) => {
      const size = Math.abs(coefficient);
      const text = monomial === "" ? `${size}` : size === 1 ? monomial : `${size}*${monomial}`;
      if (index > 0) return coefficient < 0 ? ` - ${text}` : ` + ${text}`;
      return coefficient < 0 ? `-${size}${monomial === "" ? "" : `*${monomial}`}` : text;
    })
    .join("");
}

function checked(terms: Polynomial): Dim {
  const rule = tooLarge(terms);
  const dim = format(terms);
  if (rule === undefined || typeof dim === "number") return dim;
  const text = dim.length > 80 ? `${dim.slice(0, 80)}…` : dim;
  throw new InputError(
    `sizes: a size that is open must have ${rule}; got ${text}. ` +
      "Fix some of its names when loading: load(bytes, { dims: { name: size } }).",
  );
}

/** `dim` in the one way to write it. Throws InputError for one that is too large. */
export function canonical(dim: Dim): Dim {
  return checked(parse(dim));
}

/** The terms of `dim`: names to be multiplied, none for the constant, and how often. */
export function termsOf(
  dim: Dim,
): readonly { readonly coefficient: number; readonly names: readonly string[] }[] {
  return [...parse(dim)].map(([monomial, coefficient]) => ({
    coefficient,
    names: monomial === "" ? [] : monomial.split("*"),
  }));
}

/** a + b, or a − b. Throws InputError where that is too large. */
export function addDims(a: Dim, b: Dim, sign: 1 | -1 = 1): Dim {
  if (typeof a === "number" && typeof b === "number") return a + sign * b;
  const sum = new Map(parse(a));
  for (const [monomial, coefficient] of parse(b)) addTerm(sum, monomial, sign * coefficient);
  return checked(sum);
}

/** a · b; undefined where that is too large. */
export function multiplyDims(a: Dim, b: Dim): Dim | undefined {
  if (typeof a === "number" && typeof b === "number") return a * b;
  const [left, right] = [parse(a), parse(b)];
  if (left.size * right.size > MOST_TERMS) return undefined;
  const product = new Map<string, number>();
  for (const [m, c] of left) {
    for (const [n, d] of right) {
      const names = [m, n].filter((name) => name !== "").flatMap((name) => name.split("*"));
      addTerm(product, names.sort().join("*"), c * d);
    }
  }
  return tooLarge(product) === undefined ? format(product) : undefined;
}

/** The product of sizes; undefined where that is too large. */
export function productOf(shape: readonly Dim[]): Dim | undefined {
  return shape.reduce<Dim | undefined>(
    (product, dim) => (product === undefined ? undefined : multiplyDims(product, dim)),
    1,
  );
}

/** a / b where that is a size again whatever the names stand for; else undefined. */
export function divideDims(a: Dim, b: Dim): Dim | undefined {
  const [numerator, divisor] = [parse(a), parse(b)];
  const [first] = divisor;
  if (first === undefined) return undefined;
  const [by, coefficient] = first;
  // By a single term each term divides alone; by a sum, only a multiple of it is tried.
  let quotient: Dim = 0;
  for (const [monomial, size] of numerator) {
    const part = divideTerm(monomial, size, by, coefficient);
    if (part !== undefined && multiplyDims(part, b) === a) return part;
    if (part === undefined || divisor.size > 1) continue;
    quotient = addDims(quotient, part);
  }
  return multiplyDims(quotient, b) === a ? quotient : undefined;
}

/** size · monomial / (coefficient · by); undefined where that is no term. */
function divideTerm(monomial: string, size: number, by: string, coefficient: number) {
  const rest = monomial === "" ? [] : monomial.split("*");
  for (const name of by === "" ? [] : by.split("*")) {
    const at = rest.indexOf(name);
    if (at < 0) return undefined;
    rest.splice(at, 1);
  }
  if (size % coefficient !== 0) return undefined;
  return format(new Map([[rest.join("*"), size / coefficient]]));
}

/** The names in `dim`. */
export function namesOf(dim: Dim): string[] {
  const monomials = [...parse(dim).keys()].filter((monomial) => monomial !== "");
  return [...new Set(monomials.flatMap((monomial) => monomial.split("*")))];
}

/** `dim` with the sizes that are known. */
export function substitute(dim: Dim, sizes: ReadonlyMap<string, number>): Dim {
  if (typeof dim === "number") return dim;
  const known = sizes.get(dim);
  if (known !== undefined) return known;
  const result = new Map<string, number>();
  for (const [monomial, coefficient] of parse(dim)) {
    let factor = coefficient;
    const open: string[] = [];
    for (const name of monomial === "" ? [] : monomial.split("*")) {
      const size = sizes.get(name);
      if (size === undefined) open.push(name);
      else factor *= size;
    }
    if (factor !== 0) addTerm(result, open.join("*"), factor);
  }
  return format(result);
}

/** The size of the one name in `dim` that makes it `size`: whole, positive and the only one; else undefined. */
export function solveDim(
  dim: Dim,
  size: number,
  sizes: ReadonlyMap<string, number>,
): { readonly name: string; readonly size: number } | undefined {
  const rest = substitute(dim, sizes);
  const [name, ...others] = namesOf(rest);
  if (name === undefined || others.length > 0) return undefined;
  const terms = parse(rest);
  const factor = terms.get(name);
  if (factor === undefined || [...terms.keys()].some((key) => key !== "" && key !== name))
    return undefined;
  const found = (size - (terms.get("") ?? 0)) / factor;
  return Number.isInteger(found) && found > 0 ? { name, size: found } : undefined;
}
