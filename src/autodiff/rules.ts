// Every op that can be differentiated, by its rule. A family a file, in rules/.

import type { Rules } from "./rule.ts";
import { gatherRules } from "./rules/gather.ts";
import { layerNormRules } from "./rules/layerNorm.ts";
import { lossRules } from "./rules/losses.ts";
import { softmaxRules } from "./rules/softmax.ts";

export const rules: Rules = {
  ...gatherRules,
  ...layerNormRules,
  ...lossRules,
  ...softmaxRules,
};

/** Ops whose rule takes care of their fused clamp. All others are given the gradient by what they clamp. */
export const clampRules: ReadonlySet<string> = new Set(["BatchNormTraining"]);
