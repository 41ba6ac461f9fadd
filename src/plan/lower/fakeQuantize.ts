// Fake-quantization in training. Scale and zero point are values on the device, and every kernel that uses them
// reads one vec4f a slice made of them: scale, reciprocal and bounds. It is made once for all that read the
// same scale and zero point, on the host where they are constants, by the observer where one chose them.

import type { FakeQuantized } from "../../graph/fakeQuantized.ts";
import type { Node, NodeOf } from "../../graph/node.ts";
import { clamp, fl, rint } from "../../tensor/rounding.ts";
import type { Ref } from "../builder.ts";
import { packLayout, layoutOf, type Layout } from "../layout.ts";
import { workgroups, type Lowering, type Placed } from "./context.ts";

/** Where the words of a slice of `axis` lie: `inner` words in a row, `outer` times, `stride` words apart. Along the
 *  last physical axis a slice is a lane: then this is said of words of four slices. */
interface Slices {
  /** AXIS of lib/slices.wgsl. */
  readonly kind: 0 | 1 | 2;
  readonly count: number;
  readonly inner: number;
  readonly outer: number;
  readonly stride: number;
  /** Workgroups that own a slice, or four, each. */
  readonly owners: number;
}

function slicesOf(layout: Layout, axis: number | undefined): Slices {
  const { words, lastWords, order, physical, logical } = layout;
  if (axis === undefined)
    return { kind: 0, count: 1, inner: words, outer: 1, stride: words, owners: 1 };
  const count = logical[axis] ?? 1;
  const at = order.indexOf(axis);
  if (at === order.length - 1) {
    const outer = lastWords === 0 ? 0 : words / lastWords;
    return { kind: 2, count, inner: 1, outer, stride: lastWords, owners: lastWords };
  }
  const inner = physical.slice(at + 1, -1).reduce((product, size) => product * size, lastWords);
  const stride = count * inner;
  return { kind: 1, count, inner, outer: stride === 0 ? 0 : words / stride, stride, owners: count };
}

/** Least scale that a reciprocal is made of. */
const LEAST_NORMAL = 2 ** -126;

const keyOf = (scale: string, zeroPoint: string, { qmin, qmax }: FakeQuantized) =>
  [scale, zeroPoint, qmin, qmax].join("\n");

/** What the kernels read of the scale and zero point at inputs `at` and `at` + 1 of `node`. */
function stepsOf(lowering: Lowering, node: Node & FakeQuantized, at: number, slices: number): Ref {
  const [scale, zeroPoint] = [lowering.inputName(node, at), lowering.inputName(node, at + 1)];
  const key = keyOf(scale, zeroPoint, node);
  const known = lowering.steps.get(key);
  if (known) return known.ref;
  const ref = makeSteps(lowering, node, at, slices);
  lowering.steps.set(key, { ref, of: [scale, zeroPoint] });
  return ref;
}

function makeSteps(lowering: Lowering, node: Node & FakeQuantized, at: number, slices: number) {
  const { qmin, qmax } = node;
  const eps = Math.max(fl(node.eps ?? 0), LEAST_NORMAL);
  const [scales, zeros] = [at, at + 1].map((index) =>
    lowering.constant(lowering.inputName(node, index)),
  );
  if (scales && zeros) {
    return lowering.packed(node, "steps", () => {
      const steps = new Float32Array(slices * 4);
      for (let c = 0; c < slices; c++) {
        const s = Math.max(Number(scales.data[c]), eps);
        const z = clamp(rint(Number(zeros.data[c])), qmin, qmax);
        steps.set([s, 1 / s, qmin - z, qmax - z], c * 4);
      }
      return steps;
    });
  }
  const ref = lowering.plan.tensor(slices * 16);
  const [scale, zeroPoint] = [lowering.input(node, at).ref, lowering.input(node, at + 1).ref];
  lowering.plan.step("fakeQuantizeStepsF32", {
    node: node.name,
    uniforms: { slices, qmin, qmax, eps },
    buffers: { scale, zeroPoint, out: ref },
    groups: workgroups(slices),
  });
  return ref;
}

/** Numbers to round, as steps of one scale: what lowering other ops makes use of. */
export function emitFakeQuantize(
  lowering: Lowering,
  node: Node,
  x: Placed,
  out: Placed,
  steps: Ref,
  axis?: number,
): void {
  const { kind, count: slices, inner } = slicesOf(x.layout, axis);
  const count = out.layout.words;
  lowering.plan.step("fakeQuantizeF32", {
    node: node.name,
    overrides: { AXIS: kind },
    uniforms: { count, slices, inner: kind === 2 ? x.layout.lastWords : inner },
    buffers: { x: x.ref, steps, out: out.ref },
    groups: workgroups(count),
  });
}

export function lowerFakeQuantize(lowering: Lowering, node: NodeOf<"FakeQuantize">): void {
  const x = lowering.input(node, 0);
  const out = lowering.output(node);
  const { count } = slicesOf(x.layout, node.axis);
  emitFakeQuantize(lowering, node, x, out, stepsOf(lowering, node, 1, count), node.axis);
}

export function lowerFakeQuantizeGrad(lowering: Lowering, node: NodeOf<"FakeQuantizeGrad">): void {
  const x = lowering.input(node, 0);
  const gradient = lowering.input(node, 1);
  if (x.quant || gradient.quant)
    throw lowering.unsupported(node, "x and its gradient must be float");
  const slices = slicesOf(x.layout, node.axis);
  const steps = stepsOf(lowering, node, 2, slices.count);
  const out = lowering.output(node);
  if (node.outputs.length > 1) return learn(lowering, node, x, gradient, steps, slices, out);
  const count = out.layout.words;
  const inner = slices.kind === 2 ? x.layout.lastWords : slices.inner;
  lowering.plan.step("fakeQuantizeGradF32", {
    node: node.name,
    overrides: { AXIS: slices.kind },
    uniforms: { count, slices: slices.count, inner },
    buffers: { x: x.ref, gradient: gradient.ref, steps, out: out.ref },
    groups: workgroups(count),
  });
}

