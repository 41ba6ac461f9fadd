// Element-wise ops with two inputs and numpy broadcasting. + − × ÷ of two f32 in f64, rounded once
// more to f32, is the correctly rounded f32 result.

import { binaryFunctions } from "../graph/functions.ts";
import type { Binary } from "../graph/node.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { broadcast, floatInput, outputShape, rounded } from "./operands.ts";

/** The float op with its clamp. inputs: a, b. */
export function binary(node: Binary, inputs: readonly Tensor[]): Tensor<"float32"> {
  const [a, b] = [floatInput(node, inputs, 0), floatInput(node, inputs, 1)];
  const shape = outputShape(node, [a, b]);
  const right = broadcast(node, b, shape);
  const operation = binaryFunctions[node.op];
  const data = broadcast(node, a, shape).map((left, i) => operation(left, right[i] ?? NaN));
  return rounded({ shape, data }, node);
}
