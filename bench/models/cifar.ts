// A small convolutional network of a CIFAR shape, as training starts from it: described once, built by every
// library in its own words from the same weights. Convolutions have no bias: a normalization follows each.

import { GraphBuilder } from "../../src/graph/builder.ts";
import { float32, tensor, type Tensor } from "../../src/tensor/tensor.ts";
import { Model } from "../../src/index.ts";
import { normal, type Random } from "../core/random.ts";

/** Pictures, unless --batch says otherwise. */
export const BATCH = 32;
export const TITLE = "3 convolutions, 32 × 32";

export interface TrainingNetwork {
  readonly batch: number;
  /** Pictures are (batch, channels, size, size). */
  readonly channels: number;
  readonly size: number;
  /** Each 3 × 3, padded by 1, normalized by the batch's statistics, and a ReLU. After them the mean over the
   *  picture and a linear layer "fc". */
  readonly convs: readonly {
    readonly name: string;
    readonly outs: number;
    readonly stride: number;
  }[];
  readonly classes: number;
  readonly epsilon: number;
  /** torch.nn.BatchNorm2d's: the share of a batch in the running statistics. */
  readonly averaging: number;
  /** SGD's. */
  readonly learningRate: number;
  readonly momentum: number;
  /** NAME.weight (O, I, 3, 3), NAME.gamma, NAME.beta, NAME.mean, NAME.variance (O); fc.weight (classes, O),
   *  fc.bias. */
  readonly weights: ReadonlyMap<string, Tensor<"float32">>;
}

/** A batch as every library gets it, made before any clock runs. */
export interface TrainingBatch {
  readonly images: Tensor<"float32">;
  /** The same, channels last. */
  readonly channelsLast: Tensor<"float32">;
  readonly labels: Tensor<"int32">;
}

const filled = (count: number, value: number) =>
  float32([count], new Float32Array(count).fill(value));

export function cifarNetwork(next: Random, batch: number): TrainingNetwork {
  const convs = [
    { name: "conv0", outs: 16, stride: 1 },
    { name: "conv1", outs: 32, stride: 2 },
    { name: "conv2", outs: 64, stride: 2 },
  ];
  const [channels, size, classes] = [3, 32, 10];
  const weights = new Map<string, Tensor<"float32">>();
  let ins = channels;
  for (const { name, outs } of convs) {
    weights.set(`${name}.weight`, normal([outs, ins, 3, 3], next, Math.sqrt(2 / (9 * ins))));
    weights.set(`${name}.gamma`, filled(outs, 1));
    weights.set(`${name}.beta`, filled(outs, 0));
    weights.set(`${name}.mean`, filled(outs, 0));
    weights.set(`${name}.variance`, filled(outs, 1));
    ins = outs;
  }
  weights.set("fc.weight", normal([classes, ins], next, 1 / Math.sqrt(ins)));
  weights.set("fc.bias", normal([classes], next, 0.1));
  const statistics = { epsilon: 1e-5, averaging: 0.1 };
  const optimizer = { learningRate: 0.01, momentum: 0.9 };
  return { batch, channels, size, convs, classes, ...statistics, ...optimizer, weights };
}

/** The weight `name`, without which there is no network. */
export function weightOf({ weights }: TrainingNetwork, name: string): Tensor<"float32"> {
  const found = weights.get(name);
  if (found) return found;
  throw new Error(`bench: the network has no weight "${name}"; please report.`);
}

/** This library's model of it. */
export function cifarModel(network: TrainingNetwork): Model<"float"> {
  const { batch, channels, size, convs, epsilon } = network;
  const builder = new GraphBuilder();
  for (const [name, data] of network.weights) builder.constant(name, data);
  let x = builder.input("images", { dtype: "float32", shape: [batch, channels, size, size] });
  for (const { name, stride } of convs) {
    x = builder.add({
      op: "Conv",
      name,
      inputs: [x, `${name}.weight`],
      outputs: [`${name}.out`],
      kernel: [3, 3],
      strides: [stride, stride],
      dilations: [1, 1],
      pads: [1, 1, 1, 1],
      group: 1,
    });
    const parameters = ["gamma", "beta", "mean", "variance"].map((word) => `${name}.${word}`);
    const norm = { op: "BatchNormalization", name: `${name}.norm`, epsilon } as const;
    x = builder.add({ ...norm, inputs: [x, ...parameters], outputs: [`${name}.normal`] });
    x = builder.add({ op: "Relu", name: `${name}.relu`, inputs: [x], outputs: [`${name}.y`] });
  }
  x = builder.add({ op: "GlobalAveragePool", name: "pool", inputs: [x], outputs: ["pooled"] });
  x = builder.add({ op: "Flatten", name: "flatten", inputs: [x], outputs: ["flat"], axis: 1 });
  const inputs = [x, "fc.weight", "fc.bias"];
  const scale = { alpha: 1, beta: 1, transA: false, transB: true };
  builder.add({ op: "Gemm", name: "fc", inputs, outputs: ["logits"], ...scale });
  return new Model("float", builder.build("cifar", ["images"], ["logits"]), {});
}

/** Random pictures and labels. */
export function drawBatch(network: TrainingNetwork, next: Random): TrainingBatch {
  const { batch, channels, size, classes } = network;
  const images = normal([batch, channels, size, size], next);
  const places = size * size;
  const turned = new Float32Array(images.data.length);
  for (let index = 0; index < turned.length; index++) {
    const [rest, channel] = [Math.floor(index / channels), index % channels];
    const [picture, place] = [Math.floor(rest / places), rest % places];
    turned[index] = images.data[(picture * channels + channel) * places + place] ?? NaN;
  }
  const labels = Int32Array.from({ length: batch }, () => Math.floor(next() * classes));
  return {
    images,
    channelsLast: float32([batch, size, size, channels], turned),
    labels: tensor("int32", [batch], labels),
  };
}
