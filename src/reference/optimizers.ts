// A step of an optimizer, in f64 and rounded where a variable is stored: docs/quantization.md (80) to (83).

import { nodeError } from "../graph/shapes.ts";
import type { Node } from "../graph/node.ts";
import {
  HYPER,
  OVERFLOW,
  updateInputs,
  type Accumulate,
  type AdamUpdate,
  type ClipFactor,
  type GuardStep,
  type SgdUpdate,
} from "../graph/updates.ts";
import { float32, formatShape, type Tensor } from "../tensor/tensor.ts";
import { floatInput, inputAt, rounded } from "./operands.ts";

/** New tensors of variables, by the index of the input. */
export type Changed = readonly (readonly [number, Tensor])[];

function hyperOf(node: Node, inputs: readonly Tensor[]) {
  const { data } = floatInput(node, inputs, 2);
  return (place: keyof typeof HYPER): number => data[HYPER[place]] ?? 0;
}

/** What both updates begin with. `gradients` are after clipping, before weight decay. */
function start(node: SgdUpdate | AdamUpdate, inputs: readonly Tensor[]) {
  const hyper = hyperOf(node, inputs);
  const parameter = floatInput(node, inputs, 0);
  const gradient = floatInput(node, inputs, 1);
  const { state, factor } = updateInputs(node);
  const by = factor === undefined ? 1 : (floatInput(node, inputs, 3 + state.length).data[0] ?? NaN);
  const learningRate = hyper("learningRate") * node.rate;
  const states = state.map((_, index) =>
    Float64Array.from(inputAt(node, inputs, 3 + index).data as Float32Array),
  );
  return { hyper, parameter, gradient, by, learningRate, states };
}

/** The variables of an update that was applied. */
function changed(
  node: SgdUpdate | AdamUpdate,
  shape: readonly number[],
  parameter: Float64Array,
  states: readonly Float64Array[],
): Changed {
  const stored = (data: Float64Array) => rounded({ shape, data });
  return [
    [0, stored(parameter)],
    ...(node.accumulated ? [[1, stored(parameter.map(() => 0))] as const] : []),
    ...states.map((data, index) => [3 + index, stored(data)] as const),
  ];
}

/** docs/quantization.md (80). */
export function sgdUpdate(node: SgdUpdate, inputs: readonly Tensor[]): Changed {
  const { hyper, parameter, gradient, by, learningRate, states } = start(node, inputs);
  if (hyper("apply") === 0) return [];
  const { momentum, dampening, nesterov, weightDecay } = node;
  const isFirst = hyper("first") !== 0;
  const [velocity] = states;
  const next = parameter.data.map((p, i) => {
    const g = (gradient.data[i] ?? NaN) * by + weightDecay * p;
    if (!velocity) return p - learningRate * g;
    const v = isFirst ? g : momentum * (velocity[i] ?? NaN) + (1 - dampening) * g;
    velocity[i] = v;
    return p - learningRate * (nesterov ? g + momentum * v : v);
  });
  return changed(node, parameter.shape, next, states);
}

/** docs/quantization.md (81). */
export function adamUpdate(node: AdamUpdate, inputs: readonly Tensor[]): Changed {
  const { hyper, parameter, gradient, by, learningRate, states } = start(node, inputs);
  if (hyper("apply") === 0) return [];
  const { beta1, beta2, epsilon, weightDecay, decoupled } = node;
  const [first = new Float64Array(), second = new Float64Array()] = states;
  const next = parameter.data.map((old, i) => {
    const p = decoupled ? old * (1 - learningRate * weightDecay) : old;
    const g = (gradient.data[i] ?? NaN) * by + (decoupled ? 0 : weightDecay * old);
    const m = (first[i] ?? NaN) + (1 - beta1) * (g - (first[i] ?? NaN));
    const v = beta2 * (second[i] ?? NaN) + (1 - beta2) * g * g;
    first[i] = m;
    second[i] = v;
    const denominator = Math.sqrt(v) * Math.sqrt(hyper("correction2")) + epsilon;
    return p - (learningRate * hyper("correction1") * m) / denominator;
  });
  return changed(node, parameter.shape, next, states);
}

/** docs/quantization.md (83). */
export function accumulate(node: Accumulate, inputs: readonly Tensor[]): Changed {
  const scale = hyperOf(node, inputs)("scale");
  const { shape, data } = floatInput(node, inputs, 0);
  const gradient = floatInput(node, inputs, 1);
  const sum = data.map((value, i) => value + scale * (gradient.data[i] ?? NaN));
  return [[0, rounded({ shape, data: sum })]];
}

/** docs/quantization.md (82): [factor, norm]. */
export function clipFactor(node: ClipFactor, inputs: readonly Tensor[]): Tensor[] {
  let sum = 0;
  inputs.forEach((_, index) => {
    for (const value of floatInput(node, inputs, index).data) sum += value * value;
  });
  if (inputs.length === 0) {
    const wayOut = "Clip the gradients of at least one parameter.";
    throw nodeError(node, "it needs gradients", formatShape([0]), wayOut);
  }
  const norm = Math.sqrt(sum);
  const factor = node.maxNorm / (norm + 1e-6);
  return [float32([], [factor > 1 ? 1 : factor]), float32([], [norm])];
}

/** hyper, with `apply` 0 where the loss is NaN or overflowed. */
export function guardStep(node: GuardStep, inputs: readonly Tensor[]): Tensor {
  const hyper = floatInput(node, inputs, 0);
  const [loss = NaN] = floatInput(node, inputs, 1).data;
  const isFinite = Math.abs(loss) < OVERFLOW;
  const apply = (value: number, at: number) => (at === HYPER.apply && !isFinite ? 0 : value);
  return rounded({ shape: hyper.shape, data: hyper.data.map(apply) });
}
