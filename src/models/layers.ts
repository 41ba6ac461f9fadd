// What architectures are written in: layers by the names of torch's modules. One description of a
// network gives two graphs: FloatLayers emits Conv, BatchNormalization and Relu as torch runs them
// before fusion, QuantizedLayers one typed Conv for the three. Names of nodes and values are the modules'.

import { GraphBuilder } from "../graph/builder.ts";
import type { Graph } from "../graph/graph.ts";
import type { Node, Window } from "../graph/node.ts";
import type { QParams } from "../graph/value.ts";
import type { Weights } from "./weights.ts";

type Pair = readonly [height: number, width: number];

/** A window as torch gives it: one number for both sides, padding on both ends. */
export interface WindowSpec {
  readonly kernel: number | Pair;
  readonly stride?: number;
  readonly padding?: number | Pair;
}

export interface ConvSpec extends WindowSpec {
  /** Output channels. Input channels are those of x. */
  readonly outs: number;
  readonly group?: number;
}

/** Modules of one fused convolution. `relu6` clamps at 6 in the float network; torchvision replaces it by
 *  ReLU before it quantizes, so the quantized one is open above. */
export interface ConvNames {
  readonly conv: string;
  /** BatchNormalization behind it; without one the convolution has a bias of its own. */
  readonly norm?: string;
  readonly relu?: string;
  readonly relu6?: string;
}

const pair = (value: number | Pair): Pair => (typeof value === "number" ? [value, value] : value);

/** The window of a Conv or pool node. */
export function windowOf({ kernel, stride = 1, padding = 0 }: WindowSpec): Window {
  const [top, left] = pair(padding);
  return {
    kernel: pair(kernel),
    strides: [stride, stride],
    dilations: [1, 1],
    pads: [top, left, top, left],
  };
}

export abstract class Layers {
  readonly weights: Weights;
  protected readonly builder = new GraphBuilder();

  constructor(weights: Weights) {
    this.weights = weights;
  }

  /** The network's input, as its first layer takes it. */
  abstract start(images: string): string;
  /** Convolution, normalization and activation. */
  abstract conv(x: string, names: ConvNames, spec: ConvSpec): string;
  /** x (batch, K) → (batch, outs). */
  abstract linear(x: string, name: string, outs: number, output?: string): string;
  abstract add(x: string, y: string, name: string, relu?: boolean): string;
  abstract multiply(x: string, y: string, name: string): string;
  /** Joined along the channels. `rowMajor`: in torch one of the parts lies so, which decides how their
   *  codes are converted to the result's parameters. */
  abstract concat(parts: readonly string[], name: string, rowMajor?: boolean): string;
  abstract hardSwish(x: string, name: string): string;
  abstract hardSigmoid(x: string, name: string): string;
  /** Mean over height and width, kept as size 1. */
  abstract globalPool(x: string, name: string): string;
  /** Mean over height and width: (batch, C). */
  abstract spatialMean(x: string, name: string): string;
  /** The value that leaves the graph, by the name "logits". */
  abstract finish(logits: string): string;

  /** The graph's input: float images (batch, 3, height, width). */
  input(height: number, width: number): string {
    return this.builder.input("images", { dtype: "float32", shape: ["batch", 3, height, width] });
  }

  graph(name: string, images: string, logits: string): Graph {
    return this.builder.build(name, [images], [logits]);
  }

  /** Sizes of x's axes behind the batch. */
  sizes(x: string): number[] {
    return this.builder.value(x).shape.slice(1).map(Number);
  }

  channels(x: string): number {
    return this.sizes(x)[0] ?? 0;
  }

  /** Add a node whose outputs have the type of its first input: it moves elements, or keeps q's meaning. */
  protected keep(node: Node): string {
    const { dtype, quant } = this.builder.value(node.inputs[0] ?? "");
    return this.builder.add(node, { dtype, ...(quant ? { quant } : {}) });
  }

  maxPool(x: string, name: string, spec: WindowSpec & { readonly ceil?: boolean }): string {
    const node = { op: "MaxPool", name, inputs: [x], outputs: [name] } as const;
    return this.keep({ ...node, ...windowOf(spec), ceilMode: spec.ceil ?? false });
  }

  averagePool(x: string, name: string, spec: WindowSpec): string {
    const node = { op: "AveragePool", name, inputs: [x], outputs: [name] } as const;
    // torch counts padding in the mean unless it is told not to.
    return this.keep({ ...node, ...windowOf(spec), countIncludePad: true, ceilMode: false });
  }

  flatten(x: string, name = "flatten"): string {
    return this.keep({ op: "Flatten", name, inputs: [x], outputs: [name], axis: 1 });
  }

  /** x's channels in two halves. */
  halves(x: string, name: string): readonly [string, string] {
    const half = this.channels(x) / 2;
    const outputs = [`${name}.0`, `${name}.1`] as const;
    this.keep({ op: "Split", name, inputs: [x], outputs, axis: 1, sizes: [half, half] });
    return outputs;
  }

  /** ShuffleNet's channel shuffle: channel (group, i) goes to (i, group). */
  shuffle(x: string, name: string, groups: number): string {
    const [channels = 0, height = 0, width = 0] = this.sizes(x);
    const apart = [0, groups, channels / groups, height, width];
    const [split, moved] = [`${name}.split`, `${name}.transpose`];
    this.keep({ op: "Reshape", name: split, inputs: [x], outputs: [split], shape: apart });
    const perm = [0, 2, 1, 3, 4];
    this.keep({ op: "Transpose", name: moved, inputs: [split], outputs: [moved], perm });
    const together = [0, channels, height, width];
    return this.keep({ op: "Reshape", name, inputs: [moved], outputs: [name], shape: together });
  }

  /** CIFAR ResNet's option-A shortcut: every second pixel, and zero channels on both sides up to `outs`. */
  subsample(x: string, name: string, outs: number): string {
    const more = (outs - this.channels(x)) / 2;
    const sliced = `${name}.slice`;
    this.keep({
      op: "Slice",
      name: sliced,
      inputs: [x],
      outputs: [sliced],
      axes: [2, 3],
      starts: [0, 0],
      ends: this.sizes(x).slice(1),
      steps: [2, 2],
    });
    const pads = [0, more, 0, 0, 0, more, 0, 0];
    return this.keep({ op: "Pad", name, inputs: [sliced], outputs: [name], pads, value: 0 });
  }

  /** Images normalized as torchvision's ImageNet models take them → as Google's Inception took them:
   *  x · (std / 0.5) + (mean − 0.5) / 0.5, per channel. Float in both forms. */
  transformInput(images: string): string {
    const channel = (name: string, values: readonly number[]) =>
      this.builder.constant(name, {
        dtype: "float32",
        shape: [1, 3, 1, 1],
        data: Float32Array.from(values),
      });
    const factor = channel("transform_input.scale", [0.229 / 0.5, 0.224 / 0.5, 0.225 / 0.5]);
    const shift = channel(
      "transform_input.shift",
      [0.485, 0.456, 0.406].map((mean) => (mean - 0.5) / 0.5),
    );
    const [name, scaled] = ["transform_input", "transform_input.scaled"];
    this.builder.add({ op: "Mul", name: scaled, inputs: [images, factor], outputs: [scaled] });
    return this.builder.add({ op: "Add", name, inputs: [scaled, shift], outputs: [name] });
  }

  /** The activation of torch module `name`, by the parameters stored under it. */
  protected paramsOf(x: string): QParams {
    const { quant } = this.builder.value(x);
    if (quant) return quant;
    throw new Error(`models: "${x}" must be quantized; please report.`);
  }
}
