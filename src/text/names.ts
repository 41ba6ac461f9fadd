// Checks names that a user gives against those that exist, and says which one was meant.

import { InputError } from "../errors.ts";

/** Longer words are not compared: the time grows with the square of their length. */
const LONGEST_WORD = 256;

/** The edits between two words: characters put in, left out, replaced, or swapped with their neighbour. */
function distance(a: string, b: string): number {
  let [before, row]: [number[], number[]] = [
    [],
    Array.from({ length: b.length + 1 }, (_, at) => at),
  ];
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, (before[j - 2] ?? 0) + 1);
      next.push(least);
    }
    [before, row] = [row, next];
  }
  return row[b.length] ?? 0;
}

/** The word of `known` that a misspelt `name` most likely means; undefined where none is near. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const plain = (word: string) => word.toLowerCase().replace(/[-_./: ]/g, "");
  const wanted = plain(name);
  let best: string | undefined;
  let least = Math.min(3, Math.floor(name.length / 3)) + 1;
  for (const word of known) {
    const other = plain(word);
    if (Math.abs(other.length - wanted.length) >= least || other.length > LONGEST_WORD) continue;
    const edits = distance(wanted, other);
    if (edits < least) [best, least] = [word, edits];
  }
  return best;
}

/** `Did you mean "x"?` where a word of `known` is near, else `otherwise`. */
export function didYouMean(name: string, known: readonly string[], otherwise: string): string {
  const near = nearestName(name, known);
  return near === undefined ? otherwise : `Did you mean "${near}"?`;
}

/** Names that a message lists at most. */
const LISTED = 12;

/** `a, b, …`, or none. */
export function listNames(names: readonly string[]): string {
  const rest = names.length - LISTED;
  return `${names.slice(0, LISTED).join(", ") || "none"}${rest > 0 ? `, … (${rest} more)` : ""}`;
}

/** Throws InputError for the first of `given` that is none of `known`.
 *  @param where What was called or given, which opens the message: `run`.
 *  @param kind What the names are of: `input`. */
export function checkNames(
  where: string,
  kind: string,
  given: Iterable<string>,
  known: readonly string[],
  wayOut = "Leave it out.",
): void {
  const names = new Set(known);
  for (const name of given) {
    if (names.has(name)) continue;
    throw new InputError(
      `${where}: the model has no ${kind} "${name}"; got ${kind}s ${listNames(known)}. ` +
        didYouMean(name, known, wayOut),
    );
  }
}

/** What came where something else should have, in a few words: `undefined`, `a Promise (await it)`. */
export function kindOf(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (typeof (value as { then?: unknown }).then === "function") return "a Promise (await it)";
  if (typeof value === "object") {
    const name = Object.getPrototypeOf(value)?.constructor?.name as string | undefined;
    return name === undefined || name === "Object" ? "a plain object" : `an object ${name}`;
  }
  return `a ${typeof value}`;
}
