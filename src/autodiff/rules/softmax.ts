// Softmax along an axis, Σ over that axis: what they computed, y, is all that their gradients need.

import type { Rules } from "../rule.ts";

export const softmaxRules: Rules = {
  // dx = y · (dY − Σ dY · y)
  Softmax: (back, { axis, outputs: [y = ""] }, [dY = ""]) => {
    const product = back.add({ op: "Mul", inputs: [dY, y] });
    const sum = back.add({ op: "ReduceSum", inputs: [product], axes: [axis], keepdims: true });
    const rest = back.add({ op: "Sub", inputs: [dY, sum] });
    return [back.add({ op: "Mul", inputs: [rest, y] })];
  },
  // dx = dY − exp(y) · Σ dY
  LogSoftmax: (back, { axis, outputs: [y = ""] }, [dY = ""]) => {
    const sum = back.add({ op: "ReduceSum", inputs: [dY], axes: [axis], keepdims: true });
    const softmax = back.add({ op: "Exp", inputs: [y] });
    const rest = back.add({ op: "Mul", inputs: [softmax, sum] });
    return [back.add({ op: "Sub", inputs: [dY, rest] })];
  },
};
