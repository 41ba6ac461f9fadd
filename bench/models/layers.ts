// Layers of the standard networks, on a GraphBuilder. BatchNormalization is folded already, as any
// deployed model has it: a convolution with a bias. Weights are random but scaled after He et al.,
// arXiv 1502.01852, so that activations stay near 1 through any depth.

import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { normal, type Random } from "../core/random.ts";

export interface ConvOptions {
  readonly outs: number;
  readonly kernel: number;
  readonly stride?: number;
  /** As many groups as channels. */
  readonly depthwise?: boolean;
  readonly activation?: "relu" | "relu6";
  /** Of the weights, relative to He's: a branch that is added to another is made smaller. */
  readonly gain?: number;
}

export class NetworkBuilder {
  readonly #builder = new GraphBuilder();
  readonly #next: Random;
  #count = 0;

  constructor(next: Random) {
    this.#next = next;
  }

  /** A picture (batch, channels, size, size). */
  input(channels: number, size: number): string {
    const shape = ["batch", channels, size, size];
    return this.#builder.input("input", { dtype: "float32", shape });
  }

  channels(value: string): number {
    return Number(this.#builder.value(value).shape[1]);
  }

  /** x (B, C, H, W) → (B, outs, H/stride, W/stride), padded by half the kernel. */
  conv(x: string, options: ConvOptions): string {
    const { outs, kernel, stride = 1, depthwise = false, activation, gain = 1 } = options;
    const name = `conv${this.#count++}`;
    const group = depthwise ? outs : 1;
    const perGroup = this.channels(x) / group;
    const pad = kernel >> 1;
    const doubled = activation ? 2 : 1; // the half that an activation cuts off
    const deviation = gain * Math.sqrt(doubled / (perGroup * kernel * kernel));
    const filter = [outs, perGroup, kernel, kernel];
    const weight = this.#constant(`${name}.weight`, filter, deviation);
    const bias = this.#constant(`${name}.bias`, [outs], 0.1);
    const y = this.#builder.add({
      op: "Conv",
      name,
      inputs: [x, weight, bias],
      outputs: [`${name}.out`],
      kernel: [kernel, kernel],
      strides: [stride, stride],
      dilations: [1, 1],
      pads: [pad, pad, pad, pad],
      group,
    });
    return activation ? this.activate(y, activation) : y;
  }

  activate(x: string, activation: "relu" | "relu6"): string {
    const name = `${activation}${this.#count++}`;
    const node = { name, inputs: [x], outputs: [`${name}.out`] };
    return activation === "relu"
      ? this.#builder.add({ ...node, op: "Relu" })
      : this.#builder.add({ ...node, op: "Clip", low: 0, high: 6 });
  }

  add(a: string, b: string): string {
    const name = `add${this.#count++}`;
    return this.#builder.add({ op: "Add", name, inputs: [a, b], outputs: [`${name}.out`] });
  }

  maxPool(x: string): string {
    return this.#builder.add({
      op: "MaxPool",
      name: "maxpool",
      inputs: [x],
      outputs: ["maxpool.out"],
      kernel: [3, 3],
      strides: [2, 2],
      dilations: [1, 1],
      pads: [1, 1, 1, 1],
      ceilMode: false,
    });
  }

  /** Mean over the picture, then a linear layer: the finished graph. */
  classify(x: string, classes: number, name: string): Graph {
    const builder = this.#builder;
    const features = this.channels(x);
    builder.add({ op: "GlobalAveragePool", name: "pool", inputs: [x], outputs: ["pooled"] });
    builder.add({ op: "Flatten", name: "flatten", inputs: ["pooled"], outputs: ["flat"], axis: 1 });
    const weight = this.#constant("fc.weight", [classes, features], 1 / Math.sqrt(features));
    builder.add({
      op: "Gemm",
      name: "fc",
      inputs: ["flat", weight, this.#constant("fc.bias", [classes], 0.1)],
      outputs: ["logits"],
      alpha: 1,
      beta: 1,
      transA: false,
      transB: true,
    });
    return builder.build(name, ["input"], ["logits"]);
  }

  #constant(name: string, shape: readonly number[], deviation: number): string {
    return this.#builder.constant(name, normal(shape, this.#next, deviation));
  }
}
