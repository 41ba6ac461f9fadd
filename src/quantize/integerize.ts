// Quantize-dequantize pairs around float ops become typed integer ops: Dequantize → Conv → Quantize is
// one Conv on quantized values. This is how converted models get their integers, and how QDQ files of
// any tool are read: one meaning, one pass.

import { dequantizeTensor, quantizeBias } from "../graph/arithmetic.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { consumersOf, producersOf, prune, valueOf, type Graph } from "../graph/graph.ts";
import type { Node } from "../graph/node.ts";
import { renameValues } from "../graph/rename.ts";
import type { QParams } from "../graph/value.ts";
import { fl, rint } from "../tensor/rounding.ts";
import { sizeOf, stridesOf, tensor, type Tensor } from "../tensor/tensor.ts";
import { hasWeight, whyFloat } from "./annotate.ts";
import { foldDequantizers, foldQuantizers } from "./constants.ts";
import { outputAxis, scalesForBias } from "./weights.ts";

interface Quantized {
  readonly name: string;
  readonly quant: QParams;
}

const isPerTensor = ({ quant }: Quantized) => quant.axis === undefined && quant.scale.length === 1;

/** What a graph's Quantize and Dequantize nodes say. */
class Pairs {
  readonly graph: Graph;
  readonly #producers: Map<string, Node>;
  readonly #consumers: Map<string, Node[]>;

  constructor(graph: Graph) {
    this.graph = graph;
    this.#producers = producersOf(graph);
    this.#consumers = consumersOf(graph);
  }

  /** The quantized value that float value `name` was dequantized from. */
  source(name: string): Quantized | undefined {
    const producer = this.#producers.get(name);
    if (producer?.op !== "Dequantize") return undefined;
    const [source = ""] = producer.inputs;
    const { quant } = valueOf(this.graph, source);
    return quant && { name: source, quant };
  }

  /** The one Quantize node that reads float value `name`, if nothing else does. */
  sink(name: string): (Quantized & { node: Node }) | undefined {
    const readers = this.#consumers.get(name) ?? [];
    const [node] = readers;
    if (readers.length !== 1 || node?.op !== "Quantize" || this.graph.outputs.includes(name))
      return undefined;
    const [output = ""] = node.outputs;
    const { quant } = valueOf(this.graph, output);
    return quant && { name: output, quant, node };
  }
}

/** A weight usable by the integer kernels: symmetric int8, per tensor or per output channel. Others are, where
 *  q − z of every element is an int8, as with uint8 and 128: the same numbers, moved. docs/quantization.md
 *  (27). What does not fit stays float. */
function usableWeight(
  node: Node,
  data: Tensor | undefined,
  quant: QParams,
): { data: Tensor; quant: QParams } | undefined {
  if (
    !data ||
    (quant.axis !== undefined && quant.axis !== outputAxis(node) && quant.scale.length > 1)
  )
    return undefined;
  if (quant.dtype === "int8" && quant.zeroPoint.every((z) => z === 0)) return { data, quant };
  if (quant.dtype === "int32") return undefined;
  const count = quant.axis === undefined ? 1 : quant.zeroPoint.length;
  const stride = quant.axis === undefined ? 1 : (stridesOf(data.shape)[quant.axis] ?? 1);
  const differences = Int16Array.from(
    data.data as Int8Array | Uint8Array,
    (q, at) => q - (quant.zeroPoint[Math.floor(at / stride) % count] ?? 0),
  );
  if (differences.some((w) => w < -128 || w > 127)) return undefined;
  const moved = Int8Array.from(differences);
  const zeroPoint = quant.zeroPoint.map(() => 0);
  return { data: tensor("int8", data.shape, moved), quant: { ...quant, dtype: "int8", zeroPoint } };
}

interface Constant {
  readonly data: Tensor;
  readonly quant: QParams;
}

/** `weight` with the scale of each channel whose bias would not fit its accumulator raised, in a scale a channel. */
function raised(weight: Constant, axis: number, bias: Float32Array, sx: number): Constant {
  const { data, quant } = weight;
  const reals = dequantizeTensor(data as Tensor<"int8">, quant);
  const channels = data.shape[axis] ?? 1;
  const own = Float32Array.from(
    { length: channels },
    (_, c) => quant.scale[quant.scale.length === 1 ? 0 : c] ?? 1,
  );
  const scale = scalesForBias(own, { weight: reals, axis, bias, inputScale: sx });
  if (scale.every((s, c) => s === own[c])) return weight;
  const stride = stridesOf(data.shape)[axis] ?? 1;
  // Only channels that are raised are rounded again.
  const codes = (data.data as Int8Array).map((q, at) => {
    const c = Math.floor(at / stride) % channels;
    return rint((q * (own[c] ?? 1)) / (scale[c] ?? 1));
  });
  const zeroPoint = new Int32Array(channels);
  return {
    data: tensor("int8", data.shape, codes),
    quant: { ...quant, scale, zeroPoint, axis },
  };
}

/** The int32 bias of a layer and the weight that goes with it: an integer bias in its own steps is kept, others become
 *  it by (26). */
