// Attention is recognised in the spellings that exporters have, and computes what the spelling computed; where
// another node reads what lies between, the spelling stays.

import { describe, expect, it } from "vitest";
import { bindShapes } from "../../../src/graph/bind.ts";
import { GraphBuilder } from "../../../src/graph/builder.ts";
import type { Graph } from "../../../src/graph/graph.ts";
import type { Node } from "../../../src/graph/node.ts";
import { recognize } from "../../../src/graph/recognize/index.ts";
import type { Dim } from "../../../src/graph/value.ts";
import { interpret } from "../../../src/reference/interpret.ts";
import { float32, type Tensors } from "../../../src/tensor/tensor.ts";
import { difference, type Attributes } from "../../support/cases.ts";
import { floats } from "../../support/seeded.ts";

const [T, S, H, D] = [5, 7, 2, 4];
const E = H * D;

/** A builder that names what it adds. */
class Spelling {
  readonly builder = new GraphBuilder();
  #count = 0;

  input(name: string, shape: readonly Dim[]): string {
    return this.builder.input(name, { dtype: "float32", shape });
  }

  op(attributes: Attributes, ...inputs: string[]): string {
    const name = `n${this.#count++}`;
    const sizes = attributes.op === "Split" ? attributes.sizes : [0];
    const outputs = sizes.map((_, index) => `${name}.${index}`);
    return this.builder.add({ ...attributes, name, inputs, outputs } as Node);
  }

  scalar(value: number): string {
    const name = `c${this.#count++}`;
    return this.builder.constant(name, float32([], Float32Array.of(value)));
  }

  reshape(x: string, ...shape: Dim[]): string {
    return this.op({ op: "Reshape", shape }, x);
  }

  transpose(x: string, ...perm: number[]): string {
    return this.op({ op: "Transpose", perm }, x);
  }

  times(x: string, value: number): string {
    return this.op({ op: "Mul" }, x, this.scalar(value));
  }

  softmaxOf(scores: string): string {
    const axis = this.builder.value(scores).shape.length - 1;
    return this.op({ op: "Softmax", axis }, scores);
  }

  build(outputs: string[]): Graph {
    const inputs = ["q", "k", "v", "mask", "qkv"].filter((name) => this.builder.values.has(name));
    return this.builder.build("spelling", inputs, outputs);
  }
}

const qkv = (s: Spelling, batch: Dim) =>
  [s.input("q", [batch, T, E]), s.input("k", [batch, S, E]), s.input("v", [batch, S, E])] as const;

/** HuggingFace's BERT: one transpose for k, the scores divided, a mask added. */
function bert(batch: Dim, s = new Spelling()): Graph {
  const [q, k, v] = qkv(s, batch);
  const mask = s.input("mask", [batch, 1, 1, S]);
  const [qh, kt, vh] = [
    s.transpose(s.reshape(q, 0, 0, H, D), 0, 2, 1, 3),
    s.transpose(s.reshape(k, 0, 0, H, D), 0, 2, 3, 1),
    s.transpose(s.reshape(v, 0, 0, H, D), 0, 2, 1, 3),
  ];
  const scores = s.op({ op: "Div" }, s.op({ op: "MatMul" }, qh, kt), s.scalar(Math.sqrt(D)));
  const weights = s.softmaxOf(s.op({ op: "Add" }, scores, mask));
  const mean = s.op({ op: "MatMul" }, weights, vh);
  return s.build([s.reshape(s.transpose(mean, 0, 2, 1, 3), 0, 0, E)]);
}

