// The nodes that training adds, but for those of batch normalization.

import type {
  AveragePoolGrad,
  GradientNode,
  MaxPoolGrad,
  UnaryGrad,
} from "../../graph/gradients.ts";
import type { Node, NodeOf, Window } from "../../graph/node.ts";
import { lowerBatchNormGrad, lowerBatchNormTraining, lowerUpdateRunning } from "./batchNorm.ts";
import { floatBounds, workgroups, type Lowering, type Placed } from "./context.ts";
import { functionOf } from "./elementwise.ts";

export function lowerGradient(lowering: Lowering, node: GradientNode): void {
  switch (node.op) {
    case "BatchNormTraining":
      return lowerBatchNormTraining(lowering, node);
    case "BatchNormGrad":
      return lowerBatchNormGrad(lowering, node);
    case "UpdateRunning":
      return lowerUpdateRunning(lowering, node);
    case "UnaryGrad":
      return lowerUnaryGrad(lowering, node);
    case "AveragePoolGrad":
      return lowerAveragePoolGrad(lowering, node);
    case "MaxPoolGrad":
      return lowerMaxPoolGrad(lowering, node);
    default:
      node satisfies never;
  }
}

/** Input `index`, which must be float. */
function floatAt(lowering: Lowering, node: Node, index: number): Placed {
  const placed = lowering.input(node, index);
  if (placed.dtype === "float32" && !placed.quant) return placed;
  throw lowering.unsupported(node, `"${placed.name}" must be float`);
}

export function lowerClampGrad(lowering: Lowering, node: NodeOf<"ClampGrad">): void {
  const [y, gradient] = [floatAt(lowering, node, 0), floatAt(lowering, node, 1)];
  const out = lowering.output(node);
  const { words: count } = out.layout;
  lowering.plan.step("clampGradF32", {
    node: node.name,
    uniforms: { count, ...floatBounds(node) },
    buffers: { y: y.ref, gradient: gradient.ref, out: out.ref },
    groups: workgroups(count),
  });
}

function lowerUnaryGrad(lowering: Lowering, node: UnaryGrad): void {
  const [x, gradient] = [floatAt(lowering, node, 0), floatAt(lowering, node, 1)];
  const out = lowering.output(node);
  const { words: count, lastWords: words, last } = out.layout;
  const { op, a, b } = functionOf(node.of);
  lowering.plan.step("unaryGradF32", {
    node: node.name,
    overrides: { OP: op },
    uniforms: { count, words, last, a, b },
    buffers: { x: x.ref, gradient: gradient.ref, out: out.ref },
    groups: workgroups(count),
  });
}

/** What lib/covering.wgsl walks: the windows that an element of the input is in. */
function coverage(window: Window, input: Placed, gradient: Placed) {
  const [, , inHeight = 1, inWidth = 1] = input.layout.logical;
  const [, , outHeight = 1, outWidth = 1] = gradient.layout.logical;
  return {
    count: input.layout.words,
    words: input.layout.lastWords,
    inHeight,
    inWidth,
    outHeight,
    outWidth,
    kernelHeight: window.kernel[0],
    kernelWidth: window.kernel[1],
    strideHeight: window.strides[0],
    strideWidth: window.strides[1],
    dilationHeight: window.dilations[0],
    dilationWidth: window.dilations[1],
    padTop: window.pads[0],
    padLeft: window.pads[1],
  };
}

function lowerAveragePoolGrad(lowering: Lowering, node: AveragePoolGrad): void {
  const gradient = floatAt(lowering, node, 0);
  const out = lowering.output(node);
  const [height, width] = node.size;
  const pads = { padBottomEnd: height + node.pads[2], padRightEnd: width + node.pads[3] };
  lowering.plan.step("averagePoolGradF32", {
    node: node.name,
    uniforms: {
      ...coverage(node, out, gradient),
      ...pads,
      countPad: node.countIncludePad ? 1 : 0,
    },
    buffers: { gradient: gradient.ref, out: out.ref },
    groups: workgroups(out.layout.words),
  });
}

function lowerMaxPoolGrad(lowering: Lowering, node: MaxPoolGrad): void {
  const [x, y, gradient] = [0, 1, 2].map((index) => floatAt(lowering, node, index)) as [
    Placed,
    Placed,
    Placed,
  ];
  const out = lowering.output(node);
  lowering.plan.step("maxPoolGradF32", {
    node: node.name,
    uniforms: coverage(node, out, gradient),
    buffers: { x: x.ref, y: y.ref, gradient: gradient.ref, out: out.ref },
    groups: workgroups(out.layout.words),
  });
}
