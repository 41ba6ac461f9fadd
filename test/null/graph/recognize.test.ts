// Spelled patterns become one node that computes the same, in every spelling that exporters have; and stay as
// they are where a value in between is read by anything else.

import { describe, expect, it } from "vitest";
import { bindShapes } from "../../../src/graph/bind.ts";
import { GraphBuilder } from "../../../src/graph/builder.ts";
import type { Graph } from "../../../src/graph/graph.ts";
import type { Node } from "../../../src/graph/node.ts";
import { recognize } from "../../../src/graph/recognize/index.ts";
import { interpret } from "../../../src/reference/interpret.ts";
import { float32 } from "../../../src/tensor/tensor.ts";
import { difference } from "../../support/cases.ts";
import { floats } from "../../support/seeded.ts";

const SHAPE = [2, 3, 8];

/** Writes expressions: each call adds a node and returns its value. */
class Writer {
  readonly builder = new GraphBuilder();
  #count = 0;
  constructor() {
    this.builder.input("x", { dtype: "float32", shape: SHAPE });
  }
  #add(node: object, inputs: readonly string[]): string {
    const name = `n${this.#count++}`;
    return this.builder.add({ ...node, name, inputs, outputs: [`${name}_out`] } as unknown as Node);
  }
  number(value: number, shape: readonly number[] = []): string {
    return this.builder.constant(this.builder.fresh("c"), float32(shape, [value]));
  }
  row(seed: number): string {
    return this.builder.constant(this.builder.fresh("row"), floats([8], seed));
  }
  of(op: string, ...inputs: (string | number)[]): string {
    const names = inputs.map((input) => (typeof input === "number" ? this.number(input) : input));
    return this.#add({ op }, names);
  }
  mean(x: string, axes: readonly number[] = [2]): string {
    return this.#add({ op: "ReduceMean", axes, keepdims: true }, [x]);
  }
  build(...outputs: string[]): Graph {
    return this.builder.build("test", ["x"], outputs);
  }
}

const opsOf = (graph: Graph) => graph.nodes.map(({ op }) => op);

function expectSame(graph: Graph): void {
  const feeds = { x: floats(SHAPE, 3, 4) };
  const [want, got] = [graph, recognize(graph)].map((each) =>
    interpret(bindShapes(each, new Map()), feeds),
  );
  for (const name of graph.outputs) {
    // Written out, each step is rounded to f32; as one node, once.
    expect(difference(got!.get(name), want!.get(name)!, { tolerance: 1e-5 })).toBeUndefined();
  }
}

const erfOf = (w: Writer) => w.of("Erf", w.of("Div", "x", Math.SQRT2));
const cubicOf = (w: Writer) => w.of("Add", "x", w.of("Mul", w.of("Pow", "x", 3), 0.044715));
const tanhOf = (w: Writer, inner: string) =>
  w.of("Tanh", w.of("Mul", inner, Math.sqrt(2 / Math.PI)));

const gelus: Readonly<Record<string, (w: Writer) => string>> = {
  "torch: (x · (1 + erf(x / √2))) · ½": (w) =>
    w.of("Mul", w.of("Mul", "x", w.of("Add", erfOf(w), 1)), 0.5),
  "(½ · x) · (erf + 1)": (w) => w.of("Mul", w.of("Mul", 0.5, "x"), w.of("Add", erfOf(w), 1)),
  "x · (½ · (1 + erf(x · 0.7071)))": (w) =>
    w.of("Mul", "x", w.of("Mul", 0.5, w.of("Add", 1, w.of("Erf", w.of("Mul", Math.SQRT1_2, "x"))))),
  "(x · gate) / 2": (w) => w.of("Div", w.of("Mul", w.of("Add", 1, erfOf(w)), "x"), 2),
  "(x / 2) · gate": (w) => w.of("Mul", w.of("Add", erfOf(w), 1), w.of("Div", "x", 2)),
  "tanh: ½ x · (1 + tanh(k (x + 0.044715 x³)))": (w) =>
    w.of("Mul", w.of("Mul", "x", 0.5), w.of("Add", tanhOf(w, cubicOf(w)), 1)),
  "tanh with x · x · x": (w) => {
    const cube = w.of("Mul", w.of("Mul", "x", "x"), "x");
    const inner = w.of("Add", w.of("Mul", 0.044715, cube), "x");
    return w.of("Mul", w.of("Mul", "x", w.of("Add", 1, tanhOf(w, inner))), 0.5);
  },
  "tanh with x (1 + 0.044715 x²)": (w) => {
    const square = w.of("Mul", w.of("Mul", "x", "x"), 0.044715);
    const inner = w.of("Mul", "x", w.of("Add", 1, square));
    return w.of("Mul", "x", w.of("Mul", w.of("Add", 1, tanhOf(w, inner)), 0.5));
  },
};

