// What a run must not have seen: an index out of range, which a kernel notices and only the host can say.

import { InputError } from "../errors.ts";
import type { Check } from "../plan/plan.ts";

/** Throws InputError where `bytes`, the two int32 of a check's slot, are out of its range. */
export function verify({ op, node, what, least, greatest }: Check, bytes: ArrayBuffer): void {
  const [low = 0, high = 0] = new Int32Array(bytes, 0, 2);
  if (low >= least && high <= greatest) return;
  const seen = low < least && high > greatest ? `${low} and ${high}` : low < least ? low : high;
  throw new InputError(
    `${op} "${node}": ${what} must be in ${least} … ${greatest}; got ${seen}. ` +
      "Check the inputs that these come from: token numbers must be below the size of the vocabulary.",
  );
}
