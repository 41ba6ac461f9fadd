// A float network as it is trained: its parameters are variables, and its batch normalizations use the statistics
// of the batch and keep their running ones. torch.nn.BatchNorm2d in training.

import type { BoundGraph } from "../graph/bind.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { consumersOf, valueOf } from "../graph/graph.ts";
import type { Clamp, Node, NodeOf } from "../graph/node.ts";
import { sizeOf } from "../tensor/tensor.ts";
import { parametersOf } from "./parameters.ts";

/** A graph whose variables are a network's parameters and statistics. */
export interface Forward {
  readonly graph: BoundGraph;
  /** The variables that have gradients. */
  readonly parameters: readonly string[];
}

/** torch.nn.BatchNorm2d's default: the share of the batch in the running statistics. */
export const BATCH_NORM_MOMENTUM = 0.1;

/** `graph` ready to be trained. "frozen" normalizations use their running statistics, and keep them. */
export function floatForward(graph: BoundGraph, batchNorm: "batch" | "frozen"): Forward {
  const parameters = parametersOf(graph);
  const isNorm = (node: Node) => node.op === "BatchNormalization" && batchNorm === "batch";
  const statistics = graph.nodes.filter(isNorm).flatMap(({ inputs }) => inputs.slice(3));
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
  const [x = "", scale = "", bias = "", runningMean = "", runningVariance = ""] = node.inputs;
  const { name, epsilon } = node;
  const y = (behind?.node ?? node).outputs[0] ?? "";
  const [mean, variance] = ["mean", "variance"].map((each) =>
    builder.fresh(`${name}/batch_${each}`),
  );
  const statistics = [mean ?? "", variance ?? ""];
  builder.add({
    op: "BatchNormTraining",
    name,
    inputs: [x, scale, bias],
    outputs: [y, ...statistics],
    epsilon,
    ...behind?.clamp,
  });
  const [batch = 1, , ...space] = builder.value(x).shape as readonly number[];
  builder.add({
    op: "UpdateRunning",
    name: builder.fresh(`${name}/running`),
    inputs: [runningMean, runningVariance, ...statistics],
    outputs: [],
    momentum: BATCH_NORM_MOMENTUM,
    count: batch * sizeOf(space),
  });
}
