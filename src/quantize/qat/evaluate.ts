// What a trained network computes, before it has integers: normalizations folded by their running statistics,
// weights as their integers stand for them, activations fake-quantized, and biases in the steps of the integer
// accumulator. Converted, it gives the same bytes but for the rounding of float sums.

import { dequantizeTensor, quantizeBias, quantizeTensor } from "../../graph/arithmetic.ts";
import { GraphBuilder } from "../../graph/builder.ts";
import { prune, valueOf, type Graph } from "../../graph/graph.ts";
import type { Node } from "../../graph/node.ts";
import { rangeOf } from "../../graph/value.ts";
import { fl } from "../../tensor/rounding.ts";
import { float32 } from "../../tensor/tensor.ts";
import { findSites } from "../sites.ts";
import { wasSeen, type Qat } from "./model.ts";
import { paramsOf } from "./state.ts";
import { walk } from "./walk.ts";
import { currentOf, foldedOf, weightParams } from "./weights.ts";

/** Bias b of a layer as the integers of its accumulator stand for it: docs/quantization.md (26). */
function steppedBias(bias: Float32Array, inputScale: number, weightScale: Float32Array) {
  const steps = quantizeBias(bias, inputScale, weightScale);
  return Float32Array.from(steps, (q, c) => {
    const scale = (weightScale.length === 1 ? weightScale[0] : weightScale[c]) ?? 1;
    return fl(q * fl(inputScale * scale));
  });
}

/** The fake-quantized graph of `qat` as it is now, all of it constants. What was never observed is not quantized. */
export function evaluationGraph(qat: Qat): Graph {
  const { graph, activations, weights, assignment } = qat;
  const builder = GraphBuilder.from(graph);
  const { roots } = findSites(graph, assignment);
  const constant = (name: string, shape: readonly number[], data: ArrayLike<number>) =>
    builder.constant(builder.fresh(name), float32(shape, data));
  /** Constants that were trained, by what they are now. */
  for (const name of graph.constants.keys()) {
    const now = currentOf(qat, name);
    if (now) builder.constants.set(name, now);
  }
  walk(qat, builder, {
    layer: (node, x, output) => {
      const { filter, bias } = foldedOf(qat, node);
      const quantizer = weights.get(node.name);
      const source = activations.get(roots.get(node.inputs[0] ?? "") ?? node.inputs[0] ?? "");
      const isStepped = quantizer && source && wasSeen(qat, source);
      const inputScale = isStepped ? (paramsOf(qat, source).scale[0] ?? 1) : 1;
      const quant = quantizer && weightParams(qat, node, quantizer, { filter, bias }, inputScale);
      const weight = quant ? dequantizeTensor(quantizeTensor(filter, quant), quant) : filter;
      const inputs = [x, constant(`${node.name}/filter`, weight.shape, weight.data)];
      if (bias) {
        const data = quant && isStepped ? steppedBias(bias, inputScale, quant.scale) : bias;
        inputs.push(constant(`${node.name}/bias`, [bias.length], data));
      }
      builder.add({ ...node, inputs, outputs: [output] } as Node, { dtype: "float32" });
    },
    float: (node) => {
      const [output = ""] = node.outputs;
      builder.add(node, { dtype: valueOf(graph, output).dtype });
    },
    quantize: (quantizer, from, to) => {
      const name = builder.fresh(`${to}/fakeQuantize`);
      if (!wasSeen(qat, quantizer)) {
        builder.add({ op: "Identity", name, inputs: [from], outputs: [to] });
        return;
      }
      const quant = paramsOf(qat, quantizer);
      const { scale, zeroPoint } = quant;
      const inputs = [
        from,
        constant(`${to}/scale`, [], scale),
        constant(`${to}/zeroPoint`, [], Float32Array.from(zeroPoint)),
      ];
      // As conversion leaves it: training alone clamps to a reduced range.
      const [qmin, qmax] = rangeOf(quant);
      builder.add({ op: "FakeQuantize", name, inputs, outputs: [to], qmin, qmax });
    },
  });
  return prune(builder.build(graph.name, graph.inputs, graph.outputs));
}
