// A trained network in integers: what evaluation computes in float, scale by scale and byte by byte.

import { StageError } from "../../errors.ts";
import { quantizeTensor } from "../../graph/arithmetic.ts";
import { GraphBuilder } from "../../graph/builder.ts";
import { valueOf, type Graph } from "../../graph/graph.ts";
import type { Node } from "../../graph/node.ts";
import { float32 } from "../../tensor/tensor.ts";
import { hasWeight } from "../annotate.ts";
import { insertQuantizers } from "../convert.ts";
import { integerize } from "../integerize.ts";
import { wasSeen, type Qat } from "./model.ts";
import { paramsOf } from "./state.ts";
import { currentOf, foldedOf, weightParams } from "./weights.ts";

/** The fused graph with normalizations folded, docs/quantization.md (21), and constants as they were trained. */
function foldedGraph(qat: Qat): Graph {
  const { graph, norms } = qat;
  const builder = GraphBuilder.from(graph);
  for (const name of graph.constants.keys()) {
    const now = currentOf(qat, name);
    if (now) builder.constants.set(name, now);
  }
  for (const node of graph.nodes) {
    const [output = ""] = node.outputs;
    const type = { dtype: valueOf(graph, output || (node.inputs[0] ?? "")).dtype };
    if (!hasWeight(node) || !norms.has(node.name)) {
      builder.add(node, type);
      continue;
    }
    const { filter, bias } = foldedOf(qat, node);
    const add = (what: string, data: typeof filter) =>
      builder.constant(builder.fresh(`${node.name}/folded_${what}`), data);
    const inputs = [node.inputs[0] ?? "", add("filter", filter)];
    if (bias) inputs.push(add("bias", float32([bias.length], bias)));
    builder.add({ ...node, inputs } as Node, type);
  }
  return builder.build(graph.name, graph.inputs, graph.outputs);
}

/** The integer graph of `qat`. Throws StageError where an activation was never observed. */
export function convertQat(qat: Qat): Graph {
  const { activations, assignment, weights } = qat;
  for (const [root, quantizer] of activations) {
    if (wasSeen(qat, quantizer)) continue;
    throw new StageError(
      `convert: every quantized activation must be observed; got none of "${root}". ` +
        "Train some steps with observers first.",
    );
  }
  const graph = insertQuantizers(foldedGraph(qat), assignment, {
    activations: new Map([...activations].map(([root, each]) => [root, paramsOf(qat, each)])),
    weight: (node, weight, bias, inputScale) => {
      const quantizer = weights.get(node.name);
      if (!quantizer) throw new Error(`convert: "${node.name}" stays float; please report.`);
      const quant = weightParams(qat, node, quantizer, { filter: weight, bias }, inputScale);
      return { data: quantizeTensor(weight, quant), quant };
    },
    biasCorrection: new Map(),
  });
  return integerize(graph);
}
