// The sample's network before it has learnt anything: a MobileNetV2 in miniature. One idea: nodes and values are
// named after their place (block3/depthwise/conv) and nothing is folded, so that the library meets here what it
// meets in the real network.

import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { float32, sizeOf, type Tensor } from "../../src/tensor/tensor.ts";
import { random, type Random } from "./random.ts";

/** Channels out, stride, expansion of each block, as in table 2 of arXiv 1801.04381. */
const BLOCKS = [
  [16, 1, 1],
  [24, 2, 4],
  [24, 1, 4],
  [32, 2, 6],
  [32, 1, 6],
  [32, 1, 6],
  [48, 1, 6],
  [48, 1, 6],
] as const;
const STEM = 24;
const HEAD = 192;

/** The first gammas of the wide (expanded) normalizations are 2^u, u uniform in this range. The long training of
 *  a large MobileNet spreads its channels' scales; ten minutes do not, so start there. */
const GAMMA_SPREAD = [-3, 1] as const;

interface LayerSpec {
  readonly channels: number;
  readonly kernel: number;
  readonly stride?: number;
  readonly group?: number;
  readonly active?: boolean;
  readonly spread?: boolean;
}

class Network {
  readonly builder = new GraphBuilder();
  readonly #draw: Random;

  constructor(seed: number) {
    this.#draw = random(0, seed);
  }

  constant(name: string, shape: readonly number[], value: () => number): string {
    const data = Float32Array.from({ length: sizeOf(shape) }, value);
    return this.builder.constant(name, float32(shape, data));
  }

  /** torch's first weights of Conv2d and Linear: uniform within ± 1 / √(inputs of an output). */
  weight(name: string, shape: readonly number[], inputs: number): string {
    const bound = 1 / Math.sqrt(inputs);
    return this.constant(name, shape, () => this.#draw.between(-bound, bound));
  }

  /** conv → norm → ReLU6, the last of them optional. */
  layer(name: string, x: string, spec: LayerSpec): string {
    const { channels, kernel, stride = 1, group = 1, active = true, spread = false } = spec;
    const ins = Number(this.builder.value(x).shape[1]) / group;
    const pad = kernel >> 1;
    const shape = [channels, ins, kernel, kernel];
    const filter = this.weight(`${name}/conv/weight`, shape, ins * kernel * kernel);
    const conv = this.builder.add({
      op: "Conv",
      name: `${name}/conv`,
      inputs: [x, filter],
      outputs: [`${name}/conv`],
      kernel: [kernel, kernel],
      strides: [stride, stride],
      dilations: [1, 1],
      pads: [pad, pad, pad, pad],
      group,
    });
    const gamma = () => (spread ? 2 ** this.#draw.between(...GAMMA_SPREAD) : 1);
    const facts = [
      ["scale", gamma],
      ["bias", () => 0],
      ["mean", () => 0],
      ["variance", () => 1],
    ] as const;
    const constants = facts.map(([fact, value]) =>
      this.constant(`${name}/norm/${fact}`, [channels], value),
    );
    const norm = this.builder.add({
      op: "BatchNormalization",
      name: `${name}/norm`,
      inputs: [conv, ...constants],
      outputs: [`${name}/norm`],
      epsilon: 1e-5,
    });
    if (!active) return norm;
    const clip = { op: "Clip", name: `${name}/relu6`, low: 0, high: 6 } as const;
    return this.builder.add({ ...clip, inputs: [norm], outputs: [`${name}/relu6`] });
  }

  /** An inverted residual: expand 1×1, depthwise 3×3, project 1×1, plus the input where it fits. */
  block(name: string, x: string, channels: number, stride: number, expansion: number): string {
    const ins = Number(this.builder.value(x).shape[1]);
    const wide = ins * expansion;
    const expand = { channels: wide, kernel: 1, spread: true };
    const inner = expansion > 1 ? this.layer(`${name}/expand`, x, expand) : x;
    const depthwise = { channels: wide, kernel: 3, stride, group: wide, spread: true };
    const deep = this.layer(`${name}/depthwise`, inner, depthwise);
    const y = this.layer(`${name}/project`, deep, { channels, kernel: 1, active: false });
    if (stride !== 1 || ins !== channels) return y;
    const add = { op: "Add", name: `${name}/add`, inputs: [x, y] } as const;
    return this.builder.add({ ...add, outputs: [`${name}/add`] });
  }
}

/** images (batch, 3, size, size) → logits (batch, classes), with first weights drawn from `seed`. */
export function sampleNetwork(size: number, classes: number, seed: number): Graph {
  const net = new Network(seed);
  const { builder } = net;
  let x = builder.input("images", { dtype: "float32", shape: ["batch", 3, size, size] });
  x = net.layer("stem", x, { channels: STEM, kernel: 3, stride: 2 });
  BLOCKS.forEach(([channels, stride, expansion], index) => {
    x = net.block(`block${index + 1}`, x, channels, stride, expansion);
  });
  x = net.layer("head", x, { channels: HEAD, kernel: 1 });
  x = builder.add({ op: "GlobalAveragePool", name: "pool", inputs: [x], outputs: ["pool"] });
  x = builder.add({ op: "Flatten", name: "flatten", inputs: [x], outputs: ["flatten"], axis: 1 });
  const weight = net.weight("classifier/weight", [classes, HEAD], HEAD);
  const bias = net.weight("classifier/bias", [classes], HEAD);
  builder.add({
    op: "Gemm",
    name: "classifier",
    inputs: [x, weight, bias],
    outputs: ["logits"],
    ...{ alpha: 1, beta: 1, transA: false, transB: true },
  });
  return builder.build("sample", ["images"], ["logits"]);
}

/** `graph` with the weights that it shares with `values`, by name. */
export function withWeights(graph: Graph, values: ReadonlyMap<string, Tensor>): Graph {
  const constants = new Map(
    [...graph.constants].map(([name, data]) => [name, values.get(name) ?? data] as const),
  );
  return { ...graph, constants };
}
