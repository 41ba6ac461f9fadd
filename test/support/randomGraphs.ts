// Random float graphs from a seed, as people export them: pictures through convolutions and their activations with
// residual adds, or tokens through embeddings, Linear layers, normalization, attention and LSTM; shared and tied
// weights, clamps with odd bounds, long names, an open batch. For tests that hold over all graphs.

import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Graph } from "../../src/graph/graph.ts";
import type { Node } from "../../src/graph/node.ts";
import { float32, tensor, type Tensor, type Tensors } from "../../src/tensor/tensor.ts";
import { floats, generator } from "./seeded.ts";

export interface RandomGraph {
  readonly graph: Graph;
  /** Inputs of a run, by sample. */
  feeds(sample: number): Tensors;
}

type Attributes = Readonly<Record<string, unknown>>;

class Draw {
  readonly builder = new GraphBuilder();
  readonly #next: () => number;
  readonly #seed: number;
  readonly #prefix: string;
  readonly widen: number;
  #count = 0;

  constructor(seed: number, widen: number) {
    this.#seed = seed;
    this.widen = widen;
    this.#next = generator(seed);
    this.#prefix = this.chance(0.15) ? "StatefulPartitionedCall/model/block/separable/" : "";
  }

  chance(share: number): boolean {
    return this.#next() < share;
  }

