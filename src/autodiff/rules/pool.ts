// Pools: one node each, which gathers what every element of the input is part of. GlobalAveragePool is a
// reduction (reduce.ts).

import type { Window } from "../../graph/node.ts";
import type { Rules } from "../rule.ts";

const windowOf = ({ kernel, strides, dilations, pads }: Window): Window => ({
  kernel,
  strides,
  dilations,
  pads,
});

export const poolRules: Rules = {
  AveragePool: (back, node, [dY]) => {
    const { countIncludePad } = node;
    const [, , height = 1, width = 1] = back.shape(node.inputs[0] ?? "");
    const size = [height, width] as const;
    const grad = { op: "AveragePoolGrad", ...windowOf(node), countIncludePad, size } as const;
    return [dY && back.add({ ...grad, inputs: [dY] })];
  },
  MaxPool: (back, node, [dY]) => {
    const inputs = [node.inputs[0] ?? "", node.outputs[0] ?? "", dY ?? ""];
    return [dY && back.add({ op: "MaxPoolGrad", ...windowOf(node), inputs })];
  },
};
