// What runs where, node by node: for people who ask whether an op fell back to something slower. Nothing here
// falls back: a node has shaders, or its work is done in another node's, or it moves nothing.

import { valueOf, type Graph } from "../graph/graph.ts";
import type { Op } from "../graph/node.ts";
import type { DType } from "../tensor/dtype.ts";
import type { Plan, ShaderName } from "./plan.ts";

/** A node of the graph that a plan runs. */
export interface PlannedNode {
  readonly node: string;
  readonly op: Op;
  /** Of its first output's elements; of its first input's where it has no output. */
  readonly dtype: DType;
  /** One a dispatch, in order. Empty: done in the shader of a neighbour, or nothing to do. */
  readonly shaders: readonly ShaderName[];
}

/** Every node of `graph` with its dtype and the shaders that `plan`, which was lowered from it, runs for it. */
export function listNodes(graph: Graph, plan: Plan): PlannedNode[] {
  const shaders = new Map<string, ShaderName[]>();
  for (const { node, shader } of plan.steps) {
    const known = shaders.get(node);
    if (known) known.push(shader);
    else shaders.set(node, [shader]);
  }
  return graph.nodes.map(({ name, op, inputs, outputs }) => ({
    node: name,
    op,
    dtype: valueOf(graph, outputs[0] ?? inputs[0] ?? "").dtype,
    shaders: shaders.get(name) ?? [],
  }));
}
