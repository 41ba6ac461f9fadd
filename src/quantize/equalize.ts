// Cross-layer equalization (Nagel et al. 2019, arXiv 1906.04721, section 4.1): a channel with small weights
// shares its scale with one of large ones, and loses its digits to it. Dividing it by t where it is made, and
// multiplying by t where it is read, changes nothing in float: docs/quantization.md (44). One idea: the clamp
// between them is divided too, channel by channel, so that a network of ReLU6 is equalized exactly.

import { channelClamp, clampPerChannel } from "../graph/clamp.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { prune, valueOf, type Graph } from "../graph/graph.ts";
import type { Node } from "../graph/node.ts";
import { renameValues } from "../graph/rename.ts";
import { fl } from "../tensor/rounding.ts";
import { tensor, type Tensor } from "../tensor/tensor.ts";
import { channelCounts, findPairs, type Layer, type Pair } from "./channels.ts";

/** Passes over all pairs; they have settled long before. */
const ROUNDS = 20;

/** No activation may grow more than this: a channel with tiny weights would take the whole range of its tensor.
 *  docs/quantization.md, section 16, has what other bounds cost. */
const GROWTH = 2;

/** Output channel and input channel of each element of a layer's weight. */
function places(layer: Layer, shape: readonly number[]) {
  const [first = 1, second = 1] = shape;
  if (layer.op === "Gemm") {
    const turned = !layer.transB;
    return (at: number): [number, number] => {
      const [row, column] = [Math.floor(at / second), at % second];
      return turned ? [column, row] : [row, column];
    };
  }
  const taps = shape.slice(2).reduce((product, size) => product * size, 1);
  const outsPerGroup = first / layer.group;
  return (at: number): [number, number] => {
    const out = Math.floor(at / (second * taps));
    const own = Math.floor(at / taps) % second;
    return [out, Math.floor(out / outsPerGroup) * second + own];
  };
}

/** A layer while its channels are scaled. */
class Scaled {
  readonly layer: Layer;
  /** What output channels are divided by. */
  readonly out: Float64Array;
  /** What input channels are multiplied by. */
  readonly in: Float64Array;
  readonly #weight: Tensor<"float32">;
  readonly #outs: Uint32Array;
  readonly #ins: Uint32Array;

  constructor(graph: Graph, layer: Layer) {
    this.layer = layer;
    this.#weight = graph.constants.get(layer.inputs[1] ?? "") as Tensor<"float32">;
    const { shape, data } = this.#weight;
    const { outs, ins } = channelCounts(layer, shape);
    this.out = new Float64Array(outs).fill(1);
    this.in = new Float64Array(ins).fill(1);
    const placeOf = places(layer, shape);
    this.#outs = new Uint32Array(data.length);
    this.#ins = new Uint32Array(data.length);
    data.forEach((_, at) => {
      const [out, own] = placeOf(at);
      this.#outs[at] = out;
      this.#ins[at] = own;
    });
  }

  #at(index: number): number {
    const [out, own] = [this.#outs[index] ?? 0, this.#ins[index] ?? 0];
    return ((this.#weight.data[index] ?? 0) * (this.in[own] ?? 1)) / (this.out[out] ?? 1);
  }

  /** max |w| of each output channel, or of each `spread` input channels. */
  maxima(side: "out" | "in", spread = 1): Float64Array {
    const channels = side === "out" ? this.#outs : this.#ins;
    const maxima = new Float64Array(this[side].length / spread);
    for (let index = 0; index < channels.length; index++) {
      const channel = Math.floor((channels[index] ?? 0) / spread);
      maxima[channel] = Math.max(maxima[channel] ?? 0, Math.abs(this.#at(index)));
    }
    return maxima;
  }

  /** The weight as it is scaled now, each element rounded once. */
  weight(): Tensor<"float32"> {
    const data = Float32Array.from(this.#weight.data, (_, index) => this.#at(index));
    return tensor("float32", this.#weight.shape, data);
  }
}

/** t of each channel of `pair`: sqrt(max|w_a| · max|w_b|) / max|w_b|, bounded; 1 where a side is all zeros. */
function factorsOf({ spread }: Pair, producer: Scaled, consumer: Scaled): Float64Array {
  const [a, b] = [producer.maxima("out"), consumer.maxima("in", spread)];
  return a.map((made, channel) => {
    const read = b[channel] ?? 0;
    if (!(made > 0 && read > 0 && Number.isFinite(made) && Number.isFinite(read))) return 1;
    return Math.max(Math.sqrt(made / read), 1 / (GROWTH * (producer.out[channel] ?? 1)));
  });
}

/** Every layer of `pairs`, scaled until nothing moves. */
function settle(graph: Graph, pairs: readonly Pair[]): Map<Node, Scaled> {
  const layers = new Map<Node, Scaled>();
  for (const layer of pairs.flatMap(({ producer, consumer }) => [producer, consumer])) {
    if (!layers.has(layer)) layers.set(layer, new Scaled(graph, layer));
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const pair of pairs) {
      const [producer, consumer] = [layers.get(pair.producer), layers.get(pair.consumer)];
      if (!producer || !consumer) continue;
      const factors = factorsOf(pair, producer, consumer);
      factors.forEach((t, channel) => (producer.out[channel] = (producer.out[channel] ?? 1) * t));
      consumer.in.forEach((own, column) => {
        consumer.in[column] = own * (factors[Math.floor(column / pair.spread)] ?? 1);
      });
    }
  }
  return layers;
}

/** The clamp of `layer`, each channel's bounds divided by its own t. */
function scaledClamp({ layer, out }: Scaled) {
  return clampPerChannel(out.length, (channel) => {
    const { low = -Infinity, high = Infinity } = channelClamp(layer, channel);
    const t = out[channel] ?? 1;
    return [fl(low / t), fl(high / t)];
  });
}

/** `graph` (fused) with its layers equalized: it computes the same, but for roundings. Values between layers are
 *  others than before, and so are called `<name>_equalized`. */
export function equalize(graph: Graph): Graph {
  const pairs = findPairs(graph);
  const layers = settle(graph, pairs);
  const builder = GraphBuilder.from(graph);
  for (const node of graph.nodes) {
    const { dtype } = valueOf(graph, node.outputs[0] ?? node.inputs[0] ?? "");
    const scaled = layers.get(node);
    if (!scaled) {
      builder.add(node, { dtype });
      continue;
    }
    const [x = "", weightName = "", biasName] = node.inputs;
    const define = (name: string, data: Tensor) =>
      builder.constant(builder.fresh(`${name}_equalized`), data);
    const inputs = [x, define(weightName, scaled.weight())];
    const bias = graph.constants.get(biasName ?? "") as Tensor<"float32"> | undefined;
    if (biasName !== undefined && bias) {
      const data = bias.data.map((b, channel) => fl(b / (scaled.out[channel] ?? 1)));
      inputs.push(define(biasName, tensor("float32", bias.shape, data)));
    }
    const { low: _low, high: _high, ...open } = scaled.layer;
    builder.add({ ...open, ...scaledClamp(scaled), inputs }, { dtype });
  }
  const changed = new Map(
    pairs.flatMap(({ values }) =>
      values.map((name) => [name, builder.fresh(`${name}_equalized`)] as const),
    ),
  );
  const built = prune(builder.build(graph.name, graph.inputs, graph.outputs));
  return renameValues(built, (name) => changed.get(name) ?? name);
}
