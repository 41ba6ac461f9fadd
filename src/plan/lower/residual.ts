// An Add that follows a convolution and nothing else is done by the convolution's kernel: no dispatch of its own. Most
// kernels add in registers, quads to what they have stored (docs/decisions/0026).

import { addMultipliers } from "../../graph/arithmetic.ts";
import type { Binary, ChannelClamp, Clamp, Node } from "../../graph/node.ts";
import { sizeOf, toNumbers } from "../../tensor/tensor.ts";
import { storedBounds, type Lowering, type Placed } from "./context.ts";

/** The addition a convolution takes over: what it adds, and where the sum goes. */
export interface Residual {
  readonly add: Binary;
  readonly other: Placed;
  readonly out: Placed;
}

/** The Add that `node`'s output goes to and that `node` may do: it is the only reader, both operands have
 *  the sum's shape, and the other one is there already. The Add counts as lowered then. */
export function takeResidual(lowering: Lowering, node: Node & ChannelClamp): Residual | undefined {
  const [name] = node.outputs;
  if (name === undefined || lowering.graph.outputs.includes(name)) return undefined;
  const [add, ...others] = lowering.readers(name);
  if (add?.op !== "Add" || others.length > 0) return undefined;
  const [left, right] = add.inputs;
  const otherName = left === name ? right : left;
  if (otherName === undefined || otherName === name) return undefined;
  const other = lowering.placed(otherName);
  const sum = add.outputs[0];
  if (!other || sum === undefined) return undefined;
  const isSame = lowering.choices.always(
    (shape) => new Set([name, otherName, sum].map((value) => String(shape(value)))).size === 1,
  );
  if (!isSame) return undefined;
  const quantized = [name, otherName, sum].filter((value) => lowering.quant(value)).length;
  // A float convolution has one clamp, which belongs after the sum.
  const clamps = node.low !== undefined || node.high !== undefined;
  if (quantized === 0 ? clamps : quantized !== 3) return undefined;
  lowering.done.add(add);
  return { add, other, out: lowering.output(add) };
}

/** Whether a value of `shape` is one row of `columns`, and lies as one. */
export function isRow(shape: readonly number[], columns: number): boolean {
  return shape.at(-1) === columns && sizeOf(shape) === columns && shape.length !== 4;
}

/** The row that an Add puts on every row of `node`'s float product, if that is all that reads it: a bias, as
 *  MatMul has none of its own. A constant's numbers, or where `mayCompute` the value, if it is there already. The
 *  Add counts as lowered then. */
export function takeBias(
  lowering: Lowering,
  node: Node & Clamp,
  mayCompute = false,
): { readonly add: Binary; readonly row: number[] | Placed } | undefined {
  const [name] = node.outputs;
  if (name === undefined || lowering.graph.outputs.includes(name)) return undefined;
  const [add, ...others] = lowering.readers(name);
  if (add?.op !== "Add" || others.length > 0) return undefined;
  const [left, right] = add.inputs;
  const rowName = (left === name ? right : left) ?? "";
  const shape = lowering.shape(name);
  const row =
    lowering.constant(rowName) ?? lowering.placed(rowName) ?? lowering.placeVariable(rowName);
  const rowShape = lowering.shape(rowName);
  const columns = shape.at(-1) ?? 1;
  if (row?.dtype !== "float32" || rowShape.length > shape.length) return undefined;
  const isOne = lowering.choices.always((shapeOf) =>
    isRow(shapeOf(rowName), shapeOf(name).at(-1) ?? 1),
  );
  if ("ref" in row ? !mayCompute || !isOne : sizeOf(rowShape) !== columns) return undefined;
  if (rowShape.at(-1) !== columns) return undefined;
  const quantized = [name, rowName, ...add.outputs].some((value) => lowering.quant(value));
  if (quantized || node.low !== undefined || node.high !== undefined) return undefined;
  lowering.done.add(add);
  return { add, row: "ref" in row ? row : toNumbers(row) };
}

/** Uniforms of lib/residual.wgsl: docs/quantization.md (37). */
export function residualUniforms(lowering: Lowering, residual: Residual, sumScale: number) {
  const { add, other, out } = residual;
  const [so, sy] = [lowering.stored(add, other), lowering.stored(add, out)];
  const { ma, mb, k } = addMultipliers(sumScale, so.scale, sy.scale, add.engine);
  const bounds = out.quant ? storedBounds(add, out.quant) : { low: 0, high: 0 };
  return {
    sumMultiplier: ma,
    residualMultiplier: mb,
    residualZero: so.zeroPoint,
    shift: k,
    outZero: sy.zeroPoint,
    outLow: bounds.low,
    outHigh: bounds.high,
  };
}

/** The same where nothing is added. */
export const noResidual = {
  sumMultiplier: 0,
  residualMultiplier: 0,
  residualZero: 0,
  shift: 1,
  outZero: 0,
  outLow: 0,
  outHigh: 0,
} as const;
