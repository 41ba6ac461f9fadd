// What scales and shifts the channels of a layer whose weight is quantized goes into the weight's scales and the bias:
// Conv → Div → BatchNormalization, as PyTorch exports its layers in training, and biases that are an Add of their own.
// The integers of the weight stay as they are (a negative factor mirrors them), so the layer still runs in integers.

import { dequantizeTensor } from "../graph/arithmetic.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { consumersOf, producersOf, prune, valueOf, type Graph } from "../graph/graph.ts";
import type { Node, NodeOf } from "../graph/node.ts";
import { rangeOf, type QParams } from "../graph/value.ts";
import { allocate } from "../tensor/dtype.ts";
import { fl } from "../tensor/rounding.ts";
import { float32, stridesOf, type Tensor } from "../tensor/tensor.ts";
import { outputAxis } from "./weights.ts";

type Layer = NodeOf<"Conv" | "Gemm">;

/** y ← factor · y + shift, channel by channel. */
interface Steps {
  readonly factor: Float64Array;
  readonly shift: Float64Array;
}

/** Reads constants, and constants under a Dequantize, as floats. */
class Known {
  readonly #graph: Graph;
  readonly #producers: Map<string, Node>;

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#producers = producersOf(graph);
  }

  /** The quantized constant that float value `name` is made of. */
  source(name: string): { name: string; data: Tensor; quant: QParams } | undefined {
    const producer = this.#producers.get(name);
    const [source = ""] = producer?.op === "Dequantize" ? producer.inputs : [];
    const data = this.#graph.constants.get(source);
    const { quant } = this.#graph.values.get(source) ?? {};
    return data && quant ? { name: source, data, quant } : undefined;
  }

  floats(name: string | undefined): Tensor<"float32"> | undefined {
    const constant = this.#graph.constants.get(name ?? "");
    if (constant?.dtype === "float32") return constant as Tensor<"float32">;
    const source = this.source(name ?? "");
    return source && dequantizeTensor(source.data as Tensor<QParams["dtype"]>, source.quant);
  }

  /** Constant `name` as one number for each of `channels`, which lie along axis 1 of `rank` axes. */
  perChannel(name: string | undefined, channels: number, rank: number): Float64Array | undefined {
    const constant = this.floats(name);
    if (!constant || constant.shape.length > rank) return undefined;
    const { data, shape } = constant;
    const axis = 1 - (rank - shape.length);
    const isOne = data.length === 1;
    if (!isOne && (data.length !== channels || shape[axis] !== channels)) return undefined;
    return Float64Array.from({ length: channels }, (_, c) => data[isOne ? 0 : c] ?? 0);
  }
}

/** What `node` does to each channel of `name`, or undefined where it does something else. */
function stepsOf(
  known: Known,
  node: Node,
  name: string,
  channels: number,
  rank: number,
): Steps | undefined {
  const ones = new Float64Array(channels).fill(1);
  if (node.op === "BatchNormalization") {
    const numbers = node.inputs.slice(1).map((input) => known.perChannel(input, channels, 2));
    const [gamma, beta, mean, variance] = numbers;
    if (!gamma || !beta || !mean || !variance || node.inputs[0] !== name) return undefined;
    const factor = gamma.map((g, c) => g / Math.sqrt((variance[c] ?? 1) + node.epsilon));
    return { factor, shift: beta.map((b, c) => b - (mean[c] ?? 0) * (factor[c] ?? 0)) };
  }
  const isOf = node.op === "Add" || node.op === "Sub" || node.op === "Mul" || node.op === "Div";
  if (!isOf || node.low !== undefined || node.high !== undefined) return undefined;
  const [left, right] = node.inputs;
  if (left === right) return undefined;
  const isFirst = left === name;
  const given = known.perChannel(isFirst ? right : left, channels, rank);
  if (!given) return undefined;
  const zeros = new Float64Array(channels);
  switch (node.op) {
    case "Add":
      return { factor: ones, shift: given };
    case "Sub":
      return isFirst
        ? { factor: ones, shift: given.map((v) => -v) }
        : { factor: ones.map((v) => -v), shift: given };
    case "Mul":
      return { factor: given, shift: zeros };
    case "Div":
      return isFirst ? { factor: given.map((v) => 1 / v), shift: zeros } : undefined;
  }
}

const isLayer = (node: Node): node is Layer =>
  (node.op === "Conv" ||
    (node.op === "Gemm" && node.alpha === 1 && node.beta === 1 && !node.transA)) &&
  node.low === undefined &&
  node.high === undefined;

interface Found {
  readonly steps: Steps;
  readonly absorbed: readonly Node[];
  readonly weight: { readonly name: string; readonly data: Tensor; readonly quant: QParams };
  readonly bias: Float32Array | undefined;
}

/** q, s and z of a weight times `factor`: −(q − z) is (m − q) − (m − z), where m − q must be a code: m is −1 for signed
 *  ones, or 0 where that keeps a channel symmetric. */
