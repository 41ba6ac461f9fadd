// Every op that can be differentiated, by its rule. A family a file, in rules/.

import type { Rules } from "./rule.ts";
import { batchNormRules } from "./rules/batchNorm.ts";
import { binaryRules } from "./rules/binary.ts";
import { fakeQuantizeRules } from "./rules/fakeQuantize.ts";
import { gatherRules } from "./rules/gather.ts";
import { layerNormRules } from "./rules/layerNorm.ts";
import { lossRules } from "./rules/losses.ts";
import { recurrentRules } from "./rules/recurrent.ts";
import { movementRules } from "./rules/movement.ts";
import { poolRules } from "./rules/pool.ts";
import { productRules } from "./rules/products.ts";
import { reduceRules } from "./rules/reduce.ts";
import { softmaxRules } from "./rules/softmax.ts";
import { unaryRules } from "./rules/unary.ts";

export const rules: Rules = {
  ...batchNormRules,
  ...binaryRules,
  ...fakeQuantizeRules,
  ...gatherRules,
  ...layerNormRules,
  ...lossRules,
  ...recurrentRules,
  ...movementRules,
  ...poolRules,
  ...productRules,
  ...reduceRules,
  ...softmaxRules,
  ...unaryRules,
};

/** Ops whose rule takes care of their fused clamp. All others are given the gradient by what they clamp. */
export const clampRules: ReadonlySet<string> = new Set(["BatchNormTraining"]);
