// Straight through: the gradient by x passes where x was not clamped, docs/quantization.md (18). Where scale or
// zero point learn, one node gives all three, (20).

import type { Rules } from "../rule.ts";

export const fakeQuantizeRules: Rules = {
  FakeQuantize: (back, node, [dY = ""], wanted) => {
    const [x = "", scale = "", zeroPoint = ""] = node.inputs;
    const { qmin, qmax, axis, eps, gradientScale } = node;
    const fields = {
      op: "FakeQuantizeGrad",
      inputs: [x, dY, scale, zeroPoint],
      qmin,
      qmax,
      ...(axis === undefined ? {} : { axis }),
      ...(eps === undefined ? {} : { eps }),
      ...(gradientScale === undefined ? {} : { gradientScale }),
    } as const;
    const learns = wanted[1] === true || wanted[2] === true;
    return learns ? back.addAll(fields, 3) : [back.add(fields)];
  },
};
