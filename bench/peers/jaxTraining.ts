// jax-js as a library to train with: one jit over loss, gradients, running statistics and update. An optional
// peer: npm install --no-save @jax-js/jax. It has no BatchNormalization, so it is written out in its arithmetic,
// which its jit fuses. A function consumes an array that it is given: `ref` keeps one for another.

import type { Trained, TrainingPeer } from "../core/platform.ts";
import { weightOf, type TrainingBatch, type TrainingNetwork } from "../models/cifar.ts";

interface JaxArray {
  /** Another hold on the same array. */
  readonly ref: JaxArray;
  add(other: JaxArray | number): JaxArray;
  sub(other: JaxArray | number): JaxArray;
  mul(other: JaxArray | number): JaxArray;
  reshape(shape: readonly number[]): JaxArray;
  dispose(): void;
  data(): Promise<ArrayLike<number>>;
}

interface ReduceOptions {
  readonly keepdims: boolean;
}

/** Parameters: weight, gamma and beta of each convolution, then those of "fc". Statistics: mean and variance. */
type Arrays = JaxArray[];
type State = { loss: JaxArray; parameters: Arrays; velocity: Arrays; running: Arrays };
type Step = (
  parameters: Arrays,
  velocity: Arrays,
  running: Arrays,
  images: JaxArray,
  wanted: JaxArray,
) => State;
type Loss = (parameters: Arrays, images: JaxArray, wanted: JaxArray) => [JaxArray, Arrays];

/** What is used of `@jax-js/jax`. */
export interface JaxTraining {
  init(device: "webgpu"): Promise<string[]>;
  defaultDevice(device: "webgpu"): string;
  jit(step: Step): Step & { dispose(): void };
  valueAndGrad(
    loss: Loss,
    options: { hasAux: true },
  ): (parameters: Arrays, images: JaxArray, wanted: JaxArray) => [[JaxArray, Arrays], Arrays];
  blockUntilReady(arrays: Arrays): Promise<unknown>;
  readonly lax: {
    convGeneralDilated(
      x: JaxArray,
      filter: JaxArray,
      strides: readonly number[],
      pads: readonly (readonly number[])[],
    ): JaxArray;
  };
  readonly nn: {
    relu(x: JaxArray): JaxArray;
    logSoftmax(x: JaxArray, axis: number): JaxArray;
  };
  readonly numpy: {
    array(data: Float32Array, options: { shape: readonly number[] }): JaxArray;
    mean(x: JaxArray, axes: readonly number[], options?: ReduceOptions): JaxArray;
    sum(x: JaxArray): JaxArray;
    square(x: JaxArray): JaxArray;
    sqrt(x: JaxArray): JaxArray;
    reciprocal(x: JaxArray): JaxArray;
    matmul(a: JaxArray, b: JaxArray): JaxArray;
    transpose(x: JaxArray): JaxArray;
  };
}

const PADS = [
  [1, 1],
  [1, 1],
];

/** The loss, and the statistics of the batch. */
function lossOf({ lax, nn, numpy: np }: JaxTraining, network: TrainingNetwork): Loss {
  const { convs, epsilon, batch } = network;
  return (parameters, images, wanted) => {
    const take = (index: number): JaxArray => {
      const found = parameters[index];
      if (found) return found;
      throw new Error(`bench: jax-js has no parameter ${index}; please report.`);
    };
    const statistics: Arrays = [];
    let x = images;
    convs.forEach(({ outs, stride }, index) => {
      const row = [1, outs, 1, 1];
      const product = lax.convGeneralDilated(x, take(3 * index), [stride, stride], PADS);
      const mean = np.mean(product.ref, [0, 2, 3], { keepdims: true });
      const centered = product.sub(mean.ref);
      const variance = np.mean(np.square(centered.ref), [0, 2, 3], { keepdims: true });
      statistics.push(mean.reshape([outs]), variance.ref.reshape([outs]));
      const inverse = np.reciprocal(np.sqrt(variance.add(epsilon)));
      const factor = inverse.mul(take(3 * index + 1).reshape(row));
      x = nn.relu(centered.mul(factor).add(take(3 * index + 2).reshape(row)));
    });
    const last = 3 * convs.length;
    const logits = np.matmul(np.mean(x, [2, 3]), np.transpose(take(last))).add(take(last + 1));
    const likelihood = np.sum(nn.logSoftmax(logits, -1).mul(wanted));
    return [likelihood.mul(-1 / batch), statistics];
  };
}

function stepOf(jax: JaxTraining, network: TrainingNetwork): Step {
  const { averaging, momentum, learningRate } = network;
  const gradientOf = jax.valueAndGrad(lossOf(jax, network), { hasAux: true });
  return (parameters, velocity, running, images, wanted) => {
    const held = parameters.map(({ ref }) => ref);
    const [[loss, statistics], gradients] = gradientOf(held, images, wanted);
    const faster = velocity.map((v, index) => {
      const gradient = gradients[index];
      if (!gradient) throw new Error("bench: jax-js gave too few gradients; please report.");
      return v.mul(momentum).add(gradient);
    });
    const moved = parameters.map((parameter, index) => {
      const v = faster[index];
      if (!v) throw new Error("bench: jax-js gave too few parameters; please report.");
      return parameter.sub(v.ref.mul(learningRate));
    });
    const followed = running.map((old, index) => {
      const now = statistics[index];
      if (!now) throw new Error("bench: jax-js gave too few statistics; please report.");
      return old.mul(1 - averaging).add(now.mul(averaging));
    });
    return { loss, parameters: moved, velocity: faster, running: followed };
  };
}

async function open(jax: JaxTraining, network: TrainingNetwork): Promise<Trained> {
  const devices = await jax.init("webgpu");
  if (!devices.includes("webgpu")) throw new Error("bench: jax-js found no WebGPU here.");
  jax.defaultDevice("webgpu");
  const { numpy: np } = jax;
  const { batch, classes, convs } = network;
  const arraysOf = (names: readonly string[]) =>
    names.map((name) => {
      const { data, shape } = weightOf(network, name);
      return np.array(data, { shape });
    });
  const wordsOf = (words: readonly string[]) =>
    convs.flatMap(({ name }) => words.map((word) => `${name}.${word}`));
  const trained = [...wordsOf(["weight", "gamma", "beta"]), "fc.weight", "fc.bias"];
  let parameters = arraysOf(trained);
  let running = arraysOf(wordsOf(["mean", "variance"]));
  let velocity = trained.map((name) => {
    const { data, shape } = weightOf(network, name);
    return np.array(new Float32Array(data.length), { shape });
  });
  const step = jax.jit(stepOf(jax, network));
  return {
    async step({ images, labels }: TrainingBatch): Promise<number> {
      const wanted = new Float32Array(batch * classes);
      labels.data.forEach((label, row) => (wanted[row * classes + label] = 1));
      const pictures = np.array(images.data, { shape: images.shape });
      const rows = np.array(wanted, { shape: [batch, classes] });
      const after = step(parameters, velocity, running, pictures, rows);
      ({ parameters, velocity, running } = after);
      const [value = NaN] = Array.from(await after.loss.data());
      await jax.blockUntilReady([...parameters, ...velocity, ...running]);
      return value;
    },
    dispose() {
      for (const array of [...parameters, ...velocity, ...running]) array.dispose();
      step.dispose();
    },
  };
}

export function jaxTraining(jax: JaxTraining): TrainingPeer {
  return { name: "jax-js", open: (network) => open(jax, network) };
}