/** PyTorch's scaled_dot_product_attention: the root of the scale on q and on kᵀ, kᵀ by two transposes. */
function sdpa(batch: Dim): Graph {
  const s = new Spelling();
  const [q, k, v] = qkv(s, batch);
  const mask = s.input("mask", [T, S]);
  const heads = (x: string, length: number) =>
    s.transpose(s.reshape(x, batch, length, H, D), 0, 2, 1, 3);
  const root = Math.sqrt(1 / Math.sqrt(D));
  const kt = s.times(s.transpose(heads(k, S), 0, 1, 3, 2), root);
  const scores = s.op({ op: "MatMul" }, s.times(heads(q, T), root), kt);
  const weights = s.softmaxOf(s.op({ op: "Add" }, mask, scores));
  const mean = s.op({ op: "MatMul" }, weights, heads(v, S));
  return s.build([s.reshape(s.transpose(mean, 0, 2, 1, 3), batch, T, E)]);
}

/** nn.MultiheadAttention: rows come before batches, batches and heads are one axis, the result is flat. */
function multihead(batch: number): Graph {
  const s = new Spelling();
  const [q, k, v] = [[T, "q"] as const, [S, "k"] as const, [S, "v"] as const].map(
    ([length, name]) => {
      const rows = s.input(name, [length, batch, E]);
      return s.transpose(s.reshape(rows, length, batch * H, D), 1, 0, 2);
    },
  ) as [string, string, string];
  const mask = s.input("mask", [batch * H, 1, S]);
  const scores = s.op({ op: "MatMul" }, s.times(q, D ** -0.5), s.transpose(k, 0, 2, 1));
  const mean = s.op({ op: "MatMul" }, s.softmaxOf(s.op({ op: "Add" }, scores, mask)), v);
  return s.build([s.reshape(s.transpose(mean, 1, 0, 2), T * batch, E)]);
}

/** timm's vision transformers: q, k and v in one tensor, transposed as a whole and split. */
function fused(batch: number): Graph {
  const s = new Spelling();
  const x = s.reshape(s.input("qkv", [batch, T, 3 * E]), batch, T, 3, H, D);
  const split = s.op({ op: "Split", axis: 0, sizes: [1, 1, 1] }, s.transpose(x, 2, 0, 3, 1, 4));
  const [q, k, v] = [0, 1, 2].map((index) =>
    s.op({ op: "Squeeze", axes: [0] }, split.replace(/0$/, String(index))),
  ) as [string, string, string];
  const scores = s.op({ op: "MatMul" }, s.times(q, 0.5), s.transpose(k, 0, 1, 3, 2));
  const mean = s.op({ op: "MatMul" }, s.softmaxOf(scores), v);
  return s.build([s.reshape(s.transpose(mean, 0, 2, 1, 3), batch, T, E)]);
}

/** GPT-2: one product, split along rows. */
function split(batch: Dim): Graph {
  const s = new Spelling();
  const whole = s.input("qkv", [batch, T, 3 * E]);
  const first = s.op({ op: "Split", axis: 2, sizes: [E, E, E] }, whole);
  const [q, k, v] = [0, 1, 2].map((index) => first.replace(/0$/, String(index))) as [
    string,
    string,
    string,
  ];
  const heads = (x: string) => s.transpose(s.reshape(x, 0, 0, H, D), 0, 2, 1, 3);
  const kt = s.transpose(heads(k), 0, 1, 3, 2);
  const scores = s.times(s.op({ op: "MatMul" }, heads(q), kt), 0.5);
  const mean = s.op({ op: "MatMul" }, s.softmaxOf(scores), heads(v));
  return s.build([s.reshape(s.transpose(mean, 0, 2, 1, 3), 0, 0, E)]);
}

/** Heads that no movement made: they come in as such. */
function bare(): Graph {
  const s = new Spelling();
  const [q, k, v] = ["q", "k", "v"].map((name) => s.input(name, [2, H, T, D])) as [
    string,
    string,
    string,
  ];
  const scores = s.op({ op: "MatMul" }, q, s.transpose(k, 0, 1, 3, 2));
  return s.build([s.op({ op: "MatMul" }, s.softmaxOf(scores), v)]);
}

const dims = new Map([["batch", 2]]);

