// A float network as it is trained: its parameters are variables, and its batch normalizations use the statistics
// of the batch and keep their running ones. torch.nn.BatchNorm2d in training.

import type { BoundGraph } from "../graph/bind.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { consumersOf, valueOf } from "../graph/graph.ts";
import type { Clamp, Node, NodeOf } from "../graph/node.ts";
import { addTrainingNorm, checkStatistics } from "../graph/trainingNorm.ts";
import { parametersOf } from "./parameters.ts";

/** A graph whose variables are a network's parameters and statistics. */
export interface Forward {
  readonly graph: BoundGraph;
  /** The variables that have gradients. */
  readonly parameters: readonly string[];
}

/** `graph` ready to be trained. "frozen" normalizations use their running statistics, and keep them.
 *  Throws InputError where two share them, and where a batch has one value a channel. */
export function floatForward(graph: BoundGraph, batchNorm: "batch" | "frozen"): Forward {
  const parameters = parametersOf(graph);
  const isNorm = (node: Node) => node.op === "BatchNormalization" && batchNorm === "batch";
  const statistics = graph.nodes.filter(isNorm).flatMap(({ inputs }) => inputs.slice(3));
  checkStatistics(
    statistics,
    graph.nodes.flatMap(({ name, inputs }) => inputs.map((value) => ({ node: name, value }))),
  );
  const kept = new Set([...parameters, ...statistics]);
  const constants = [...graph.constants];
  const builder = GraphBuilder.from({
    ...graph,
    constants: new Map(constants.filter(([name]) => !kept.has(name))),
    variables: new Map(constants.filter(([name]) => kept.has(name))),
  });
  const clamps = clampsBehind(graph, isNorm);
  const merged = new Set([...clamps.values()].map(({ node }) => node));
  for (const node of graph.nodes) {
    if (merged.has(node)) continue;
    if (node.op === "BatchNormalization" && batchNorm === "batch")
      addNorm(builder, node, clamps.get(node));
    else builder.add(node, { dtype: valueOf(graph, node.outputs[0] ?? "").dtype });
  }
  const built = builder.build(graph.name, graph.inputs, graph.outputs);
  return { graph: built as BoundGraph, parameters };
}

interface Behind {
  readonly node: Node;
  readonly clamp: Clamp;
}

/** The Relu or Clip that alone reads the output of a node, by that node. */
function clampsBehind(graph: BoundGraph, takes: (node: Node) => boolean): Map<Node, Behind> {
  const consumers = consumersOf(graph);
  const found = new Map<Node, Behind>();
  for (const node of graph.nodes.filter(takes)) {
    const output = node.outputs[0] ?? "";
    const [reader, ...others] = consumers.get(output) ?? [];
    if (!reader || others.length > 0 || graph.outputs.includes(output)) continue;
    if (reader.op === "Relu") found.set(node, { node: reader, clamp: { low: 0 } });
    if (reader.op !== "Clip") continue;
    const clamp = {
      ...(Number.isFinite(reader.low) ? { low: reader.low } : {}),
      ...(Number.isFinite(reader.high) ? { high: reader.high } : {}),
    };
    found.set(node, { node: reader, clamp });
  }
  return found;
}

function addNorm(
  builder: GraphBuilder,
  node: NodeOf<"BatchNormalization">,
  behind: Behind | undefined,
): void {
  const [x = "", gamma = "", beta = "", mean = "", variance = ""] = node.inputs;
  const { name, epsilon } = node;
  const y = (behind?.node ?? node).outputs[0] ?? "";
  const operands = { x, gamma, beta, mean, variance };
  addTrainingNorm(builder, { name, ...operands, epsilon, clamp: behind?.clamp, y });
}
