// What may be infinite in a model and what may not. NaN is wrong everywhere; −∞ is how attention masks say
// "never", in constants and in inputs; a weight, a bias or a picture with ±∞ is damaged, and a network would make a
// plausible class of it. docs/quantization.md, section 25.

import { NonFiniteError } from "../errors.ts";
import { nonFiniteOf } from "../tensor/finite.ts";
import { float32, type Tensor, type Tensors } from "../tensor/tensor.ts";
import { consumersOf, type Graph } from "./graph.ts";
import type { Node, Op } from "./node.ts";

/** Whether NaN and ±∞ are refused, which is the default, or computed with as IEEE 754 says. */
export type NonFiniteRule = "refuse" | "allow";

/** Elements go from input to output as they are. */
const MOVES = new Set<Op>([
  ...(["Flatten", "Reshape", "Expand", "Transpose", "Squeeze", "Unsqueeze"] as const),
  ...(["Concat", "Pad", "Slice", "Split", "Gather", "Identity", "Cast"] as const),
]);

/** An infinite operand makes the result infinite. */
const SUMS = new Set<Op>(["Add", "Sub"]);

/** An infinite operand makes NaN, or of every result: its weights and its data must be finite. */
const PRODUCTS = new Set<Op>([
  ...(["Conv", "Gemm", "MatMul", "MatMulIntegerToFloat", "LSTM", "GRU"] as const),
  ...(["BatchNormalization", "LayerNormalization"] as const),
]);

/** A mask's end: −∞ becomes a probability of 0, or is compared with. */
const MASKED = new Set<Op>([
  ...(["Softmax", "LogSoftmax"] as const),
  ...(["Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"] as const),
]);

/** Whether `node` reads value `name` in one of its operands `places`. */
const reads = (node: Node, name: string, places: readonly number[]) =>
  places.some((place) => node.inputs[place] === name);

/** Values that reach a product or a normalization by nothing but moves and sums: no infinity of theirs is lost on
 *  the way. */
function reachProducts(graph: Graph): Set<string> {
  const reaching = new Set<string>();
  for (const node of graph.nodes.toReversed()) {
    const passes = MOVES.has(node.op) || SUMS.has(node.op);
    const ends = PRODUCTS.has(node.op) || (node.op === "Attention" && node.inputs.length > 0);
    if (!ends && !(passes && node.outputs.some((name) => reaching.has(name)))) continue;
    const operands = node.op === "Attention" ? node.inputs.slice(0, 3) : node.inputs;
    for (const name of operands) reaching.add(name);
  }
  return reaching;
}

/** Inputs that are masks: every way from them leads by moves, sums and choices to a softmax or a comparison. */
export function maskInputs(graph: Graph): Set<string> {
  const readers = consumersOf(graph);
  const masks = new Set<string>();
  const outputs = new Set(graph.outputs);
  const isMask = (name: string) =>
    !outputs.has(name) &&
    readers.has(name) &&
    (readers.get(name) ?? []).every((node) => {
      if (node.outputs.length === 0) return true; // an observer, which looks for itself
      if (MASKED.has(node.op)) return true;
      if (node.op === "Attention") return !reads(node, name, [0, 1, 2]);
      if (node.op === "Where" && reads(node, name, [0])) return true;
      const passes = MOVES.has(node.op) || SUMS.has(node.op) || node.op === "Where";
      return passes && node.outputs.every((output) => masks.has(output));
    });
  for (const node of graph.nodes.toReversed())
    for (const name of node.outputs) if (isMask(name)) masks.add(name);
  return new Set(graph.inputs.filter(isMask));
}

/** What an error about an input of a run says. */
export interface InputContext {
  /** The verb. */
  readonly verb: string;
  /** Which batch of the data, where there are several. */
  readonly batch?: number;
}

const ALLOW = 'pass { nonFinite: "allow" } (on the command line: --allow-non-finite)';

/** Throws NonFiniteError for the first input of `graph` that holds NaN, ∞, or −∞ where it is no mask. Inputs are
 *  looked at on the host: a clamp or a maximum further on can make a number of them. */
export function checkInputs(
  graph: Graph,
  inputs: Tensors,
  { verb, batch }: InputContext,
  rule: NonFiniteRule = "refuse",
): void {
  if (rule === "allow") return;
  for (const name of graph.inputs) {
    const found = nonFiniteOf(inputs[name]);
    if (!found) continue;
    const wrong = maskInputs(graph).has(name)
      ? nonFiniteOf(inputs[name], "all but -Infinity")
      : found;
    if (!wrong) continue;
    throw new NonFiniteError(verb, { ...wrong, tensor: name, kind: "input", batch }, [
      batch === undefined ? "Check how it is made" : "Check the preprocessing of that batch",
      ALLOW,
    ]);
  }
}

/** Throws NonFiniteError for the first constant of `graph` that holds NaN, or ±∞ where that reaches a product or a
 *  normalization, and for the first number of a node that is NaN. */
export function checkConstants(graph: Graph, verb: string, rule: NonFiniteRule = "refuse"): void {
  if (rule === "allow") return;
  const damaged = (tensor: string, data: Tensor) => {
    const found = nonFiniteOf(data);
    if (!found) return;
    const wrong = reachProducts(graph).has(tensor) ? found : nonFiniteOf(data, "NaN");
    if (!wrong) return;
    throw new NonFiniteError(verb, { ...wrong, tensor, kind: "constant" }, [
      "Export the model again from weights that are finite",
      ALLOW,
    ]);
  };
  for (const kept of [graph.constants, graph.variables ?? []])
    for (const [name, data] of kept) damaged(name, data);
  for (const [name, { quant }] of graph.values) {
    const scale = quant && nonFiniteOf(float32([quant.scale.length], quant.scale));
    if (!scale) continue;
    throw new NonFiniteError(verb, { ...scale, tensor: name, kind: "scale" }, [
      "Export the model again from weights that are finite",
    ]);
  }
  for (const node of graph.nodes) {
    const attribute = Object.entries(node).find(([, value]) => Number.isNaN(value));
    if (!attribute) continue;
    const found = { first: 0, value: NaN, count: 1, tensor: `${node.name}.${attribute[0]}` };
    throw new NonFiniteError(verb, { ...found, kind: "attribute" }, [
      "Export the model again",
      ALLOW,
    ]);
  }
}
