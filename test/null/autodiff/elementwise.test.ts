// Rules of element-wise ops against central differences in float64: every function, every operand of
// a broadcast, every reduction.

import "../../support/float64.ts";
import { describe, expect, it } from "vitest";
import { GraphBuilder } from "../../../src/graph/builder.ts";
import type { Smooth } from "../../../src/graph/gradients.ts";
import type { Binary, Reduce } from "../../../src/graph/node.ts";
import { float32, sizeOf, tensor, type Tensor } from "../../../src/tensor/tensor.ts";
import type { Attributes } from "../../support/cases.ts";
import { checkGradients, singleNode } from "../../support/gradients.ts";
import { floats } from "../../support/seeded.ts";

/** Elements in [from, to). */
function between(shape: readonly number[], seed: number, from: number, to: number): Tensor {
  const { data } = floats(shape, seed);
  return float32(
    shape,
    data.map((x) => from + ((x + 1) / 2) * (to - from)),
  );
}

const functions: readonly Smooth[] = [
  { op: "Sigmoid" },
  { op: "HardSwish" },
  { op: "Tanh" },
  { op: "Erf" },
  { op: "Exp" },
  { op: "Abs" },
  { op: "Softplus" },
  { op: "Elu", alpha: 0.7 },
  { op: "Selu", alpha: 1.67, gamma: 1.05 },
  { op: "Gelu", approximate: "none" },
  { op: "Gelu", approximate: "tanh" },
  { op: "LeakyRelu", alpha: 0.1 },
  { op: "HardSigmoid", alpha: 0.2, beta: 0.5 },
];

describe("the gradient of one input", () => {
  it.each(functions)("of $op is its central difference, over both sides of 0", (node) => {
    checkGradients(singleNode(node, [between([3, 7], 11, -5, 5)], { seed: 11 }));
  });

  it.each([{ op: "Sqrt" }, { op: "Log" }, { op: "Reciprocal" }] as const)(
    "of $op is its central difference, above 0",
    (node) => {
      checkGradients(singleNode(node, [between([3, 7], 12, 0.3, 3)], { seed: 12 }));
    },
  );

  it.each([
    { op: "Identity" },
    { op: "Neg" },
    { op: "Relu" },
    { op: "Clip", low: -0.5, high: 0.25 },
    { op: "Cast", to: "float32" },
  ] as const)("of $op is its central difference", (node) => {
    checkGradients(singleNode(node, [[4, 9]], { seed: 13 }));
  });

  it.each(["Sign", "Floor", "Ceil", "Round"] as const)(
    "of %s is none: what it makes is constant in parts",
    (op) => {
      const one = { op, name: "step", inputs: ["x0"], outputs: ["step"] } as const;
      const build = (builder: GraphBuilder, [x = ""]: readonly string[]) => {
        builder.add(one);
        return builder.add({ op: "Mul", name: "y", inputs: ["step", x], outputs: ["y"] });
      };
      checkGradients({ build, inputs: [between([9], 14, -4, 4)], seed: 14 });
    },
  );
});

const shapes = [
  { a: [2, 3, 4], b: [2, 3, 4] },
  { a: [2, 3, 4], b: [4] },
  { a: [3, 1], b: [2, 1, 4] },
  { a: [], b: [2, 3] },
  { a: [2, 1, 3, 1], b: [1, 5, 1, 1] },
] as const;

