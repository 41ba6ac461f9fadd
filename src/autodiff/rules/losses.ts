// The gradient of a row's cross-entropy by its logits: softmax less the target. docs/quantization.md (76)

import type { Rules } from "../rule.ts";

export const lossRules: Rules = {
  CrossEntropy: (back, { inputs: [logits = "", labels = ""], labelSmoothing }, [dY = ""]) => [
    back.add({ op: "CrossEntropyGrad", inputs: [logits, labels, dY], labelSmoothing }),
  ],
};
