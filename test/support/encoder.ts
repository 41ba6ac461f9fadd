// A transformer encoder with open batch and sequence: what dynamic sizes are tested on.

import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import { floats } from "./seeded.ts";

export interface EncoderSizes {
  readonly layers: number;
  readonly heads: number;
  /** Channels of a token. */
  readonly width: number;
  /** Channels between the two products of a block. */
  readonly inner: number;
}

/** x (batch, sequence, width) → y of the same shape and pooled (batch, width). */
export function encoder(
  { layers, heads, width, inner }: EncoderSizes,
  batch: string | number = "batch",
): Graph {
  const builder = new GraphBuilder();
  let seed = 1;
  const weight = (name: string, shape: number[]) =>
    builder.constant(name, floats(shape, seed++, 1 / Math.sqrt(shape[0] ?? 1)));
  const size = width / heads;
  let x = builder.input("x", { dtype: "float32", shape: [batch, "sequence", width] });
  const dense = (name: string, from: string, ins: number, outs: number) => {
    const product = builder.add({
      op: "MatMul",
      name: `${name}.matmul`,
      inputs: [from, weight(`${name}.weight`, [ins, outs])],
      outputs: [`${name}.product`],
    });
    return builder.add({
      op: "Add",
      name: `${name}.add`,
      inputs: [product, weight(`${name}.bias`, [outs])],
      outputs: [`${name}.out`],
    });
  };
  const split = (name: string, from: string, perm: number[]) => {
    builder.add({
      op: "Reshape",
      name: `${name}.reshape`,
      inputs: [from],
      outputs: [`${name}.parts`],
      shape: [0, 0, heads, size],
    });
    return builder.add({
      op: "Transpose",
      name: `${name}.transpose`,
      inputs: [`${name}.parts`],
      outputs: [`${name}.heads`],
      perm,
    });
  };
  const add = (name: string, op: "Add" | "Mul", a: string, b: string) =>
    builder.add({ op, name, inputs: [a, b], outputs: [`${name}.out`] });
  const matmul = (name: string, a: string, b: string) =>
    builder.add({ op: "MatMul", name, inputs: [a, b], outputs: [`${name}.out`] });
  for (let layer = 0; layer < layers; layer++) {
    const at = `layer${layer}`;
    const q = split(`${at}.q`, dense(`${at}.query`, x, width, width), [0, 2, 1, 3]);
    const k = split(`${at}.k`, dense(`${at}.key`, x, width, width), [0, 2, 3, 1]);
    const v = split(`${at}.v`, dense(`${at}.value`, x, width, width), [0, 2, 1, 3]);
    const scale = builder.constant(
      `${at}.scale`,
      float32([], Float32Array.of(1 / Math.sqrt(size))),
    );
    const scores = add(`${at}.scaled`, "Mul", matmul(`${at}.scores`, q, k), scale);
    builder.add({
      op: "Softmax",
      name: `${at}.softmax`,
      inputs: [scores],
      outputs: [`${at}.probabilities`],
      axis: 3,
    });
    const context = matmul(`${at}.context`, `${at}.probabilities`, v);
    builder.add({
      op: "Transpose",
      name: `${at}.back`,
      inputs: [context],
      outputs: [`${at}.tokens`],
      perm: [0, 2, 1, 3],
    });
    builder.add({
      op: "Reshape",
      name: `${at}.merge`,
      inputs: [`${at}.tokens`],
      outputs: [`${at}.merged`],
      shape: [batch, "sequence", width],
    });
    x = add(`${at}.sum`, "Add", dense(`${at}.output`, `${at}.merged`, width, width), x);
    builder.add({
      op: "Tanh",
      name: `${at}.tanh`,
      inputs: [dense(`${at}.up`, x, width, inner)],
      outputs: [`${at}.active`],
    });
    x = add(`${at}.next`, "Add", dense(`${at}.down`, `${at}.active`, inner, width), x);
  }
  builder.add({
    op: "ReduceMean",
    name: "pool",
    inputs: [x],
    outputs: ["pooled"],
    axes: [1],
    keepdims: false,
  });
  return builder.build("encoder", ["x"], [x, "pooled"]);
}
