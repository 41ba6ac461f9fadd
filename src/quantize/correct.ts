// Bias correction as a graph: the float model and its fake-quantized twin side by side, layer after
// layer. Behind each layer of the twin the per-channel mean is moved to the float model's before the
// clamp, so every layer is corrected on top of corrected ones:
//   b_c ← b_c + mean(y_float,c) − mean(y_quantized,c)                       docs/quantization.md (43)
// One run over one batch gives every layer's shift for that batch.

import { dequantizeTensor } from "../graph/arithmetic.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { clampOf } from "../graph/clamp.ts";
import { valueOf, type Graph } from "../graph/graph.ts";
import type { ChannelClamp, Node } from "../graph/node.ts";
import { rangeOf, type QParams } from "../graph/value.ts";
import { float32, type Tensor } from "../tensor/tensor.ts";
import { hasWeight, sharesParams, takesBias, type Assignment } from "./annotate.ts";
import { chooseActivations } from "./calibration.ts";
import { addClamp } from "./clampNodes.ts";
import type { Statistics } from "./observers.ts";
import { findSites } from "./sites.ts";
import { quantizeOperand, quantizeWeight } from "./weights.ts";

export interface CorrectionGraph {
  readonly graph: Graph;
  /** Output of `graph` → the node whose bias it corrects. Its elements are output channels. */
  readonly layers: ReadonlyMap<string, string>;
}

const TWIN = "quantized/";

/** Add `node` without its clamp, then the clamp; returns the unclamped value. */
function addUnclamped(builder: GraphBuilder, node: Node & ChannelClamp): string {
  const { low, high, ...open } = node;
  if (low === undefined && high === undefined) return builder.add(node);
  const raw = builder.fresh(`${node.outputs[0]}_unclamped`);
  builder.add({ ...open, outputs: [raw] } as Node);
  addClamp(builder, node.name, raw, node.outputs[0] ?? "", node);
  return raw;
}

/** Add mean(float) − mean(twin) per output channel to the twin's unclamped `product`; returns the sum
 *  and remembers the difference as an output. */
function correctMean(
  builder: GraphBuilder,
  graph: Graph,
  {
    node,
    twin,
    raw,
    product,
    layers,
  }: { node: Node; twin: string; raw: string; product: string; layers: Map<string, string> },
): string {
  const name = TWIN + node.name;
  const { shape } = valueOf(graph, node.outputs[0] ?? "");
  const channels = node.op === "Conv" ? 1 : shape.length - 1;
  const axes = shape.map((_, axis) => axis).filter((axis) => axis !== channels);
  const mean = (of: string, suffix: string) =>
    builder.add({
      op: "ReduceMean",
      name: `${name}/${suffix}`,
      inputs: [of],
      outputs: [builder.fresh(`${twin}_${suffix}`)],
      axes,
      keepdims: true,
    });
  const delta = builder.add({
    op: "Sub",
    name: `${name}/delta`,
    inputs: [mean(raw, "mean"), mean(product, "quantizedMean")],
    outputs: [builder.fresh(`${twin}_delta`)],
  });
  layers.set(delta, node.name);
  return builder.add({
    op: "Add",
    name: `${name}/corrected`,
    inputs: [product, delta],
    outputs: [builder.fresh(`${twin}_corrected`)],
  });
}

