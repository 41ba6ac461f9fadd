// Rules of ops that move elements, and of pools, against central differences in float64.

import "../../support/float64.ts";
import { describe, expect, it } from "vitest";
import { GraphBuilder } from "../../../src/graph/builder.ts";
import type { Movement, Node } from "../../../src/graph/node.ts";
import { float32, toNumbers } from "../../../src/tensor/tensor.ts";
import type { Attributes } from "../../support/cases.ts";
import { checkGradients, gradientsOf, singleNode } from "../../support/gradients.ts";

const movements: readonly { of: Attributes<Movement>; shape: readonly number[] }[] = [
  { of: { op: "Flatten", axis: 2 }, shape: [2, 3, 4] },
  { of: { op: "Reshape", shape: [4, -1] }, shape: [2, 6] },
  { of: { op: "Squeeze", axes: [1] }, shape: [2, 1, 3] },
  { of: { op: "Unsqueeze", axes: [0, 2] }, shape: [2, 3] },
  { of: { op: "Expand", shape: [2, 3, 4] }, shape: [3, 1] },
  { of: { op: "Transpose", perm: [2, 0, 3, 1] }, shape: [2, 3, 4, 5] },
  { of: { op: "Pad", pads: [1, 0, 2, 0], value: 3 }, shape: [2, 3] },
  { of: { op: "Pad", pads: [-1, 2, 1, -1], value: 0 }, shape: [3, 4] },
  { of: { op: "Pad", pads: [2, 0, 1, 3], value: 0, mode: "reflect" }, shape: [3, 4] },
  { of: { op: "Pad", pads: [0, 4, 2, 1], value: 0, mode: "edge" }, shape: [3, 4] },
];

/** One axis of ten elements. */
const slices = [
  { starts: [2], ends: [7], steps: [1] },
  { starts: [-4], ends: [100], steps: [1] },
  { starts: [1], ends: [9], steps: [3] },
  { starts: [0], ends: [10], steps: [4] },
  { starts: [8], ends: [1], steps: [-1] },
  { starts: [-1], ends: [-100], steps: [-2] },
  { starts: [9], ends: [-100], steps: [-9] },
];

describe("the gradient of what moves elements is its central difference:", () => {
  it.each(movements)("$of.op of [$shape]", ({ of, shape }) => {
    checkGradients(singleNode(of, [shape], { seed: 61 }));
  });

  it.each(slices)("Slice from $starts to $ends by $steps", (bounds) => {
    checkGradients(singleNode({ op: "Slice", axes: [1], ...bounds }, [[2, 10, 3]], { seed: 62 }));
  });

  it("Slice of several axes", () => {
    const bounds = { axes: [0, 2], starts: [1, 4], ends: [3, -100], steps: [1, -2] };
    checkGradients(singleNode({ op: "Slice", ...bounds }, [[3, 2, 6]], { seed: 63 }));
  });

  it("Concat of three, one of them twice", () => {
    const build = (builder: GraphBuilder, [a = "", b = ""]: readonly string[]) =>
      builder.add({ op: "Concat", name: "y", inputs: [a, b, a], outputs: ["y"], axis: 1 });
    const shapes = [
      [2, 3, 2],
      [2, 1, 2],
    ];
    checkGradients({ build, inputs: shapes, seed: 64 });
  });

  it("Split, of whose parts one is not read", () => {
    const build = (builder: GraphBuilder, [x = ""]: readonly string[]) => {
      const parts = { outputs: ["p", "q", "r"], axis: 1, sizes: [1, 3, 2] };
      builder.add({ op: "Split", name: "parts", inputs: [x], ...parts });
      return ["p", "r"];
    };
    checkGradients({ build, inputs: [[2, 6]], seed: 65 });
  });
});

const plain = { strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0], ceilMode: false } as const;
const windows = [
  { kernel: [2, 2], strides: [2, 2] },
  { kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] },
  { kernel: [3, 2], pads: [1, 0, 2, 1] },
  { kernel: [2, 2], dilations: [2, 3] },
  { kernel: [3, 3], strides: [2, 2], ceilMode: true },
  { kernel: [3, 3], strides: [2, 3], pads: [1, 1, 0, 1], ceilMode: true },
] as const;

describe("the gradient of a pool is its central difference:", () => {
  it.each(
    windows.flatMap((window) =>
      [
        { op: "MaxPool" as const },
        { op: "AveragePool" as const, countIncludePad: false },
        { op: "AveragePool" as const, countIncludePad: true },
      ].map((op) => ({ ...plain, ...window, ...op })),
    ),
  )("$op $kernel by $strides, pads $pads", (node) => {
    checkGradients(singleNode(node as Attributes<Node>, [[2, 2, 6, 7]], { seed: 71 }));
  });

  it("of equal greatest elements the first has it all, row by row", () => {
    const node = { ...plain, op: "MaxPool", kernel: [2, 2], strides: [2, 2] } as const;
    const x = float32([1, 1, 2, 4], [1, 5, 0, 0, 5, 5, 0, 0]);
    const [dX] = gradientsOf(singleNode(node, [x], { seed: 72 }));
    const places = toNumbers(dX!).flatMap((value, index) => (value === 0 ? [] : [index]));
    expect(places).toEqual([1, 2]);
  });
});
