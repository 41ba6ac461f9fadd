// Shape inference: the shapes of a node's outputs from those of its inputs. Sizes may be names
// ("batch"): they pass through, and arithmetic on them is refused with the node's name.

import type { DType } from "../tensor/dtype.ts";
import { formatShape } from "../tensor/tensor.ts";
import { attention } from "./attentionShape.ts";
import { isBinary, isReduce, isUnaryFunction } from "./functions.ts";
import { checkClamp } from "./clamp.ts";
import { sliceRange, windowSize } from "./extents.ts";
import { convGradShapes } from "./convGrads.ts";
import { fakeQuantizeShapes } from "./fakeQuantizedShapes.ts";
import { isGradientNode } from "./gradients.ts";
import { gradientShapes } from "./gradientShapes.ts";
import { learningShapes } from "./learningShapes.ts";
import type { Node, Window } from "./node.ts";
import { CHECK_MODEL, nodeError, sizeAt } from "./nodeError.ts";
import { addDims, divideDims, productOf } from "./dims.ts";
import { recurrentShapes, wantedShape } from "./recurrent.ts";
import { checkUpdate } from "./updateShapes.ts";
import type { Dim } from "./value.ts";

export { nodeError, sizeAt };

type Shape = readonly Dim[];

/** numpy broadcasting of two shapes. */
export function broadcastShapes(node: Node, a: Shape, b: Shape): Dim[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const left = a[a.length - rank + axis] ?? 1;
    const right = b[b.length - rank + axis] ?? 1;
    if (left === right || right === 1) return left;
    if (left === 1) return right;
    throw nodeError(
      node,
      "shapes must broadcast",
      `${formatShape(a)} and ${formatShape(b)}`,
      CHECK_MODEL,
    );
  });
}

/** The target of a Reshape with 0 and −1 resolved. */
function reshape(node: Node & { op: "Reshape" }, input: Shape): Dim[] {
  const target: (Dim | undefined)[] = node.shape.map((dim, axis) =>
    dim === 0 ? input[axis] : dim === -1 ? undefined : dim,
  );
  const from = productOf(input);
  const to = productOf(target.map((dim) => dim ?? 1));
  const isKnown = from !== undefined && to !== undefined;
  const missing = isKnown ? divideDims(from, to) : undefined;
  const fits = isKnown && from === to;
  if (target.includes(undefined) ? missing === undefined : !fits) {
    throw nodeError(
      node,
      `elements must stay ${formatShape(input)}`,
      formatShape(node.shape),
      "Fix symbolic sizes when loading: load(bytes, { dims: { name: size } }).",
    );
  }
  return target.map((dim) => dim ?? missing ?? 1);
}

/** A gradient has the shape of what it is the gradient of. */
function sameShape(node: Node, x: Shape, gradient: Shape): Dim[] {
  if (x.length === gradient.length && x.every((dim, axis) => dim === gradient[axis])) return [...x];
  throw nodeError(
    node,
    `the gradient must have x's shape ${formatShape(x)}`,
    formatShape(gradient),
    "Pass the gradient of this node's output.",
  );
}

function pad(node: Node & { op: "Pad" }, x: Shape): Dim[] {
  return x.map((dim, axis) => {
    const [begin, end] = [node.pads[axis] ?? 0, node.pads[axis + x.length] ?? 0];
    if (begin === 0 && end === 0) return dim;
    if (node.mode === undefined) return addDims(dim, begin + end);
    const size = sizeAt(node, x, axis);
    // A mirror has no more than it shows; an edge must be there.
    const most = node.mode === "reflect" ? size - 1 : size > 0 ? Infinity : 0;
    if (node.mode && (Math.min(begin, end) < 0 || Math.max(begin, end) > most)) {
      throw nodeError(
        node,
        `mode "${node.mode}" pads axis ${axis} of size ${size} by 0 … ${most}`,
        `${begin} before and ${end} behind`,
        CHECK_MODEL,
      );
    }
    return size + begin + end;
  });
}

