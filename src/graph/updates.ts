// The nodes of an optimizer's step. Updates and Accumulate are sinks: they change variables of the graph in
// place, and whatever reads these after them sees the new numbers. What changes from step to step comes as one
// input of eight numbers, so that a plan stays as it is.

import type { Common } from "./node.ts";

/** Places in `hyper`, float32 [8]: what a host gives with every step. */
export const HYPER = {
  /** That of this step, after schedules. A group's own is this times the update's `rate`. */
  learningRate: 0,
  /** 1: update now. 0: only accumulate. */
  apply: 1,
  /** What Accumulate multiplies a gradient by: 1 / number of accumulated batches. */
  scale: 2,
  /** Adam: 1 / (1 − beta1^t), t updates done, this one included. */
  correction1: 3,
  /** Adam: 1 / (1 − beta2^t). */
  correction2: 4,
  /** 1 until the first update is done. */
  first: 5,
} as const;

export const HYPER_SIZE = 8;

/** From here on, 2¹⁰⁰, a loss counts as infinite, and so does what led to it: kernels clamp what overflows to the
 *  greatest float32, and a mean of such numbers is less. */
export const OVERFLOW = 2 ** 100;

interface Update extends Common {
  /** The learning rate of this parameter, in parts of the step's. */
  readonly rate: number;
  readonly weightDecay: number;
  /** The gradient is a variable that Accumulate fills: an update leaves 0 there. */
  readonly accumulated: boolean;
}

/** torch.optim.SGD, docs/quantization.md (80). A sink. inputs: parameter (variable), its gradient, hyper, the
 *  parameter's velocity (variable) where momentum is not 0, and ClipFactor's factor?. */
export interface SgdUpdate extends Update {
  readonly op: "SgdUpdate";
  readonly momentum: number;
  readonly dampening: number;
  readonly nesterov: boolean;
}

/** torch.optim.Adam, and with `decoupled` AdamW, docs/quantization.md (81). A sink. inputs: parameter (variable),
 *  its gradient, hyper, first and second moments (variables), and ClipFactor's factor?. */
export interface AdamUpdate extends Update {
  readonly op: "AdamUpdate";
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** The decay shrinks the parameter and is no part of the gradient. */
  readonly decoupled: boolean;
}

/** accumulator ← accumulator + scale · gradient, scale from hyper. A sink. inputs: accumulator (variable), gradient,
 *  hyper. */
export interface Accumulate extends Common {
  readonly op: "Accumulate";
}

/** torch.nn.utils.clip_grad_norm_, docs/quantization.md (82). inputs: gradients. outputs: the factor that brings
 *  their norm under maxNorm, 1 where it is; and the norm. Both of shape []. */
export interface ClipFactor extends Common {
  readonly op: "ClipFactor";
  readonly maxNorm: number;
}

/** hyper, but with `apply` 0 where the loss is NaN, or at least OVERFLOW: a step that failed changes no parameter, so the
 *  model of before is what is left. inputs: hyper, loss (shape []). */
export interface GuardStep extends Common {
  readonly op: "GuardStep";
}

export type OptimizerNode = SgdUpdate | AdamUpdate | Accumulate | ClipFactor | GuardStep;

/** Which input of an update is which; `variables` are those it changes. */
export function updateInputs(node: SgdUpdate | AdamUpdate): {
  readonly state: readonly string[];
  readonly factor: string | undefined;
} {
  const count = node.op === "AdamUpdate" ? 2 : node.momentum === 0 ? 0 : 1;
  return { state: node.inputs.slice(3, 3 + count), factor: node.inputs[3 + count] };
}
