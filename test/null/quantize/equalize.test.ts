// Cross-layer equalization changes weights, biases and bounds, never what the graph computes; and it finds the
// layers that it may change.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exportOnnx, importOnnx } from "../../../src/formats/onnx/index.ts";
import { bindShapes } from "../../../src/graph/bind.ts";
import { GraphBuilder } from "../../../src/graph/builder.ts";
import type { Graph } from "../../../src/graph/graph.ts";
import type { Conv, Gemm, Node } from "../../../src/graph/node.ts";
import { printGraph } from "../../../src/graph/print.ts";
import { ErrorSum } from "../../../src/metrics.ts";
import { findPairs } from "../../../src/quantize/channels.ts";
import { equalize } from "../../../src/quantize/equalize.ts";
import { fuse } from "../../../src/quantize/fuse.ts";
import { interpret } from "../../../src/reference/interpret.ts";
import { float32 } from "../../../src/tensor/tensor.ts";
import { generator, floats } from "../../support/seeded.ts";

/** Weights whose output channels differ in size by up to `decades` powers of ten. */
function uneven(shape: readonly number[], from: number, decades: number) {
  const next = generator(from);
  const plain = floats(shape, from + 1);
  const per = plain.data.length / shape[0]!;
  const sizes = Array.from({ length: shape[0]! }, () => 10 ** (decades * (next() - 0.5)));
  return float32(
    shape,
    plain.data.map((w, index) => w * sizes[Math.floor(index / per)]!),
  );
}

/** Layers one after the other; x has `channels` of 6 × 5. */
class Chain {
  readonly builder = new GraphBuilder();
  last = "x";
  #count = 0;
  readonly #decades: number;

  constructor(channels: number, decades = 2) {
    this.#decades = decades;
    this.builder.input("x", { dtype: "float32", shape: ["batch", channels, 6, 5] });
  }

