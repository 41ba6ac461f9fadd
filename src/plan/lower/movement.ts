// Ops that move elements and compute nothing. Where the bytes would not change, no dispatch: the
// output is the input's memory under another shape.

import { quantizeValue, rescaleMultiplier } from "../../graph/arithmetic.ts";
import type { Movement, Node, NodeOf } from "../../graph/node.ts";
import { sliceRange } from "../../graph/extents.ts";
import { sizeAt } from "../../graph/shapes.ts";
import { rangeOf, type QParams } from "../../graph/value.ts";
import { sizeOf, stridesOf } from "../../tensor/tensor.ts";
import { elementStrides, isDense, keepsOrder, layoutOf, padFront, type Layout } from "../layout.ts";
import {
  isBytes,
  quantizeUniforms,
  shiftOf,
  workgroups,
  type Lowering,
  type Placed,
} from "./context.ts";

const SIX = [0, 1, 2, 3, 4, 5] as const;
type Axis = (typeof SIX)[number];

export function numbered<P extends string>(
  prefix: P,
  values: readonly number[],
): Record<`${P}${Axis}`, number> {
  return Object.fromEntries(SIX.map((axis) => [`${prefix}${axis}`, values[axis] ?? 0])) as Record<
    `${P}${Axis}`,
    number
  >;
}

/** How moved elements are requantized, docs/quantization.md (34); equal parameters change nothing. */
function rescale(lowering: Lowering, node: Node, x: Placed, out: Placed) {
  const [from, to] = [lowering.stored(node, x), lowering.stored(node, out)];
  const [low, high] = storedRange(out);
  return {
    inZero: from.zeroPoint,
    multiplier: from.scale === to.scale ? 1 : rescaleMultiplier(from.scale, to.scale),
    zeroPoint: to.zeroPoint,
    low,
    high,
  };
}

/** Least and greatest stored byte. */
function storedRange({ dtype, quant }: Placed): readonly [number, number] {
  if (quant === undefined) return [-128, 127];
  const [qmin, qmax] = rangeOf(quant);
  const shift = shiftOf({ dtype });
  return [qmin - shift, qmax - shift];
}

/** True where both layouts hold the same elements at the same places. */
function samePlaces(a: Layout, b: Layout): boolean {
  const trim = ({ physical, last }: Layout) =>
    [...physical.slice(0, -1).filter((size) => size !== 1), last].join();
  return trim(a) === trim(b) && keepsOrder(a) && keepsOrder(b);
}

const sameParams = (a: QParams | undefined, b: QParams | undefined) =>
  a?.dtype === b?.dtype && a?.scale[0] === b?.scale[0] && a?.zeroPoint[0] === b?.zeroPoint[0];

/** Geometry of a reshape from x's layout to out's, as the shaders' uniforms name it. */
function reshapeUniforms({ layout: from }: Placed, { layout: to }: Placed) {
  const weights = stridesOf(to.logical);
  const sizes = numbered("size", padFront(from.logical, 6, 1));
  const dims = numbered("dim", padFront(to.physical, 6, 1));
  const { size0: _size, ...innerSizes } = sizes;
  const { dim0: _dim, ...innerDims } = dims;
  const order = to.order.map((axis) => weights[axis] ?? 0);
  const weight = numbered("weight", padFront(order, 6, 0));
  const stride = numbered("stride", padFront(elementStrides(from), 6, 0));
  return { count: to.words, last: to.last, ...innerDims, ...weight, ...innerSizes, ...stride };
}

/** out = x with another shape: a dispatch of the reshape shader. */
export function emitReshape(
  lowering: Lowering,
  node: { readonly name: string },
  x: Placed,
  out: Placed,
): void {
  lowering.plan.step(isBytes(x) ? "reshapeI8" : "reshape32", {
    node: node.name,
    uniforms: reshapeUniforms(x, out),
    buffers: { x: x.ref, out: out.ref },
    groups: workgroups(out.layout.words),
  });
}

/** An operand brought to `rank` axes: lower ranks lie differently, so they are reshaped. */
export function alignRank(lowering: Lowering, node: Node, placed: Placed, rank: number): Placed {
  const { logical } = placed.layout;
  if (logical.length === rank) return placed;
  const shape = padFront(logical, rank, 1);
  const aligned = lowering.scratch(shape, placed);
  emitReshape(lowering, node, placed, aligned);
  return aligned;
}

/** out = quantize(x) with another shape. */
export function emitReshapeQuantize(
  lowering: Lowering,
  node: NodeOf<"Quantize">,
  x: Placed,
  out: Placed,
): void {
  lowering.plan.step("reshapeQuantizeF32", {
    node: node.name,
    uniforms: { ...reshapeUniforms(x, out), ...quantizeUniforms(lowering, node, out) },
    buffers: { x: x.ref, out: out.ref },
    groups: workgroups(out.layout.words),
  });
}

