// Merges ops before anything is observed: BatchNormalization into the convolution before it, a
// Relu or Clip into its producer's clamp, and away with Identity. The range observed is then the range
// after the clamp, and no code is spent on values the next op would discard.

import { atOnce, type Steps } from "../flow/turns.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { clampOf, isPerChannel, joinClamps } from "../graph/clamp.ts";
import { consumersOf, producersOf, prune, type Graph } from "../graph/graph.ts";
import type { ChannelClamp, Conv, Node, NodeOf } from "../graph/node.ts";
import { fl } from "../tensor/rounding.ts";
import { float32, tensor, type Tensor } from "../tensor/tensor.ts";
import { clampOfNode } from "./clampNodes.ts";

const CLAMPABLE = new Set([
  "Conv",
  "Gemm",
  "MatMul",
  "MatMulIntegerToFloat",
  "Add",
  "Sub",
  "Mul",
  "Div",
]);

/** Those whose bounds may differ by channel, axis 1. */
const CHANNEL_CLAMPABLE = new Set(["Conv", "Gemm"]);

/** True where `node` may be merged into the producer of its only data input. */
function mayMerge(
  graph: Graph,
  node: Node,
  input: string,
  consumers: Map<string, Node[]>,
): boolean {
  return (
    consumers.get(input)?.length === 1 &&
    !graph.outputs.includes(input) &&
    node.outputs.length === 1
  );
}

/** Rewrites `graph` node by node; `rewrite` returns the node to add, or undefined to drop it. */
function rewriteNodes(
  graph: Graph,
  rewrite: (node: Node, builder: GraphBuilder) => Node | undefined,
): Graph {
  const builder = GraphBuilder.from(graph);
  for (const node of graph.nodes) {
    const next = rewrite(node, builder);
    const type = graph.values.get(node.outputs[0] ?? "");
    if (next)
      builder.add(next, {
        ...(type ? { dtype: type.dtype } : {}),
        ...(type?.quant ? { quant: type.quant } : {}),
      });
  }
  return prune(builder.build(graph.name, graph.inputs, graph.outputs));
}

/** Identity and float Cast vanish: their consumers read their input. */
export function removeIdentities(graph: Graph): Graph {
  const renamed = new Map<string, string>();
  const follow = (name: string): string => renamed.get(name) ?? name;
  return rewriteNodes(graph, (node) => {
    const input = node.inputs[0] ?? "";
    const [output = ""] = node.outputs;
    const isIdentity =
      node.op === "Identity" || (node.op === "Cast" && node.to === graph.values.get(input)?.dtype);
    const source = graph.values.get(input);
    const keepsType =
      source?.dtype === graph.values.get(output)?.dtype &&
      source?.quant === graph.values.get(output)?.quant;
    if (isIdentity && keepsType && !graph.outputs.includes(output)) {
      renamed.set(output, follow(input));
      return undefined;
    }
    return { ...node, inputs: node.inputs.map(follow) };
  });
}

/** Convolutions and the normalization behind each that can be folded into it. */
function findFolds(graph: Graph, copiesWeights = true): Map<Node, NodeOf<"BatchNormalization">> {
  const producers = producersOf(graph);
  const consumers = consumersOf(graph);
  const folds = new Map<Node, NodeOf<"BatchNormalization">>();
  for (const node of graph.nodes) {
    if (node.op !== "BatchNormalization") continue;
    const input = node.inputs[0] ?? "";
    const producer = producers.get(input);
    const constant = (name: string | undefined) =>
      name === undefined || graph.constants.get(name)?.dtype === "float32";
    const foldable =
      producer?.op === "Conv" &&
      producer.low === undefined &&
      producer.high === undefined &&
      constant(producer.inputs[1]) &&
      constant(producer.inputs[2]) &&
      node.inputs.slice(1).every(constant) &&
      (copiesWeights || consumers.get(producer.inputs[1] ?? "")?.length === 1);
    if (foldable && mayMerge(graph, node, input, consumers)) folds.set(producer, node);
  }
  return folds;
}

/** A normalization that was taken out of a graph: names of its constants. */
export interface SeparateNorm {
  readonly gamma: string;
  readonly beta: string;
  readonly mean: string;
  readonly variance: string;
  readonly epsilon: number;
}

/** `graph` without the normalizations that `foldBatchNorms` folds, their convolutions as they are, and the
 *  normalization of each convolution by its name. */
export function separateBatchNorms(graph: Graph): {
  readonly graph: Graph;
  readonly norms: ReadonlyMap<string, SeparateNorm>;
} {
  const folds = findFolds(graph);
  const folded = new Set<Node>(folds.values());
  const norms = new Map(
    [...folds].map(([{ name }, { inputs, epsilon }]) => {
      const [, gamma = "", beta = "", mean = "", variance = ""] = inputs;
      return [name, { gamma, beta, mean, variance, epsilon }] as const;
    }),
  );
  const separate = rewriteNodes(graph, (node) => {
    if (folded.has(node)) return undefined;
    const norm = folds.get(node);
    return norm ? ({ ...node, outputs: norm.outputs } as Node) : node;
  });
  return { graph: separate, norms };
}

/** k = γ · rsqrt(var + ε);  w′ = w · k;  b′ = (b − mean) · rsqrt(var + ε) · γ + β
 *                                                                          docs/quantization.md (21) */
export function foldBatchNorms(graph: Graph, copiesWeights = true): Graph {
  return atOnce(foldSteps(graph, copiesWeights));
}

