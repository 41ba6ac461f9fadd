// --allow-non-finite: NaN and ±∞ in weights and inputs are computed with, not refused.

import type { NonFiniteRule } from "../graph/finite.ts";
import type { Arguments, OptionSpec } from "./arguments.ts";

export const NON_FINITE_OPTION: OptionSpec = {
  name: "allow-non-finite",
  help: "Take weights and inputs that hold NaN or infinities, which are refused otherwise.",
};

/** What the verbs take, from --allow-non-finite. */
export function readNonFinite(args: Arguments): { readonly nonFinite?: NonFiniteRule } {
  return args.has("allow-non-finite") ? { nonFinite: "allow" } : {};
}
