// convert: statistics → parameters → a graph with Quantize and Dequantize around every activation that
// was observed, integer weights behind a Dequantize, corrected biases. `integerize` then turns what
// has an integer kernel into typed nodes; what has none stays float, in sight.

import { GraphBuilder } from "../graph/builder.ts";
import { valueOf, type Graph } from "../graph/graph.ts";
import type { Node } from "../graph/node.ts";
import type { QParams } from "../graph/value.ts";
import { fl } from "../tensor/rounding.ts";
import { float32, type Tensor } from "../tensor/tensor.ts";
import { hasWeight, type Assignment } from "./annotate.ts";
import { chooseActivations, type Calibration } from "./calibration.ts";
import { integerize } from "./integerize.ts";
import { findSites } from "./sites.ts";
import { quantizeOperand, quantizeWeight, type QuantizedConstant } from "./weights.ts";

/** The bias of a layer with its correction, or undefined where it has neither. */
function correctedBias(
  graph: Graph,
  node: Node,
  correction: Float32Array | undefined,
): Float32Array | undefined {
  const bias = graph.constants.get(node.inputs[2] ?? "")?.data as Float32Array | undefined;
  if (!correction) return bias;
  return correction.map((delta, c) => fl((bias?.[c] ?? 0) + delta));
}

/** What decides how a graph is quantized, once its places are known. */
export interface Chosen {
  /** Root → parameters. */
  readonly activations: ReadonlyMap<string, QParams>;
  /** The weight of a layer in integers, from its input's scale and its bias. */
  weight(
    node: Node,
    weight: Tensor<"float32">,
    bias: Float32Array | undefined,
    inputScale: number,
  ): QuantizedConstant;
  /** Node → what to add to its bias. */
  readonly biasCorrection: ReadonlyMap<string, Float32Array>;
}

/** The quantize-dequantize form of the fused float `graph`. */
export function insertQuantizers(graph: Graph, assignment: Assignment, chosen: Chosen): Graph {
  const { roots, configs } = findSites(graph, assignment);
  const params = new Map(chosen.activations);
  // A part of a constant whose size is open, such as the first rows of a position table, has the constant's own.
  for (const [root, config] of configs) {
    const constant = graph.constants.get(root);
    if (constant?.dtype === "float32")
      params.set(root, quantizeOperand(constant as Tensor<"float32">, config.activation).quant);
  }
  const builder = GraphBuilder.from(graph);
  /** Float value → the name integer nodes read it by. */
  const quantizedName = new Map<string, string>();

  const pair = (from: string, quantized: string, to: string, quant: QParams) => {
    builder.add(
      {
        op: "Quantize",
        name: builder.fresh(`${to}/quantize`),
        inputs: [from],
        outputs: [quantized],
      },
      { quant },
    );
    builder.add(
      {
        op: "Dequantize",
        name: builder.fresh(`${to}/dequantize`),
        inputs: [quantized],
        outputs: [to],
      },
      { dtype: "float32" },
    );
  };
  const constantPair = (
    name: string,
    { data, quant }: { data: Tensor; quant: QParams },
  ): string => {
    const quantized = builder.constant(builder.fresh(`${name}_quantized`), data, quant);
    const real = builder.fresh(`${name}_dequantized`);
    builder.add(
      {
        op: "Dequantize",
        name: builder.fresh(`${name}/dequantize`),
        inputs: [quantized],
        outputs: [real],
      },
      { dtype: "float32" },
    );
    return real;
  };
  /** The name under which an integer node reads activation `name`. */
  const read = (name: string): string => {
    const known = quantizedName.get(name);
    if (known !== undefined) return known;
    const root = roots.get(name) ?? name;
    const constant = graph.constants.get(name);
    const config = configs.get(root);
    const quant = params.get(root);
    if (constant && config) {
      quantizedName.set(
        name,
        constantPair(name, quantizeOperand(constant as Tensor<"float32">, config.activation)),
      );
    } else if (quant) {
      const real = builder.fresh(`${name}_quantized`);
      pair(name, builder.fresh(`${real}_quantized`), real, quant);
      quantizedName.set(name, real);
    }
    return quantizedName.get(name) ?? name;
  };

  for (const node of graph.nodes) {
    const config = assignment.get(node.name);
    const type = { dtype: valueOf(graph, node.outputs[0] ?? "").dtype };
    if (!config) {
      builder.add(node, type);
      continue;
    }
    let inputs = node.inputs;
    if (hasWeight(node)) {
      const [x = "", weightName = ""] = node.inputs;
      const weight = graph.constants.get(weightName) as Tensor<"float32">;
      const sx = params.get(roots.get(x) ?? x)?.scale[0] ?? 1;
      const bias = correctedBias(graph, node, chosen.biasCorrection.get(node.name));
      inputs = [read(x), constantPair(weightName, chosen.weight(node, weight, bias, sx))];
      if (bias)
        inputs = [
          ...inputs,
          builder.constant(builder.fresh(`${node.name}/bias`), float32([bias.length], bias)),
        ];
    } else {
      inputs = node.inputs.map(read);
    }
    const outputs = node.outputs.map((output) => builder.fresh(`${output}_float`));
    // ONNX's MatMul has no bias; on matrices a Gemm is the same and has one.
    const gemm = { op: "Gemm", alpha: 1, beta: 1, transA: false, transB: false } as const;
    const becomesGemm = node.op === "MatMul" && inputs.length === 3;
    builder.add({ ...node, ...(becomesGemm ? gemm : {}), inputs, outputs } as Node, type);
    node.outputs.forEach((output, index) => {
      const quant = params.get(roots.get(output) ?? output);
      if (!quant) return;
      pair(outputs[index] ?? "", builder.fresh(`${output}_quantized`), output, quant);
      quantizedName.set(output, output);
    });
  }
  return builder.build(graph.name, graph.inputs, graph.outputs);
}

/** The integer graph of a fused float graph and its calibration. */
export function convertGraph(
  graph: Graph,
  assignment: Assignment,
  calibration: Calibration,
): Graph {
  const chosen: Chosen = {
    activations: chooseActivations(graph, assignment, calibration.statistics),
    weight: (node, weight, bias, inputScale) => {
      const config = assignment.get(node.name);
      if (!config) throw new Error(`convert: "${node.name}" stays float; please report.`);
      return quantizeWeight(node, weight, bias, inputScale, config.weight);
    },
    biasCorrection: calibration.biasCorrection,
  };
  return integerize(insertQuantizers(graph, assignment, chosen));
}