/** A box of out, in out's logical axes, that x fills. */
interface Box {
  /** Per logical axis of out: first coordinate, number of coordinates. */
  readonly origin: readonly number[];
  readonly extent: readonly number[];
  /** Per logical axis of out: stride in x's elements. */
  readonly stride: readonly number[];
  /** Element of x at the box's first corner. */
  readonly base: number;
}

/** out's box = x; elsewhere `fill` (real), or with undefined what out holds. */
export function emitCopy(
  lowering: Lowering,
  node: Node,
  x: Placed,
  out: Placed,
  box: Box,
  fill: number | undefined,
): void {
  const { layout } = out;
  if (layout.logical.length > 6) throw lowering.unsupported(node, "at most 6 axes are supported");
  const physical = (values: readonly number[], front: number) =>
    padFront(
      layout.order.map((axis) => values[axis] ?? 0),
      6,
      front,
    );
  const uniforms = {
    count: layout.words,
    last: layout.last,
    base: box.base,
    ...numbered("dim", padFront(layout.physical, 6, 1)),
    ...numbered("origin", physical(box.origin, 0)),
    ...numbered("extent", physical(box.extent, 1)),
    ...numbered("stride", physical(box.stride, 0)),
  };
  const overrides = { KEEP: fill === undefined ? 1 : 0 };
  const buffers = { x: x.ref, out: out.ref };
  const groups = workgroups(layout.words);
  if (!isBytes(out)) {
    const bits = out.dtype === "float32" ? Float32Array.of(fill ?? 0) : Int32Array.of(fill ?? 0);
    lowering.plan.step("copy32", {
      node: node.name,
      overrides,
      uniforms: { ...uniforms, fill: new Uint32Array(bits.buffer)[0] ?? 0 },
      buffers,
      groups,
    });
    return;
  }
  const { scale, zeroPoint } = lowering.stored(node, out);
  const [qmin, qmax] = storedRange(out);
  const filled = quantizeValue(fill ?? 0, scale, zeroPoint, qmin, qmax);
  const params = rescale(lowering, node, x, out);
  lowering.plan.step("copyI8", {
    node: node.name,
    overrides,
    uniforms: { ...uniforms, ...params, fill: filled },
    buffers,
    groups,
  });
}

/** The whole of x at the origin of out. */
function wholeBox(x: Placed): Box {
  const { logical } = x.layout;
  return {
    origin: logical.map(() => 0),
    extent: logical,
    stride: elementStrides(x.layout),
    base: 0,
  };
}

function lowerConcat(lowering: Lowering, node: NodeOf<"Concat">, out: Placed): void {
  let at = 0;
  node.inputs.forEach((_, index) => {
    const x = lowering.input(node, index);
    const whole = wholeBox(x);
    const origin = whole.origin.map((_, axis) => (axis === node.axis ? at : 0));
    at += x.layout.logical[node.axis] ?? 0;
    // Parts that fill whole words need nothing of what lies there; the first one may write it all.
    emitCopy(lowering, node, x, out, { ...whole, origin }, index === 0 ? 0 : undefined);
  });
}

function lowerSlice(lowering: Lowering, node: NodeOf<"Slice">, x: Placed, out: Placed): void {
  const strides = elementStrides(x.layout);
  let base = 0;
  const stride = strides.map((step, axis) => {
    const at = node.axes.indexOf(axis);
    if (at < 0) return step;
    const size = x.layout.logical[axis] ?? 1;
    const by = node.steps[at] ?? 1;
    const [from, to] = [sizeAt(node, node.starts, at), sizeAt(node, node.ends, at)];
    base += sliceRange(size, from, to, by).start * step;
    return step * by;
  });
  const { logical } = out.layout;
  emitCopy(
    lowering,
    node,
    x,
    out,
    { origin: logical.map(() => 0), extent: logical, stride, base },
    0,
  );
}

/** out = x, repeated along the axes where x has size 1: numpy broadcasting. */
export function emitBroadcastCopy(lowering: Lowering, node: Node, x: Placed, out: Placed): void {
  const { logical } = out.layout;
  const whole = alignRank(lowering, node, x, logical.length);
  const strides = elementStrides(whole.layout);
  const stride = logical.map((_, axis) =>
    whole.layout.logical[axis] === 1 ? 0 : (strides[axis] ?? 0),
  );
  const origin = logical.map(() => 0);
  emitCopy(lowering, node, whole, out, { origin, extent: logical, stride, base: 0 }, 0);
}

