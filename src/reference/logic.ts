// Comparisons, logic, choice, and arithmetic on plain integers. int64 is exact here, as ONNX has it; on a
// device it has 32 bits.

import type { Binary, Comparison, Logic, Node, Not, Where } from "../graph/node.ts";
import { nodeError } from "../graph/shapes.ts";
import { allocate, type DType } from "../tensor/dtype.ts";
import { tensor, toNumbers, type Tensor } from "../tensor/tensor.ts";
import { broadcastIndices, inputAt, outputShape } from "./operands.ts";

type Element = number | bigint;

/** The elements of `value` where numpy broadcasting to `shape` puts them. */
function spread(value: Tensor, shape: readonly number[]): Element[] {
  return Array.from(broadcastIndices(value.shape, shape), (source) => value.data[source] ?? NaN);
}

/** Inputs `first` and the next, which must be of one dtype. */
function pair(node: Node, inputs: readonly Tensor[], first = 0): [Tensor, Tensor] {
  const [a, b] = [inputAt(node, inputs, first), inputAt(node, inputs, first + 1)];
  if (a.dtype === b.dtype) return [a, b];
  const wayOut = "Insert a Cast.";
  throw nodeError(node, "inputs must be of one dtype", `${a.dtype} and ${b.dtype}`, wayOut);
}

function bools(node: Node, inputs: readonly Tensor[], index: number): Tensor {
  const value = inputAt(node, inputs, index);
  if (value.dtype === "bool") return value;
  throw nodeError(node, `input ${index} must be bool`, value.dtype, "Insert a Cast.");
}

function filled(dtype: DType, shape: readonly number[], elements: readonly Element[]): Tensor {
  const data = allocate(dtype, elements.length);
  elements.forEach((element, index) => (data[index] = element as never));
  return tensor(dtype, shape, data);
}

const comparisons = {
  Equal: (a: Element, b: Element) => a === b,
  Less: (a: Element, b: Element) => a < b,
  LessOrEqual: (a: Element, b: Element) => a <= b,
  Greater: (a: Element, b: Element) => a > b,
  GreaterOrEqual: (a: Element, b: Element) => a >= b,
} satisfies Record<Comparison["op"], (a: Element, b: Element) => boolean>;

export function compareElements(node: Comparison, inputs: readonly Tensor[]): Tensor {
  const [a, b] = pair(node, inputs);
  const shape = outputShape(node, [a, b]);
  const right = spread(b, shape);
  const holds = comparisons[node.op];
  const results = spread(a, shape).map((left, index) => Number(holds(left, right[index] ?? NaN)));
  return filled("bool", shape, results);
}

const connectives = {
  And: (a: boolean, b: boolean) => a && b,
  Or: (a: boolean, b: boolean) => a || b,
  Xor: (a: boolean, b: boolean) => a !== b,
} satisfies Record<Logic["op"], (a: boolean, b: boolean) => boolean>;

export function logic(node: Logic, inputs: readonly Tensor[]): Tensor {
  const [a, b] = [bools(node, inputs, 0), bools(node, inputs, 1)];
  const shape = outputShape(node, [a, b]);
  const right = spread(b, shape);
  const holds = connectives[node.op];
  return filled(
    "bool",
    shape,
    spread(a, shape).map((left, index) => Number(holds(left !== 0, right[index] !== 0))),
  );
}

export function not(node: Not, inputs: readonly Tensor[]): Tensor {
  const x = bools(node, inputs, 0);
  return filled(
    "bool",
    x.shape,
    toNumbers(x).map((value) => Number(value === 0)),
  );
}

export function where(node: Where, inputs: readonly Tensor[]): Tensor {
  const condition = bools(node, inputs, 0);
  const [x, y] = pair(node, inputs, 1);
  const shape = outputShape(node, [condition, x, y]);
  const [left, right] = [spread(x, shape), spread(y, shape)];
  const chosen = spread(condition, shape).map((value, index) =>
    value === 0 ? (right[index] ?? NaN) : (left[index] ?? NaN),
  );
  return filled(x.dtype, shape, chosen);
}

const arithmetic: Partial<Record<Binary["op"], (a: bigint, b: bigint) => bigint>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  // Toward zero; ONNX leaves division by zero undefined.
  Div: (a, b) => (b === 0n ? 0n : a / b),
};

/** Integer arithmetic, modulo 2ⁿ. inputs: a, b of one integer dtype. */
export function integerBinary(node: Binary, inputs: readonly Tensor[]): Tensor {
  const [a, b] = pair(node, inputs);
  const operation = arithmetic[node.op];
  if (operation === undefined || a.dtype === "bool") {
    throw nodeError(node, "inputs must be float32", a.dtype, "Insert a Cast before it.");
  }
  const shape = outputShape(node, [a, b]);
  const right = spread(b, shape);
  const results = spread(a, shape).map((left, index) => {
    const result = operation(BigInt(left), BigInt(right[index] ?? 0));
    return a.dtype === "int64" ? result : Number(BigInt.asIntN(32, result));
  });
  return filled(a.dtype, shape, results);
}
