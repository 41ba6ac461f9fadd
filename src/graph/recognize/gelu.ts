// Gelu by erf, ½ x (1 + erf(x / √2)), and by tanh, ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))): three factors in
// any order and nesting, each sum in either order, and divisions for products.

import type { Graph } from "../graph.ts";
import type { Node } from "../node.ts";
import { replaceNodes, type Patterns } from "./pattern.ts";

type Form = { readonly x: string; readonly approximate: "none" | "tanh" };

/** x where `name` is erf(x / √2) + 1 or tanh(…) + 1. */
function gate(patterns: Patterns, name: string | undefined): Form | undefined {
  for (const [curve, one] of patterns.orders(name, "Add")) {
    if (!patterns.is(one, 1)) continue;
    const erf = patterns.made(curve, "Erf");
    const x = erf && patterns.scaled(erf.inputs[0], Math.SQRT1_2);
    if (x !== undefined) return { x, approximate: "none" };
    const tanh = patterns.made(curve, "Tanh");
    const inner = tanh && patterns.scaled(tanh.inputs[0], Math.sqrt(2 / Math.PI));
    const base = inner === undefined ? undefined : cubic(patterns, inner);
    if (base !== undefined) return { x: base, approximate: "tanh" };
  }
  return undefined;
}

/** x where `name` is x + 0.044715 x³, or x (1 + 0.044715 x²). */
function cubic(patterns: Patterns, name: string): string | undefined {
  for (const [x, rest] of patterns.orders(name, "Add")) {
    const cube = patterns.scaled(rest, 0.044715);
    if (cube !== undefined && isPower(patterns, cube, x, 3)) return x;
    // (0.044715 · x) · x², as some write it.
    for (const [left, right] of patterns.orders(rest, "Mul")) {
      if (patterns.scaled(left, 0.044715) === x && isPower(patterns, right, x, 2)) return x;
    }
  }
  for (const [x, factor] of patterns.orders(name, "Mul")) {
    for (const [one, square] of patterns.orders(factor, "Add")) {
      const inner = patterns.scaled(square, 0.044715);
      if (patterns.is(one, 1) && inner !== undefined && isPower(patterns, inner, x, 2)) return x;
    }
  }
  return undefined;
}

function isPower(patterns: Patterns, name: string, x: string, exponent: 2 | 3): boolean {
  const power = patterns.operands(name, "Pow");
  if (power) return power[0] === x && patterns.is(power[1], exponent, 0);
  return patterns.orders(name, "Mul").some(([left, right]) => {
    return left === x && (exponent === 2 ? right === x : isPower(patterns, right, x, 2));
  });
}

/** The three factors of a product of products, in each way to take it apart. */
function factors(patterns: Patterns, name: string): (readonly [string, string])[] {
  const pairs: (readonly [string, string])[] = [];
  // ½ · (x · gate), and (½ · x) · gate, and x · (½ · gate): ½ belongs to one product or factor.
  const half = patterns.scaled(name, 0.5);
  if (half !== undefined) pairs.push(...patterns.orders(half, "Mul"));
  for (const [left, right] of patterns.orders(name, "Mul")) {
    const halved = patterns.scaled(left, 0.5);
    if (halved !== undefined) pairs.push([halved, right], [right, halved]);
  }
  return pairs;
}

function match(node: Node, patterns: Patterns): Node | undefined {
  const [output = ""] = node.outputs;
  if (node.op !== "Mul" && node.op !== "Div") return undefined;
  for (const [x, product] of factors(patterns, output)) {
    const form = gate(patterns, product);
    if (form?.x !== x || !patterns.isClosed(node, [x])) continue;
    const { approximate } = form;
    return { op: "Gelu", name: node.name, inputs: [x], outputs: node.outputs, approximate };
  }
  return undefined;
}

/** Gelu where the graph spells it. */
export function recognizeGelu(graph: Graph): Graph {
  return replaceNodes(graph, match);
}
