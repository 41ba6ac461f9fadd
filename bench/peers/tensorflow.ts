// TensorFlow.js on its WebGPU backend, trained as its own guide does: optimizer.minimize of an eager loss. An
// optional peer: npm install --no-save @tensorflow/tfjs @tensorflow/tfjs-backend-webgpu. Its gradients of
// convolutions want channels last, so that is how it gets pictures and filters.

import type { Trained, TrainingPeer } from "../core/platform.ts";
import { weightOf, type TrainingBatch, type TrainingNetwork } from "../models/cifar.ts";

interface TfTensor {
  data(): Promise<ArrayLike<number>>;
  dispose(): void;
  add(other: TfTensor): TfTensor;
  sub(other: TfTensor): TfTensor;
  mul(factor: number): TfTensor;
  relu(): TfTensor;
  mean(axes: number[]): TfTensor;
  matMul(other: TfTensor): TfTensor;
  transpose(axes: number[]): TfTensor;
}

interface TfVariable extends TfTensor {
  assign(value: TfTensor): void;
}

type Pads = [[number, number], [number, number], [number, number], [number, number]];

/** What is used of `@tensorflow/tfjs`. */
export interface TensorFlow {
  setBackend(name: string): Promise<boolean>;
  ready(): Promise<void>;
  getBackend(): string;
  tensor(data: ArrayLike<number>, shape: readonly number[], dtype?: string): TfTensor;
  variable(value: TfTensor, trainable?: boolean): TfVariable;
  tidy<T>(work: () => T): T;
  conv2d(x: TfTensor, filter: TfTensor, strides: number, pad: Pads): TfTensor;
  moments(x: TfTensor, axes: number[]): { mean: TfTensor; variance: TfTensor };
  batchNorm(
    x: TfTensor,
    mean: TfTensor,
    variance: TfTensor,
    offset: TfTensor,
    scale: TfTensor,
    epsilon: number,
  ): TfTensor;
  oneHot(labels: TfTensor, classes: number): TfTensor;
  readonly losses: { softmaxCrossEntropy(labels: TfTensor, logits: TfTensor): TfTensor };
  readonly train: {
    momentum(
      rate: number,
      momentum: number,
    ): { minimize(f: () => TfTensor, returnCost: true): TfTensor | null; dispose(): void };
  };
}

const PADS: Pads = [
  [0, 0],
  [1, 1],
  [1, 1],
  [0, 0],
];

/** Variables by the network's names. */
function variablesOf(tf: TensorFlow, network: TrainingNetwork): Map<string, TfVariable> {
  const made = [...network.weights].map(([name, { data, shape }]) => {
    const isStatistic = name.endsWith(".mean") || name.endsWith(".variance");
    const value = tf.tidy(() => {
      const given = tf.tensor(data, shape);
      if (name === "fc.weight") return given.transpose([1, 0]);
      return shape.length === 4 ? given.transpose([2, 3, 1, 0]) : given;
    });
    return [name, tf.variable(value, !isStatistic)] as const;
  });
  return new Map(made);
}

async function open(tf: TensorFlow, network: TrainingNetwork): Promise<Trained> {
  await tf.setBackend("webgpu");
  await tf.ready();
  if (tf.getBackend() !== "webgpu")
    throw new Error(`bench: TensorFlow.js must run on "webgpu"; got "${tf.getBackend()}".`);
  const variables = variablesOf(tf, network);
  const get = (name: string): TfVariable => {
    const found = variables.get(name);
    if (found) return found;
    throw new Error(`bench: no variable of ${weightOf(network, name).shape}; please report.`);
  };
  const { convs, epsilon, averaging, learningRate, momentum, classes } = network;
  const optimizer = tf.train.momentum(learningRate, momentum);

  const follow = (running: TfVariable, now: TfTensor) =>
    tf.tidy(() => running.assign(running.mul(1 - averaging).add(now.mul(averaging))));

  const lossOf = (images: TfTensor, labels: TfTensor): TfTensor => {
    let x = images;
    for (const { name, stride } of convs) {
      const product = tf.conv2d(x, get(`${name}.weight`), stride, PADS);
      const { mean, variance } = tf.moments(product, [0, 1, 2]);
      follow(get(`${name}.mean`), mean);
      follow(get(`${name}.variance`), variance);
      const [gamma, beta] = [get(`${name}.gamma`), get(`${name}.beta`)];
      x = tf.batchNorm(product, mean, variance, beta, gamma, epsilon).relu();
    }
    const logits = x.mean([1, 2]).matMul(get("fc.weight")).add(get("fc.bias"));
    return tf.losses.softmaxCrossEntropy(tf.oneHot(labels, classes), logits);
  };
  return {
    async step({ channelsLast, labels }: TrainingBatch): Promise<number> {
      const images = tf.tensor(channelsLast.data, channelsLast.shape);
      const wanted = tf.tensor(labels.data, labels.shape, "int32");
      const loss = optimizer.minimize(() => lossOf(images, wanted), true);
      if (!loss) throw new Error("bench: TensorFlow.js gave no loss; please report.");
      const [value = NaN] = Array.from(await loss.data());
      for (const each of [loss, images, wanted]) each.dispose();
      return value;
    },
    dispose() {
      optimizer.dispose();
      for (const variable of variables.values()) variable.dispose();
    },
  };
}

export function tensorflow(tf: TensorFlow): TrainingPeer {
  return { name: "TensorFlow.js", open: (network) => open(tf, network) };
}
