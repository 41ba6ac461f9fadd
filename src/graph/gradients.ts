// Nodes that training adds to a graph: batch normalization by the batch's own statistics, and gradients that
// several other nodes would compute more slowly, or not at all.

import type { Clamp, Common, Node, Unary, Window } from "./node.ts";

/** y = clamp((u − mean) / √(variance + epsilon) · scale + bias), u = x / divisor: docs/quantization.md (70). mean and
 *  variance are u's own over batch and space, the variance divided by the number of elements. inputs: x
 *  (B, C, …), scale, bias and, of a convolution whose filter was scaled, (22), divisor?, each (C).
 *  outputs: y, mean, variance. */
export interface BatchNormTraining extends Common, Clamp {
  readonly op: "BatchNormTraining";
  readonly epsilon: number;
}

/** Its gradient, the clamp's included: docs/quantization.md (71). inputs: dY, x, scale, bias, mean, variance,
 *  divisor?. outputs: dX, dScale, dBias, and with a divisor dDivisor. `frozen`: mean and variance do not
 *  depend on x, as in BatchNormalization; there is no divisor then. */
export interface BatchNormGrad extends Common, Clamp {
  readonly op: "BatchNormGrad";
  readonly epsilon: number;
  readonly frozen: boolean;
}

/** Moves running statistics towards those of a batch: docs/quantization.md (72). inputs: the variables
 *  runningMean and runningVariance, which it changes, and mean and variance, each (C). count: the elements
 *  that one channel's statistics are of. */
export interface UpdateRunning extends Common {
  readonly op: "UpdateRunning";
  readonly momentum: number;
  readonly count: number;
}

type Bare<N> = N extends Node ? Omit<N, keyof Common> : never;

/** An op with one input, with its attributes, that has a derivative which is neither 0, 1 nor −1 in parts. */
export type Smooth = Bare<Exclude<Unary, { readonly op: Flat }>>;

type Flat = "Identity" | "Relu" | "Clip" | "Neg" | "Sign" | "Floor" | "Ceil" | "Round" | "Cast";

/** dY · f′(x), element by element: functions.ts has each f′. inputs: x, dY. */
export interface UnaryGrad extends Common {
  readonly op: "UnaryGrad";
  readonly of: Smooth;
}

/** The gradient of AveragePool by its input. inputs: dY. size: height and width of the input. */
export interface AveragePoolGrad extends Common, Window {
  readonly op: "AveragePoolGrad";
  readonly countIncludePad: boolean;
  readonly size: readonly [number, number];
}

/** The gradient of MaxPool by x: of equal greatest elements of a window the first has it, row by row, as in
 *  PyTorch. inputs: x, y, dY. */
export interface MaxPoolGrad extends Common, Window {
  readonly op: "MaxPoolGrad";
}

export type GradientNode =
  BatchNormTraining | BatchNormGrad | UpdateRunning | UnaryGrad | AveragePoolGrad | MaxPoolGrad;

const ops: Readonly<Record<GradientNode["op"], true>> = {
  BatchNormTraining: true,
  BatchNormGrad: true,
  UpdateRunning: true,
  UnaryGrad: true,
  AveragePoolGrad: true,
  MaxPoolGrad: true,
};

/** Whether `node` is one of these. */
export function isGradientNode(node: Node): node is GradientNode {
  return Object.hasOwn(ops, node.op);
}
