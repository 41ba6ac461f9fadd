// "Did you mean": the known word that a mistyped one stands for.

import { nearestName } from "../text/names.ts";

/** The one of `known` that is few edits away, or the only one that `word` begins. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const begun = known.filter((each) => word.length > 1 && each.startsWith(word));
  return nearestName(word, known) ?? (begun.length === 1 ? begun[0] : undefined);
}

/** `; did you mean x?`, or nothing. */
export function didYouMean(word: string, known: readonly string[], prefix = ""): string {
  const found = nearest(word, known);
  return found === undefined ? "" : `; did you mean ${prefix}${found}?`;
}
