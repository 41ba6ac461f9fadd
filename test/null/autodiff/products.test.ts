// Rules of products against central differences in float64: random windows and groups, every transpose of a Gemm,
// every pair of ranks of a MatMul; and what the nodes they are made of refuse.

import "../../support/float64.ts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GraphBuilder } from "../../../src/graph/builder.ts";
import { windowSize } from "../../../src/graph/extents.ts";
import type { Node } from "../../../src/graph/node.ts";
import type { Attributes } from "../../support/cases.ts";
import { attributesOf, geometry, shapes } from "../../support/families/convolution.ts";
import { checkGradients, singleNode, type GradientCase } from "../../support/gradients.ts";

const SEED = 20261126;

function check<P>(arbitrary: fc.Arbitrary<P>, runs: number, build: (p: P) => GradientCase): void {
  fc.assert(
    fc.property(arbitrary, (parameters) => checkGradients(build(parameters))),
    { seed: SEED, numRuns: runs },
  );
}

const filled = geometry.filter(({ batch }) => batch > 0);

describe("the gradients are central differences", () => {
  it("of Conv by input, filter and bias, for any window and groups", () => {
    check(filled, 15, (g) => {
      const { x, filter, outs } = shapes(g);
      const inputs = [x, filter, ...(g.hasBias ? [[outs]] : [])];
      return singleNode(attributesOf(g), inputs, { seed: g.seed });
    });
  });

  it("of a Conv that clamps its output", () => {
    const window = {
      kernel: [3, 3],
      strides: [2, 1],
      dilations: [1, 1],
      pads: [1, 1, 1, 1],
    } as const;
    const node = { op: "Conv", ...window, group: 1, low: 0, high: 1.5 } as const;
    checkGradients(singleNode(node, [[2, 3, 7, 5], [4, 3, 3, 3], [4]], { seed: 3 }));
  });

  it.each(["ConvTranspose", "ConvGradFilter"] as const)("of %s by both operands", (op) => {
    check(filled, 10, (g) => {
      const { x, filter, outs } = shapes(g);
      const window = attributesOf(g);
      const places = ([0, 1] as const).map((axis) => windowSize(x[axis + 2] ?? 0, window, axis));
      const y = [g.batch, outs, ...places];
      const size = [x[2] ?? 0, x[3] ?? 0] as const;
      return op === "ConvTranspose"
        ? singleNode({ ...window, op, size }, [y, filter], { seed: g.seed })
        : singleNode({ ...window, op }, [x, y], { seed: g.seed });
    });
  });

  it("of Gemm, for both transposes of both operands and every c", () => {
    const forms = fc.record({
      transA: fc.boolean(),
      transB: fc.boolean(),
      alpha: fc.constantFrom(1, -1.25),
      beta: fc.constantFrom(1, 0.5),
      c: fc.constantFrom(undefined, [], [4], [1, 4], [3, 1], [3, 4]),
      seed: fc.nat(1000),
    });
    check(forms, 20, ({ c, seed, ...node }) => {
      const [a, b] = [node.transA ? [5, 3] : [3, 5], node.transB ? [4, 5] : [5, 4]];
      return singleNode({ op: "Gemm", ...node }, [a, b, ...(c ? [c] : [])], { seed });
    });
  });

  it.each([
    [
      [3, 5],
      [5, 4],
    ],
    [[5], [5, 4]],
    [[3, 5], [5]],
    [[5], [5]],
    [
      [2, 3, 5],
      [5, 4],
    ],
    [[2, 3, 5], [5]],
    [
      [3, 5],
      [2, 5, 4],
    ],
    [[5], [2, 5, 4]],
    [
      [2, 3, 5],
      [2, 5, 4],
    ],
    [
      [2, 1, 3, 5],
      [3, 5, 4],
    ],
    [
      [1, 3, 5],
      [2, 2, 5, 4],
    ],
    [
      [2, 3, 3, 5],
      [5, 4],
    ],
  ])("of MatMul of %j and %j", (a, b) => {
    checkGradients(singleNode({ op: "MatMul" }, [a, b], { seed: 7 }));
  });
});

describe("nodes that only gradients have refuse", () => {
  const window = {
    kernel: [3, 3],
    strides: [2, 2],
    dilations: [1, 1],
    pads: [1, 1, 1, 1],
  } as const;
  const add = (node: Attributes<Node>, ...shapes: (readonly number[])[]) => {
    const builder = new GraphBuilder();
    const inputs = shapes.map((shape, index) =>
      builder.input(`x${index}`, { dtype: "float32", shape }),
    );
    return () => builder.add({ ...node, name: "node", inputs, outputs: ["y"] } as Node);
  };

  it("a size that the window does not take to x's", () => {
    const node = { op: "ConvTranspose", ...window, group: 1, size: [9, 8] } as const;
    expect(add({ ...node, size: [8, 7] }, [1, 4, 4, 4], [4, 3, 3, 3])).not.toThrow();
    expect(add(node, [1, 4, 4, 4], [4, 3, 3, 3])).toThrowErrorMatchingInlineSnapshot(
      `[InputError: ConvTranspose "node": the window must take size [9, 8] to x's; got [1, 4, 4, 4] and [4, 3, 3, 3]. Pass the gradient of the convolution's output, with its window and group.]`,
    );
  });

  it("a filter of other channels or of another window", () => {
    const node = { op: "ConvTranspose", ...window, group: 2, size: [8, 8] } as const;
    expect(add(node, [1, 4, 4, 4], [6, 3, 3, 3])).toThrowErrorMatchingInlineSnapshot(
      `[InputError: ConvTranspose "node": the filter must have one row for each input channel, in group=2 groups; got [1, 4, 4, 4] and [6, 3, 3, 3]. Pass the gradient of the convolution's output, with its window and group.]`,
    );
    expect(add(node, [1, 4, 4, 4], [4, 3, 1, 3])).toThrowErrorMatchingInlineSnapshot(
      `[InputError: ConvTranspose "node": the filter's window must be kernel [3, 3]; got [1, 4, 4, 4] and [4, 3, 1, 3]. Pass the gradient of the convolution's output, with its window and group.]`,
    );
  });

  it("a gradient of other places, batches, channels or axes", () => {
    const node = { op: "ConvGradFilter", ...window, group: 2 } as const;
    expect(add(node, [2, 4, 8, 8], [2, 6, 5, 4])).toThrowErrorMatchingInlineSnapshot(
      `[InputError: ConvGradFilter "node": the window must take x to the gradient; got [2, 4, 8, 8] and [2, 6, 5, 4]. Pass the gradient of the convolution's output, with its window and group.]`,
    );
    expect(add(node, [2, 4, 8, 8], [1, 6, 4, 4])).toThrowErrorMatchingInlineSnapshot(
      `[InputError: ConvGradFilter "node": batches must be equal; got [2, 4, 8, 8] and [1, 6, 4, 4]. Pass the gradient of the convolution's output, with its window and group.]`,
    );
    expect(add(node, [2, 4, 8, 8], [2, 5, 4, 4])).toThrowErrorMatchingInlineSnapshot(
      `[InputError: ConvGradFilter "node": channels must divide by group=2; got [2, 4, 8, 8] and [2, 5, 4, 4]. Pass the gradient of the convolution's output, with its window and group.]`,
    );
    expect(add(node, [2, 4, 8, 8], [2, 6, 4])).toThrowErrorMatchingInlineSnapshot(
      `[InputError: ConvGradFilter "node": inputs must have 4 axes; got [2, 4, 8, 8] and [2, 6, 4]. Pass the gradient of the convolution's output, with its window and group.]`,
    );
  });
});