function concat(node: Node & { op: "Concat" }, inputs: readonly Shape[]): Dim[] {
  const first = inputs[0] ?? [];
  if (inputs.some((shape) => shape.length !== first.length)) {
    const got = inputs.map(formatShape).join(" and ");
    throw nodeError(node, "inputs must have one number of axes", got, CHECK_MODEL);
  }
  return first.map((dim, axis) => {
    if (axis === node.axis) {
      return inputs.reduce<Dim>((sum, shape) => addDims(sum, shape[axis] ?? 0), 0);
    }
    const other = inputs.find((shape) => shape[axis] !== dim);
    if (other === undefined) return dim;
    throw nodeError(
      node,
      `inputs must agree outside axis ${node.axis}`,
      inputs.map(formatShape).join(" and "),
      CHECK_MODEL,
    );
  });
}

/** No size reaches so far: what exporters write for "to the end". */
const FAR = 2 ** 31 - 1;

/** The size of sliced axis `axis`, number `at` of the node's list. Bounds on an axis whose size is open, and
 *  bounds that name a size, are taken to lie within the axis: sizes that do not are found when they come. */
function sliced(node: Node & { op: "Slice" }, x: Shape, axis: number, at: number): Dim {
  const size = x[axis] ?? 1;
  const [start, end, step] = [node.starts[at] ?? 0, node.ends[at] ?? 0, node.steps[at] ?? 1];
  if (typeof size === "number" && typeof start === "number" && typeof end === "number")
    return sliceRange(size, start, end, step).count;
  if (step !== 1) return sizeAt(node, x, axis);
  const place = (bound: Dim): Dim => {
    if (typeof bound === "string") return bound;
    return bound < 0 ? addDims(size, bound) : bound >= FAR ? size : bound;
  };
  return addDims(place(end), place(start), -1);
}

function matmul(node: Node, a: Shape, b: Shape): Dim[] {
  const left = a.length === 1 ? [1, ...a] : a;
  const right = b.length === 1 ? [...b, 1] : b;
  const inner = [left.at(-1), right.at(-2)];
  if (inner[0] !== inner[1]) {
    throw nodeError(
      node,
      "inner sizes must agree",
      `${formatShape(a)} and ${formatShape(b)}`,
      CHECK_MODEL,
    );
  }
  const leading = broadcastShapes(node, left.slice(0, -2), right.slice(0, -2));
  const rows = a.length === 1 ? [] : left.slice(-2, -1);
  const columns = b.length === 1 ? [] : right.slice(-1);
  return [...leading, ...rows, ...columns];
}

function conv(node: Node & { op: "Conv" | "ConvInteger" }, x: Shape, filter: Shape): Dim[] {
  const channels = sizeAt(node, x, 1);
  const [outs, perGroup] = [sizeAt(node, filter, 0), sizeAt(node, filter, 1)];
  if (channels !== perGroup * node.group || outs % node.group !== 0) {
    throw nodeError(
      node,
      "channels must divide by group",
      `x ${formatShape(x)}, filter ${formatShape(filter)}, group=${node.group}`,
      CHECK_MODEL,
    );
  }
  return spatial(node, x, outs, node, false);
}

function spatial(node: Node, x: Shape, channels: Dim, window: Window, ceilMode: boolean): Dim[] {
  if (x.length !== 4) {
    throw nodeError(node, "input must have 4 axes", formatShape(x), "Only 2-D windows run here.");
  }
  const sizes = ([0, 1] as const).map((axis): Dim => {
    const size = x[axis + 2] ?? 1;
    return typeof size === "number"
      ? windowSize(size, window, axis, ceilMode)
      : openWindow(node, x, window, axis);
  });
  if (sizes.some((size) => typeof size === "number" && size < 0)) {
    throw nodeError(
      node,
      "the window must fit in the padded input",
      `x ${formatShape(x)}, kernel ${formatShape(window.kernel)}`,
      CHECK_MODEL,
    );
  }
  return [x[0] ?? 1, channels, ...sizes];
}