/** Words that are worth a workgroup of their own. */
const WORDS_A_GROUP = 1024;
const MOST_PARTS = 256;

/** Parts that one slice, or all of x, is cut into. */
function partsOf({ inner, outer, owners }: Slices): number {
  const most = Math.max(1, Math.floor(MOST_PARTS / Math.max(1, owners)));
  return Math.max(1, Math.min(most, Math.ceil((inner * outer) / WORDS_A_GROUP)));
}

/** dX, dScale and dZeroPoint. */
function learn(
  lowering: Lowering,
  node: NodeOf<"FakeQuantizeGrad">,
  x: Placed,
  gradient: Placed,
  steps: Ref,
  slices: Slices,
  out: Placed,
): void {
  const [scale, zeroPoint] = [lowering.output(node, 1), lowering.output(node, 2)];
  const { kind, count, inner, outer, stride, owners } = slices;
  const parts = partsOf(slices);
  const { lastWords, last } = x.layout;
  const sums = lowering.plan.tensor(Math.max(1, count * parts) * 8);
  lowering.plan.step("fakeQuantizeLearnF32", {
    node: node.name,
    overrides: { LAST: kind === 2 ? 1 : 0, WORKGROUP: lowering.target.software ? 4 : 64 },
    uniforms: {
      words: Math.max(1, lastWords),
      last,
      inner: Math.max(1, inner),
      outer: inner === 0 ? 0 : outer,
      stride,
      slices: count,
      parts,
      qmin: node.qmin,
      g: node.gradientScale ?? 1,
    },
    buffers: { x: x.ref, gradient: gradient.ref, steps, outSums: sums, out: out.ref },
    groups: owners * parts,
  });
  lowering.plan.step("sumsF32", {
    node: node.name,
    uniforms: { slices: count, parts },
    buffers: { sums, outScale: scale.ref, outZero: zeroPoint.ref },
    groups: workgroups(count),
  });
}

/** The range of all of x in parts, where it is worth a dispatch of its own. */
function rangeParts(lowering: Lowering, node: Node, x: Placed) {
  const { words: count, lastWords, last } = x.layout;
  const { software } = lowering.target;
  const parts = Math.min(software ? 8 : 128, Math.ceil(count / WORDS_A_GROUP));
  if (parts <= 1) return undefined;
  const ref = lowering.plan.tensor(parts * 8);
  lowering.plan.step("rangeF32", {
    node: node.name,
    overrides: { ZERO: 0, WORKGROUP: software ? 4 : 64 },
    uniforms: { count, words: lastWords, last },
    buffers: { x: x.ref, out: ref },
    groups: parts,
  });
  return { ref, parts };
}

export function lowerMovingAverageObserve(
  lowering: Lowering,
  node: NodeOf<"MovingAverageObserve">,
): void {
  const x = lowering.input(node, 0);
  if (x.quant) throw lowering.unsupported(node, "only float values are observed");
  const [range, scale, zeroPoint] = [1, 2, 3].map((index) => lowering.input(node, index).ref) as [
    Ref,
    Ref,
    Ref,
  ];
  const slices = slicesOf(x.layout, node.axis);
  if (x.layout.words === 0)
    throw lowering.unsupported(node, "nothing can be observed of no elements");
  const found = slices.kind === 0 ? rangeParts(lowering, node, x) : undefined;
  const { qmin, qmax, eps, averagingConstant } = node;
  const steps = lowering.plan.tensor(slices.count * 16);
  const words = found ? Math.ceil(found.parts / 2) : slices.inner;
  lowering.plan.step("observeAverageF32", {
    node: node.name,
    overrides: {
      LAST: slices.kind === 2 ? 1 : 0,
      PARTS: found ? 1 : 0,
      AVERAGE: averagingConstant === undefined ? 0 : 1,
      SYMMETRIC: node.scheme === "symmetric" ? 1 : 0,
      FUSED: node.rule === "fused" ? 1 : 0,
      WORKGROUP: lowering.target.software ? 4 : 64,
    },
    uniforms: {
      words: found ? words : x.layout.lastWords,
      last: found ? found.parts * 2 : x.layout.last,
      inner: words,
      outer: slices.outer,
      stride: slices.stride,
      slices: slices.count,
      greatest: node.axis === undefined ? 1 : Math.ceil(slices.count / 4) * 4,
      opaque: 0,
      constant: averagingConstant ?? 1,
      qmin,
      qmax,
      eps,
      zeroPoint: node.zeroPoint,
    },
    buffers: {
      x: found?.ref ?? x.ref,
      outRange: range,
      outScale: scale,
      outZero: zeroPoint,
      out: steps,
    },
    groups: slices.owners,
  });
  const of = [lowering.inputName(node, 2), lowering.inputName(node, 3)] as const;
  lowering.forget(node.inputs);
  lowering.steps.set(keyOf(...of, node), { ref: steps, of });
}

/** Steps of scale 1 and zero point 0: whole numbers within ± `most`. */
export function wholeSteps(lowering: Lowering, most: number): Ref {
  return lowering.plan.constant(packLayout(layoutOf([4]), [1, 1, -most, most], "float32"));
}
