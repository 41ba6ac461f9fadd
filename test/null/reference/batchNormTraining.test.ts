// Batch normalization by the batch's statistics: PyTorch's small numbers, and the words of what does not fit.

import { describe, expect, it } from "vitest";
import { bindShapes } from "../../../src/graph/bind.ts";
import { GraphBuilder } from "../../../src/graph/builder.ts";
import type { Node } from "../../../src/graph/node.ts";
import { interpret } from "../../../src/reference/interpret.ts";
import { float32, toNumbers } from "../../../src/tensor/tensor.ts";
import type { Attributes } from "../../support/cases.ts";
import { floats } from "../../support/seeded.ts";
import { runAll } from "./support.ts";

describe("UpdateRunning", () => {
  it("moves by the momentum, the variance divided by n − 1, as torch.nn.BatchNorm1d(1) on 1 and 3", () => {
    const builder = new GraphBuilder();
    builder.input("x", { dtype: "float32", shape: [2, 1] });
    for (const [name, value] of Object.entries({ scale: 1, bias: 0, mean: 0, variance: 1 }))
      builder.variable(name, float32([1], [value]));
    const all = { inputs: ["x", "scale", "bias"], outputs: ["y", "m", "v"], epsilon: 1e-5 };
    builder.add({ op: "BatchNormTraining", name: "norm", ...all });
    const inputs = ["mean", "variance", "m", "v"];
    builder.add({ op: "UpdateRunning", name: "run", inputs, outputs: [], momentum: 0.1, count: 2 });
    const graph = bindShapes(builder.build("running", ["x"], ["m", "v"]), new Map());
    const values = interpret(graph, { x: float32([2, 1], [1, 3]) });
    const numbers = ["m", "v", "mean", "variance"].map((name) => toNumbers(values.get(name)!)[0]);
    expect(numbers).toEqual([2, 1, Math.fround(0.2), Math.fround(1.1)]);
  });
});

describe("what does not fit is refused:", () => {
  const message = (node: Attributes<Node>, ...shapes: readonly (readonly number[])[]) => {
    const outputs = ["y", "m", "v", "d"].slice(0, node.op === "BatchNormGrad" ? 4 : 3);
    try {
      runAll(
        node,
        shapes.map((shape) => floats(shape, 1)),
        {},
        outputs,
      );
    } catch (error) {
      return (error as Error).message;
    }
    return "nothing";
  };
  const training = { op: "BatchNormTraining", epsilon: 1e-5 } as const;
  const grad = { op: "BatchNormGrad", epsilon: 1e-5, frozen: true } as const;

  it("x without channels", () => {
    expect(message(training, [4], [4], [4])).toMatchInlineSnapshot(
      `"BatchNormTraining "node": x must have a batch and a channel axis; got [4]. Check the pass that made this node."`,
    );
  });

  it("parameters of another number of channels", () => {
    expect(message(training, [2, 3, 4, 4], [3], [4])).toMatchInlineSnapshot(
      `"BatchNormTraining "node": per-channel inputs must have shape [3]; got [2, 3, 4, 4] and [4]. Check the pass that made this node."`,
    );
  });

  it("a gradient of another shape", () => {
    const c = [3];
    expect(message(grad, [2, 3, 4], [2, 3, 5], c, c, c, c)).toMatchInlineSnapshot(
      `"BatchNormGrad "node": dY must have x's shape; got [2, 3, 4] and [2, 3, 5]. Check the pass that made this node."`,
    );
  });

  it("a divisor beside frozen statistics", () => {
    const c = [3];
    expect(message(grad, [2, 3], [2, 3], c, c, c, c, c)).toMatchInlineSnapshot(
      `"BatchNormGrad "node": frozen statistics take no divisor; got [3]. Check the pass that made this node."`,
    );
  });

  it("gradients of pools and functions that have another shape", () => {
    const window = {
      kernel: [2, 2],
      strides: [2, 2],
      dilations: [1, 1],
      pads: [0, 0, 0, 0],
    } as const;
    const average = {
      op: "AveragePoolGrad",
      ...window,
      countIncludePad: false,
      size: [4, 4],
    } as const;
    expect(message(average, [1, 1, 3, 3])).toMatchInlineSnapshot(
      `"AveragePoolGrad "node": dY must have the pool's shape; got [1, 1, 3, 3] and [4, 4]. Check the pass that made this node."`,
    );
    const most = { op: "MaxPoolGrad", ...window } as const;
    expect(message(most, [1, 1, 4, 4], [1, 1, 2, 2], [1, 1, 2, 1])).toMatchInlineSnapshot(
      `"MaxPoolGrad "node": dY must have y's shape; got [1, 1, 2, 1] and [1, 1, 2, 2]. Check the pass that made this node."`,
    );
    const unary = { op: "UnaryGrad", of: { op: "Tanh" } } as const;
    expect(message(unary, [3], [4])).toMatchInlineSnapshot(
      `"UnaryGrad "node": dY must have x's shape; got [4] and [3]. Check the pass that made this node."`,
    );
    const clamp = { op: "ClampGrad", low: 0 } as const;
    expect(message(clamp, [3], [4])).toMatchInlineSnapshot(
      `"ClampGrad "node": the gradient must have x's shape [3]; got [4]. Pass the gradient of this node's output."`,
    );
  });
});
