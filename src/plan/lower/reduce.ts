// What makes many elements one along axes: one float kernel for every Reduce op, one for codes, and one for the
// places of greatest and least elements. All walk the same geometry, a workgroup to a word of the result.

import { averageMultiplier } from "../../graph/arithmetic.ts";
import type { ArgReduce, Node, NodeOf, Reduce } from "../../graph/node.ts";
import { fl } from "../../tensor/rounding.ts";
import { elementStrides, padFront } from "../layout.ts";
import { emitSumOfRows, isSumOfRows } from "./channelRows.ts";
import { storedBounds, WORKGROUP, type Lowering, type Placed } from "./context.ts";
import { emitReshape } from "./movement.ts";

type Reducing = Reduce | NodeOf<"GlobalAveragePool">;

/** The kernel's number of each op, and the bits of its result over no elements. */
const kinds: Readonly<Record<Reduce["op"], readonly [op: number, empty: number]>> = {
  ReduceMean: [0, 0],
  ReduceSum: [0, 0],
  ReduceL1: [1, 0],
  ReduceSumSquare: [2, 0],
  ReduceL2: [3, 0],
  ReduceProd: [4, 0x3f800000], // 1
  ReduceMax: [5, 0xff800000], // −∞
  ReduceMin: [6, 0x7f800000], // ∞
};

/** Invocations that share one total: enough for 16 terms each, a power of two. */
function reducers(length: number): number {
  let count = 4;
  while (count < WORKGROUP && count * 16 < length) count *= 2;
  return count;
}

/** What lib/reduce.wgsl walks, and the overrides that go with it. */
function walk(lowering: Lowering, node: Node, { layout }: Placed, axes: readonly number[]) {
  const elements = elementStrides(layout);
  const lastAxis = layout.order.at(-1) ?? 0;
  const wordStride = (axis: number) => (axis === lastAxis ? 1 : (elements[axis] ?? 0) / 4);
  const wordSize = (axis: number) =>
    axis === lastAxis ? layout.lastWords : (layout.logical[axis] ?? 1);
  const reduced = layout.order.filter((axis) => axes.includes(axis));
  const kept = layout.order.filter((axis) => !axes.includes(axis));
  if (reduced.length > 4 || kept.length > 5)
    throw lowering.unsupported(node, "at most 4 reduced axes are supported");
  const r = padFront(reduced.map(wordSize), 4, 1);
  const length = r.reduce((product, size) => product * size, 1);
  const [, r1 = 1, r2 = 1, r3 = 1] = r;
  const [s0 = 0, s1 = 0, s2 = 0, s3 = 0] = padFront(reduced.map(wordStride), 4, 0);
  const [, k1 = 1, k2 = 1, k3 = 1, k4 = 1] = padFront(kept.map(wordSize), 5, 1);
  const [t0 = 0, t1 = 0, t2 = 0, t3 = 0, t4 = 0] = padFront(kept.map(wordStride), 5, 0);
  const sizes = { length, r1, r2, r3, s0, s1, s2, s3, k1, k2, k3, k4, t0, t1, t2, t3, t4 };
  return {
    uniforms: { ...sizes, words: layout.lastWords, last: layout.last },
    overrides: {
      LAST: axes.includes(lastAxis) ? 1 : 0,
      WORKGROUP: lowering.settle(node, "reducers", () => reducers(length)),
    },
  };
}

/** The elements of `axes`, kept as size 1, from x to out as one. */
function emitReduce(
  lowering: Lowering,
  node: Reducing,
  x: Placed,
  out: Placed,
  axes: readonly number[],
): void {
  const { uniforms, overrides } = walk(lowering, node, x, axes);
  const count = out.layout.words;
  const buffers = { x: x.ref, out: out.ref };
  // The mean of nothing is 0: 0 / 1.
  const elements = axes.reduce((product, axis) => product * (x.layout.logical[axis] ?? 1), 1);
  const summed = Math.max(1, elements);
  const op = node.op === "GlobalAveragePool" ? "ReduceMean" : node.op;
  if (!x.quant || !out.quant) {
    if (x.quant || out.quant)
      throw lowering.unsupported(node, "input and output must both be float or both quantized");
    const [OP, empty] = kinds[op];
    const scale = op === "ReduceMean" ? fl(1 / summed) : 1;
    if (OP === 0 && isSumOfRows(lowering, node, x, axes))
      return emitSumOfRows(lowering, node, x, out, scale);
    lowering.plan.step("reduceF32", {
      node: node.name,
      overrides: { ...overrides, OP },
      uniforms: { count, ...uniforms, scale, empty },
      buffers,
      groups: count,
    });
    return;
  }
  if (op !== "ReduceMean") throw lowering.unsupported(node, "it does not run in integers");
  const [from, to] = [lowering.stored(node, x), lowering.stored(node, out)];
  if (255 * summed > 2147483647)
    throw lowering.unsupported(node, `a mean over ${summed} elements overflows int32`);
  const multiplier = averageMultiplier(from.scale, to.scale, summed);
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
    uniforms: { count, ...uniforms, ...params },
    buffers,
    groups: count,
  });
}

/** Emit with `axes` kept as size 1, and drop them where the op does not keep them. */
function withAxes(
  lowering: Lowering,
  node: Node,
  axes: readonly number[],
  keeps: boolean,
  emit: (x: Placed, out: Placed) => void,
): void {
  const x = lowering.input(node, 0);
  if (keeps) return emit(x, lowering.output(node));
  const shape = x.layout.logical.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const name = node.outputs[0] ?? "";
  const kept = lowering.scratch(shape, lowering.type(name));
  emit(x, { ...kept, name });
  emitReshape(lowering, node, kept, lowering.output(node));
}

export function lowerReduce(lowering: Lowering, node: Reducing): void {
  const isGlobal = node.op === "GlobalAveragePool";
  const { logical } = lowering.input(node, 0).layout;
  const axes = isGlobal ? logical.map((_, axis) => axis).slice(2) : node.axes;
  withAxes(lowering, node, axes, isGlobal || node.keepdims, (x, out) =>
    emitReduce(lowering, node, x, out, axes),
  );
}

export function lowerArgReduce(lowering: Lowering, node: ArgReduce): void {
  const axes = [node.axis];
  withAxes(lowering, node, axes, node.keepdims, (x, out) => {
    const { uniforms, overrides } = walk(lowering, node, x, axes);
    const { length, k1, k2, k3, k4, t0, t1, t2, t3, t4, s3, words, last } = uniforms;
    if (x.quant) throw lowering.unsupported(node, "it does not run in integers");
    const count = out.layout.words;
    lowering.plan.step("argF32", {
      node: node.name,
      overrides: {
        ...overrides,
        LEAST: node.op === "ArgMin" ? 1 : 0,
        SELECT_LAST: node.selectLastIndex ? 1 : 0,
      },
      uniforms: { count, length, k1, k2, k3, k4, t0, t1, t2, t3, t4, stride: s3, words, last },
      buffers: { x: x.ref, out: out.ref },
      groups: count,
    });
  });
}
