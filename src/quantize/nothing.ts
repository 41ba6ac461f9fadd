// The words of a verb that found nothing to do: a model that is called quantized must be so somewhere.

import { QConfigError } from "../errors.ts";
import type { LeftFloat } from "./fineValues.ts";

/** Nodes that a message names. */
const NAMED = 5;

/** Says that `verb` has nothing to quantize, and why each node stays float. */
export function nothingToQuantize(
  verb: string,
  left: readonly LeftFloat[],
  wayOut: string,
): QConfigError {
  const named = left.slice(0, NAMED).map(({ node, op, reason }) => `${op} "${node}": ${reason}`);
  const more = left.length > NAMED ? `; and ${left.length - NAMED} more` : "";
  return new QConfigError(
    `${verb}: there must be something to quantize; got no node that can be` +
      `${named.length > 0 ? ` (${named.join("; ")}${more})` : ""}. ${wayOut}`,
  );
}
