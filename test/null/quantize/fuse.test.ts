// Fusing changes nodes, never numbers: the fused graph computes what the graph did, and what must not
// be merged is left alone.

import { describe, expect, it } from "vitest";
import { bindShapes } from "../../../src/graph/bind.ts";
import { GraphBuilder } from "../../../src/graph/builder.ts";
import type { Graph } from "../../../src/graph/graph.ts";
import type { Clamp, Node } from "../../../src/graph/node.ts";
import { fuse } from "../../../src/quantize/fuse.ts";
import { interpret } from "../../../src/reference/interpret.ts";
import { float32, type Tensors } from "../../../src/tensor/tensor.ts";
import { pictures, residualGraph } from "../../support/models.ts";
import { floats } from "../../support/seeded.ts";

const run = (graph: Graph, inputs: Tensors, batch = 2) =>
  interpret(bindShapes(graph, new Map([["batch", batch]])), inputs);

function largestDifference(a: Graph, b: Graph, inputs: Tensors): number {
  const [left, right] = [run(a, inputs), run(b, inputs)];
  return Math.max(
    ...a.outputs.flatMap((name) => {
      const [x, y] = [left.get(name)!.data as Float32Array, right.get(name)!.data as Float32Array];
      const largest = x.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      return [...x].map((value, index) => Math.abs(value - y[index]!) / largest);
    }),
  );
}

/** x (2, 3, 4, 4) through a 1 × 1 convolution, then the nodes given, each on the last one's output. */
function chain(nodes: readonly object[], options: { bias?: boolean; clamp?: Clamp } = {}): Graph {
  const builder = new GraphBuilder();
  builder.input("x", { dtype: "float32", shape: [2, 3, 4, 4] });
  builder.constant("filter", floats([5, 3, 1, 1], 1));
  if (options.bias) builder.constant("bias", floats([5], 2));
  ["scale", "shift", "mean"].forEach((name, index) =>
    builder.constant(name, floats([5], 3 + index)),
  );
  builder.constant("variance", float32([5], [0.1, 0.5, 1, 2, 9]));
  const window = { kernel: [1, 1], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] };
  const all: readonly object[] = [{ op: "Conv", group: 1, ...window, ...options.clamp }, ...nodes];
  let last = "x";
  all.forEach((node, index) => {
    const { op } = node as Node;
    const rest =
      op === "Conv"
        ? ["filter", ...(options.bias ? ["bias"] : [])]
        : op === "BatchNormalization"
          ? ["scale", "shift", "mean", "variance"]
          : op === "Add"
            ? [last]
            : [];
    const name = `n${index}`;
    builder.add({
      ...node,
      name,
      inputs: [last, ...rest],
      outputs: [`y${index}`],
    } as unknown as Node);
    last = `y${index}`;
  });
  return builder.build("chain", ["x"], [last]);
}

const norm = { op: "BatchNormalization", epsilon: 1e-3 };
const clip = (low: number, high: number) => ({ op: "Clip", low, high });
const inputs = { x: floats([2, 3, 4, 4], 7, 3) };
const opsOf = (graph: Graph) => graph.nodes.map(({ op }) => op);

describe("BatchNormalization", () => {
  it.each([false, true])("folds into the convolution before it (bias %s)", (bias) => {
    const graph = chain([norm], { bias });
    const fused = fuse(graph);
    expect(opsOf(fused)).toEqual(["Conv"]);
    expect(fused.nodes[0]!.inputs).toEqual(["x", "n0/folded_filter", "n0/folded_bias"]);
    expect([...fused.constants.keys()]).toEqual(["n0/folded_filter", "n0/folded_bias"]);
    // Three roundings to f32 a weight, 2⁻²⁴ each, and sums of three terms.
    expect(largestDifference(graph, fused, inputs)).toBeLessThan(1e-6);
  });

  it("stays where a clamp stands between", () => {
    const graph = chain([clip(0, 6), norm]);
    expect(opsOf(fuse(graph))).toEqual(["Conv", "BatchNormalization"]);
    expect(largestDifference(graph, fuse(graph), inputs)).toBe(0);
  });

  it("stays where somebody else reads the convolution, or it is an output", () => {
    const graph = chain([norm]);
    expect(opsOf(fuse({ ...graph, outputs: ["y1", "y0"] }))).toEqual([
      "Conv",
      "BatchNormalization",
    ]);
    const twice = chain([norm, { op: "Relu" }]);
    const relu = { op: "Relu", name: "other", inputs: ["y0"], outputs: ["z"] } as const;
    const values = new Map([...twice.values, ["z", twice.values.get("y0")!]]);
    const both = { ...twice, values, nodes: [...twice.nodes, relu], outputs: ["y2", "z"] };
    expect(opsOf(fuse(both))).toEqual(["Conv", "BatchNormalization", "Relu", "Relu"]);
  });
});

