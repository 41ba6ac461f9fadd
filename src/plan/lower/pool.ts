// Pools, means and softmax.

import { averageMultiplier } from "../../graph/arithmetic.ts";
import type { AveragePool, MaxPool, NodeOf } from "../../graph/node.ts";
import { fl } from "../../tensor/rounding.ts";
import { elementStrides, layoutOf, padFront } from "../layout.ts";
import {
  isBytes,
  storedBounds,
  WORKGROUP,
  workgroups,
  type Lowering,
  type Placed,
} from "./context.ts";
import { emitReshape } from "./movement.ts";

export function lowerPool(lowering: Lowering, node: AveragePool | MaxPool): void {
  const x = lowering.input(node, 0);
  const out = lowering.output(node);
  const [, , inHeight = 1, inWidth = 1] = x.layout.logical;
  const [, , outHeight = 1, outWidth = 1] = out.layout.logical;
  const isMax = node.op === "MaxPool";
  const geometry = {
    count: out.layout.words,
    outHeight,
    outWidth,
    words: out.layout.lastWords,
    inHeight,
    inWidth,
    kernelHeight: node.kernel[0],
    kernelWidth: node.kernel[1],
    strideHeight: node.strides[0],
    strideWidth: node.strides[1],
    dilationHeight: node.dilations[0],
    dilationWidth: node.dilations[1],
    padTop: node.pads[0],
    padLeft: node.pads[1],
    padBottomEnd: inHeight + node.pads[2],
    padRightEnd: inWidth + node.pads[3],
    countPad: !isMax && node.countIncludePad ? 1 : 0,
  };
  const overrides = { MAX: isMax ? 1 : 0 };
  const groups = workgroups(out.layout.words);
  if (!isBytes(x) || !isBytes(out)) {
    if (x.dtype !== "float32" || out.dtype !== "float32")
      throw lowering.unsupported(node, "input and output must both be float or both quantized");
    lowering.plan.step("poolF32", {
      node: node.name,
      overrides,
      uniforms: geometry,
      buffers: { x: x.ref, out: out.ref },
      groups,
    });
    return;
  }
  const [from, to] = [lowering.stored(node, x), lowering.stored(node, out)];
  const taps = node.kernel[0] * node.kernel[1];
  const multipliers = Float32Array.from({ length: taps + 1 }, (_, n) =>
    averageMultiplier(from.scale, to.scale, Math.max(1, isMax ? 1 : n)),
  );
  lowering.plan.step("poolI8", {
    node: node.name,
    overrides,
    uniforms: {
      ...geometry,
      inZero: from.zeroPoint,
      zeroPoint: to.zeroPoint,
      ...(out.quant ? storedBounds({}, out.quant) : { low: -128, high: 127 }),
    },
    buffers: { x: x.ref, multiplier: lowering.plan.constant(multipliers), out: out.ref },
    groups,
  });
}

/** Invocations that share one sum: enough for 16 terms each, a power of two. */
function reducers(length: number): number {
  let count = 4;
  while (count < WORKGROUP && count * 16 < length) count *= 2;
  return count;
}