describe("the gradient by both operands", () => {
  it.each(
    (["Add", "Sub", "Mul", "Div", "Pow", "Min", "Max"] as const).flatMap((op) =>
      shapes.map(({ a, b }) => ({ op, a, b })),
    ),
  )("of $op of [$a] and [$b] is its central difference", ({ op, a, b }) => {
    // Above 0: powers of other bases have no gradient by the exponent.
    const inputs = [between(a, 21, 0.4, 2), between(b, 22, 0.5, 2)];
    checkGradients(singleNode({ op } as Binary, inputs, { seed: 21 }));
  });

  it.each([2, 0, 1, 3, -1, 0.5])(
    "of a power by the constant %d is its central difference",
    (to) => {
      const build = (builder: GraphBuilder, [x = ""]: readonly string[]) => {
        const inputs = [x, builder.constant("exponent", float32([], [to]))];
        return builder.add({ op: "Pow", name: "y", inputs, outputs: ["y"] });
      };
      checkGradients({ build, inputs: [between([3, 5], 23, 0.4, 2)], seed: 23 });
    },
  );

  it("of a square is right below 0 too, and 0 at 0", () => {
    const build = (builder: GraphBuilder, [x = ""]: readonly string[]) => {
      const inputs = [x, builder.constant("exponent", float32([], [2]))];
      return builder.add({ op: "Pow", name: "y", inputs, outputs: ["y"] });
    };
    checkGradients({ build, inputs: [float32([3], [-2, 0, 1.5])], seed: 24 });
  });

  it("a fused clamp lets nothing through where it holds", () => {
    const node = { op: "Mul", low: -0.2, high: 0.3 } as const;
    checkGradients(singleNode(node, [[3, 8], [8]], { seed: 25 }));
  });

  it("an operand that is read twice has the sum of both", () => {
    const build = (builder: GraphBuilder, [x = ""]: readonly string[]) =>
      builder.add({ op: "Mul", name: "y", inputs: [x, x], outputs: ["y"] });
    checkGradients({ build, inputs: [[2, 5]], seed: 26 });
  });
});

describe("the gradient of Where", () => {
  it.each([
    { shape: [2, 3, 4], x: [2, 3, 4], y: [3, 1] },
    { shape: [3, 1], x: [2, 1, 4], y: [] },
  ])("of $x and $y by [$shape] is its central difference", ({ shape, x, y }) => {
    const { data } = floats(shape, 31);
    const bits = Uint8Array.from({ length: sizeOf(shape) }, (_, i) => Number(data[i]! > 0));
    const inputs = [tensor("bool", shape, bits), x, y];
    checkGradients(singleNode({ op: "Where" }, inputs, { seed: 31, of: [1, 2] }));
  });
});

const reductions = ["Mean", "Sum", "Max", "Min", "Prod", "L1", "L2", "SumSquare"] as const;

describe("the gradient of a reduction", () => {
  it.each(
    reductions.flatMap((kind) =>
      [
        { axes: [0, 2], keepdims: false },
        { axes: [1], keepdims: true },
        { axes: [0, 1, 2], keepdims: false },
      ].map((rest) => ({ op: `Reduce${kind}` as const, ...rest })),
    ),
  )("$op over $axes, keepdims $keepdims, is its central difference", (node) => {
    checkGradients(singleNode(node as Attributes<Reduce>, [[2, 3, 4]], { seed: 41 }));
  });

  it.each([
    { zeros: 0, data: [2, -3, 4, 0.5] },
    { zeros: 1, data: [2, 0, 4, 0.5] },
    { zeros: 2, data: [2, 0, 4, 0] },
  ])("of a product with $zeros zeros is its central difference", ({ data }) => {
    const node = { op: "ReduceProd", axes: [0], keepdims: false } as const;
    checkGradients(singleNode(node, [float32([4], data)], { seed: 42 }));
  });

  it("of GlobalAveragePool is its central difference", () => {
    checkGradients(singleNode({ op: "GlobalAveragePool" }, [[2, 3, 4, 5]], { seed: 43 }));
  });
});

describe("the harness", () => {
  it("finds a gradient that is wrong", () => {
    const build = (builder: GraphBuilder, [x = ""]: readonly string[]) => {
      const inputs = [x, builder.constant("half", float32([], [0.5]))];
      builder.add({ op: "Mul", name: "m", inputs, outputs: ["m"] });
      builder.add({ op: "Round", name: "r", inputs: ["m"], outputs: ["r"] });
      builder.add({ op: "Mul", name: "s", inputs: ["r", "m"], outputs: ["s"] });
      return builder.add({ op: "Add", name: "y", inputs: ["s", "m"], outputs: ["y"] });
    };
    // At a half the difference sees the step of Round, which the gradient does not.
    expect(() => checkGradients({ build, inputs: [float32([1], [1])], seed: 51 })).toThrow(
      /seed 51: by x0\[0\] of \[1\] is/,
    );
  });
});