/** The correction graph of the fused float `graph`, or undefined where it has no integer layer. */
export function buildCorrection(
  graph: Graph,
  assignment: Assignment,
  statistics: ReadonlyMap<string, Statistics>,
): CorrectionGraph | undefined {
  const { roots, configs } = findSites(graph, assignment);
  const params = chooseActivations(graph, assignment, statistics);
  const builder = GraphBuilder.from(graph);
  const layers = new Map<string, string>();
  const quantOf = (name: string): QParams | undefined => params.get(roots.get(name) ?? name);
  /** Value of the float model → its twin, as float consumers and as integer consumers read it. */
  const twins = new Map<string, string>();
  const read = new Map<string, string>();

  const fakeQuantize = (from: string, to: string, quant: QParams): string => {
    const [qmin, qmax] = rangeOf(quant);
    const scale = builder.constant(builder.fresh(`${to}/scale`), float32([], quant.scale));
    const zeroPoint = builder.constant(
      builder.fresh(`${to}/zeroPoint`),
      float32([], Float32Array.from(quant.zeroPoint)),
    );
    const name = builder.fresh(`${to}/fakeQuantize`);
    const inputs = [from, scale, zeroPoint];
    return builder.add({ op: "FakeQuantize", name, inputs, outputs: [to], qmin, qmax });
  };
  const readTwin = (name: string): string => {
    const known = read.get(name);
    if (known !== undefined) return known;
    const constant = graph.constants.get(name);
    const config = configs.get(roots.get(name) ?? name);
    const quant = quantOf(name);
    let twin = twins.get(name) ?? name;
    if (constant && config) {
      const { data, quant: chosen } = quantizeOperand(
        constant as Tensor<"float32">,
        config.activation,
      );
      twin = builder.constant(builder.fresh(`${TWIN}${name}`), dequantizeTensor(data, chosen));
    } else if (quant) {
      twin = fakeQuantize(twin, builder.fresh(`${TWIN}${name}_quantized`), quant);
    }
    read.set(name, twin);
    return twin;
  };
  const twinConstant = (node: Node, config: NonNullable<ReturnType<Assignment["get"]>>): string => {
    const [x = "", weightName = "", biasName = ""] = node.inputs;
    const weight = graph.constants.get(weightName) as Tensor<"float32">;
    const bias = graph.constants.get(biasName)?.data as Float32Array | undefined;
    const { data, quant } = quantizeWeight(
      node,
      weight,
      bias,
      quantOf(x)?.scale[0] ?? 1,
      config.weight,
    );
    return builder.constant(builder.fresh(`${TWIN}${weightName}`), dequantizeTensor(data, quant));
  };

  for (const node of graph.nodes) {
    const config = assignment.get(node.name);
    const layer = config && hasWeight(node);
    const raw = layer
      ? addUnclamped(builder, node)
      : builder.add(node, { dtype: valueOf(graph, node.outputs[0] ?? "").dtype });
    const name = TWIN + node.name;
    const outputs = node.outputs.map((output) => builder.fresh(TWIN + output));
    node.outputs.forEach((output, index) => twins.set(output, outputs[index] ?? output));
    if (!config) {
      builder.add({
        ...node,
        name,
        inputs: node.inputs.map((input) => twins.get(input) ?? input),
        outputs,
      });
      continue;
    }
    if (!layer) {
      const open = node.outputs.map((output) => builder.fresh(`${TWIN}${output}_float`));
      builder.add({
        ...node,
        name,
        inputs: node.inputs.map(readTwin),
        outputs: sharesParams(node) ? outputs : open,
      });
      node.outputs.forEach((output, index) => {
        const quant = quantOf(output);
        const twin = outputs[index] ?? "";
        if (!sharesParams(node) && quant) fakeQuantize(open[index] ?? "", twin, quant);
        read.set(output, twin);
      });
      continue;
    }
    const [output = ""] = node.outputs;
    const [twin = ""] = outputs;
    const { low: _low, high: _high, ...open } = node as Node & ChannelClamp;
    const product = builder.fresh(`${twin}_product`);
    const inputs = [
      readTwin(node.inputs[0] ?? ""),
      twinConstant(node, config),
      ...node.inputs.slice(2),
    ];
    builder.add({ ...open, name, inputs, outputs: [product] } as Node);
    const corrected = takesBias(graph, node)
      ? correctMean(builder, graph, { node, twin, raw, product, layers })
      : product;
    const clamped = builder.fresh(`${twin}_clamped`);
    addClamp(builder, name, corrected, clamped, clampOf(node as Node & ChannelClamp));
    const quant = quantOf(output);
    if (quant) fakeQuantize(clamped, twin, quant);
    read.set(output, twin);
  }
  if (layers.size === 0) return undefined;
  return { graph: builder.build(graph.name, graph.inputs, [...layers.keys()]), layers };
}