function feeds(graph: Graph): Tensors {
  const { inputs, values } = bindShapes(graph, dims);
  return Object.fromEntries(
    inputs.map((name, index) => [name, floats(values.get(name)!.shape, 7 + index, 2)]),
  );
}

function outputOf(graph: Graph, inputs: Tensors) {
  return interpret(bindShapes(graph, dims), inputs).get(graph.outputs[0]!)!;
}

describe("attention is recognised as", () => {
  it.each([
    { title: "BERT has it", graph: bert("batch"), heads: H, extra: [] },
    { title: "SDPA has it", graph: sdpa("batch"), heads: H, extra: [] },
    {
      title: "nn.MultiheadAttention has it",
      graph: multihead(2),
      heads: H,
      extra: ["Transpose", "Transpose", "Transpose", "Reshape", "Transpose", "Reshape"],
    },
    {
      title: "nn.MultiheadAttention has it over one batch",
      graph: multihead(1),
      heads: H,
      extra: ["Reshape", "Reshape", "Reshape", "Reshape"],
    },
    {
      title: "timm has it",
      graph: fused(2),
      heads: H,
      extra: ["Slice", "Slice", "Slice"],
    },
    { title: "GPT-2 has it", graph: split("batch"), heads: H, extra: ["Split"] },
    {
      title: "batches where the heads were made elsewhere",
      graph: bare(),
      heads: 1,
      extra: ["Reshape", "Reshape", "Reshape", "Reshape"],
    },
  ])("$title", ({ graph, heads, extra }) => {
    const recognized = recognize(graph);
    const ops = recognized.nodes.map(({ op }) => op);
    expect(ops.filter((op) => op !== "Attention")).toEqual(extra);
    const [node, ...others] = recognized.nodes.filter(({ op }) => op === "Attention");
    expect(others).toEqual([]);
    expect(node).toMatchObject({ heads });
    const inputs = feeds(graph);
    expect(difference(outputOf(recognized, inputs), outputOf(graph, inputs))).toBeUndefined();
  });
});

describe("attention stays spelled out where", () => {
  const reads = (name: string): Graph => {
    const graph = bert(2);
    return { ...graph, outputs: [...graph.outputs, name] };
  };
  const between = bert(2).nodes.filter(({ op }) => ["Div", "Add", "Softmax"].includes(op));

  it.each(between.map(({ op, outputs }) => ({ op, name: outputs[0]! })))(
    "the result of its $op is an output of the graph",
    ({ name }) => {
      expect(recognize(reads(name)).nodes.some(({ op }) => op === "Attention")).toBe(false);
    },
  );

  it("another node reads its weights", () => {
    const s = new Spelling();
    const graph = bert(2, s);
    const weights = between.find(({ op }) => op === "Softmax")!.outputs[0]!;
    const other = s.op({ op: "Relu" }, weights);
    const outputs = [...graph.outputs, other];
    const watched = s.build(outputs);
    expect(recognize(watched)).toBe(watched);
  });

  it("the mask is over more than the scores", () => {
    const s = new Spelling();
    const [q, k, v] = ["q", "k", "v"].map((name) => s.input(name, [1, H, T, D])) as [
      string,
      string,
      string,
    ];
    const mask = s.input("mask", [2, 1, 1, T]);
    const scores = s.op({ op: "MatMul" }, q, s.transpose(k, 0, 1, 3, 2));
    const weights = s.softmaxOf(s.op({ op: "Add" }, scores, mask));
    const graph = s.build([s.op({ op: "MatMul" }, weights, v)]);
    expect(recognize(graph)).toBe(graph);
  });

  it.each([[[2, 1, 1, T]], [[2, 1, T, T]], [[1, H, T, T]]])(
    "the mask %j is over axes that are all batches to the match, and it still computes the same",
    (shape) => {
      const s = new Spelling();
      const [q, k, v] = ["q", "k", "v"].map((name) => s.input(name, [2, H, T, D])) as [
        string,
        string,
        string,
      ];
      const mask = s.input("mask", shape);
      const scores = s.op({ op: "MatMul" }, q, s.transpose(k, 0, 1, 3, 2));
      const weights = s.softmaxOf(s.op({ op: "Add" }, scores, mask));
      const graph = s.build([s.op({ op: "MatMul" }, weights, v)]);
      const inputs = feeds(graph);
      const recognized = recognize(graph);
      expect(difference(outputOf(recognized, inputs), outputOf(graph, inputs))).toBeUndefined();
    },
  );

  it("the scores are scaled after the mask", () => {
    const s = new Spelling();
    const [q, k, v] = ["q", "k", "v"].map((name) => s.input(name, [1, H, T, D])) as [
      string,
      string,
      string,
    ];
    const mask = s.input("mask", [1, 1, 1, T]);
    const scores = s.op({ op: "MatMul" }, q, s.transpose(k, 0, 1, 3, 2));
    const weights = s.softmaxOf(s.times(s.op({ op: "Add" }, scores, mask), 0.5));
    const graph = s.build([s.op({ op: "MatMul" }, weights, v)]);
    expect(recognize(graph)).toBe(graph);
  });

  it("the softmax is along another axis", () => {
    const s = new Spelling();
    const [q, k, v] = ["q", "k", "v"].map((name) => s.input(name, [2, H, T, D])) as [
      string,
      string,
      string,
    ];
    const scores = s.op({ op: "MatMul" }, q, s.transpose(k, 0, 1, 3, 2));
    const weights = s.op({ op: "Softmax", axis: 2 }, scores);
    const graph = s.build([s.op({ op: "MatMul" }, weights, v)]);
    expect(recognize(graph)).toBe(graph);
  });
});