/** The places of a window along an open axis: one of step 1 gives a sum of the size and a number. */
function openWindow(node: Node, x: Shape, window: Window, axis: 0 | 1): Dim {
  const size = x[axis + 2] ?? 1;
  if (window.strides[axis] !== 1) return sizeAt(node, x, axis + 2);
  const extent = window.dilations[axis] * (window.kernel[axis] - 1) + 1;
  return addDims(size, window.pads[axis] + (window.pads[axis + 2] ?? 0) - extent + 1);
}

/** x's own shape, once scale and bias broadcast to it. */
function layerNormalization(
  node: Node & { op: "LayerNormalization" },
  x: Shape,
  operands: readonly Shape[],
): Dim[] {
  for (const shape of operands) {
    const out = broadcastShapes(node, x, shape);
    if (out.length === x.length && out.every((dim, axis) => dim === x[axis])) continue;
    const rule = `scale and bias must broadcast to x ${formatShape(x)}`;
    throw nodeError(node, rule, formatShape(shape), CHECK_MODEL);
  }
  return [...x];
}

/** Y, Y_h and Y_c; every input must have the shape that its role asks for. Names of sizes may differ. */
function recurrent(node: Node & { op: "LSTM" | "GRU" }, inputs: readonly Shape[]): Dim[][] {
  const [x = []] = inputs;
  (["W", "R", ...node.roles] as const).forEach((what, index) => {
    const [got = [], want] = [inputs[index + 1], wantedShape(node, what, x)];
    const fits = (dim: Dim, axis: number) =>
      dim === want[axis] || typeof dim === "string" || typeof want[axis] === "string";
    if (x.length === 3 && got.length === want.length && got.every(fits)) return;
    const shapes = `${formatShape(got)} with x ${formatShape(x)}`;
    throw nodeError(node, `${what} must have shape ${formatShape(want)}`, shapes, CHECK_MODEL);
  });
  return recurrentShapes(node, x);
}

/** `shape` with `axes` reduced. */
function reduced(shape: Shape, axes: readonly number[], keepdims: boolean): Dim[] {
  return shape.flatMap((dim, axis) => (!axes.includes(axis) ? [dim] : keepdims ? [1] : []));
}

/** Element types that `node`'s op alone decides, output by output; undefined where its inputs do. */
export function fixedTypes(node: Node): readonly DType[] | undefined {
  switch (node.op) {
    case "Cast":
      return [node.to];
    case "ConvInteger":
    case "MatMulInteger":
      return ["int32"];
    case "ArgMax":
    case "ArgMin":
      return ["int64"];
    case "MatMulIntegerToFloat":
      return ["float32"];
    case "DynamicQuantizeLinear":
      return [node.dtype, "float32", node.dtype];
    case "LSTM":
    case "GRU":
      return node.outputs.map(() => "float32");
    case "Equal":
    case "Less":
    case "LessOrEqual":
    case "Greater":
    case "GreaterOrEqual":
    case "And":
    case "Or":
    case "Xor":
    case "Not":
      return ["bool"];
    default:
      return undefined;
  }
}

