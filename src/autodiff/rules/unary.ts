// Element-wise ops with one input: dY · f′(x), most of them by one node.

import type { Smooth } from "../../graph/gradients.ts";
import type { Node, NodeOf } from "../../graph/node.ts";
import type { Rules, SharedRule } from "../rule.ts";

/** One UnaryGrad, of the op with its attributes. */
const smooth: SharedRule<NodeOf<Smooth["op"]>> = (back, node, [dY]) => {
  const { name: _name, inputs, outputs: _outputs, ...of } = node;
  return [dY && back.add({ op: "UnaryGrad", inputs: [inputs[0] ?? "", dY], of: of as Smooth })];
};

/** Clip and Relu are clamps like fused ones: nothing passes where they hold, or at their bounds. */
const clamped: SharedRule<NodeOf<"Clip" | "Relu">> = (back, node, [dY]) => {
  const { low, high } = node.op === "Clip" ? node : { low: 0, high: Infinity };
  const inputs = [node.outputs[0] ?? "", dY ?? ""];
  return [dY && back.add({ op: "ClampGrad", inputs, low, high })];
};

/** Constant in parts. */
const flat: SharedRule<Node> = () => [];

/** A float stays one; integers have no gradient. */
const cast = (node: NodeOf<"Cast">, dY: string | undefined) =>
  node.to === "float32" ? [dY] : [undefined];

export const unaryRules: Rules = {
  Identity: (_, _node, [dY]) => [dY],
  Neg: (back, _, [dY]) => [dY && back.add({ op: "Neg", inputs: [dY] })],
  Cast: (_, node, [dY]) => cast(node, dY),
  Relu: clamped,
  Clip: clamped,
  Sign: flat,
  Floor: flat,
  Ceil: flat,
  Round: flat,
  Sigmoid: smooth,
  HardSwish: smooth,
  Tanh: smooth,
  Erf: smooth,
  Sqrt: smooth,
  Exp: smooth,
  Log: smooth,
  Abs: smooth,
  Reciprocal: smooth,
  Softplus: smooth,
  Elu: smooth,
  Selu: smooth,
  Gelu: smooth,
  LeakyRelu: smooth,
  HardSigmoid: smooth,
};
