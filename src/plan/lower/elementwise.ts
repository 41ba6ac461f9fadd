// Ops that work element by element, and the ways between float and int8.

import {
  addMultipliers,
  dequantizeTensor,
  multiplier,
  quantizeTensor,
} from "../../graph/arithmetic.ts";
import { clampOf } from "../../graph/clamp.ts";
import { unaryFunction, type UnaryFunction } from "../../graph/functions.ts";
import type { Binary, Clamp, Node, NodeOf } from "../../graph/node.ts";
import type { QParams } from "../../graph/value.ts";
import { fl } from "../../tensor/rounding.ts";
import { float32, tensor } from "../../tensor/tensor.ts";
import { elementStrides, layoutOf, padFront, type Layout } from "../layout.ts";
import { lowerVariableBatchNorm } from "./batchNorm.ts";
import {
  floatBounds,
  isBytes,
  shiftOf,
  storedBounds,
  workgroups,
  type Lowering,
  type Placed,
} from "./context.ts";
import { alignRank } from "./movement.ts";

type Function = Exclude<UnaryFunction, { op: "Identity" }>;
type Bare<N> = N extends Node ? Omit<N, "name" | "inputs" | "outputs"> : never;

/** The shader's number for f, and its two constants. "HalfPower" and "InverseSqrt" are no ops: Pow by ½ and by −½ are
 *  they, and √ but for −∞. */
export function functionOf(node: Bare<Function> | { readonly op: "InverseSqrt" | "HalfPower" }): {
  op: number;
  a: number;
  b: number;
} {
  const plain = (op: number) => ({ op, a: 0, b: 0 });
  switch (node.op) {
    case "Relu":
      return { op: 0, a: 0, b: floatBounds({}).high };
    case "Clip": {
      const { low: a, high: b } = floatBounds(node);
      return { op: 0, a, b };
    }
    case "LeakyRelu":
      return { op: 1, a: node.alpha, b: 0 };
    case "Sigmoid":
      return plain(2);
    case "HardSigmoid":
      return { op: 3, a: node.alpha, b: node.beta };
    case "HardSwish":
      return plain(4);
    case "Tanh":
      return plain(5);
    case "Erf":
      return plain(6);
    case "Gelu":
      return plain(node.approximate === "tanh" ? 8 : 7);
    case "Elu":
      return { op: 9, a: node.alpha, b: 1 };
    case "Selu":
      return { op: 9, a: node.alpha, b: node.gamma };
    case "Softplus":
      return plain(10);
    case "Neg":
      return plain(11);
    case "Abs":
      return plain(12);
    case "Sign":
      return plain(13);
    case "Floor":
      return plain(14);
    case "Ceil":
      return plain(15);
    case "Round":
      return plain(16);
    case "Exp":
      return plain(17);
    case "Log":
      return plain(18);
    case "Sqrt":
      return plain(19);
    case "Reciprocal":
      return plain(20);
    case "HalfPower":
      return { op: 19, a: 1, b: 0 };
    case "InverseSqrt":
      return plain(21);
    default:
      return node satisfies never;
  }
}

/** table[stored x + 128] = stored quantize(f(dequantize(x))). */
function tableOf(node: Function, from: QParams, to: QParams): Int32Array {
  const first = from.dtype === "uint8" ? 0 : -128;
  const codes = Array.from({ length: 256 }, (_, index) => first + index);
  const inputs = tensor(
    from.dtype,
    [256],
    from.dtype === "uint8" ? Uint8Array.from(codes) : Int8Array.from(codes),
  );
  const f = unaryFunction(node);
  const reals = Array.from(dequantizeTensor(inputs, from).data, (x) => fl(f(x)));
  return Int32Array.from(quantizeTensor(float32([256], reals), to).data, (q) => q - shiftOf(to));
}

/** Parameters of bytes; plain ones stand for themselves. */
function quantOf({ dtype, quant }: Placed): QParams {
  if (quant) return quant;
  const plain = { scale: Float32Array.of(1), zeroPoint: Int32Array.of(0) };
  return { dtype: dtype === "uint8" ? "uint8" : "int8", ...plain };
}

export function lowerUnary(lowering: Lowering, node: Function): void {
  const x = lowering.input(node, 0);
  const out = lowering.output(node);
  if (isBytes(x) && isBytes(out)) {
    const count = out.layout.words;
    const table = lowering.plan.constant(tableOf(node, quantOf(x), quantOf(out)));
    lowering.plan.step("lookupI8", {
      node: node.name,
      uniforms: { count },
      buffers: { x: x.ref, table, out: out.ref },
      groups: workgroups(count),
    });
    return;
  }
  if (x.dtype !== "float32" || out.dtype !== "float32")
    throw lowering.unsupported(node, "input and output must both be float or both quantized");
  emitUnary(lowering, node, node, x, out);
}