const normals: Readonly<Record<string, (w: Writer) => string>> = {
  "torch: d / √(v + ε) · scale + bias": (w) => {
    const d = w.of("Sub", "x", w.mean("x"));
    const v = w.mean(w.of("Pow", d, 2));
    const normal = w.of("Div", d, w.of("Sqrt", w.of("Add", v, 1e-5)));
    return w.of("Add", w.of("Mul", normal, w.row(1)), w.row(2));
  },
  "d computed twice, d · d, operands turned": (w) => {
    const d = w.of("Sub", "x", w.mean("x"));
    const e = w.of("Sub", "x", w.mean("x"));
    const v = w.mean(w.of("Mul", d, d));
    const normal = w.of("Div", e, w.of("Pow", w.of("Add", 1e-5, v), 0.5));
    return w.of("Add", w.row(2), w.of("Mul", w.row(1), normal));
  },
  "no scale and no bias": (w) => {
    const d = w.of("Sub", "x", w.mean("x"));
    return w.of("Div", d, w.of("Sqrt", w.of("Add", w.mean(w.of("Mul", d, d)), 1e-5)));
  },
  "over two axes, by a reciprocal": (w) => {
    const d = w.of("Sub", "x", w.mean("x", [1, 2]));
    const v = w.mean(w.of("Mul", d, d), [1, 2]);
    const inverse = w.of("Reciprocal", w.of("Sqrt", w.of("Add", v, 1e-3)));
    return w.of("Add", w.of("Mul", w.of("Mul", d, inverse), w.row(1)), w.row(2));
  },
  "TensorFlow: x · r + (bias − mean · r)": (w) => {
    const mean = w.mean("x");
    const d = w.of("Sub", "x", mean);
    const v = w.mean(w.of("Mul", d, d));
    const inverse = w.of("Reciprocal", w.of("Sqrt", w.of("Add", v, 1e-5)));
    const r = w.of("Mul", inverse, w.row(1));
    return w.of("Add", w.of("Mul", "x", r), w.of("Sub", w.row(2), w.of("Mul", mean, r)));
  },
};

describe("Gelu is recognized", () => {
  it.each(Object.entries(gelus))("as %s", (_, write) => {
    const w = new Writer();
    const graph = w.build(write(w));
    expect(opsOf(recognize(graph))).toEqual(["Gelu"]);
    expectSame(graph);
  });
});

describe("LayerNormalization is recognized", () => {
  it.each(Object.entries(normals))("as %s", (_, write) => {
    const w = new Writer();
    const graph = w.build(write(w));
    expect(opsOf(recognize(graph))).toEqual(["LayerNormalization"]);
    expectSame(graph);
  });
});

describe("a graph stays as it is", () => {
  const torchGelu = (w: Writer, gate: string) => w.of("Mul", w.of("Mul", "x", gate), 0.5);

  it("where a value in between is an output", () => {
    const w = new Writer();
    const gate = w.of("Add", erfOf(w), 1);
    const graph = w.build(torchGelu(w, gate), gate);
    expect(recognize(graph)).toBe(graph);
  });

  it("where another node reads a value in between", () => {
    const w = new Writer();
    const gate = w.of("Add", erfOf(w), 1);
    const graph = w.build(torchGelu(w, gate), w.of("Relu", gate));
    expect(recognize(graph)).toBe(graph);
  });

  it("where the factor is not ½, or the erf is of something else", () => {
    for (const [half, root] of [
      [0.4, Math.SQRT2],
      [0.5, 2],
    ]) {
      const w = new Writer();
      const gate = w.of("Add", w.of("Erf", w.of("Div", "x", root!)), 1);
      const graph = w.build(w.of("Mul", w.of("Mul", "x", gate), half!));
      expect(recognize(graph)).toBe(graph);
    }
  });

  it("where mean and variance are over different axes", () => {
    const w = new Writer();
    const d = w.of("Sub", "x", w.mean("x", [1, 2]));
    const v = w.mean(w.of("Mul", d, d));
    const graph = w.build(w.of("Div", d, w.of("Sqrt", w.of("Add", v, 1e-5))));
    expect(recognize(graph)).toBe(graph);
  });

  it("where a step is clamped", () => {
    const w = new Writer();
    const gate = w.builder.add({
      op: "Add",
      name: "gate",
      inputs: [erfOf(w), w.number(1)],
      outputs: ["gate"],
      low: 0.5,
    });
    const graph = w.build(torchGelu(w, gate));
    expect(recognize(graph)).toBe(graph);
  });
});
