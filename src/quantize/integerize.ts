// Quantize-dequantize pairs around float ops become typed integer ops: Dequantize → Conv → Quantize is
// one Conv on quantized values. This is how converted models get their integers, and how QDQ files of
// any tool are read: one meaning, one pass.

import { dequantizeTensor, quantizeBias } from "../graph/arithmetic.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { prune, valueOf, type Graph } from "../graph/graph.ts";
import type { Node } from "../graph/node.ts";
import { renameValues } from "../graph/rename.ts";
import type { QParams } from "../graph/value.ts";
import { fl, rint } from "../tensor/rounding.ts";
import { sizeOf, stridesOf, tensor, type Tensor } from "../tensor/tensor.ts";
import { hasWeight } from "./annotate.ts";
import { liftClips, moveBorders } from "./borders.ts";
import { foldQuantizers, storeWeights } from "./constants.ts";
import { foldSteps } from "./foldSteps.ts";
import { moveConstants } from "./movedConstants.ts";
import { Pairs, whyNotInteger, type Quantized } from "./pairs.ts";
import { outputAxis, scalesForBias } from "./weights.ts";

/** A weight as the integer kernels take it: q of each channel moved to where q − z is an int8, with z 0, or as near
 *  to that as its greatest difference allows; signed bytes: the same numbers, docs/quantization.md (27). Four bits stay
 *  as they are. */
function integerWeight(data: Tensor, quant: QParams): { data: Tensor; quant: QParams } {
  const isSymmetric = quant.zeroPoint.every((z) => z === 0);
  const { dtype } = quant;
  if (dtype === "int4" || dtype === "uint4" || (dtype === "int8" && isSymmetric))
    return { data, quant };
  const count = quant.axis === undefined ? 1 : quant.zeroPoint.length;
  const stride = quant.axis === undefined ? 1 : (stridesOf(data.shape)[quant.axis] ?? 1);
  const channelOf = (at: number) => Math.floor(at / stride) % count;
  const least = new Int32Array(count);
  const greatest = new Int32Array(count);
  const codes = data.data as Int8Array | Uint8Array;
  codes.forEach((q, at) => {
    const c = channelOf(at);
    const difference = q - (quant.zeroPoint[c] ?? 0);
    least[c] = Math.min(least[c] ?? 0, difference);
    greatest[c] = Math.max(greatest[c] ?? 0, difference);
  });
  // Both ends are at most 255 apart, as 0 is between them.
  const zeroPoint = least.map(
    (low, c) => Math.min(0, 127 - (greatest[c] ?? 0)) + Math.max(0, -128 - low),
  );
  const moved = Int8Array.from(codes, (q, at) => {
    const c = channelOf(at);
    return q - (quant.zeroPoint[c] ?? 0) + (zeroPoint[c] ?? 0);
  });
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
  const zeroPoint = Int32Array.from(
    { length: channels },
    (_, c) => quant.zeroPoint[quant.zeroPoint.length === 1 ? 0 : c] ?? 0,
  );
  const codes = (data.data as Int8Array).map((q, at) => {
    const c = Math.floor(at / stride) % channels;
    const z = zeroPoint[c] ?? 0;
    return z + rint(((q - z) * (own[c] ?? 1)) / (scale[c] ?? 1));
  });
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
  weights: Map<string, string>,
): { node: Node; outputs: (Quantized & { node: Node })[] } | undefined {
  if (node.outputs.length === 0 || node.op === "Quantize" || node.op === "Dequantize")
    return undefined;
  if (whyNotInteger(pairs, node) !== undefined) return undefined;
  const layer = hasWeight(node);
  const outputs = node.outputs.flatMap((output) => pairs.sink(output) ?? []);
  const sources = (layer ? node.inputs.slice(0, 1) : node.inputs).flatMap(
    (input) => pairs.source(input) ?? [],
  );
  const names = sources.map(({ name }) => name);
  const typed = (inputs: readonly string[]) => ({
    node: { ...node, inputs, outputs: outputs.map(({ name }) => name) } as Node,
    outputs,
  });
  const source = layer ? pairs.weight(node) : undefined;
  const stored = pairs.graph.constants.get(source?.name ?? "");
  if (!source || !stored) return typed(names);
  const usable = integerWeight(stored, source.quant);
  const axis = outputAxis(node);
  const biasName = node.inputs[2];
  const sx = sources[0]?.quant.scale[0] ?? 1;
  const biased = biasName === undefined ? undefined : withBias(pairs, biasName, sx, usable, axis);
  if (biasName !== undefined && !biased) return undefined;
  const { data, quant } = biased?.weight ?? usable;
  // Layers that share a weight go on sharing it, unless their biases raise its scales.
  const shared = data === stored ? source.name : undefined;
  const known = shared ?? (quant === usable.quant ? weights.get(source.name) : undefined);
  const weightName = known ?? builder.constant(builder.fresh(`${source.name}_int8`), data, quant);
  if (quant === usable.quant) weights.set(source.name, weightName);
  const inputs = [...names, weightName];
  if (biased) {
    const { bias } = biased;
    inputs.push(builder.constant(builder.fresh(`${node.name}/bias_int32`), bias.data, bias.quant));
  }
  return typed(inputs);
}

/** What a file spells around its integers, in the form that `integerize` reads. Before `fuse`, which merges clamps. */
export function settle(graph: Graph): Graph {
  return [foldQuantizers, moveConstants, liftClips, foldSteps].reduce(
    (now, pass) => pass(now),
    graph,
  );
}

/** Float ops between Dequantize and Quantize become integer ops wherever a kernel exists. Typed values
 *  take the names of the float values they stand for. */
export function integerize(source: Graph): Graph {
  const graph = moveBorders(foldQuantizers(source));
  const pairs = new Pairs(graph);
  const builder = GraphBuilder.from(graph);
  const absorbed = new Set<Node>();
  const weights = new Map<string, string>();
  for (const node of graph.nodes) {
    if (absorbed.has(node)) continue;
    const integer = integerNode(pairs, node, builder, weights);
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
  return storeWeights(renameValues(typed, (name) => names.get(name) ?? name));
}