/** Parts that a range is found in on the way. */
const RANGES = 256;

/** out = f(x) in float, and its range where a reader is quantized by it. */
function emitUnary(
  lowering: Lowering,
  node: Node,
  f: Parameters<typeof functionOf>[0],
  x: Placed,
  out: Placed,
): void {
  const { op, a, b } = functionOf(f);
  const { words: count, lastWords: words, last } = out.layout;
  const shared = {
    node: node.name,
    overrides: { OP: op },
    uniforms: { count, words, last, a, b },
  };
  if (!lowering.isRanged(out.name)) {
    const buffers = { x: x.ref, out: out.ref };
    lowering.plan.step("unaryF32", { ...shared, buffers, groups: workgroups(count) });
    return;
  }
  const { software } = lowering.target;
  const groups = Math.max(1, Math.min(software ? 16 : RANGES, Math.ceil(count / 1024)));
  const overrides = { ...shared.overrides, WORKGROUP: software ? 4 : 64 };
  const outRange = lowering.roomForRange(out.name, groups);
  const buffers = { x: x.ref, outRange, out: out.ref };
  lowering.plan.step("unaryRangeF32", { ...shared, overrides, buffers, groups });
}

const SIX = [0, 1, 2, 3, 4, 5] as const;

/** Strides in words along out's six physical axes; 0 where `placed` repeats. */
function wordStrides(placed: Placed, out: Layout): { strides: number[]; splat: number } {
  const { layout } = placed;
  const elements = elementStrides(layout);
  const strides = layout.order.map((axis, at) => {
    const repeats = (layout.logical[axis] ?? 1) === 1;
    const isLast = at === layout.order.length - 1;
    return repeats ? 0 : isLast ? 1 : (elements[axis] ?? 0) / 4;
  });
  const splat = layout.last === 1 && out.last > 1 ? 1 : 0;
  return { strides: padFront(strides, 6, 0), splat };
}

/** Sizes and strides of a broadcast, as the shaders' uniforms name them. */
export function broadcast(a: Placed, b: Placed, out: Layout) {
  const sizes = padFront([...out.physical.slice(0, -1), out.lastWords], 6, 1);
  const [left, right] = [wordStrides(a, out), wordStrides(b, out)];
  const fields = (prefix: string, values: readonly number[]) =>
    SIX.map((axis) => [`${prefix}${axis}`, values[axis] ?? 0] as const);
  const { dim0: _outermost, ...rest } = Object.fromEntries([
    ...fields("dim", sizes),
    ...fields("a", left.strides),
    ...fields("b", right.strides),
  ]) as Record<BroadcastField | "dim0", number>;
  return { ...rest, aSplat: left.splat, bSplat: right.splat, count: out.words };
}

type Axis = (typeof SIX)[number];
type BroadcastField = `dim${Exclude<Axis, 0>}` | `a${Axis}` | `b${Axis}`;

const BINARY = { Add: 0, Sub: 1, Mul: 2, Div: 3, Pow: 4, Min: 5, Max: 6 } as const;

/** out = clamp(a op b), float operands. */
export function emitBinary(
  lowering: Lowering,
  node: Node,
  op: Binary["op"],
  a: Placed,
  b: Placed,
  out: Placed,
  clamp: Clamp,
): void {
  const rank = out.layout.logical.length;
  const [left, right] = [alignRank(lowering, node, a, rank), alignRank(lowering, node, b, rank)];
  const shared = { ...broadcast(left, right, out.layout), last: out.layout.last };
  lowering.plan.step("binaryF32", {
    node: node.name,
    overrides: { OP: BINARY[op] },
    uniforms: { ...shared, ...floatBounds(clamp) },
    buffers: { a: left.ref, b: right.ref, out: out.ref },
    groups: workgroups(out.layout.words),
  });
}

