// The few ops that are evaluated at import, on the host: what moves elements, and what computes them one
// by one. Everything else stays a node even if its inputs are constants.
//
// float32 results are rounded once per op (numerics section 1); int32 and int64 are exact.

import { allocate, type TypedArray } from "../../tensor/dtype.ts";
import { sizeOf, stridesOf, widened, type Tensor } from "../../tensor/tensor.ts";
import {
  binaryFunctions,
  isBinary,
  isUnaryFunction,
  unaryFunction,
} from "../../graph/functions.ts";
import type { Binary, Comparison, Logic, Node, NodeOf } from "../../graph/node.ts";
import { sliceRange } from "../../graph/extents.ts";
import { sizeAt } from "../../graph/shapes.ts";

const movements = new Set<string>(
  "Identity Flatten Reshape Squeeze Unsqueeze Expand Transpose Concat Pad Slice Split".split(" "),
);

/** Whether `node` only moves elements. */
export function isMovement(node: Node): boolean {
  return movements.has(node.op);
}

/**
 * The outputs of `node`, or undefined where it is not evaluated at import.
 * `shapes` are those of the outputs; `charge` is called before anything is allocated.
 */
export function evaluate(
  node: Node,
  inputs: readonly Tensor[],
  shapes: readonly (readonly number[])[],
  charge: () => void,
): Tensor[] | undefined {
  const shape = shapes[0] ?? [];
  // float16 is a way to store float32: what only moves elements, or names their type, leaves it.
  const isSame = inputs.every(({ dtype }) => dtype === inputs[0]?.dtype);
  if (node.op === "Cast" && node.to === "float32" && inputs[0]?.dtype === "float16") {
    return [inputs[0]];
  }
  const operands = isMovement(node) && isSame ? inputs : inputs.map(widened);
  const [x, y] = operands;
  if (x === undefined) return undefined;
  switch (node.op) {
    case "Identity":
    case "Flatten":
    case "Reshape":
    case "Squeeze":
    case "Unsqueeze":
      return [{ ...x, shape }];
    case "Transpose": {
      charge();
      const strides = stridesOf(x.shape);
      return [
        gather(
          x,
          shape,
          node.perm.map((axis) => strides[axis] ?? 0),
          0,
        ),
      ];
    }
    case "Slice":
      charge();
      return [slice(node, x, shape)];
    case "Split": {
      charge();
      let first = 0;
      return shapes.map((part) => {
        const strides = stridesOf(x.shape);
        const start = first * (strides[node.axis] ?? 0);
        first += part[node.axis] ?? 0;
        return gather(x, part, strides, start);
      });
    }
    case "Expand":
      charge();
      return [gather(x, shape, broadcastStrides(x.shape, shape), 0)];
    case "Concat":
      if (operands.some((input) => input.dtype !== x.dtype)) return undefined;
      charge();
      return [concat(node.axis, operands, shape)];
    case "Equal":
    case "Less":
    case "LessOrEqual":
    case "Greater":
    case "GreaterOrEqual": {
      if (y === undefined || x.dtype !== y.dtype) return undefined;
      charge();
      const holds = comparisons[node.op];
      return [predicate(x, y, shape, (a, b) => holds(a, b))];
    }
    case "And":
    case "Or":
    case "Xor": {
      if (x.dtype !== "bool" || y?.dtype !== "bool") return undefined;
      charge();
      const holds = connectives[node.op];
      return [predicate(x, y, shape, (a, b) => holds(a !== 0, b !== 0))];
    }
    case "Not":
      if (x.dtype !== "bool") return undefined;
      charge();
      return [predicate(x, x, shape, (a) => a === 0)];
    case "Where": {
      const z = inputs[2];
      if (x.dtype !== "bool" || y === undefined || y.dtype !== z?.dtype) return undefined;
      charge();
      return [where(x, y, z, shape)];
    }
    case "Cast":
      charge();
      return [{ dtype: node.to, shape: x.shape, data: cast(x, node.to) }];
    default:
      return compute(node, inputs, shape, charge);
  }
}

/** Element-wise ops: functions of floats, and arithmetic of floats and integers. */
function compute(
  node: Node,
  [x, y]: readonly Tensor[],
  shape: readonly number[],
  charge: () => void,
): Tensor[] | undefined {
  if (x?.dtype === "float32" && isUnaryFunction(node)) {
    charge();
    return [{ ...x, data: Float32Array.from(x.data as Float32Array, unaryFunction(node)) }];
  }
  if (x !== undefined && node.op === "Clip" && (x.dtype === "int8" || x.dtype === "uint8")) {
    charge();
    const { low, high } = node;
    const data = (x.data as Int8Array | Uint8Array).map((q) => Math.min(Math.max(q, low), high));
    return [{ ...x, data }];
  }
  if (!isBinary(node) || x === undefined || x.dtype !== y?.dtype) return undefined;
  const isInteger = x.dtype === "int32" || x.dtype === "int64";
  // An integer power may be beyond any bigint that is worth making.
  if (x.dtype !== "float32" && (!isInteger || node.op === "Pow")) return undefined;
  charge();
  return [binary(node.op, x, y, shape)];
}

/** Read x at `start` plus the strided index of each output element. */
function gather(x: Tensor, shape: readonly number[], strides: readonly number[], start: number) {
  const data = allocate(x.dtype, sizeOf(shape));
  const index = shape.map(() => 0);
  let at = start;
  for (let out = 0; out < data.length; out++) {
    data[out] = x.data[at] as never;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const next = (index[axis] ?? 0) + 1;
      at += strides[axis] ?? 0;
      if (next < (shape[axis] ?? 0)) {
        index[axis] = next;
        break;
      }
      at -= next * (strides[axis] ?? 0);
      index[axis] = 0;
    }
  }
  return { dtype: x.dtype, shape, data } as Tensor;
}

