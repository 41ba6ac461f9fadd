// Shapes of the nodes of quantization-aware training: one scale and zero point, or one per slice of an axis.

import { formatShape } from "../tensor/tensor.ts";
import type { FakeQuantizeNode } from "./fakeQuantized.ts";
import { nodeError } from "./nodeError.ts";
import type { Dim } from "./value.ts";

type Shape = readonly Dim[];

const areEqual = (a: Shape, b: Shape) =>
  a.length === b.length && a.every((dim, axis) => dim === b[axis]);

/** `parameters`: of scale and zero point. */
function checkSlices(node: FakeQuantizeNode, x: Shape, parameters: readonly Shape[]): void {
  const { axis } = node;
  const isFit = (shape: Shape) =>
    axis === undefined ? shape.every((dim) => dim === 1) : areEqual(shape, [x[axis] ?? -1]);
  const wrong = parameters.find((shape) => !isFit(shape));
  if (!wrong) return;
  const what =
    axis === undefined ? "one element" : `shape [${x[axis]}], the slices of axis ${axis}`;
  const rule = `scale and zero point must have ${what}`;
  throw nodeError(node, rule, formatShape(wrong), "Give it one of each.");
}

/** A range has a row of the least and one of the greatest. */
function checkRange(node: FakeQuantizeNode, x: Shape, range: Shape): void {
  const want = node.axis === undefined ? [2] : [2, x[node.axis] ?? -1];
  if (areEqual(range, want)) return;
  const rule = `the range must have shape ${formatShape(want)}`;
  throw nodeError(node, rule, formatShape(range), "Give it the least and the greatest of each.");
}

export function fakeQuantizeShapes(node: FakeQuantizeNode, inputs: readonly Shape[]): Dim[][] {
  const [x = [], second = [], third = [], fourth = []] = inputs;
  switch (node.op) {
    case "FakeQuantize":
      checkSlices(node, x, [second, third]);
      return [[...x]];
    case "MovingAverageObserve":
      checkRange(node, x, second);
      checkSlices(node, x, [third, fourth]);
      return [];
    case "FakeQuantizeGrad": {
      checkSlices(node, x, [third, fourth]);
      if (areEqual(x, second)) return [[...x], [...third], [...fourth]];
      const rule = `the gradient must have x's shape ${formatShape(x)}`;
      throw nodeError(node, rule, formatShape(second), "Pass the gradient of this node's output.");
    }
  }
}