export function lowerBinary(lowering: Lowering, node: Binary): void {
  const a = lowering.input(node, 0);
  const b = lowering.input(node, 1);
  const out = lowering.output(node);
  const quantized = [a, b, out].filter(({ quant }) => quant).length;
  if (quantized === 0 && node.op === "Pow") return lowerPower(lowering, node, a, b, out);
  if (quantized === 0) {
    emitBinary(lowering, node, node.op, a, b, out, clampOf(node));
    return;
  }
  if (quantized !== 3 || !out.quant) {
    throw lowering.unsupported(node, "inputs and output must all be float or all be quantized");
  }
  if (node.op !== "Add" && node.op !== "Sub" && node.op !== "Mul")
    throw lowering.unsupported(
      node,
      `${node.op === "Div" ? "division" : node.op} does not run in integers`,
    );
  const rank = out.layout.logical.length;
  const [left, right] = [alignRank(lowering, node, a, rank), alignRank(lowering, node, b, rank)];
  const [sa, sb, sy] = [
    lowering.stored(node, a),
    lowering.stored(node, b),
    lowering.stored(node, out),
  ];
  const isMul = node.op === "Mul";
  const add = isMul
    ? { ma: 0, mb: 0, k: 0 }
    : addMultipliers(sa.scale, sb.scale, sy.scale, node.engine);
  lowering.plan.step("binaryI8", {
    node: node.name,
    overrides: { MULTIPLY: isMul ? 1 : 0 },
    uniforms: {
      ...broadcast(left, right, out.layout),
      aZero: sa.zeroPoint,
      bZero: sb.zeroPoint,
      aMultiplier: add.ma,
      bMultiplier: node.op === "Sub" ? -add.mb : add.mb,
      shift: add.k,
      multiplier: isMul ? multiplier(sa.scale, sb.scale, sy.scale) : 0,
      zeroPoint: sy.zeroPoint,
      ...storedBounds(node, out.quant),
    },
    buffers: { a: left.ref, b: right.ref, out: out.ref },
    groups: workgroups(out.layout.words),
  });
}

/** Powers that have a function of their own: x^½ and x^−½. */
const roots = new Map([
  [0.5, { op: "HalfPower" }],
  [-0.5, { op: "InverseSqrt" }],
] as const);

/** a ^ b. Constant exponents ½, −½ and 2 need no logarithm, and lose no digit to one. */
function lowerPower(lowering: Lowering, node: Binary, a: Placed, b: Placed, out: Placed): void {
  const { low = -Infinity, high = Infinity } = clampOf(node);
  const isOpen = low === -Infinity && high === Infinity;
  const power = isOpen ? out : lowering.scratch(out.layout.logical);
  const exponents = lowering.constant(lowering.inputName(node, 1));
  const exponent = exponents?.data.length === 1 ? Number(exponents.data[0]) : undefined;
  const root = exponent === undefined ? undefined : roots.get(exponent as 0.5);
  const isSame = a.layout.logical.join() === out.layout.logical.join();
  if (root && isSame) emitUnary(lowering, node, root, a, power);
  else if (exponent === 2) emitBinary(lowering, node, "Mul", a, a, power, {});
  else emitBinary(lowering, node, "Pow", a, b, power, {});
  if (isOpen) return;
  const clip = { op: "Clip", name: "", inputs: [], outputs: [], low, high } as const;
  emitUnary(lowering, node, clip, power, out);
}

/** BatchNormalization that no convolution could take: with constants x · k + (β − mean · k), per channel. */
export function lowerBatchNormalization(
  lowering: Lowering,
  node: NodeOf<"BatchNormalization">,
): void {
  const parameters = [1, 2, 3, 4].flatMap((index) => {
    const constant = lowering.constant(lowering.inputName(node, index));
    return constant ? [Array.from(constant.data as Float32Array)] : [];
  });
  const [scale = [], shift = [], mean = [], variance = []] = parameters;
  if (parameters.length < 4) return lowerVariableBatchNorm(lowering, node);
  const x = lowering.input(node, 0);
  const out = lowering.output(node);
  const factor = scale.map((gamma, c) => fl(gamma / Math.sqrt((variance[c] ?? 0) + node.epsilon)));
  const offset = factor.map((k, c) => fl((shift[c] ?? 0) - (mean[c] ?? 0) * k));
  const rank = x.layout.logical.length;
  const shape = x.layout.logical.map((_, axis) => (axis === 1 || rank === 1 ? scale.length : 1));
  const channel = (values: readonly number[]): Placed => {
    const layout = layoutOf(shape);
    const data = new Float32Array(layout.words * 4);
    const stride = elementStrides(layout)[rank === 1 ? 0 : 1] ?? 1;
    values.forEach((value, c) => (data[c * stride] = value));
    const ref = lowering.plan.constant(data);
    return { name: "", ref, layout, dtype: "float32", quant: undefined };
  };
  const scaled = lowering.scratch(x.layout.logical);
  emitBinary(lowering, node, "Mul", x, channel(factor), scaled, {});
  emitBinary(lowering, node, "Add", scaled, channel(offset), out, {});
}
