// Pools and softmax.

import { averageMultiplier } from "../../graph/arithmetic.ts";
import type { AveragePool, MaxPool, NodeOf } from "../../graph/node.ts";
import { layoutOf } from "../layout.ts";
import { isBytes, storedBounds, workgroups, type Lowering } from "./context.ts";

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
      uniforms: { ...geometry, last: out.layout.last },
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
