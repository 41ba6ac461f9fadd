// Small models for whole-path tests: one of everything a MobileNet block has, and one whose float
// results are exact, so that CPU and GPU must see the same statistics.

import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Graph } from "../../src/graph/graph.ts";
import type { Conv } from "../../src/graph/node.ts";
import { float32, type Tensor } from "../../src/tensor/tensor.ts";
import { floats, steps } from "./seeded.ts";

/** A 3 × 3 convolution that keeps the picture's size. */
const same = {
  kernel: [3, 3],
  strides: [1, 1],
  dilations: [1, 1],
  pads: [1, 1, 1, 1],
} as const;
const pointwise = { ...same, kernel: [1, 1], pads: [0, 0, 0, 0] } as const;

interface Layer {
  readonly name: string;
  readonly from: string;
  readonly window: Pick<Conv, "kernel" | "strides" | "dilations" | "pads">;
  readonly filter: readonly number[];
  readonly group?: number;
}

function addConv(builder: GraphBuilder, { name, from, window, filter, group = 1 }: Layer): string {
  const seed = name.length + filter.length;
  builder.constant(`${name}.weight`, floats(filter, seed, 0.5));
  builder.add({
    op: "Conv",
    name,
    inputs: [from, `${name}.weight`],
    outputs: [`${name}.out`],
    ...window,
    group,
  });
  const channels = [filter[0] ?? 1];
  const norm = [
    float32(
      channels,
      floats(channels, seed + 1, 0.5).data.map((x) => 1 + x),
    ),
    floats(channels, seed + 2, 0.5),
    floats(channels, seed + 3, 0.2),
    float32(
      channels,
      floats(channels, seed + 4, 0.4).data.map((x) => 0.5 + x),
    ),
  ];
  const parameters = ["scale", "bias", "mean", "variance"].map((field, index) =>
    builder.constant(`${name}.${field}`, norm[index] as Tensor),
  );
  return builder.add({
    op: "BatchNormalization",
    name: `${name}.bn`,
    inputs: [`${name}.out`, ...parameters],
    outputs: [`${name}.norm`],
    epsilon: 1e-5,
  });
}

const relu6 = (builder: GraphBuilder, name: string, from: string) =>
  builder.add({ op: "Clip", name, inputs: [from], outputs: [`${name}.out`], low: 0, high: 6 });

/** images (batch, 3, 8, 8) → conv-bn-relu6 → depthwise-bn-relu6 → pointwise-bn, + residual → pool →
 *  flatten → gemm → scores (batch, 5); `channels` from the stem on. */
export function residualGraph(channels = 8): Graph {
  const builder = new GraphBuilder();
  builder.input("images", { dtype: "float32", shape: ["batch", 3, 8, 8] });
  const stem = relu6(
    builder,
    "stem.relu6",
    addConv(builder, {
      name: "stem",
      from: "images",
      window: { ...same, strides: [2, 2] },
      filter: [channels, 3, 3, 3],
    }),
  );
  const deep = relu6(
    builder,
    "depthwise.relu6",
    addConv(builder, {
      name: "depthwise",
      from: stem,
      window: same,
      filter: [channels, 1, 3, 3],
      group: channels,
    }),
  );
  const point = addConv(builder, {
    name: "pointwise",
    from: deep,
    window: pointwise,
    filter: [channels, channels, 1, 1],
  });
  builder.add({ op: "Add", name: "add", inputs: [stem, point], outputs: ["sum"] });
  builder.add({ op: "GlobalAveragePool", name: "pool", inputs: ["sum"], outputs: ["pooled"] });
  builder.add({ op: "Flatten", name: "flatten", inputs: ["pooled"], outputs: ["flat"], axis: 1 });
  builder.constant("head.weight", floats([5, channels], 91, 0.5));
  builder.constant("head.bias", floats([5], 92, 0.5));
  builder.add({
    op: "Gemm",
    name: "head",
    inputs: ["flat", "head.weight", "head.bias"],
    outputs: ["scores"],
    alpha: 1,
    beta: 1,
    transA: false,
    transB: true,
  });
  return builder.build("residual", ["images"], ["scores"]);
}

/** Pictures for `residualGraph`. */
export const pictures = (batch: number, seed: number) => ({
  images: floats([batch, 3, 8, 8], seed, 2),
});

/** x (batch, 3, 4, 4) → conv + relu6 → global mean, in multiples of 1/64 small enough that f32 holds
 *  every sum: no order of addition changes a bit. */
export function exactGraph(): Graph {
  const builder = new GraphBuilder();
  builder.input("x", { dtype: "float32", shape: ["batch", 3, 4, 4] });
  builder.constant("filter", steps([5, 3, 3, 3], 17, 0.125, 8));
  builder.add({
    op: "Conv",
    name: "conv",
    inputs: ["x", "filter"],
    outputs: ["raw"],
    ...same,
    group: 1,
  });
  const clipped = relu6(builder, "relu6", "raw");
  builder.add({ op: "GlobalAveragePool", name: "mean", inputs: [clipped], outputs: ["y"] });
  return builder.build("exact", ["x"], ["y"]);
}

/** Inputs for `exactGraph`. */
export const exactInputs = (batch: number, seed: number) => ({
  x: steps([batch, 3, 4, 4], seed, 0.125, 16),
});