function withBias(
  pairs: Pairs,
  name: string,
  sx: number,
  given: Constant,
  axis: number,
): { bias: Constant; weight: Constant } | undefined {
  const source = pairs.source(name);
  const held = pairs.graph.constants.get(source?.name ?? name);
  if (!held) return undefined;
  const count = sizeOf(held.shape);
  if (count !== given.data.shape[axis]) return undefined;
  const stepsOf = ({ quant: { scale } }: Constant) =>
    Float32Array.from({ length: count }, (_, c) =>
      fl(sx * (scale[scale.length === 1 ? 0 : c] ?? 1)),
    );
  const biasOf = (data: Int32Array, scale: Float32Array): Constant => ({
    data: tensor("int32", [count], data),
    quant: { dtype: "int32", scale, zeroPoint: new Int32Array(count), axis: 0 },
  });
  const reals = source ? dequantizeTensor(held as Tensor<QParams["dtype"]>, source.quant) : held;
  if (reals.dtype !== "float32") return undefined;
  const values = reals.data as Float32Array;
  const weight = raised(given, axis, values, sx);
  const steps = stepsOf(weight);
  const isKept =
    weight === given &&
    source &&
    held.dtype === "int32" &&
    steps.every((step, c) => step === source.quant.scale[source.quant.scale.length === 1 ? 0 : c]);
  const data = isKept ? (held.data as Int32Array) : quantizeBias(values, sx, weight.quant.scale);
  return { bias: biasOf(data, steps), weight };
}

/** The integer form of `node`, or undefined where it must stay float. */
function integerNode(
  pairs: Pairs,
  node: Node,
  builder: GraphBuilder,
): { node: Node; outputs: (Quantized & { node: Node })[] } | undefined {
  if (node.outputs.length === 0 || node.op === "Quantize" || node.op === "Dequantize")
    return undefined;
  const outputs = node.outputs.map((output) => pairs.sink(output));
  const sinks = outputs.filter(
    (sink): sink is Quantized & { node: Node } => sink !== undefined && isPerTensor(sink),
  );
  if (sinks.length !== node.outputs.length) return undefined;
  const layer = hasWeight(node);
  const activations = (layer ? node.inputs.slice(0, 1) : node.inputs).map((input) =>
    pairs.source(input),
  );
  const sources = activations.filter(
    (source): source is Quantized => source !== undefined && isPerTensor(source),
  );
  if (sources.length !== activations.length || sources.some(({ quant }) => quant.dtype === "int32"))
    return undefined;
  const names = sources.map(({ name }) => name);
  const typed = (inputs: readonly string[]) =>
    ({ ...node, inputs, outputs: sinks.map(({ name }) => name) }) as Node;
  if (!layer) {
    // Judge the op alone: its operands are quantized here, whatever they were.
    return whyFloat(pairs.graph, node) === undefined
      ? { node: typed(names), outputs: sinks }
      : undefined;
  }
  const source = pairs.source(node.inputs[1] ?? "");
  const usable = source && usableWeight(node, pairs.graph.constants.get(source.name), source.quant);
  if (!source || !usable) return undefined;
  const rank = valueOf(pairs.graph, node.inputs[0] ?? "").shape.length;
  if (node.op === "MatMul" && (rank < 2 || rank === 4)) return undefined;
  if (node.op === "Gemm" && (node.alpha !== 1 || node.beta !== 1 || node.transA)) return undefined;
  if (node.op !== "Conv" && usable.data.shape.length !== 2) return undefined;
  const axis = outputAxis(node);
  const biasName = node.inputs[2];
  const sx = sources[0]?.quant.scale[0] ?? 1;
  const biased = biasName === undefined ? undefined : withBias(pairs, biasName, sx, usable, axis);
  if (biasName !== undefined && !biased) return undefined;
  const { data, quant } = biased?.weight ?? usable;
  const isKept = data === pairs.graph.constants.get(source.name);
  const inputs = [
    ...names,
    isKept ? source.name : builder.constant(builder.fresh(`${source.name}_int8`), data, quant),
  ];
  if (biased) {
    const { bias } = biased;
    inputs.push(builder.constant(builder.fresh(`${node.name}/bias_int32`), bias.data, bias.quant));
  }
  return { node: typed(inputs), outputs: sinks };
}

/** Float ops between Dequantize and Quantize become integer ops wherever a kernel exists. Typed values
 *  take the names of the float values they stand for. */
export function integerize(source: Graph): Graph {
  const graph = foldQuantizers(source);
  const pairs = new Pairs(graph);
  const builder = GraphBuilder.from(graph);
  const absorbed = new Set<Node>();
  for (const node of graph.nodes) {
    if (absorbed.has(node)) continue;
    const integer = integerNode(pairs, node, builder);
    if (!integer) {
      const type = valueOf(graph, node.outputs[0] ?? node.inputs[0] ?? "");
      builder.add(node, { dtype: type.dtype, ...(type.quant ? { quant: type.quant } : {}) });
      continue;
    }
    builder.add(integer.node);
    // Each output takes the type of the Quantize that it replaces.
    for (const sink of integer.outputs) {
      builder.values.set(sink.name, {
        ...builder.value(sink.name),
        dtype: sink.quant.dtype,
        quant: sink.quant,
      });
      absorbed.add(sink.node);
    }
  }
  const typed = prune(builder.build(graph.name, graph.inputs, graph.outputs));
  const left = new Set(typed.values.keys());
  const names = new Map<string, string>();
  for (const node of graph.nodes) {
    if (node.op !== "Dequantize") continue;
    const [source = ""] = node.inputs;
    const [real = ""] = node.outputs;
    const isPort = typed.inputs.includes(source) || typed.outputs.includes(source);
    // A name made from the stored value's own says nothing new (formats/onnx/ops/qparams.ts).
    if (isPort || real.startsWith(`${source}_`)) continue;
    if (left.has(source) && !left.has(real) && !typed.constants.has(source) && !names.has(source))
      names.set(source, real);
  }
  return foldDequantizers(renameValues(typed, (name) => names.get(name) ?? name));
}
