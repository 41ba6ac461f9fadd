// The shapes of what only training graphs have.

import { formatShape } from "../tensor/tensor.ts";
import type { GRUGrad, LearningNode, LSTMGrad } from "./learning.ts";
import { nodeError } from "./nodeError.ts";
import type { Dim } from "./value.ts";

type Shape = readonly Dim[];

const same = (a: Shape, b: Shape) => a.length === b.length && a.every((dim, at) => dim === b[at]);

/** Shapes of the outputs of `node`. Throws InputError where those of its inputs do not fit together. */
export function learningShapes(node: LearningNode, inputs: readonly Shape[]): Dim[][] {
  const [first = [], second = [], third = []] = inputs;
  switch (node.op) {
    case "CrossEntropy":
    case "CrossEntropyGrad": {
      const rows = first.slice(0, -1);
      const got = (shape: Shape) => `${formatShape(shape)} for logits ${formatShape(first)}`;
      const rule = `must have shape ${formatShape(rows)}`;
      if (first.length === 0 || !same(rows, second))
        throw nodeError(node, `labels ${rule}`, got(second), "Pass one label for each row.");
      if (node.op === "CrossEntropy") return [rows];
      if (!same(rows, third))
        throw nodeError(
          node,
          `the gradient ${rule}`,
          got(third),
          "Pass the gradient of the losses.",
        );
      return [[...first]];
    }
    case "GatherGrad": {
      const { axis, size } = node;
      const end = axis + second.length;
      if (!same(first.slice(axis, end), second)) {
        throw nodeError(
          node,
          `the gradient must have the indices' shape ${formatShape(second)} at axis ${axis}`,
          formatShape(first),
          "Pass the gradient of Gather's output.",
        );
      }
      return [[...first.slice(0, axis), size, ...first.slice(end)]];
    }
    case "LSTMGrad":
    case "GRUGrad":
      return recurrentGrad(node, inputs);
    default:
      return node satisfies never;
  }
}

/** dSums and dFirst; every input must fit the sizes that dY names. */
function recurrentGrad(node: LSTMGrad | GRUGrad, inputs: readonly Shape[]): Dim[][] {
  const [time = 1, batch = 1, units = 1] = inputs[3] ?? [];
  const isLstm = node.op === "LSTMGrad";
  const times = (count: number): Dim => (typeof units === "number" ? units * count : units);
  const wanted: readonly (readonly [string, Shape])[] = [
    ["sums", [time, batch, times(4)]],
    ["R", [times(isLstm ? 4 : 3), units]],
    isLstm ? ["initialC", [batch, units]] : ["before", [time, batch, units]],
    ["dY", [time, batch, units]],
    ["dLast", [isLstm ? 2 : 1, batch, units]],
    ["sequenceLens", [batch]],
  ];
  inputs.forEach((got, index) => {
    const [what, want] = wanted[index] ?? ["nothing", []];
    if (same(got, want)) return;
    const rule = `${what} must have shape ${formatShape(want)}`;
    throw nodeError(node, rule, formatShape(got), "Check the rule that made this node.");
  });
  return [
    [time, batch, times(4)],
    [isLstm ? 2 : 1, batch, units],
  ];
}
