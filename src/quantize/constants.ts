// Quantized constants as other tools write them. Some keep float weights in front of a QuantizeLinear;
// some quantize weights of layers that run in float. Both are settled on the host, once.

import { dequantizeTensor, quantizeTensor } from "../graph/arithmetic.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { consumersOf, prune, valueOf, type Graph } from "../graph/graph.ts";
import type { Node } from "../graph/node.ts";
import type { QParams } from "../graph/value.ts";
import { storedInput, whyNotStored } from "../graph/weightOnly.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** Rebuild `graph`; `fold` returns true where it has put the node's output among the constants. */
function foldNodes(graph: Graph, fold: (node: Node, builder: GraphBuilder) => boolean): Graph {
  const builder = GraphBuilder.from(graph);
  for (const node of graph.nodes) {
    if (fold(node, builder)) continue;
    const { dtype, quant } = valueOf(graph, node.outputs[0] ?? node.inputs[0] ?? "");
    builder.add(node, { dtype, ...(quant ? { quant } : {}) });
  }
  return prune(builder.build(graph.name, graph.inputs, graph.outputs));
}

/** Quantize of a float constant is a quantized constant. */
export function foldQuantizers(graph: Graph): Graph {
  return foldNodes(graph, (node, builder) => {
    const data = graph.constants.get(node.inputs[0] ?? "");
    const [output = ""] = node.outputs;
    const { quant } = valueOf(graph, output || (node.inputs[0] ?? ""));
    if (node.op !== "Quantize" || data?.dtype !== "float32" || !quant) return false;
    builder.constant(output, quantizeTensor(data as Tensor<"float32">, quant), quant);
    return true;
  });
}

/** Whether every reader of float value `name` can read its weight in fewer bits. */
function isWeightOnly(graph: Graph, readers: readonly Node[], name: string, source: string) {
  const { shape, quant } = valueOf(graph, source);
  return (
    readers.length > 0 &&
    !graph.outputs.includes(name) &&
    readers.every(
      (reader) =>
        reader.inputs.indexOf(name) === storedInput(reader) &&
        reader.inputs.lastIndexOf(name) === storedInput(reader) &&
        whyNotStored(reader, shape, quant) === undefined,
    )
  );
}

/** Dequantize of a constant that no integer op took goes where all its readers take the constant as it is stored. Other
 *  ones stay, so that what is saved keeps its integers. */
export function storeWeights(graph: Graph): Graph {
  const consumers = consumersOf(graph);
  return foldNodes(graph, (node, builder) => {
    const [source = "", real = ""] = [node.inputs[0], node.outputs[0]];
    const data = graph.constants.get(source);
    const { quant } = graph.values.get(source) ?? {};
    if (node.op !== "Dequantize" || !data || !quant) return false;
    if (!isWeightOnly(graph, consumers.get(real) ?? [], real, source)) return false;
    builder.constant(real, data, quant);
    return true;
  });
}

/** Dequantize of a constant is a constant: what runs computes nothing that is known. */
export function foldDequantizers(graph: Graph): Graph {
  return foldNodes(graph, (node, builder) => {
    const [source = "", real = ""] = [node.inputs[0], node.outputs[0]];
    const data = graph.constants.get(source) as Tensor<QParams["dtype"]> | undefined;
    const { quant } = graph.values.get(source) ?? {};
    if (node.op !== "Dequantize" || !data || !quant) return false;
    builder.constant(real, dequantizeTensor(data, quant));
    return true;
  });
}
