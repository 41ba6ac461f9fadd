// Element-wise ops with one input: the function (graph/functions.ts) mapped over a tensor and rounded
// once; the quantized op tabulates it (quantized.ts). And Cast.

import { unaryFunction, type UnaryFunction } from "../graph/functions.ts";
import type { NodeOf } from "../graph/node.ts";
import { allocate, type DType } from "../tensor/dtype.ts";
import { clamp } from "../tensor/rounding.ts";
import { tensor, type Tensor } from "../tensor/tensor.ts";
import { floatInput, inputAt, rounded } from "./operands.ts";

/** Float element-wise op. */
export function unary(node: UnaryFunction, inputs: readonly Tensor[]): Tensor<"float32"> {
  const { shape, data } = floatInput(node, inputs, 0);
  return rounded({ shape, data: data.map(unaryFunction(node)) });
}

const limits: Partial<Record<DType, readonly [number, number]>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int32: [-2147483648, 2147483647],
  // The f64 neighbours of the int64 bounds: the upper one is the greatest f64 below 2^63.
  int64: [-9223372036854775808, 9223372036854774784],
};

/** Cast: a float becomes an integer by truncation, saturating (NaN gives 0); an integer becomes a
 *  narrower one modulo 2ⁿ, as in C; bool is "not equal to 0". An integer beyond 2⁵³ is rounded. */
export function cast(node: NodeOf<"Cast">, inputs: readonly Tensor[]): Tensor {
  const x = inputAt(node, inputs, 0);
  const data = allocate(node.to, x.data.length);
  const range = x.dtype === "float32" ? limits[node.to] : undefined;
  for (let i = 0; i < data.length; i++) {
    const value = Number(x.data[i]);
    let to = node.to === "bool" ? Number(value !== 0) : value;
    if (range) to = Number.isNaN(to) ? 0 : clamp(Math.trunc(to), range[0], range[1]);
    data[i] = node.to === "int64" ? BigInt(to) : to;
  }
  return tensor(node.to, x.shape, data);
}
