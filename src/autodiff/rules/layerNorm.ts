// LayerNormalization, with n = (x − mean) / σ found again from x: dBias = Σ dY, dScale = Σ dY · n, and
//
//   dx = (g − mean g − n · mean(g · n)) / σ,   g = dY · scale
//
// means over the normalized axes. Ba, Kiros and Hinton, arXiv 1607.06450; the form is PyTorch's.

import type { Rules } from "../rule.ts";

export const layerNormRules: Rules = {
  LayerNormalization: (back, node, [dY = ""], wanted) => {
    const [x = "", scale = "", bias] = node.inputs;
    const axes = back.shape(x).flatMap((_, axis) => (axis < node.axis ? [] : [axis]));
    const mean = (name: string) =>
      back.add({ op: "ReduceMean", inputs: [name], axes, keepdims: true });
    const mul = (a: string, b: string) => back.add({ op: "Mul", inputs: [a, b] });
    const sub = (a: string, b: string) => back.add({ op: "Sub", inputs: [a, b] });
    const dBias = wanted[2] && bias !== undefined ? back.sumTo(dY, back.shape(bias)) : undefined;
    if (!wanted[0] && !wanted[1]) return [undefined, undefined, dBias];

    const centred = sub(x, mean(x));
    const variance = mean(mul(centred, centred));
    const sum = back.add({ op: "Add", inputs: [variance, back.scalar(node.epsilon)] });
    const inverse = back.add({ op: "Pow", inputs: [sum, back.scalar(-0.5)] });
    const normal = mul(centred, inverse);
    const dScale = wanted[1] ? back.sumTo(mul(dY, normal), back.shape(scale)) : undefined;
    if (!wanted[0]) return [undefined, dScale, dBias];

    const g = mul(dY, scale);
    const along = mul(normal, mean(mul(g, normal)));
    return [mul(sub(sub(g, mean(g)), along), inverse), dScale, dBias];
  },
};
