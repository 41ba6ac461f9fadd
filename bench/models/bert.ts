// The encoder of BERT-base: Devlin et al., arXiv 1810.04805, section 3. Twelve layers of 768 channels, twelve
// heads, 3,072 channels between; post-normalization, Gelu by erf. Every layer is written as PyTorch's exporter
// writes HuggingFace's: attention over four axes, Linear as MatMul and Add, Gelu in five nodes. The input is
// what the embeddings give: a lookup costs nothing beside it.

import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Graph } from "../../src/graph/graph.ts";
import type { Node } from "../../src/graph/node.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import { normal, type Random } from "../core/random.ts";

export interface BertSizes {
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly inner: number;
  readonly sequence: number;
}

export const BERT_BASE: BertSizes = {
  layers: 12,
  width: 768,
  heads: 12,
  inner: 3072,
  sequence: 128,
};

type Attributes<N = Node> = N extends Node ? Omit<N, "name" | "inputs" | "outputs"> : never;

class EncoderBuilder {
  readonly builder = new GraphBuilder();
  readonly #next: Random;
  #count = 0;

  constructor(next: Random) {
    this.#next = next;
  }

  op(attributes: Attributes, ...inputs: string[]): string {
    const name = `${attributes.op.toLowerCase()}${this.#count++}`;
    return this.builder.add({ ...attributes, name, inputs, outputs: [`${name}.out`] } as Node);
  }

  scalar(value: number): string {
    const name = `constant${this.#count++}`;
    return this.builder.constant(name, float32([], Float32Array.of(value)));
  }

  weight(shape: readonly number[], deviation: number): string {
    return this.builder.constant(`weight${this.#count++}`, normal(shape, this.#next, deviation));
  }

  linear(x: string, ins: number, outs: number): string {
    const product = this.op({ op: "MatMul" }, x, this.weight([ins, outs], 1 / Math.sqrt(ins)));
    return this.op({ op: "Add" }, this.weight([outs], 0.1), product);
  }

  norm(x: string, width: number): string {
    const ones = float32([width], new Float32Array(width).fill(1));
    const scale = this.builder.constant(`scale${this.#count++}`, ones);
    return this.op(
      { op: "LayerNormalization", axis: 2, epsilon: 1e-12 },
      x,
      scale,
      this.weight([width], 0.1),
    );
  }

  gelu(x: string): string {
    const erf = this.op({ op: "Erf" }, this.op({ op: "Div" }, x, this.scalar(Math.SQRT2)));
    const product = this.op({ op: "Mul" }, x, this.op({ op: "Add" }, erf, this.scalar(1)));
    return this.op({ op: "Mul" }, product, this.scalar(0.5));
  }

  attention(x: string, { width, heads }: BertSizes): string {
    const size = width / heads;
    const split = (perm: readonly number[]) => {
      const parts = this.op(
        { op: "Reshape", shape: [0, 0, heads, size] },
        this.linear(x, width, width),
      );
      return this.op({ op: "Transpose", perm }, parts);
    };
    const [q, k, v] = [split([0, 2, 1, 3]), split([0, 2, 3, 1]), split([0, 2, 1, 3])];
    const scores = this.op(
      { op: "Div" },
      this.op({ op: "MatMul" }, q, k),
      this.scalar(Math.sqrt(size)),
    );
    const mean = this.op({ op: "MatMul" }, this.op({ op: "Softmax", axis: 3 }, scores), v);
    const rows = this.op({ op: "Transpose", perm: [0, 2, 1, 3] }, mean);
    return this.op({ op: "Reshape", shape: [0, 0, width] }, rows);
  }
}

/** x (batch, sequence, width) → the last layer's states, of the same shape. */
export function bertEncoder(next: Random, sizes: BertSizes = BERT_BASE): Graph {
  const { layers, width, inner, sequence } = sizes;
  const net = new EncoderBuilder(next);
  const shape = ["batch", sequence, width];
  let x = net.norm(net.builder.input("input", { dtype: "float32", shape }), width);
  for (let layer = 0; layer < layers; layer++) {
    const attended = net.linear(net.attention(x, sizes), width, width);
    x = net.norm(net.op({ op: "Add" }, attended, x), width);
    const active = net.gelu(net.linear(x, width, inner));
    x = net.norm(net.op({ op: "Add" }, net.linear(active, inner, width), x), width);
  }
  return net.builder.build("BERT-base encoder", ["input"], [x]);
}