/** Mean over `axes`, kept as size 1, from x to out. */
function emitMean(
  lowering: Lowering,
  node: NodeOf<"ReduceMean" | "GlobalAveragePool">,
  x: Placed,
  out: Placed,
  axes: readonly number[],
): void {
  const { layout } = x;
  const elements = elementStrides(layout);
  const lastAxis = layout.order.at(-1) ?? 0;
  const reducesLast = axes.includes(lastAxis);
  const wordStride = (axis: number) => (axis === lastAxis ? 1 : (elements[axis] ?? 0) / 4);
  const wordSize = (axis: number) =>
    axis === lastAxis ? layout.lastWords : (layout.logical[axis] ?? 1);
  const reduced = layout.order.filter((axis) => axes.includes(axis));
  const kept = layout.order.filter((axis) => !axes.includes(axis));
  if (reduced.length > 4 || kept.length > 5)
    throw lowering.unsupported(node, "at most 4 reduced axes are supported");
  const r = padFront(reduced.map(wordSize), 4, 1);
  const s = padFront(reduced.map(wordStride), 4, 0);
  const k = padFront(kept.map(wordSize), 5, 1);
  const t = padFront(kept.map(wordStride), 5, 0);
  const length = r.reduce((product, size) => product * size, 1);
  // The mean of nothing is 0: 0 / 1.
  const summed = axes.reduce((product, axis) => product * (layout.logical[axis] ?? 1), 1);
  const elementsSummed = Math.max(1, summed);
  const [, r1 = 1, r2 = 1, r3 = 1] = r;
  const [s0 = 0, s1 = 0, s2 = 0, s3 = 0] = s;
  const [, k1 = 1, k2 = 1, k3 = 1, k4 = 1] = k;
  const [t0 = 0, t1 = 0, t2 = 0, t3 = 0, t4 = 0] = t;
  const count = out.layout.words;
  const shared = {
    count,
    length,
    r1,
    r2,
    r3,
    s0,
    s1,
    s2,
    s3,
    k1,
    k2,
    k3,
    k4,
    t0,
    t1,
    t2,
    t3,
    t4,
    words: layout.lastWords,
    last: layout.last,
  };
  const overrides = {
    LAST: reducesLast ? 1 : 0,
    WORKGROUP: lowering.settle(node, "reducers", () => reducers(length)),
  };
  const buffers = { x: x.ref, out: out.ref };
  if (!x.quant || !out.quant) {
    if (x.quant || out.quant)
      throw lowering.unsupported(node, "input and output must both be float or both quantized");
    const scale = fl(1 / elementsSummed);
    lowering.plan.step("reduceF32", {
      node: node.name,
      overrides,
      uniforms: { ...shared, scale },
      buffers,
      groups: count,
    });
    return;
  }
  const [from, to] = [lowering.stored(node, x), lowering.stored(node, out)];
  if (255 * elementsSummed > 2147483647)
    throw lowering.unsupported(node, `a mean over ${elementsSummed} elements overflows int32`);
  const multiplier = averageMultiplier(from.scale, to.scale, elementsSummed);
  const isInside = node.op === "GlobalAveragePool" && node.engine === "fbgemm";
  if (isInside && (from.scale !== to.scale || from.zeroPoint !== to.zeroPoint)) {
    throw lowering.unsupported(
      node,
      "with engine fbgemm the output must have the input's parameters",
    );
  }
  // fbgemm averages the codes themselves, zero point included, docs/quantization.md section 10: both zero points are that of code 0.
  const params = {
    inZero: isInside ? -from.shift : from.zeroPoint,
    multiplier,
    zeroPoint: isInside ? -to.shift : to.zeroPoint,
    ...storedBounds({}, out.quant),
  };
  lowering.plan.step("reduceI8", {
    node: node.name,
    overrides,
    uniforms: { ...shared, ...params },
    buffers,
    groups: count,
  });
}

export function lowerMean(
  lowering: Lowering,
  node: NodeOf<"ReduceMean" | "GlobalAveragePool">,
): void {
  const x = lowering.input(node, 0);
  const { logical } = x.layout;
  const axes = node.op === "ReduceMean" ? node.axes : logical.map((_, axis) => axis).slice(2);
  const keeps = node.op === "GlobalAveragePool" || node.keepdims;
  const keptShape = logical.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const name = node.outputs[0] ?? "";
  if (keeps) {
    emitMean(lowering, node, x, lowering.output(node), axes);
    return;
  }
  const kept = lowering.scratch(keptShape, lowering.type(name));
  emitMean(lowering, node, x, { ...kept, name }, axes);
  emitReshape(lowering, node, kept, lowering.output(node));
}

export function lowerSoftmax(lowering: Lowering, node: NodeOf<"Softmax" | "LogSoftmax">): void {
  const x = lowering.input(node, 0);
  const out = lowering.output(node);
  if (x.quant || out.quant) throw lowering.unsupported(node, "softmax does not run in integers");
  const { layout } = x;
  const axis = node.axis;
  const at = layout.order.indexOf(axis);
  const isLast = at === layout.order.length - 1;
  const inner =
    layout.physical.slice(at + 1).reduce((product, size) => product * size, 1) / (isLast ? 1 : 4);
  const length = isLast ? layout.lastWords : (layout.logical[axis] ?? 1);
  const columns = isLast ? layout.words / Math.max(1, length) : layout.words / Math.max(1, length);
  lowering.plan.step("softmaxF32", {
    node: node.name,
    overrides: { LAST: isLast ? 1 : 0, LOG: node.op === "LogSoftmax" ? 1 : 0 },
    uniforms: {
      count: columns,
      length,
      stride: isLast ? 1 : inner,
      inner: isLast ? 1 : inner,
      outer: isLast ? length : inner * length,
      last: layoutOf(layout.logical).last,
    },
    buffers: { x: x.ref, out: out.ref },
    groups: layout.words === 0 ? 0 : workgroups(columns),
  });
}