  get #shape(): readonly number[] {
    return this.builder.value(this.last).shape as readonly number[];
  }

  add(attributes: object, constants: readonly ReturnType<typeof floats>[] = []): this {
    const id = this.#count++;
    const names = constants.map((data, index) =>
      this.builder.constant(`n${id}_${"wb"[index]}`, data),
    );
    const node = { ...attributes, name: `n${id}`, inputs: [this.last, ...names] };
    this.last = this.builder.add({ ...node, outputs: [`v${id}`] } as unknown as Node);
    return this;
  }

  conv(outs: number, clamp: object = {}, { group = 1, kernel = 1, bias = true } = {}): this {
    const pad = (kernel - 1) / 2;
    const shape = [outs, this.#shape[1]! / group, kernel, kernel];
    const window = { kernel: [kernel, kernel], strides: [1, 1], dilations: [1, 1] };
    const attributes = { op: "Conv", ...window, pads: [pad, pad, pad, pad], group, ...clamp };
    const from = 31 * this.#count;
    const constants = [uneven(shape, from, this.#decades), floats([outs], from + 2)];
    return this.add(attributes, bias ? constants : constants.slice(0, 1));
  }

  gemm(outs: number, clamp: object = {}, transB = true): this {
    const columns = this.#shape[1]!;
    const from = 31 * this.#count;
    const weight = uneven(transB ? [outs, columns] : [columns, outs], from, this.#decades);
    const attributes = { op: "Gemm", alpha: 1, beta: 1, transA: false, transB, ...clamp };
    return this.add(attributes, [weight, floats([outs], from + 2)]);
  }

  build(outputs: readonly string[] = [this.last]): Graph {
    return this.builder.build("chain", ["x"], outputs);
  }
}

const relu6 = { low: 0, high: 6 };
const x = floats([2, 3, 6, 5], 5, 8);

function sqnr(before: Graph, after: Graph): number {
  const run = (graph: Graph) => interpret(bindShapes(graph, new Map([["batch", 2]])), { x });
  const error = new ErrorSum();
  for (const name of before.outputs) {
    const [a, b] = [run(before), run(after)].map((values) => values.get(name)!.data);
    error.add(a as Float32Array, b as Float32Array);
  }
  return error.sqnrDb;
}

const maxima = (graph: Graph, node: Node, per: (index: number) => number) => {
  const most: number[] = [];
  graph.constants.get(node.inputs[1]!)!.data.forEach((w, index) => {
    most[per(index)] = Math.max(most[per(index)] ?? 0, Math.abs(Number(w)));
  });
  return most;
};

/** Expand, depthwise, project, as in MobileNetV2, and its head. */
const block = () =>
  new Chain(3)
    .conv(8, relu6, { kernel: 3 })
    .conv(8, relu6, { group: 8, kernel: 3 })
    .conv(4, {})
    .conv(8, relu6)
    .add({ op: "GlobalAveragePool" })
    .add({ op: "Flatten", axis: 1 })
    .gemm(5);

describe("equalize", () => {
  it("changes the output by less than 100 dB, ReLU6 included", () => {
    const graph = block().build();
    expect(sqnr(graph, equalize(graph))).toBeGreaterThan(100);
  });

  it("gives bounds to channels and new names to what they bound", () => {
    expect(printGraph(equalize(block().build()))).toMatchInlineSnapshot(`
      "graph chain(x: float32[batch, 3, 6, 5])
        v0_equalized: float32[batch, 8, 6, 5] = Conv(x, n0_w_equalized, n0_b_equalized) kernel=[3,3] strides=[1,1] dilations=[1,1] pads=[1,1,1,1] group=1 low=0 high=2.440…12.00·8
        v1_equalized: float32[batch, 8, 6, 5] = Conv(v0_equalized, n1_w_equalized, n1_b_equalized) kernel=[3,3] strides=[1,1] dilations=[1,1] pads=[1,1,1,1] group=8 low=0 high=4.298…12.00·8
        v2_equalized: float32[batch, 4, 6, 5] = Conv(v1_equalized, n2_w_equalized, n2_b_equalized) kernel=[1,1] strides=[1,1] dilations=[1,1] pads=[0,0,0,0] group=1
        v3_equalized: float32[batch, 8, 6, 5] = Conv(v2_equalized, n3_w_equalized, n3_b_equalized) kernel=[1,1] strides=[1,1] dilations=[1,1] pads=[0,0,0,0] group=1 low=0 high=5.261…12.00·8
        v4_equalized: float32[batch, 8, 1, 1] = GlobalAveragePool(v3_equalized)
        v5_equalized: float32[batch, 8] = Flatten(v4_equalized) axis=1
        v6: float32[batch, 5] = Gemm(v5_equalized, n6_w_equalized, n6_b_equalized) alpha=1 beta=1 transA=false transB=true
        return v6"
    `);
  });

  it("leaves both sides of a pair the same largest weight, and no activation above twice its range", () => {
    const graph = equalize(block().build());
    const [first, depthwise, project] = graph.nodes as [Conv, Conv, Conv];
    const made = maxima(graph, first, (index) => Math.floor(index / 27));
    const read = maxima(graph, depthwise, (index) => Math.floor(index / 9));
    const highs = first.high as readonly number[];
    const inside = made.filter((_, c) => highs[c]! < 11.99);
    expect(inside.length).toBeGreaterThan(3);
    made.forEach((w, c) => {
      if (highs[c]! < 11.99)
        expect(Math.abs(w / read[c]! - 1)).toBeLessThan(0.01); // 20 rounds settle to this
      else expect(w).toBeLessThan(read[c]!);
    });
    expect(Math.max(...highs)).toBeLessThanOrEqual(12);
    expect(project.low).toBeUndefined();
    expect(project.high).toBeUndefined();
  });

  it("computes the same through groups, pools, reshapes and both forms of a Gemm", () => {
    const window = { kernel: [2, 2], strides: [2, 1], dilations: [1, 1], pads: [0, 0, 1, 1] };
    const between = fc.constantFrom<readonly object[]>(
      [],
      [{ op: "Relu" }],
      [{ op: "LeakyRelu", alpha: 0.1 }, { op: "Identity" }],
      [{ op: "MaxPool", ...window, ceilMode: false }],
      [{ op: "AveragePool", ...window, ceilMode: false, countIncludePad: false }],
      [{ op: "Pad", pads: [0, 0, 1, 0, 0, 0, 0, 2], value: 0 }],
      [{ op: "ReduceMean", axes: [2], keepdims: true }],
      [{ op: "ReduceMax", axes: [3], keepdims: true }],
    );
    const clamp = fc.constantFrom({}, { low: 0 }, relu6, { low: -0.5, high: 0.25 });
    fc.assert(
      fc.property(
        between,
        between,
        clamp,
        clamp,
        fc.constantFrom(1, 3),
        fc.boolean(),
        fc.boolean(),
        (first, second, low, high, group, transB, bias) => {
          const chain = new Chain(3).conv(6, low, { kernel: 3, bias });
          for (const node of first) chain.add(node);
          chain.conv(9, high, { group, kernel: 3 });
          for (const node of second) chain.add(node);
          chain.add({ op: "Flatten", axis: 1 }).gemm(7, relu6, transB).gemm(4, {}, !transB);
          const graph = chain.build();
          expect(findPairs(graph).length).toBe(3);
          // Weights round once more, by 2⁻²⁴; sums that cancel lose up to a digit of that. A wrong channel: below 40.
          expect(sqnr(graph, equalize(graph))).toBeGreaterThan(90);
        },
      ),
      { seed: 7, numRuns: 40 },
    );
  });

  it("leaves channels alone that no weight makes or reads", () => {
    const chain = new Chain(3).conv(4, relu6).conv(2);
    const graph = chain.build();
    const weight = graph.constants.get("n0_w")!.data as Float32Array;
    weight.fill(0, 0, 3);
    const second = graph.constants.get("n1_w")!.data as Float32Array;
    [1, 5].forEach((index) => (second[index] = 0));
    const highs = (equalize(graph).nodes[0] as Conv).high as readonly number[];
    expect(highs.slice(0, 2)).toEqual([6, 6]);
    expect(sqnr(graph, equalize(graph))).toBeGreaterThan(100);
  });
});

describe("pairs", () => {
  const pairs = (graph: Graph) =>
    findPairs(graph).map(({ producer, consumer }) => `${producer.name} ${consumer.name}`);

  it("are a layer and the only one that reads it", () => {
    expect(pairs(block().build())).toEqual(["n0 n1", "n1 n2", "n2 n3", "n3 n6"]);
  });

  it.each([
    ["an output of the graph", new Chain(3).conv(4).conv(4).build(["v0", "v1"])],
    [
      "read by another node",
      (() => {
        const chain = new Chain(3).conv(4).conv(4);
        const { builder } = chain;
        builder.add({ op: "Add", name: "sum", inputs: ["v0", "v1"], outputs: ["sum"] });
        return chain.build(["sum"]);
      })(),
    ],
    ["behind what does not scale", new Chain(3).conv(4).add({ op: "Sigmoid" }).conv(4).build()],
    [
      "padded with a number",
      new Chain(3)
        .conv(4)
        .add({ op: "Pad", pads: [0, 0, 1, 1, 0, 0, 1, 1], value: 1 })
        .conv(4)
        .build(),
    ],
    [
      "mixed with other channels",
      new Chain(3)
        .conv(4)
        .add({ op: "Transpose", perm: [0, 2, 1, 3] })
        .conv(4)
        .build(),
    ],
    ["of a computed weight", computedWeight()],
  ])("none where the value between is %s", (_, graph) => {
    expect(pairs(graph)).toEqual([]);
    expect(equalize(graph).nodes).toEqual(graph.nodes);
  });

  function computedWeight(): Graph {
    const { builder } = new Chain(3).conv(4);
    builder.input("w", { dtype: "float32", shape: [4, 4, 1, 1] });
    const window = { kernel: [1, 1], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] };
    builder.add({
      op: "Conv",
      name: "n1",
      group: 1,
      ...window,
      inputs: ["v0", "w"],
      outputs: ["v1"],
    } as unknown as Node);
    return builder.build("chain", ["x", "w"], ["v1"]);
  }
});

describe("an equalized graph as ONNX", () => {
  it("has Max and Min with one bound a channel, and comes back as it was", () => {
    const graph = equalize(
      new Chain(3)
        .conv(4, relu6)
        .conv(5, { low: -0.5, high: 0.25 })
        .add({ op: "GlobalAveragePool" })
        .add({ op: "Flatten", axis: 1 })
        .gemm(4, { high: 1 })
        .gemm(2)
        .build(),
    );
    const plain = importOnnx(exportOnnx(graph));
    expect(plain.nodes.map(({ op }) => op).join(" ")).toMatchInlineSnapshot(
      `"Conv Relu Min Conv Max Min GlobalAveragePool Flatten Gemm Min Gemm"`,
    );
    const again = fuse(plain);
    expect(again.nodes.map(({ op }) => op)).toEqual(graph.nodes.map(({ op }) => op));
    for (const [index, node] of graph.nodes.entries()) {
      const { low, high } = again.nodes[index] as Gemm;
      expect({ low, high }).toEqual({ low: (node as Gemm).low, high: (node as Gemm).high });
    }
    expect(sqnr(graph, again)).toBe(Infinity);
  });
});