function slice(node: NodeOf<"Slice">, x: Tensor, shape: readonly number[]): Tensor {
  const strides = stridesOf(x.shape);
  let start = 0;
  node.axes.forEach((axis, at) => {
    const step = node.steps[at] ?? 1;
    const [from, to] = [sizeAt(node, node.starts, at), sizeAt(node, node.ends, at)];
    const range = sliceRange(x.shape[axis] ?? 0, from, to, step);
    start += range.start * (strides[axis] ?? 0);
    strides[axis] = (strides[axis] ?? 0) * step;
  });
  return gather(x, shape, strides, start);
}

function concat(axis: number, inputs: readonly Tensor[], shape: readonly number[]): Tensor {
  const [first] = inputs;
  const dtype = first?.dtype ?? "float32";
  const data = allocate(dtype, sizeOf(shape));
  const outer = sizeOf(shape.slice(0, axis));
  const blocks = inputs.map((input) => sizeOf(input.shape.slice(axis)));
  const row = blocks.reduce((sum, block) => sum + block, 0);
  let column = 0;
  if (data.length === 0) return { dtype, shape, data } as Tensor;
  inputs.forEach((input, which) => {
    const block = blocks[which] ?? 0;
    for (let index = 0; index < outer; index++) {
      const part = input.data.subarray(index * block, (index + 1) * block);
      (data as { set(part: TypedArray, at: number): void }).set(part, index * row + column);
    }
    column += block;
  });
  return { dtype, shape, data } as Tensor;
}

function binary(op: Binary["op"], x: Tensor, y: Tensor, shape: readonly number[]) {
  const left = gather(x, shape, broadcastStrides(x.shape, shape), 0);
  const right = gather(y, shape, broadcastStrides(y.shape, shape), 0).data;
  const { data } = left;
  for (let index = 0; index < data.length; index++) {
    const [a, b] = [data[index] ?? 0, right[index] ?? 0];
    if (op === "Pow" || data instanceof Float32Array)
      data[index] = binaryFunctions[op](Number(a), Number(b));
    else {
      const exact = integer(op, BigInt(a), BigInt(b));
      data[index] = data instanceof BigInt64Array ? exact : Number(BigInt.asIntN(32, exact));
    }
  }
  return left;
}

type Element = number | bigint;

export const comparisons = {
  Equal: (a: Element, b: Element) => a === b,
  Less: (a: Element, b: Element) => a < b,
  LessOrEqual: (a: Element, b: Element) => a <= b,
  Greater: (a: Element, b: Element) => a > b,
  GreaterOrEqual: (a: Element, b: Element) => a >= b,
} satisfies Record<Comparison["op"], (a: Element, b: Element) => boolean>;

const connectives = {
  And: (a: boolean, b: boolean) => a && b,
  Or: (a: boolean, b: boolean) => a || b,
  Xor: (a: boolean, b: boolean) => a !== b,
} satisfies Record<Logic["op"], (a: boolean, b: boolean) => boolean>;

function predicate(
  x: Tensor,
  y: Tensor,
  shape: readonly number[],
  holds: (a: Element, b: Element) => boolean,
): Tensor {
  const [left, right] = [x, y].map(
    (from) => gather(from, shape, broadcastStrides(from.shape, shape), 0).data,
  );
  const data = new Uint8Array(sizeOf(shape));
  for (let at = 0; at < data.length; at++) {
    data[at] = holds(left?.[at] ?? NaN, right?.[at] ?? NaN) ? 1 : 0;
  }
  return { dtype: "bool", shape, data };
}

function where(condition: Tensor, x: Tensor, y: Tensor, shape: readonly number[]): Tensor {
  const [chosen, left, right] = [condition, x, y].map((from) =>
    gather(from, shape, broadcastStrides(from.shape, shape), 0),
  ) as [Tensor, Tensor, Tensor];
  chosen.data.forEach((value, at) => {
    if (value === 0) left.data[at] = right.data[at] as never;
  });
  return left;
}

/** ONNX divides integers toward zero; division by zero is undefined there and 0 here. */
function integer(op: Exclude<Binary["op"], "Pow">, a: bigint, b: bigint): bigint {
  switch (op) {
    case "Add":
      return a + b;
    case "Sub":
      return a - b;
    case "Mul":
      return a * b;
    case "Div":
      return b === 0n ? 0n : a / b;
    case "Min":
      return a < b ? a : b;
    case "Max":
      return a > b ? a : b;
    default:
      return op satisfies never;
  }
}

function broadcastStrides(from: readonly number[], to: readonly number[]): number[] {
  const strides = stridesOf(from);
  const shift = to.length - from.length;
  return to.map((_, axis) => (from[axis - shift] === 1 ? 0 : (strides[axis - shift] ?? 0)));
}

/** float → integer truncates toward zero (ONNX Cast); what does not fit wraps as a typed array does. */
function cast(x: Tensor, to: Tensor["dtype"]): TypedArray {
  const data = allocate(to, x.data.length);
  for (let index = 0; index < data.length; index++) {
    const value = x.data[index] ?? 0;
    if (to === "bool") (data as Uint8Array)[index] = Number(value) === 0 ? 0 : 1;
    else if (data instanceof BigInt64Array) {
      data[index] = typeof value === "bigint" ? value : BigInt(finite(value));
    } else data[index] = Number(value);
  }
  return data;
}

function finite(value: number): number {
  return Number.isFinite(value) ? Math.trunc(value) : 0;
}
