// A step of an optimizer: one dispatch a parameter, in place. Kernels read the step's eight numbers where the input
// `hyper` lies, so a plan serves every step.

import {
  OVERFLOW,
  updateInputs,
  type Accumulate,
  type AdamUpdate,
  type ClipFactor,
  type GuardStep,
  type SgdUpdate,
} from "../../graph/updates.ts";
import { workgroups, type Lowering, type Placed } from "./context.ts";

/** What kernels need to leave padding alone. */
function lanesOf({ layout: { words: count, lastWords: words, last } }: Placed) {
  return { count, words, last };
}

/** What both updates read beside the parameter and its state. */
function common(lowering: Lowering, node: SgdUpdate | AdamUpdate) {
  const [parameter, gradient, hyper] = [0, 1, 2].map((index) => lowering.input(node, index));
  if (!parameter || !gradient || !hyper) throw lowering.unsupported(node, "it needs three inputs");
  const { state, factor } = updateInputs(node);
  const unclipped = () => lowering.plan.constant(Float32Array.of(1, 0, 0, 0));
  return {
    parameter,
    states: state.map((_, index) => lowering.input(node, 3 + index).ref),
    buffers: {
      hyper: hyper.ref,
      factor: factor === undefined ? unclipped() : lowering.input(node, 3 + state.length).ref,
      summed: gradient.ref,
      parameter: parameter.ref,
    },
    uniforms: { ...lanesOf(parameter), rate: node.rate, weightDecay: node.weightDecay },
    ACCUMULATED: Number(node.accumulated),
  };
}

export function lowerSgdUpdate(lowering: Lowering, node: SgdUpdate): void {
  const { parameter, states, buffers, uniforms, ACCUMULATED } = common(lowering, node);
  const { momentum, dampening, nesterov } = node;
  // Every binding needs a buffer, and no buffer may be bound twice where it is written.
  const velocity = states[0] ?? lowering.plan.tensor(16);
  lowering.plan.step("sgdUpdateF32", {
    node: node.name,
    overrides: { MOMENTUM: Number(states.length > 0), NESTEROV: Number(nesterov), ACCUMULATED },
    uniforms: { ...uniforms, momentum, damped: 1 - dampening },
    buffers: { ...buffers, velocity },
    groups: workgroups(parameter.layout.words),
  });
}

export function lowerAdamUpdate(lowering: Lowering, node: AdamUpdate): void {
  const { parameter, states, buffers, uniforms, ACCUMULATED } = common(lowering, node);
  const [first, second] = states;
  if (!first || !second) throw lowering.unsupported(node, "it needs both moments");
  const { beta1, beta2, epsilon, decoupled } = node;
  lowering.plan.step("adamUpdateF32", {
    node: node.name,
    overrides: { DECOUPLED: Number(decoupled), ACCUMULATED },
    uniforms: { ...uniforms, forget1: 1 - beta1, beta2, forget2: 1 - beta2, epsilon },
    buffers: { ...buffers, first, second },
    groups: workgroups(parameter.layout.words),
  });
}

export function lowerAccumulate(lowering: Lowering, node: Accumulate): void {
  const [sum, gradient, hyper] = [0, 1, 2].map((index) => lowering.input(node, index));
  if (!sum || !gradient || !hyper) throw lowering.unsupported(node, "it needs three inputs");
  lowering.plan.step("accumulateF32", {
    node: node.name,
    uniforms: lanesOf(sum),
    buffers: { hyper: hyper.ref, gradient: gradient.ref, summed: sum.ref },
    groups: workgroups(sum.layout.words),
  });
}

/** Workgroups that sum the squares of `words`: enough to fill a GPU, each with enough to do. */
const partsOf = (words: number): number => Math.min(128, Math.ceil(words / 2048));

export function lowerClipFactor(lowering: Lowering, node: ClipFactor): void {
  const { plan, target } = lowering;
  const gradients = node.inputs.map((_, index) => lowering.input(node, index));
  const parts = gradients.map(({ layout }) => partsOf(layout.words));
  const count = parts.reduce((sum, each) => sum + each, 0);
  // Invocations that wait at a barrier cost a software adapter a stack each.
  const overrides = { WORKGROUP: target.software ? 4 : 64 };
  const squares = plan.tensor(Math.max(1, count) * 4);
  let first = 0;
  gradients.forEach((x, index) => {
    const groups = parts[index] ?? 0;
    plan.step("squaresF32", {
      node: node.name,
      overrides,
      uniforms: { ...lanesOf(x), first },
      buffers: { x: x.ref, out: squares },
      groups,
    });
    first += groups;
  });
  plan.step("clipFactorF32", {
    node: node.name,
    overrides,
    uniforms: { count, maxNorm: node.maxNorm },
    buffers: {
      parts: squares,
      outNorm: lowering.output(node, 1).ref,
      out: lowering.output(node, 0).ref,
    },
    groups: 1,
  });
}

/** The bits of OVERFLOW as a float32. */
const OVERFLOW_BITS = new Uint32Array(Float32Array.of(OVERFLOW).buffer)[0] ?? 0;

export function lowerGuardStep(lowering: Lowering, node: GuardStep): void {
  lowering.plan.step("guardStepF32", {
    node: node.name,
    uniforms: { limit: OVERFLOW_BITS },
    buffers: {
      hyper: lowering.input(node, 0).ref,
      loss: lowering.input(node, 1).ref,
      out: lowering.output(node).ref,
    },
    groups: 1,
  });
}
