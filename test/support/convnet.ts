// A training step of a small convolutional network: convolution, batch normalization and Relu ten times, some of them
// beside a skip connection.

import { floatForward } from "../../src/autodiff/forward.ts";
import { stepGraph, type StepGraph } from "../../src/autodiff/step.ts";
import type { BoundGraph } from "../../src/graph/bind.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import { HYPER_SIZE } from "../../src/graph/updates.ts";
import { float32, tensor, type Tensors } from "../../src/tensor/tensor.ts";
import { floats } from "./seeded.ts";

export interface ConvnetOptions {
  readonly batch: number;
  readonly channels: number;
  readonly size: number;
  readonly layers: number;
  /** Every so many layers the input of the last ones is added. */
  readonly skip?: number;
}

const CLASSES = 5;

export function convnetStep({
  batch,
  channels,
  size,
  layers,
  skip = 0,
}: ConvnetOptions): StepGraph {
  const builder = new GraphBuilder();
  let x = builder.input("x", { dtype: "float32", shape: [batch, 3, size, size] });
  let before = x;
  for (let layer = 0; layer < layers; layer++) {
    const name = `layer${layer}`;
    const inputs = layer === 0 ? 3 : channels;
    const filter = builder.constant(
      `${name}.weight`,
      floats([channels, inputs, 3, 3], layer, Math.sqrt(2 / (inputs * 9))),
    );
    const conv = {
      op: "Conv",
      kernel: [3, 3],
      strides: [1, 1],
      dilations: [1, 1],
      pads: [1, 1, 1, 1],
      group: 1,
    } as const;
    builder.add({ ...conv, name, inputs: [x, filter], outputs: [`${name}:y`] });
    const fill = (what: string, value: number) =>
      builder.constant(
        `${name}.${what}`,
        float32([channels], new Float32Array(channels).fill(value)),
      );
    const facts = [fill("scale", 1), fill("shift", 0), fill("mean", 0), fill("variance", 1)];
    const norm = { op: "BatchNormalization", name: `${name}/norm`, epsilon: 1e-5 } as const;
    builder.add({ ...norm, inputs: [`${name}:y`, ...facts], outputs: [`${name}:n`] });
    let y = `${name}:n`;
    if (skip > 0 && layer > 0 && layer % skip === 0) {
      y = `${name}:sum`;
      builder.add({ op: "Add", name: `${name}/sum`, inputs: [`${name}:n`, before], outputs: [y] });
    }
    builder.add({ op: "Relu", name: `${name}/relu`, inputs: [y], outputs: [`${name}:r`] });
    x = `${name}:r`;
    if (skip === 0 || layer % skip === 0) before = x;
  }
  builder.add({ op: "GlobalAveragePool", name: "pool", inputs: [x], outputs: ["pool:y"] });
  builder.add({ op: "Flatten", name: "flat", axis: 1, inputs: ["pool:y"], outputs: ["flat:y"] });
  builder.constant("fc.weight", floats([CLASSES, channels], 99));
  builder.constant("fc.bias", floats([CLASSES], 98, 0.1));
  const gemm = { op: "Gemm", name: "fc", alpha: 1, beta: 1, transA: false, transB: true } as const;
  builder.add({ ...gemm, inputs: ["flat:y", "fc.weight", "fc.bias"], outputs: ["logits"] });
  const graph = builder.build("convnet", ["x"], ["logits"]) as BoundGraph;
  return stepGraph(floatForward(graph, "batch"), {
    loss: { kind: "crossEntropy", labelSmoothing: 0.1 },
    optimizer: { kind: "sgd", learningRate: 0.1, momentum: 0.9 },
  });
}

/** Batches for it, one a run. */
export function convnetFeeds(
  { batch, size }: ConvnetOptions,
  { target, hyper }: StepGraph,
  runs: number,
): Tensors[] {
  return Array.from({ length: runs }, (_, run) => {
    const numbers = new Float32Array(HYPER_SIZE);
    numbers.set([0.1, 1, 1, 1, 1, run === 0 ? 1 : 0]);
    return {
      x: floats([batch, 3, size, size], 500 + run),
      [target]: tensor(
        "int32",
        [batch],
        Int32Array.from({ length: batch }, (_, b) => (b * 3 + run) % CLASSES),
      ),
      [hyper]: float32([HYPER_SIZE], numbers),
    };
  });
}