/** The same in steps, a convolution at a time. */
function* foldSteps(graph: Graph, copiesWeights: boolean): Steps<Graph> {
  const folds = findFolds(graph, copiesWeights);
  const folded = new Set<Node>(folds.values());
  const filters = new Map<Node, FoldedFilter>();
  for (const [conv, norm] of folds) {
    filters.set(conv, foldedFilter(graph, conv, norm));
    yield;
  }
  return rewriteNodes(graph, (node, builder) => {
    if (folded.has(node)) return undefined;
    const [norm, filter] = [folds.get(node), filters.get(node)];
    return norm && filter && node.op === "Conv" ? withFilter(node, norm, filter, builder) : node;
  });
}

type FoldedFilter = ReturnType<typeof foldNorm>;

/** What a BatchNormalization does, one number per channel. */
export interface Norm {
  readonly gamma: Float32Array | undefined;
  readonly beta: Float32Array | undefined;
  readonly mean: Float32Array | undefined;
  readonly variance: Float32Array | undefined;
  readonly epsilon: number;
}

/** Filter and bias of a convolution with the normalization behind it: docs/quantization.md (21). */
export function foldNorm(
  filter: Tensor<"float32">,
  bias: Float32Array | undefined,
  { gamma, beta, mean, variance, epsilon }: Norm,
): { filter: Tensor<"float32">; bias: Tensor<"float32"> } {
  const outs = filter.shape[0] ?? 0;
  // torch.rsqrt rounds twice: the root, then its inverse.
  const inverse = Float32Array.from({ length: outs }, (_, c) =>
    fl(1 / fl(Math.sqrt(fl((variance?.[c] ?? 1) + epsilon)))),
  );
  const factor = inverse.map((r, c) => fl((gamma?.[c] ?? 1) * r));
  const perOut = filter.data.length / Math.max(1, outs);
  const weights = new Float32Array(filter.data.length);
  for (let out = 0, at = 0; out < outs; out++) {
    const k = factor[out] ?? 1;
    for (const end = at + perOut; at < end; at++) weights[at] = (filter.data[at] ?? 0) * k;
  }
  const biases = Float32Array.from({ length: outs }, (_, c) =>
    fl(
      fl(fl(fl((bias?.[c] ?? 0) - (mean?.[c] ?? 0)) * (inverse[c] ?? 1)) * (gamma?.[c] ?? 1)) +
        (beta?.[c] ?? 0),
    ),
  );
  return { filter: tensor("float32", filter.shape, weights), bias: float32([outs], biases) };
}

function foldedFilter(
  graph: Graph,
  conv: Node,
  { inputs, epsilon }: NodeOf<"BatchNormalization">,
): FoldedFilter {
  const floats = (name: string | undefined) =>
    graph.constants.get(name ?? "")?.data as Float32Array | undefined;
  const filter = graph.constants.get(conv.inputs[1] ?? "") as Tensor<"float32">;
  const [gamma, beta, mean, variance] = inputs.slice(1).map(floats);
  return foldNorm(filter, floats(conv.inputs[2]), { gamma, beta, mean, variance, epsilon });
}

function withFilter(conv: Conv, norm: Node, folded: FoldedFilter, builder: GraphBuilder): Conv {
  const filterName = builder.constant(builder.fresh(`${conv.name}/folded_filter`), folded.filter);
  const biasName = builder.constant(builder.fresh(`${conv.name}/folded_bias`), folded.bias);
  return { ...conv, inputs: [conv.inputs[0] ?? "", filterName, biasName], outputs: norm.outputs };
}

/** A Relu or Clip, or a Min or Max with constant bounds, becomes its producer's clamp; the producer's output takes its name. */
export function fuseClamps(graph: Graph): Graph {
  const producers = producersOf(graph);
  const consumers = consumersOf(graph);
  const clamps = new Map<Node, { clamp: ChannelClamp; output: string }>();
  const merged = new Set<Node>();
  for (const node of graph.nodes) {
    const found = clampOfNode(graph, node);
    const input = found?.input ?? "";
    let producer = producers.get(input);
    if (!found || !producer || !mayMerge(graph, node, input, consumers)) continue;
    // A clamp after a clamp joins the one that is already merged.
    const chain = [...clamps].find(([, { output }]) => output === input);
    producer = chain?.[0] ?? producer;
    if (!CLAMPABLE.has(producer.op) || graph.values.get(input)?.quant) continue;
    if (isPerChannel(found.clamp) && !CHANNEL_CLAMPABLE.has(producer.op)) continue;
    const before = clamps.get(producer)?.clamp ?? clampOf(producer as Node & ChannelClamp);
    clamps.set(producer, { clamp: joinClamps(before, found.clamp), output: node.outputs[0] ?? "" });
    merged.add(node);
  }
  return rewriteNodes(graph, (node) => {
    if (merged.has(node)) return undefined;
    const found = clamps.get(node);
    if (!found) return node;
    const { low: _low, high: _high, ...open } = node as Node & ChannelClamp;
    return { ...open, ...found.clamp, outputs: [found.output] } as Node;
  });
}

/** The passes in order. The graph computes the same, in fewer nodes. Of a weight that several convolutions read,
 *  each gets a folded copy; without `copiesWeights` their normalizations stay nodes. */
export function fuse(graph: Graph, copiesWeights = true): Graph {
  return atOnce(fuseSteps(graph, copiesWeights));
}

/** The same in steps. */
export function* fuseSteps(graph: Graph, copiesWeights = true): Steps<Graph> {
  return fuseClamps(yield* foldSteps(removeIdentities(graph), copiesWeights));
}