/** Pad with what x holds, axis after axis: the middle, then what stands before and behind it. */
function lowerMirror(
  lowering: Lowering,
  node: NodeOf<"Pad">,
  x: Placed,
  mode: "reflect" | "edge",
): void {
  const out = lowering.output(node);
  const rank = x.layout.logical.length;
  const padded = x.layout.logical.flatMap((_, axis) =>
    (node.pads[axis] ?? 0) + (node.pads[axis + rank] ?? 0) > 0 ? [axis] : [],
  );
  if (padded.length === 0) return emitCopy(lowering, node, x, out, wholeBox(x), 0);
  let from = x;
  padded.forEach((axis, index) => {
    const [begin, end] = [node.pads[axis] ?? 0, node.pads[axis + rank] ?? 0];
    const { logical } = from.layout;
    const size = logical[axis] ?? 1;
    const isLast = index === padded.length - 1;
    const shape = logical.map((dim, at) => (at === axis ? begin + dim + end : dim));
    const to = isLast ? out : lowering.scratch(shape, out);
    const whole = wholeBox(from);
    const along = whole.stride[axis] ?? 0;
    /** `count` places from `first` on, of which the first shows element `source`. */
    const part = (first: number, count: number, source: number) => {
      const put = (values: readonly number[], value: number) =>
        values.map((old, at) => (at === axis ? value : old));
      const stride = put(whole.stride, mode === "edge" ? 0 : -along);
      const box = { origin: put(whole.origin, first), extent: put(whole.extent, count), stride };
      emitCopy(lowering, node, from, to, { ...box, base: source * along }, undefined);
    };
    const origin = whole.origin.map((_, at) => (at === axis ? begin : 0));
    emitCopy(lowering, node, from, to, { ...whole, origin }, 0);
    if (begin > 0) part(0, begin, mode === "edge" ? 0 : begin);
    if (end > 0) part(begin + size, end, mode === "edge" ? size - 1 : size - 2);
    from = to;
  });
}

/** Lower a movement whose output's elements are all of x in the same row-major order. */
function lowerReshape(lowering: Lowering, node: Node, x: Placed): void {
  const name = node.outputs[0] ?? "";
  const quant = lowering.quant(name);
  const stays = lowering.choices.always((shape) => {
    const [from, to] = [layoutOf(shape(x.name)), layoutOf(shape(name))];
    return samePlaces(from, to) || (isDense(from) && isDense(to));
  });
  if (stays && sameParams(x.quant, quant)) {
    lowering.place(name, x.ref);
    return;
  }
  if (!sameParams(x.quant, quant)) {
    const params = lowering.scratch(x.layout.logical, lowering.type(name));
    emitCopy(lowering, node, x, params, wholeBox(x), 0);
    emitReshape(lowering, node, params, lowering.output(node));
    return;
  }
  emitReshape(lowering, node, x, lowering.output(node));
}

export function lowerMovement(lowering: Lowering, node: Movement | NodeOf<"Identity">): void {
  const x = lowering.input(node, 0);
  if ((x.quant === undefined) !== (lowering.quant(node.outputs[0] ?? "") === undefined)) {
    throw lowering.unsupported(node, "input and output must both be float or both be quantized");
  }
  switch (node.op) {
    case "Identity":
    case "Flatten":
    case "Reshape":
    case "Squeeze":
    case "Unsqueeze":
      lowerReshape(lowering, node, x);
      return;
    case "Transpose": {
      const strides = elementStrides(x.layout);
      const out = lowering.output(node);
      const { logical } = out.layout;
      const stride = node.perm.map((axis) => strides[axis] ?? 0);
      emitCopy(
        lowering,
        node,
        x,
        out,
        { origin: logical.map(() => 0), extent: logical, stride, base: 0 },
        0,
      );
      return;
    }
    case "Expand":
      emitBroadcastCopy(lowering, node, x, lowering.output(node));
      return;
    case "Concat":
      lowerConcat(lowering, node, lowering.output(node));
      return;
    case "Pad": {
      if (node.mode) return lowerMirror(lowering, node, x, node.mode);
      const out = lowering.output(node);
      const begins = x.layout.logical.map((_, axis) => node.pads[axis] ?? 0);
      emitCopy(lowering, node, x, out, { ...wholeBox(x), origin: begins }, node.value);
      return;
    }
    case "Slice":
      lowerSlice(lowering, node, x, lowering.output(node));
      return;
    case "Split": {
      const strides = elementStrides(x.layout);
      let at = 0;
      node.sizes.forEach((size, index) => {
        const out = lowering.output(node, index);
        const { logical } = out.layout;
        const base = at * (strides[node.axis] ?? 0);
        at += size;
        if (sizeOf(logical) === 0) return;
        emitCopy(
          lowering,
          node,
          x,
          out,
          { origin: logical.map(() => 0), extent: logical, stride: strides, base },
          0,
        );
      });
      return;
    }
    default:
      node satisfies never;
  }
}
