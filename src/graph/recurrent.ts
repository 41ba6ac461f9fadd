// LSTM and GRU as ONNX has them, and what their readers share: which input plays which role, the gates,
// the activation functions.
//
// ONNX leaves an optional input out by an empty name, with others after it. A node here has no holes:
// `roles` names what the inputs after x, W and R are, and an input that is not there has no role.

import type { DynamicRule } from "./dynamic.ts";
import type { Dim, QParams } from "./value.ts";

/** ONNX's B, sequence_lens, initial_h, initial_c and P, in its order. GRU has neither of the last two. */
export const recurrentRoles = [
  "bias",
  "sequenceLens",
  "initialH",
  "initialC",
  "peepholes",
] as const;
export type RecurrentRole = (typeof recurrentRoles)[number];

export const directions = ["forward", "reverse", "bidirectional"] as const;
export type Direction = (typeof directions)[number];

/** Every activation that ONNX lists: whether it takes alpha and beta, and their values where none are given. */
export const recurrentActivations = {
  Relu: {},
  Tanh: {},
  Sigmoid: {},
  Affine: { alpha: 1, beta: 0 },
  LeakyRelu: { alpha: 0.01 },
  ThresholdedRelu: { alpha: 1 },
  ScaledTanh: { alpha: 1, beta: 1 },
  HardSigmoid: { alpha: 0.2, beta: 0.5 },
  Elu: { alpha: 1 },
  Softsign: {},
  Softplus: {},
} as const;
export type RecurrentFunction = keyof typeof recurrentActivations;

/** An activation function and its parameters; 0 where it takes none. */
export interface RecurrentActivation {
  readonly function: RecurrentFunction;
  readonly alpha: number;
  readonly beta: number;
}

/** What LSTM and GRU have in common. D is the number of directions, G of gates. */
export interface RecurrentAttributes {
  readonly direction: Direction;
  readonly hiddenSize: number;
  /** 0: x (T, B, I), Y (T, D, B, H), states (D, B, H). 1: x (B, T, I), Y (B, T, D, H), states (B, D, H). */
  readonly layout: 0 | 1;
  /** What the inputs after x, W and R are. */
  readonly roles: readonly RecurrentRole[];
  /** Per direction: f, g, h of an LSTM, f, g of a GRU. Left out: Sigmoid, Tanh, Tanh. */
  readonly activations?: readonly RecurrentActivation[];
  /** Arguments of the gates' activations are clamped to ± this. */
  readonly clip?: number;
  /** x as a whole, and h before each step, become bytes by this rule. W and R are quantized constants then:
   *  one scale for each direction (axis 0), or for each row, shared by the directions (axis 1). */
  readonly dynamic?: DynamicRule;
}

/** Scale or zero point of row `row` of direction `d`. */
export function ofRow(
  values: ArrayLike<number>,
  { axis }: QParams,
  d: number,
  row: number,
): number {
  return values[values.length === 1 ? 0 : axis === 0 ? d : row] ?? 0;
}

type Recurrent = RecurrentAttributes & {
  readonly op: "LSTM" | "GRU";
  readonly inputs: readonly string[];
};

/** G: an LSTM's gates are i, o, f, c, a GRU's z, r, h, in this order in W, R and B. */
export function gatesOf({ op }: { readonly op: "LSTM" | "GRU" }): 4 | 3 {
  return op === "LSTM" ? 4 : 3;
}

/** D. */
export function directionsOf({ direction }: RecurrentAttributes): 1 | 2 {
  return direction === "bidirectional" ? 2 : 1;
}

/** Whether direction `d` walks from the last step to the first. */
export function isReverse({ direction }: RecurrentAttributes, d: number): boolean {
  return direction === "reverse" || d === 1;
}

/** Place of the input that plays `role`, or undefined where none does. */
export function roleIndex(node: RecurrentAttributes, role: RecurrentRole): number | undefined {
  const at = node.roles.indexOf(role);
  return at < 0 ? undefined : at + 3;
}

/** An activation with ONNX's parameters where none are given. */
export function activation(
  name: RecurrentFunction,
  alpha?: number,
  beta?: number,
): RecurrentActivation {
  const defaults: { alpha?: number; beta?: number } = recurrentActivations[name];
  return {
    function: name,
    alpha: alpha ?? defaults.alpha ?? 0,
    beta: beta ?? defaults.beta ?? 0,
  };
}

/** The activations of direction `d`. */
export function activationsOf(node: Recurrent, d: number): readonly RecurrentActivation[] {
  const count = node.op === "LSTM" ? 3 : 2;
  const given = node.activations?.slice(d * count, (d + 1) * count);
  return given ?? (["Sigmoid", "Tanh", "Tanh"] as const).slice(0, count).map((f) => activation(f));
}

/** Sizes of T and B in x's shape. */
export function timeAndBatch({ layout }: RecurrentAttributes, x: readonly Dim[]): [Dim, Dim] {
  const [first = 1, second = 1] = x;
  return layout === 0 ? [first, second] : [second, first];
}

/** Shapes of Y, Y_h and, for an LSTM, Y_c. */
export function recurrentShapes(node: Recurrent, x: readonly Dim[]): Dim[][] {
  const [time, batch] = timeAndBatch(node, x);
  const [count, size] = [directionsOf(node), node.hiddenSize];
  const y = node.layout === 0 ? [time, count, batch, size] : [batch, time, count, size];
  const state = node.layout === 0 ? [count, batch, size] : [batch, count, size];
  return node.op === "LSTM" ? [y, state, [...state]] : [y, state];
}

/** The shape that an input must have: W, R, or one with a role. */
export function wantedShape(
  node: Recurrent,
  what: "W" | "R" | RecurrentRole,
  x: readonly Dim[],
): Dim[] {
  const [count, size] = [directionsOf(node), node.hiddenSize];
  const rows = gatesOf(node) * size;
  const [, batch] = timeAndBatch(node, x);
  switch (what) {
    case "W":
      return [count, rows, x[2] ?? 1];
    case "R":
      return [count, rows, size];
    case "bias":
      return [count, 2 * rows];
    case "peepholes":
      return [count, 3 * size];
    case "sequenceLens":
      return [batch];
    case "initialH":
    case "initialC":
      return node.layout === 0 ? [count, batch, size] : [batch, count, size];
    default:
      return what satisfies never;
  }
}