/** Shapes of `node`'s outputs, given those of its inputs in order. */
export function inferShapes(node: Node, inputs: readonly Shape[]): Dim[][] {
  const x = inputs[0] ?? [];
  checkClamp(node);
  if (isUnaryFunction(node)) return [[...x]];
  if (isBinary(node)) return [broadcastShapes(node, x, inputs[1] ?? [])];
  if (isGradientNode(node)) return gradientShapes(node, inputs);
  if (isReduce(node)) return [reduced(x, node.axes, node.keepdims)];
  switch (node.op) {
    case "Conv":
    case "ConvInteger":
      return [conv(node, x, inputs[1] ?? [])];
    case "Gemm": {
      const a = node.transA ? x.toReversed() : x;
      const second = inputs[1] ?? [];
      return [matmul(node, a, node.transB ? second.toReversed() : second)];
    }
    case "MatMul":
    case "MatMulInteger":
    case "MatMulIntegerToFloat":
      return [matmul(node, x, inputs[1] ?? [])];
    case "BatchNormalization":
    case "Cast":
    case "Softmax":
    case "LogSoftmax":
    case "Quantize":
    case "Dequantize":
    case "Not":
      return [[...x]];
    case "FakeQuantize":
    case "FakeQuantizeGrad":
    case "MovingAverageObserve":
      return fakeQuantizeShapes(node, inputs);
    case "ClampGrad":
      return [sameShape(node, x, inputs[1] ?? [])];
    case "LayerNormalization":
      return [layerNormalization(node, x, inputs.slice(1))];
    case "Equal":
    case "Less":
    case "LessOrEqual":
    case "Greater":
    case "GreaterOrEqual":
    case "And":
    case "Or":
    case "Xor":
      return [broadcastShapes(node, x, inputs[1] ?? [])];
    case "Attention":
      return [attention(node, inputs)];
    case "Where":
      return [broadcastShapes(node, broadcastShapes(node, x, inputs[1] ?? []), inputs[2] ?? [])];
    case "Expand":
      return [broadcastShapes(node, x, node.shape)];
    case "Gather":
      return [[...x.slice(0, node.axis), ...(inputs[1] ?? []), ...x.slice(node.axis + 1)]];
    case "AveragePool":
    case "MaxPool":
      return [spatial(node, x, x[1] ?? 1, node, node.ceilMode)];
    case "GlobalAveragePool":
      return [x.map((dim, axis) => (axis < 2 ? dim : 1))];
    case "ArgMax":
    case "ArgMin":
      if (x[node.axis] === 0) {
        throw nodeError(node, `axis ${node.axis} must have elements`, formatShape(x), CHECK_MODEL);
      }
      return [reduced(x, [node.axis], node.keepdims)];
    case "Flatten": {
      const merge = (part: Shape): Dim =>
        productOf(part) ??
        sizeAt(
          node,
          part,
          part.findIndex((dim) => typeof dim === "string"),
        );
      return [[merge(x.slice(0, node.axis)), merge(x.slice(node.axis))]];
    }
    case "Reshape":
      return [reshape(node, x)];
    case "Transpose":
      return [node.perm.map((axis) => x[axis] ?? 1)];
    case "Squeeze":
      return [x.filter((_, axis) => !node.axes.includes(axis))];
    case "Unsqueeze": {
      const out: Dim[] = [];
      let next = 0;
      for (let axis = 0; axis < x.length + node.axes.length; axis++) {
        out.push(node.axes.includes(axis) ? 1 : (x[next++] ?? 1));
      }
      return [out];
    }
    case "Concat":
      return [concat(node, inputs)];
    case "Pad":
      return [pad(node, x)];
    case "Slice":
      return [
        x.map((dim, axis) => {
          const at = node.axes.indexOf(axis);
          if (at < 0) return dim;
          return sliced(node, x, axis, at);
        }),
      ];
    case "Split":
      return node.sizes.map((size) => x.map((dim, axis) => (axis === node.axis ? size : dim)));
    case "LSTM":
    case "GRU":
      return recurrent(node, inputs);
    case "DynamicQuantizeLinear": {
      const parameters = node.granularity === "perTensor" ? [] : [...x.slice(0, -1), 1];
      return [[...x], parameters, parameters];
    }
    case "CrossEntropy":
    case "CrossEntropyGrad":
    case "GatherGrad":
    case "LSTMGrad":
    case "GRUGrad":
      return learningShapes(node, inputs);
    case "ConvTranspose":
    case "ConvGradFilter":
      return convGradShapes(node, inputs);
    case "GuardStep":
      return [[...x]];
    case "ClipFactor":
      return [[], []];
    case "SgdUpdate":
    case "AdamUpdate":
    case "Accumulate":
      checkUpdate(node, inputs);
      return [];
    case "Observe":
    case "Compare":
      return [];
    default:
      return node satisfies never;
  }
}
