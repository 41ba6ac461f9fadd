// Reverse mode: the nodes of a graph from last to first, each by the rule of its op, appended to the graph
// itself. Baydin et al., "Automatic differentiation in machine learning: a survey", arXiv 1502.05767, section 3.2.

import { UnsupportedError, type Unsupported } from "../errors.ts";
import type { GraphBuilder } from "../graph/builder.ts";
import { boundAt, clampOf, uniformClamp } from "../graph/clamp.ts";
import type { Bound, ChannelClamp, Node, Op } from "../graph/node.ts";
import { float32, sizeOf, tensor } from "../tensor/tensor.ts";
import { Backward } from "./backward.ts";
import type { Rule } from "./rule.ts";
import { clampRules, rules } from "./rules.ts";

/** Values that depend on one of `of`. */
function reachableFrom(nodes: readonly Node[], of: readonly string[]): Set<string> {
  const reached = new Set(of);
  for (const { inputs, outputs } of nodes)
    if (inputs.some((name) => reached.has(name))) for (const name of outputs) reached.add(name);
  return reached;
}

/** Values that `loss` depends on. */
function leadingTo(nodes: readonly Node[], loss: string): Set<string> {
  const leading = new Set([loss]);
  for (const { inputs, outputs } of nodes.toReversed())
    if (outputs.some((name) => leading.has(name))) for (const name of inputs) leading.add(name);
  return leading;
}

const ruleOf = ({ op }: Node): Rule<Op> | undefined => rules[op] as Rule<Op> | undefined;

/** Append to `builder`, whose sizes are all known, the nodes that compute the gradients of scalar `loss` by
 *  the values `of`: the gradient of each that it depends on. Nodes without outputs are passed by.
 *  Throws UnsupportedError that names every node between them that has no rule. */
export function appendGradients(
  builder: GraphBuilder,
  loss: string,
  of: readonly string[],
): Map<string, string> {
  const forward = [...builder.nodes];
  const reached = reachableFrom(forward, of);
  const leading = leadingTo(forward, loss);
  const isActive = (name: string) => reached.has(name) && leading.has(name);
  const active = forward.filter((node) => node.outputs.some(isActive));
  const missing = active.flatMap((node): Unsupported[] => {
    const { op, name } = node;
    return ruleOf(node) ? [] : [{ op, node: name, problem: "it has no gradient" }];
  });
  if (missing.length > 0)
    throw new UnsupportedError(
      "train",
      missing,
      "Freeze what comes before it, or change the model.",
    );

  const back = new Backward(builder);
  const shares = new Map<string, string[]>();
  const { shape } = builder.value(loss);
  const ones = sizeOf(shape as readonly number[]);
  back.enter(loss);
  shares.set(loss, [
    back.constant(tensor("float32", shape as readonly number[], new Float32Array(ones).fill(1))),
  ]);
  const gradientOf = (name: string): string | undefined => {
    const [first, ...others] = shares.get(name) ?? [];
    if (first === undefined) return undefined;
    const sum = others.reduce((a, b) => back.add({ op: "Add", inputs: [a, b] }), first);
    shares.set(name, [sum]);
    return sum;
  };
  for (const node of active.toReversed()) {
    back.enter(node.name);
    const gradients = node.outputs.map(gradientOf);
    if (gradients.every((gradient) => gradient === undefined)) continue;
    const wanted = node.inputs.map((name) => reached.has(name));
    const inner = clampRules.has(node.op) ? gradients : beforeClamp(back, node, gradients);
    const results = ruleOf(node)?.(back, openOf(node) as never, inner, wanted) ?? [];
    results.forEach((result, index) => {
      const name = node.inputs[index];
      if (result === undefined || name === undefined || !wanted[index]) return;
      shares.set(name, [...(shares.get(name) ?? []), result]);
    });
  }
  const found = of.flatMap((name) => {
    back.enter(name);
    const gradient = gradientOf(name);
    return gradient === undefined ? [] : [[name, gradient] as const];
  });
  return new Map(found);
}

const isClamped = (node: Node): boolean => "low" in node || "high" in node;

/** The gradients by what `node` clamps, where it does. */
function beforeClamp(
  back: Backward,
  node: Node,
  gradients: readonly (string | undefined)[],
): readonly (string | undefined)[] {
  const [gradient, ...others] = gradients;
  if (node.op === "Clip" || !isClamped(node) || gradient === undefined) return gradients;
  const clamp = clampOf(node as Node & ChannelClamp);
  if (clamp.low === undefined && clamp.high === undefined) return gradients;
  const [y = ""] = node.outputs;
  const uniform = uniformClamp(clamp);
  if (!uniform) return [channelClampGrad(back, y, gradient, clamp), ...others];
  return [back.add({ op: "ClampGrad", inputs: [y, gradient], ...uniform }), ...others];
}

/** dY where low < y < high, bounds a channel, axis 1; else 0. */
function channelClampGrad(
  back: Backward,
  y: string,
  gradient: string,
  { low, high }: ChannelClamp,
): string {
  const shape = back.shape(y);
  const row = (bound: Bound) => {
    const own = shape.map((size, axis) => (axis === 1 ? size : 1));
    const bounds = Array.from({ length: own[1] ?? 1 }, (_, c) => boundAt(bound, c) ?? 0);
    return back.constant(float32(own, Float32Array.from(bounds)));
  };
  const inside = [
    ...(low === undefined ? [] : [back.add({ op: "Less", inputs: [row(low), y] })]),
    ...(high === undefined ? [] : [back.add({ op: "Less", inputs: [y, row(high)] })]),
  ].reduce((a, b) => back.add({ op: "And", inputs: [a, b] }));
  return back.add({ op: "Where", inputs: [inside, gradient, back.constant(float32([], [0]))] });
}

/** `node` as its rule sees it: the clamp is dealt with. */
function openOf(node: Node): Node {
  if (node.op === "Clip" || clampRules.has(node.op) || !isClamped(node)) return node;
  const { low: _low, high: _high, ...open } = node as Node & ChannelClamp;
  return open as Node;
}
