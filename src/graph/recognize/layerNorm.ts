// LayerNormalization as exporters spell it: d = x − ReduceMean(x), v = ReduceMean(d²), d / √(v + ε), then a
// scale and a bias. Also x · r and mean · r apart with r = scale / √(v + ε), as TensorFlow's batchnorm has it:
// x · r + (bias − mean · r).

import { float32 } from "../../tensor/tensor.ts";
import type { GraphBuilder } from "../builder.ts";
import type { Graph } from "../graph.ts";
import type { Node } from "../node.ts";
import { replaceNodes, type Patterns } from "./pattern.ts";

interface Normal {
  readonly x: string;
  readonly axis: number;
  readonly epsilon: number;
}

interface Mean {
  readonly of: string;
  readonly axis: number;
}

/** ReduceMean over all axes from `axis` on, kept. */
function meanOf(patterns: Patterns, name: string | undefined): Mean | undefined {
  const node = patterns.made(name, "ReduceMean");
  const [of = ""] = node?.inputs ?? [];
  const rank = patterns.graph.values.get(of)?.shape.length ?? 0;
  if (!node?.keepdims || node.axes.length === 0) return undefined;
  const axis = rank - node.axes.length;
  return node.axes.every((each, at) => each === axis + at) ? { of, axis } : undefined;
}

/** x and its axis where `name` is x − ReduceMean(x). */
function centred(patterns: Patterns, name: string | undefined): Mean | undefined {
  const [x, mean] = patterns.operands(name, "Sub") ?? [];
  const found = meanOf(patterns, mean);
  return found && found.of === x ? found : undefined;
}

/** What `name` is the square of. */
function rootOf(patterns: Patterns, name: string): string | undefined {
  const power = patterns.operands(name, "Pow");
  if (power) return patterns.is(power[1], 2, 0) ? power[0] : undefined;
  const product = patterns.operands(name, "Mul");
  return product && product[0] === product[1] ? product[0] : undefined;
}

/** The normalization whose variance + ε is `name`. */
function varianceOf(patterns: Patterns, name: string | undefined): Normal | undefined {
  for (const [variance, added] of patterns.orders(name, "Add")) {
    const epsilon = patterns.scalar(added);
    const mean = meanOf(patterns, variance);
    const d = mean && rootOf(patterns, mean.of);
    const center = centred(patterns, d);
    if (epsilon === undefined || !center || center.axis !== mean?.axis) continue;
    return { x: center.of, axis: center.axis, epsilon };
  }
  return undefined;
}

/** The normalization whose √(v + ε) is `name`. */
function deviation(patterns: Patterns, name: string | undefined): Normal | undefined {
  const root = patterns.made(name, "Sqrt");
  if (root) return varianceOf(patterns, root.inputs[0]);
  const power = patterns.operands(name, "Pow");
  return power && patterns.is(power[1], 0.5, 0) ? varianceOf(patterns, power[0]) : undefined;
}

/** The normalization whose 1 / √(v + ε) is `name`. */
function inverse(patterns: Patterns, name: string | undefined): Normal | undefined {
  const reciprocal = patterns.made(name, "Reciprocal");
  if (reciprocal) return deviation(patterns, reciprocal.inputs[0]);
  const quotient = patterns.operands(name, "Div");
  if (quotient) {
    return patterns.is(quotient[0], 1, 0) ? deviation(patterns, quotient[1]) : undefined;
  }
  const power = patterns.operands(name, "Pow");
  return power && patterns.is(power[1], -0.5, 0) ? varianceOf(patterns, power[0]) : undefined;
}

/** The normalization that `name` is, without scale and bias. */
function normal(patterns: Patterns, name: string | undefined): Normal | undefined {
  const isOwn = (d: string, found: Normal | undefined) => {
    const center = centred(patterns, d);
    return found && center?.of === found.x && center.axis === found.axis ? found : undefined;
  };
  const quotient = patterns.operands(name, "Div");
  if (quotient) return isOwn(quotient[0], deviation(patterns, quotient[1]));
  for (const [d, factor] of patterns.orders(name, "Mul")) {
    const found = isOwn(d, inverse(patterns, factor));
    if (found) return found;
  }
  return undefined;
}

interface Scaled extends Normal {
  readonly scale: string | undefined;
}

/** normal · scale, in the products' every order; or the normalization alone. */
function scaledNormal(patterns: Patterns, name: string): Scaled | undefined {
  const alone = normal(patterns, name);
  if (alone) return { ...alone, scale: undefined };
  for (const [part, scale] of patterns.orders(name, "Mul")) {
    const found = normal(patterns, part);
    if (found && isOperand(patterns, scale, found)) return { ...found, scale };
    // d · (scale / deviation).
    const factor = rowFactor(patterns, scale);
    const center = centred(patterns, part);
    if (factor && center?.of === factor.x && center.axis === factor.axis) return factor;
  }
  return undefined;
}

/** r = scale · 1 / √(v + ε). */
function rowFactor(patterns: Patterns, name: string): Scaled | undefined {
  for (const [factor, scale] of patterns.orders(name, "Mul")) {
    const found = inverse(patterns, factor);
    if (found && isOperand(patterns, scale, found)) return { ...found, scale };
  }
  return undefined;
}

/** Whether constant `name` broadcasts to a row of the normalization. */
function isOperand({ graph }: Patterns, name: string, { x, axis }: Normal): boolean {
  const constant = graph.constants.get(name);
  const shape = graph.values.get(x)?.shape ?? [];
  if (constant?.dtype !== "float32" || constant.shape.length > shape.length) return false;
  return constant.shape.every((size, at) => {
    const along = at + shape.length - constant.shape.length;
    return size === 1 || (along >= axis && size === shape[along]);
  });
}

/** x · r + (bias − mean · r): the terms of `name`. */
function apart(patterns: Patterns, name: string): (Scaled & { bias: string }) | undefined {
  for (const [product, rest] of patterns.orders(name, "Add")) {
    const [bias = "", shift] = patterns.operands(rest, "Sub") ?? [];
    for (const [x, r] of patterns.orders(product, "Mul")) {
      const factor = rowFactor(patterns, r);
      if (factor?.x !== x || !isOperand(patterns, bias, factor)) continue;
      const isMean = patterns.orders(shift, "Mul").some(([mean, again]) => {
        const found = meanOf(patterns, mean);
        return again === r && found?.of === x && found.axis === factor.axis;
      });
      if (isMean) return { ...factor, bias };
    }
  }
  return undefined;
}

function match(node: Node, patterns: Patterns, builder: GraphBuilder): Node | undefined {
  const [output = ""] = node.outputs;
  let found: (Scaled & { bias?: string }) | undefined;
  if (node.op === "Add") {
    found = apart(patterns, output);
    for (const [product, bias] of found ? [] : patterns.orders(output, "Add")) {
      const scaled = scaledNormal(patterns, product);
      if (scaled && isOperand(patterns, bias, scaled)) found = { ...scaled, bias };
    }
  } else if (node.op === "Mul" || node.op === "Div") found = scaledNormal(patterns, output);
  if (!found || !patterns.isClosed(node, [found.x])) return undefined;
  const { x, axis, epsilon, bias } = found;
  const one = () => builder.constant(builder.fresh(`${node.name}/one`), float32([1], [1]));
  const inputs = [x, found.scale ?? one(), ...(bias === undefined ? [] : [bias])];
  const { name, outputs } = node;
  return { op: "LayerNormalization", name, inputs, outputs, axis, epsilon };
}

/** LayerNormalization where the graph spells it. */
export function recognizeLayerNorm(graph: Graph): Graph {
  return replaceNodes(graph, match);
}
