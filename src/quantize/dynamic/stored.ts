// Layers whose weight is stored in fewer bits while everything else stays float (docs/decisions/0014): Linear, and
// Embedding, a Gather of a constant by rows. The node stays what it is and reads another constant.

import { valueOf } from "../../graph/graph.ts";
import type { Node } from "../../graph/node.ts";
import { storedInput } from "../../graph/weightOnly.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { storeWeight, whyNotWeightOnly, type WeightOnlySpec } from "../weightOnly.ts";
import type { Handler, Rewriting } from "./handler.ts";
import type { DynamicSettings } from "./settings.ts";

/** An embedding's row has one scale unless its blocks are asked for, a Linear's output has one every `groupSize`. */
function specOf(node: Node, { dtype, groupSize }: DynamicSettings, length: number): WeightOnlySpec {
  if (dtype === "float16") return { dtype };
  const size =
    groupSize ?? (node.op === "Gather" && dtype !== "int4-weight-only" ? length : undefined);
  const bits = dtype === "int4-weight-only" ? "int4" : "int8";
  return { dtype: bits, ...(size === undefined ? {} : { groupSize: size }) };
}

/** Add `node` with its weight stored by `settings`. */
export function rewriteStored(node: Node, settings: DynamicSettings, rewriting: Rewriting): void {
  const { graph, builder } = rewriting;
  const index = storedInput(node) ?? 0;
  const name = node.inputs[index] ?? "";
  const source = graph.constants.get(name) as Tensor<"float32">;
  const spec = specOf(node, settings, source.shape[1] ?? 1);
  const { data, quant } = storeWeight(node, source, spec);
  const weight = builder.constant(builder.fresh(`${name}_${spec.dtype}`), data, quant);
  const inputs = node.inputs.map((input, at) => (at === index ? weight : input));
  builder.add({ ...node, inputs } as Node, { dtype: valueOf(graph, node.outputs[0] ?? "").dtype });
}

export const embedding: Handler = {
  kind: "Embedding",
  dtypes: ["int8", "float16", "int8-weight-only", "int4-weight-only"],
  onRequest: true,
  is: (graph, node) =>
    node.op === "Gather" && graph.constants.get(node.inputs[0] ?? "")?.dtype === "float32",
  whyFloat: whyNotWeightOnly,
  rewrite: rewriteStored,
};
