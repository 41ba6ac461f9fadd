// The shapes of what training adds: a gradient has the shape of what it is the gradient of.

import { formatShape } from "../tensor/tensor.ts";
import { windowSize } from "./extents.ts";
import type { AveragePoolGrad, GradientNode } from "./gradients.ts";
import { nodeError } from "./nodeError.ts";
import type { Dim } from "./value.ts";

type Shape = readonly Dim[];

const same = (a: Shape, b: Shape) => formatShape(a) === formatShape(b);

function must(node: GradientNode, holds: boolean, rule: string, shapes: readonly Shape[]): void {
  if (holds) return;
  const got = shapes.map(formatShape).join(" and ");
  throw nodeError(node, rule, got, "Check the pass that made this node.");
}

/** (C) of x (B, C, …), which all `parameters` must have. */
function channels(node: GradientNode, x: Shape, parameters: readonly Shape[]): Dim[] {
  const [, count = 1] = x;
  must(node, x.length >= 2, "x must have a batch and a channel axis", [x]);
  const wrong = parameters.find((shape) => !same(shape, [count]));
  must(node, !wrong, `per-channel inputs must have shape ${formatShape([count])}`, [
    x,
    wrong ?? [],
  ]);
  return [count];
}

/** Whether AveragePool makes dY of an input of `size`: its last window may be cut off, with ceilMode. */
function fitsPool(node: AveragePoolGrad, dY: Shape): boolean {
  return ([0, 1] as const).every((axis) =>
    [false, true].some((ceil) => windowSize(node.size[axis], node, axis, ceil) === dY[axis + 2]),
  );
}

/** Shapes of the outputs of `node`. Throws InputError where those of its inputs do not fit together. */
export function gradientShapes(node: GradientNode, inputs: readonly Shape[]): Dim[][] {
  const [first = [], second = [], third = []] = inputs;
  switch (node.op) {
    case "BatchNormTraining": {
      const parameters = channels(node, first, inputs.slice(1));
      return [[...first], parameters, parameters];
    }
    case "BatchNormGrad": {
      const parameters = channels(node, second, inputs.slice(2));
      must(node, same(first, second), "dY must have x's shape", [first, second]);
      const hasDivisor = inputs.length > 6;
      must(
        node,
        !(hasDivisor && node.frozen),
        "frozen statistics take no divisor",
        inputs.slice(6),
      );
      return [[...second], parameters, parameters, ...(hasDivisor ? [parameters] : [])];
    }
    case "UpdateRunning": {
      const wrong = inputs.slice(1).find((shape) => !same(shape, first));
      must(node, !wrong, "statistics must have one shape", [first, wrong ?? []]);
      return [];
    }
    case "UnaryGrad":
      must(node, same(first, second), "dY must have x's shape", [second, first]);
      return [[...first]];
    case "AveragePoolGrad":
      must(node, first.length === 4 && fitsPool(node, first), "dY must have the pool's shape", [
        first,
        node.size,
      ]);
      return [[...first.slice(0, 2), ...node.size]];
    case "MaxPoolGrad":
      must(node, same(second, third), "dY must have y's shape", [third, second]);
      return [[...first]];
    default:
      return node satisfies never;
  }
}
