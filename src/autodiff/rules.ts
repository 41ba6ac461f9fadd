// Every op that can be differentiated, by its rule. A family a file, in rules/.

import type { Rules } from "./rule.ts";
import { binaryRules } from "./rules/binary.ts";
import { reduceRules } from "./rules/reduce.ts";
import { unaryRules } from "./rules/unary.ts";

export const rules: Rules = {
  ...unaryRules,
  ...binaryRules,
  ...reduceRules,
};

/** Ops whose rule takes care of their fused clamp. All others are given the gradient by what they clamp. */
export const clampRules: ReadonlySet<string> = new Set(["BatchNormTraining"]);
