// The one walk that training and evaluation share: fake-quantizers stand where conversion will put Quantize and
// Dequantize (convert.ts). What an integer node made is read fake-quantized by all; what a float node made only by
// integer nodes.

import { dequantizeTensor } from "../../graph/arithmetic.ts";
import type { GraphBuilder } from "../../graph/builder.ts";
import { valueOf } from "../../graph/graph.ts";
import type { Node } from "../../graph/node.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { hasWeight, sharesParams } from "../annotate.ts";
import { findSites } from "../sites.ts";
import { quantizeOperand } from "../weights.ts";
import type { Qat, Quantizer } from "./model.ts";

/** What differs. Each adds its nodes to the builder. */
export interface Parts {
  /** Layer `node`, which reads `x` and makes `output`. */
  layer(node: Node, x: string, output: string): void;
  /** Any other node that computes in float. */
  float(node: Node): void;
  /** `to`, which is `from` fake-quantized. */
  quantize(quantizer: Quantizer, from: string, to: string): void;
}

/** Add the nodes of `qat` to `builder`, in order. */
export function walk(qat: Qat, builder: GraphBuilder, parts: Parts): void {
  const { graph, assignment, activations } = qat;
  const { roots, configs } = findSites(graph, assignment);
  /** Float value → the name integer nodes read it by. */
  const read = new Map<string, string>();
  const readAs = (name: string): string => {
    const known = read.get(name);
    if (known !== undefined) return known;
    const root = roots.get(name) ?? name;
    const constant = graph.constants.get(name);
    const config = configs.get(root);
    const quantizer = activations.get(root);
    let as = name;
    if (constant && config) {
      const { data, quant } = quantizeOperand(constant as Tensor<"float32">, config.activation);
      as = builder.constant(builder.fresh(`${name}_quantized`), dequantizeTensor(data, quant));
    } else if (quantizer) {
      as = builder.fresh(`${name}_quantized`);
      parts.quantize(quantizer, name, as);
    }
    read.set(name, as);
    return as;
  };
  for (const node of graph.nodes) {
    const isInteger = (assignment.get(node.name) ?? null) !== null;
    const [output = ""] = node.outputs;
    if (!isInteger) {
      if (node.op === "Conv") parts.layer(node, node.inputs[0] ?? "", output);
      else parts.float(node);
      continue;
    }
    const open = node.outputs.map((name) =>
      sharesParams(node) ? name : builder.fresh(`${name}_float`),
    );
    const inputs = hasWeight(node) ? [readAs(node.inputs[0] ?? "")] : node.inputs.map(readAs);
    if (hasWeight(node)) parts.layer(node, inputs[0] ?? "", open[0] ?? "");
    else
      builder.add({ ...node, inputs, outputs: open } as Node, {
        dtype: valueOf(graph, output).dtype,
      });
    node.outputs.forEach((name, index) => {
      const quantizer = activations.get(roots.get(name) ?? name);
      if (!sharesParams(node) && quantizer) parts.quantize(quantizer, open[index] ?? "", name);
      read.set(name, name);
    });
  }
}