describe("clamps", () => {
  it.each([
    ["Relu", [{ op: "Relu" }], { low: 0 }],
    ["Clip", [clip(-1, 6)], { low: -1, high: 6 }],
    ["a Clip open above", [clip(-1, Infinity)], { low: -1 }],
    ["Relu after Clip", [clip(-1, 4), { op: "Relu" }], { low: 0, high: 4 }],
    ["Clip after Relu", [{ op: "Relu" }, clip(-1, 4)], { low: 0, high: 4 }],
    ["a Clip above a Clip", [clip(0, 1), clip(2, 3)], { low: 2, high: 2 }],
    ["a Clip below a Clip", [clip(2, 3), clip(0, 1)], { low: 1, high: 1 }],
    ["three in a row", [clip(-3, 3), clip(-2, 9), { op: "Relu" }], { low: 0, high: 3 }],
  ])("%s becomes the bounds of its producer", (_, nodes, bounds) => {
    const graph = chain([norm, ...nodes]);
    const fused = fuse(graph);
    expect(opsOf(fused)).toEqual(["Conv"]);
    const { low, high } = fused.nodes[0] as Clamp;
    const open = { low: undefined, high: undefined };
    expect({ low, high }).toEqual({ ...open, ...bounds });
    expect(largestDifference(graph, fused, inputs)).toBeLessThan(1e-6); // as of the fold above
  });

  it("join the bounds that the producer has already", () => {
    const fused = fuse(chain([{ op: "Relu" }], { clamp: { low: -2, high: 5 } }));
    expect(fused.nodes[0]).toMatchObject({ op: "Conv", low: 0, high: 5 });
  });

  it("go into additions too, but into no op without bounds", () => {
    expect(opsOf(fuse(chain([{ op: "Add" }, { op: "Relu" }])))).toEqual(["Conv", "Add"]);
    expect(opsOf(fuse(chain([{ op: "Sigmoid" }, { op: "Relu" }])))).toEqual([
      "Conv",
      "Sigmoid",
      "Relu",
    ]);
  });
});

describe("Identity", () => {
  it("and a Cast to the same dtype vanish, also several in a row", () => {
    const identity = { op: "Identity" };
    const graph = chain([identity, { op: "Cast", to: "float32" }, identity, { op: "Relu" }]);
    const fused = fuse(graph);
    expect(opsOf(fused)).toEqual(["Conv"]);
    expect(largestDifference(graph, fused, inputs)).toBe(0);
  });

  it("stays where its output is the model's", () => {
    expect(opsOf(fuse(chain([{ op: "Identity" }])))).toEqual(["Conv", "Identity"]);
  });
});

it("a residual network keeps its numbers through all passes, in seven nodes", () => {
  const graph = residualGraph();
  const fused = fuse(graph);
  expect(opsOf(fused)).toEqual([
    "Conv",
    "Conv",
    "Conv",
    "Add",
    "GlobalAveragePool",
    "Flatten",
    "Gemm",
  ]);
  // Three folded layers, each as above.
  expect(largestDifference(graph, fused, pictures(2, 3))).toBeLessThan(3e-6);
  expect(fuse(fused)).toEqual(fused);
});
