// Gather by its data: what was picked several times has the sum of their gradients.

import type { Rules } from "../rule.ts";

export const gatherRules: Rules = {
  Gather: (back, { axis, inputs: [data = "", indices = ""] }, [dY = ""]) => {
    const size = back.shape(data)[axis] ?? 1;
    return [back.add({ op: "GatherGrad", inputs: [dY, indices], axis, size })];
  },
};
