// Which layers can be scaled against each other: a producer and the only layer that reads it, with nothing
// in between but ops that keep channels apart and scale with their input.

import type { Graph } from "../graph/graph.ts";
import { consumersOf, valueOf } from "../graph/graph.ts";
import type { Node, NodeOf } from "../graph/node.ts";

/** A layer whose output channels are rows of a constant weight. */
export type Layer = NodeOf<"Conv" | "Gemm">;

/** Dividing producer's channel c by t and multiplying what consumer reads of it by t changes nothing. */
export interface Pair {
  readonly producer: Layer;
  readonly consumer: Layer;
  readonly channels: number;
  /** Input columns of the consumer that one channel of the producer is: more than 1 behind a Flatten. */
  readonly spread: number;
  /** The values between them. */
  readonly values: readonly string[];
}

/** Whether `node` is a layer of float constants: its weight (O, …), and one bias a channel or none. */
export function isLayer(graph: Graph, node: Node): node is Layer {
  if (node.op !== "Conv" && node.op !== "Gemm") return false;
  if (node.op === "Gemm" && (node.alpha !== 1 || node.beta !== 1 || node.transA)) return false;
  const [x = "", weightName = "", biasName] = node.inputs;
  const weight = graph.constants.get(weightName);
  if (weight?.dtype !== "float32" || graph.constants.has(x)) return false;
  if (graph.values.get(weightName)?.quant) return false;
  if (biasName === undefined) return true;
  const bias = graph.constants.get(biasName);
  const channels = graph.values.get(node.outputs[0] ?? "")?.shape[1];
  return (
    bias?.dtype === "float32" && bias.data.length === channels && bias.shape.at(-1) === channels
  );
}

/** Sizes of a value's axes after the second, where all are known. */
function innerSizes(graph: Graph, name: string): number[] | undefined {
  const inner = valueOf(graph, name).shape.slice(2);
  return inner.every((dim) => typeof dim === "number") ? inner : undefined;
}

/** Columns per channel behind `node`, which has `spread` before it, or undefined where a channel's scale does not
 *  pass through it. */
function spreadBehind(graph: Graph, node: Node, spread: number): number | undefined {
  const [input = ""] = node.inputs;
  const [output = ""] = node.outputs;
  const { shape } = valueOf(graph, input);
  switch (node.op) {
    // f(a x) = a f(x) for a > 0, channel by channel.
    case "Relu":
    case "LeakyRelu":
    case "Identity":
      return spread;
    case "MaxPool":
    case "AveragePool":
    case "GlobalAveragePool":
      return spread;
    case "ReduceMean":
    case "ReduceSum":
    case "ReduceMax":
      return node.axes.every((axis) => axis >= 2) ? spread : undefined;
    case "Pad": {
      const rank = shape.length;
      const isInner = node.pads.every((pad, at) => pad === 0 || at % rank >= 2);
      return isInner && (node.value === 0 || node.mode !== undefined) ? spread : undefined;
    }
    case "Squeeze":
      return node.axes.every((axis) => axis >= 2) ? spread : undefined;
    case "Flatten":
    case "Reshape": {
      // (B, C, H, W) → (B, C · H · W): a channel is H · W columns in a row.
      const inner = innerSizes(graph, input);
      const [batch, channels] = shape;
      const after = valueOf(graph, output).shape;
      if (!inner || shape.length < 3 || after.length !== 2 || after[0] !== batch) return undefined;
      const columns = inner.reduce((product, size) => product * size, 1);
      return typeof channels === "number" && after[1] === channels * columns
        ? spread * columns
        : undefined;
    }
    default:
      return undefined;
  }
}

/** Every pair of `graph`, in its order. */
export function findPairs(graph: Graph): Pair[] {
  const consumers = consumersOf(graph);
  const pairs: Pair[] = [];
  for (const producer of graph.nodes) {
    if (!isLayer(graph, producer)) continue;
    const channels = valueOf(graph, producer.outputs[0] ?? "").shape[1];
    if (typeof channels !== "number") continue;
    let [name = ""] = producer.outputs;
    let spread: number | undefined = 1;
    const values: string[] = [];
    for (;;) {
      const [reader, ...others] = consumers.get(name) ?? [];
      if (!reader || others.length > 0 || graph.outputs.includes(name)) break;
      values.push(name);
      if (isLayer(graph, reader) && reader.inputs[0] === name) {
        const { ins } = channelCounts(
          reader,
          graph.constants.get(reader.inputs[1] ?? "")?.shape ?? [],
        );
        if (ins === channels * spread)
          pairs.push({ producer, consumer: reader, channels, spread, values });
        break;
      }
      spread = reader.outputs.length === 1 ? spreadBehind(graph, reader, spread) : undefined;
      if (spread === undefined) break;
      [name = ""] = reader.outputs;
    }
  }
  return pairs;
}

/** Channels that `layer` makes and reads, by the shape of its weight. */
export function channelCounts(layer: Layer, [first = 1, second = 1]: readonly number[]) {
  if (layer.op === "Conv") return { outs: first, ins: second * layer.group };
  return layer.transB ? { outs: first, ins: second } : { outs: second, ins: first };
}