function scaled(
  { data, quant }: Found["weight"],
  factor: Float64Array,
  axis: number,
): { data: Tensor; quant: QParams } {
  const [least, greatest] = rangeOf({
    dtype: quant.dtype,
    scale: quant.scale,
    zeroPoint: quant.zeroPoint,
  });
  const one = <T>(values: ArrayLike<T>, c: number) => values[values.length === 1 ? 0 : c];
  const stride = stridesOf(data.shape)[axis] ?? 1;
  const channelOf = (at: number) => Math.floor(at / stride) % factor.length;
  const mirrors = Array.from(factor, (_, c) =>
    least < 0 && one(quant.zeroPoint, c) === 0 ? 0 : least + greatest,
  );
  for (let at = 0; at < data.data.length; at++)
    if (Number(data.data[at]) === least) mirrors[channelOf(at)] = least + greatest;
  const turned = allocate(data.dtype, data.data.length);
  const scales = factor.map((k, c) => fl((one(quant.scale, c) ?? 1) * Math.abs(k)));
  const isNothing = scales.map((scale) => (scale < 2 ** -126 ? 1 : 0));
  for (let at = 0; at < turned.length; at++) {
    const c = channelOf(at);
    const [q, z] = [Number(data.data[at]), one(quant.zeroPoint, c) ?? 0];
    turned[at] = isNothing[c] ? z : (factor[c] ?? 1) < 0 ? (mirrors[c] ?? 0) - q : q;
  }
  return {
    data: { ...data, data: turned } as Tensor,
    quant: {
      ...quant,
      axis,
      scale: Float32Array.from(scales, (scale, c) =>
        isNothing[c] ? (one(quant.scale, c) ?? 1) : scale,
      ),
      zeroPoint: Int32Array.from(factor, (k, c) => {
        const z = one(quant.zeroPoint, c) ?? 0;
        return k < 0 && !isNothing[c] ? (mirrors[c] ?? 0) - z : z;
      }),
    },
  };
}

function find(graph: Graph, known: Known, consumers: Map<string, Node[]>, layer: Layer) {
  const weight = known.source(layer.inputs[1] ?? "");
  const axis = outputAxis(layer);
  if (!weight || weight.quant.blockSize !== undefined || weight.quant.dtype === "int32")
    return undefined;
  if (weight.quant.axis !== undefined && weight.quant.axis !== axis) return undefined;
  const channels = weight.data.shape[axis] ?? 0;
  const bias = known.floats(layer.inputs[2]);
  if (layer.inputs[2] !== undefined && bias?.data.length !== channels) return undefined;
  const factor = new Float64Array(channels).fill(1);
  const shift = Float64Array.from({ length: channels }, (_, c) => bias?.data[c] ?? 0);
  const absorbed: Node[] = [];
  let [name = ""] = layer.outputs;
  for (;;) {
    const [reader, ...others] = consumers.get(name) ?? [];
    if (!reader || others.length > 0 || graph.outputs.includes(name)) break;
    const { shape } = valueOf(graph, name);
    const steps = stepsOf(known, reader, name, channels, shape.length);
    const isSame = String(valueOf(graph, reader.outputs[0] ?? "").shape) === String(shape);
    const isFinite = steps?.factor.every(Number.isFinite) && steps.shift.every(Number.isFinite);
    if (!steps || !isSame || !isFinite) break;
    for (let c = 0; c < channels; c++) {
      factor[c] = (factor[c] ?? 1) * (steps.factor[c] ?? 1);
      shift[c] = (shift[c] ?? 0) * (steps.factor[c] ?? 1) + (steps.shift[c] ?? 0);
    }
    absorbed.push(reader);
    [name = ""] = reader.outputs;
  }
  return absorbed.length === 0
    ? undefined
    : { steps: { factor, shift }, absorbed, weight, bias: bias?.data };
}

/** `graph` with such steps folded. */
export function foldSteps(graph: Graph): Graph {
  const known = new Known(graph);
  const consumers = consumersOf(graph);
  const found = new Map<Node, Found>();
  for (const node of graph.nodes) {
    const match = isLayer(node) ? find(graph, known, consumers, node) : undefined;
    if (match) found.set(node, match);
  }
  if (found.size === 0) return graph;
  const gone = new Set<Node>([...found.values()].flatMap(({ absorbed }) => absorbed));
  const builder = GraphBuilder.from(graph);
  for (const node of graph.nodes) {
    if (gone.has(node)) continue;
    const match = found.get(node);
    if (!match || !isLayer(node)) {
      const { dtype, quant } = valueOf(graph, node.outputs[0] ?? node.inputs[0] ?? "");
      builder.add(node, { dtype, ...(quant ? { quant } : {}) });
      continue;
    }
    const { steps, absorbed, weight } = match;
    const isPlain = steps.factor.every((k) => k === 1);
    const axis = outputAxis(node);
    let real = node.inputs[1] ?? "";
    if (!isPlain) {
      const { data, quant } = scaled(weight, steps.factor, axis);
      const name = builder.constant(builder.fresh(`${weight.name}_folded`), data, quant);
      const dequantize = { name: builder.fresh(`${name}/dequantize`), inputs: [name] };
      real = builder.add(
        { op: "Dequantize", ...dequantize, outputs: [builder.fresh(`${name}_real`)] },
        { dtype: "float32" },
      );
    }
    const bias = float32([steps.shift.length], Float32Array.from(steps.shift));
    const inputs = [
      node.inputs[0] ?? "",
      real,
      builder.constant(builder.fresh(`${node.name}/folded_bias`), bias),
    ];
    builder.add({ ...node, inputs, outputs: absorbed.at(-1)?.outputs ?? node.outputs } as Node);
  }
  return prune(builder.build(graph.name, graph.inputs, graph.outputs));
}