  pick<T>(...from: readonly T[]): T {
    return from[Math.floor(this.#next() * from.length)]!;
  }

  name(what: string): string {
    return `${this.#prefix}${what}_${this.#count++}`;
  }

  weight(shape: readonly number[], span = 0.5): string {
    const name = this.name("w");
    return this.builder.constant(name, floats(shape, this.#seed * 997 + this.#count, span));
  }

  around(shape: readonly number[], middle: number): string {
    const name = this.name("p");
    const { data } = floats(shape, this.#seed * 991 + this.#count, 0.3);
    return this.builder.constant(
      name,
      float32(
        shape,
        data.map((x) => x + middle),
      ),
    );
  }

  node(op: Node["op"], inputs: readonly string[], attributes: Attributes = {}): string {
    const name = this.name(op);
    return this.builder.add({ op, name, inputs, outputs: [`${name}_out`], ...attributes } as Node);
  }

  shape(name: string): readonly number[] {
    return this.builder.value(name).shape.map((dim) => (typeof dim === "number" ? dim : 1));
  }
}

function conv(draw: Draw, x: string, channels: number, shared?: string): string {
  const [, inside = 1] = draw.shape(x);
  const size = draw.pick(1, 3);
  const isDepthwise = shared === undefined && channels === inside && draw.chance(0.4);
  const weight = shared ?? draw.weight([channels, isDepthwise ? 1 : inside, size, size]);
  const [kh = 1, kw = 1] = draw.shape(weight).slice(2);
  const bias = draw.chance(0.6) ? [draw.weight([channels])] : [];
  const y = draw.node("Conv", [x, weight, ...bias], {
    kernel: [kh, kw],
    strides: [1, 1],
    dilations: [1, 1],
    pads: kh === 1 ? [0, 0, 0, 0] : [1, 1, 1, 1],
    group: isDepthwise ? channels : 1,
  });
  if (!draw.chance(0.4)) return y;
  const parameters = [1, 0, 0, 1].map((middle) => draw.around([channels], middle));
  return draw.node("BatchNormalization", [y, ...parameters], { epsilon: 1e-5 });
}

function activation(draw: Draw, x: string): string {
  switch (draw.pick("relu", "relu6", "eps", "odd", "hardswish", "sigmoid", "leaky", "none")) {
    case "relu":
      return draw.node("Relu", [x]);
    case "relu6":
      return draw.node("Clip", [x], { low: 0, high: 6 });
    case "eps":
      return draw.node("Clip", [x], { low: 1e-4, high: 1 });
    case "odd":
      return draw.node("Clip", [x], { low: -0.37, high: draw.pick(0.9, Infinity) });
    case "hardswish":
      return draw.node("HardSwish", [x]);
    case "sigmoid":
      return draw.node("Sigmoid", [x]);
    case "leaky":
      return draw.node("LeakyRelu", [x], { alpha: 0.1 });
    default:
      return x;
  }
}

function pictureLayers(draw: Draw, x: string): string {
  const channels = draw.pick(8, 12, 16) * draw.widen;
  let y = activation(draw, conv(draw, x, channels));
  const shared = draw.chance(0.3) ? draw.weight([channels, channels, 3, 3]) : undefined;
  for (let layer = draw.pick(1, 2, 3); layer > 0; layer--) {
    const before = y;
    y = activation(draw, conv(draw, y, channels, draw.chance(0.7) ? shared : undefined));
    if (draw.chance(0.5)) y = activation(draw, draw.node("Add", [before, y]));
    else if (draw.chance(0.25)) y = draw.node("Mul", [before, y]);
    else if (draw.chance(0.2))
      y = conv(draw, draw.node("Concat", [before, y], { axis: 1 }), channels);
  }
  const window = { kernel: [2, 2], strides: [2, 2], dilations: [1, 1], pads: [0, 0, 0, 0] };
  const pool = draw.pick("MaxPool", "AveragePool", "none");
  if (pool === "MaxPool") y = draw.node(pool, [y], { ...window, ceilMode: false });
  if (pool === "AveragePool")
    y = draw.node(pool, [y], { ...window, ceilMode: false, countIncludePad: false });
  if (draw.chance(0.5)) y = draw.node("GlobalAveragePool", [y]);
  return linear(draw, draw.node("Flatten", [y], { axis: 1 }), draw.pick(5, 10));
}

function linear(draw: Draw, x: string, columns: number): string {
  const rows = draw.shape(x).at(-1) ?? 1;
  if (draw.shape(x).length === 2 && draw.chance(0.7)) {
    const transB = draw.chance(0.5);
    const weight = draw.weight(transB ? [columns, rows] : [rows, columns], 2 / Math.sqrt(rows));
    const inputs = [x, weight, draw.weight([columns])];
    return draw.node("Gemm", inputs, { alpha: 1, beta: 1, transA: false, transB });
  }
  const y = draw.node("MatMul", [x, draw.weight([rows, columns], 2 / Math.sqrt(rows))]);
  return draw.chance(0.7) ? draw.node("Add", [y, draw.weight([columns])]) : y;
}

function tokenLayers(draw: Draw, x: string, table: string, length: number): string {
  const width = draw.shape(table)[1] ?? 1;
  let y = draw.node("Gather", [table, x], { axis: 0 });
  if (draw.chance(0.5)) y = draw.node("Add", [y, draw.weight([length, width])]);
  if (draw.chance(0.7)) {
    const parameters = [draw.around([width], 1), draw.weight([width])];
    y = draw.node("LayerNormalization", [y, ...parameters], { axis: 2, epsilon: 1e-5 });
  }
  if (draw.chance(0.6)) {
    const [q, k, v] = [1, 2, 3].map(() => linear(draw, y, width)) as [string, string, string];
    const turned = draw.node("Transpose", [k], { perm: [0, 2, 1] });
    const scores = draw.node("Softmax", [draw.node("MatMul", [q, turned])], { axis: 2 });
    y = draw.node("Add", [y, draw.node("MatMul", [scores, v])]);
  }
  if (draw.chance(0.3)) {
    const hidden = 8;
    const weights = [draw.weight([1, 4 * hidden, width]), draw.weight([1, 4 * hidden, hidden])];
    const name = draw.name("LSTM");
    const turned = draw.node("Transpose", [y], { perm: [1, 0, 2] });
    draw.builder.add({
      op: "LSTM",
      name,
      inputs: [turned, ...weights],
      outputs: [`${name}_y`, `${name}_h`, `${name}_c`],
      hiddenSize: hidden,
      direction: "forward",
      layout: 0,
      roles: [],
      inputForget: false,
    });
    const squeezed = draw.node("Squeeze", [`${name}_y`], { axes: [1] });
    y = linear(draw, draw.node("Transpose", [squeezed], { perm: [1, 0, 2] }), width);
  }
  y = draw.node(draw.pick("Relu", "Tanh", "Sigmoid"), [linear(draw, y, width)]);
  if (!draw.chance(0.4)) return linear(draw, y, draw.pick(5, 12));
  // The table again as the last layer's weight: tied embeddings.
  const turned = draw.node("Transpose", [table], { perm: [1, 0] });
  return draw.node("MatMul", [y, turned]);
}

/** The graph of `seed`; the same on every machine. `widen` multiplies channels and widths: weights of real size. */
export function randomGraph(seed: number, widen = 1): RandomGraph {
  const draw = new Draw(seed, widen);
  const batch = draw.pick<number | "batch">("batch", 1, 2);
  const size = batch === "batch" ? 2 : batch;
  const isPicture = draw.chance(0.6);
  const sample = (at: number) => seed * 7919 + at;
  if (isPicture) {
    const edge = draw.pick(6, 8);
    draw.builder.input("x", { dtype: "float32", shape: [batch, 3, edge, edge] });
    const y = pictureLayers(draw, "x");
    return {
      graph: draw.builder.build(`random ${seed}`, ["x"], [y]),
      feeds: (at) => ({ x: floats([size, 3, edge, edge], sample(at), 2) }),
    };
  }
  const [length, rows] = [draw.pick(4, 6), draw.pick(20, 40) * draw.widen];
  const width = draw.pick(8, 16) * draw.widen;
  draw.builder.input("ids", { dtype: "int64", shape: [batch, length] });
  const table = draw.weight([rows, width], 1);
  const y = tokenLayers(draw, "ids", table, length);
  return {
    graph: draw.builder.build(`random ${seed}`, ["ids"], [y]),
    feeds: (at) => {
      const next = generator(sample(at));
      const ids = BigInt64Array.from({ length: size * length }, () =>
        BigInt(Math.floor(next() * rows)),
      );
      return { ids: tensor("int64", [size, length], ids) as Tensor };
    },
  };
}
