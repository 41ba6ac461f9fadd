// The float network, layer for layer as torch runs it: BatchNormalization stays a node, which prepare
// folds, so that load → prepare → calibrate → convert sees what PyTorch's own recipe sees.

import { Layers, windowOf, type ConvNames, type ConvSpec } from "./layers.ts";
import type { Weights } from "./weights.ts";

export class FloatLayers extends Layers {
  readonly #epsilon: number;

  /** `epsilon` of every BatchNormalization. */
  constructor(weights: Weights, epsilon: number) {
    super(weights);
    this.#epsilon = epsilon;
  }

  start(images: string): string {
    return images;
  }

  #constant(name: string, shape: readonly number[]): string {
    return this.builder.constant(name, this.weights.float(name, shape));
  }

  conv(x: string, { conv, norm, relu, relu6 }: ConvNames, spec: ConvSpec): string {
    const { outs, group = 1 } = spec;
    const window = windowOf(spec);
    const filter = this.#constant(`${conv}.weight`, [
      outs,
      this.channels(x) / group,
      ...window.kernel,
    ]);
    const bias = norm === undefined ? [this.#constant(`${conv}.bias`, [outs])] : [];
    const inputs = [x, filter, ...bias];
    let y = this.builder.add({ op: "Conv", name: conv, inputs, outputs: [conv], ...window, group });
    if (norm !== undefined) y = this.#norm(y, norm, outs);
    if (relu !== undefined) return this.#relu(y, relu);
    if (relu6 === undefined) return y;
    return this.builder.add({
      op: "Clip",
      name: relu6,
      inputs: [y],
      outputs: [relu6],
      low: 0,
      high: 6,
    });
  }

  #norm(x: string, name: string, channels: number): string {
    const fields = ["weight", "bias", "running_mean", "running_var"];
    const parameters = fields.map((field) => this.#constant(`${name}.${field}`, [channels]));
    return this.builder.add({
      op: "BatchNormalization",
      name,
      inputs: [x, ...parameters],
      outputs: [name],
      epsilon: this.#epsilon,
    });
  }

  #relu(x: string, name: string): string {
    return this.builder.add({ op: "Relu", name, inputs: [x], outputs: [name] });
  }

  linear(x: string, name: string, outs: number, output = name): string {
    const weight = this.#constant(`${name}.weight`, [outs, this.channels(x)]);
    const bias = this.#constant(`${name}.bias`, [outs]);
    return this.builder.add({
      op: "Gemm",
      name,
      inputs: [x, weight, bias],
      outputs: [output],
      alpha: 1,
      beta: 1,
      transA: false,
      transB: true,
    });
  }

  add(x: string, y: string, name: string, relu = false): string {
    const sum = this.builder.add({ op: "Add", name, inputs: [x, y], outputs: [name] });
    return relu ? this.#relu(sum, `${name}.relu`) : sum;
  }

  multiply(x: string, y: string, name: string): string {
    return this.builder.add({ op: "Mul", name, inputs: [x, y], outputs: [name] });
  }

  concat(inputs: readonly string[], name: string): string {
    return this.builder.add({ op: "Concat", name, inputs, outputs: [name], axis: 1 });
  }

  hardSwish(x: string, name: string): string {
    return this.builder.add({ op: "HardSwish", name, inputs: [x], outputs: [name] });
  }

  hardSigmoid(x: string, name: string): string {
    const node = { op: "HardSigmoid", name, inputs: [x], outputs: [name] } as const;
    return this.builder.add({ ...node, alpha: Math.fround(1 / 6), beta: 0.5 });
  }

  globalPool(x: string, name: string): string {
    return this.builder.add({ op: "GlobalAveragePool", name, inputs: [x], outputs: [name] });
  }

  spatialMean(x: string, name: string): string {
    const node = { op: "ReduceMean", name, inputs: [x], outputs: [name] } as const;
    return this.builder.add({ ...node, axes: [2, 3], keepdims: false });
  }

  finish(logits: string): string {
    return logits;
  }
}