describe("Attention refuses, in words,", () => {
  const add = (shapes: readonly (readonly Dim[])[], heads = H) => {
    const builder = new GraphBuilder();
    const inputs = shapes.map((shape, index) =>
      builder.input(`x${index}`, { dtype: "float32", shape }),
    );
    return () =>
      builder.add({ op: "Attention", name: "node", heads, scale: 1, inputs, outputs: ["y"] });
  };

  it("operands of other ranks", () => {
    expect(
      add([
        [2, H, T, D],
        [2, S, E],
        [2, S, E],
      ]),
    ).toThrowErrorMatchingInlineSnapshot(
      `[InputError: Attention "node": q, k and v must have 3 axes; got [2, 2, 5, 4], [2, 7, 8], [2, 7, 8]. Check the model file; its shapes contradict each other.]`,
    );
  });

  it("operands that do not fit together", () => {
    expect(
      add([
        [2, T, E],
        [2, S, E],
        [2, T, E],
      ]),
    ).toThrowErrorMatchingInlineSnapshot(
      `[InputError: Attention "node": q (B, T, E), k (B, S, E) and v (B, S, Ev) must agree; got [2, 5, 8], [2, 7, 8], [2, 5, 8]. Check the model file; its shapes contradict each other.]`,
    );
  });

  it("heads that do not divide rows", () => {
    expect(
      add(
        [
          [2, T, E],
          [2, S, E],
          [2, S, E],
        ],
        3,
      ),
    ).toThrowErrorMatchingInlineSnapshot(
      `[InputError: Attention "node": the last axes of q, k and v must divide by heads=3; got [2, 5, 8], [2, 7, 8], [2, 7, 8]. Check the model file; its shapes contradict each other.]`,
    );
  });

  it("a mask that does not broadcast", () => {
    expect(
      add([
        [2, T, E],
        [2, S, E],
        [2, S, E],
        [2, S],
      ]),
    ).toThrowErrorMatchingInlineSnapshot(
      `[InputError: Attention "node": the mask must broadcast to [2, 2, 5, 7]; got [2, 7]. Check the model file; its shapes contradict each other.]`,
    );
  });
});
