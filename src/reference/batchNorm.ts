// Batch normalization at inference: y = (x − mean[c]) / sqrt(variance[c] + epsilon) · scale[c] +
// bias[c], c the second axis.

import type { NodeOf } from "../graph/node.ts";
import { sizeOf, type Tensor } from "../tensor/tensor.ts";
import { floatInput, perChannel, rounded } from "./operands.ts";

/** Float BatchNormalization. inputs: x (B, C, …), scale, bias, mean, variance, each (C). */
export function batchNorm(
  node: NodeOf<"BatchNormalization">,
  inputs: readonly Tensor[],
): Tensor<"float32"> {
  const x = floatInput(node, inputs, 0);
  const channels = x.shape[1] ?? 1;
  const [scale, bias, mean, variance] = [1, 2, 3, 4].map((index) =>
    perChannel(node, floatInput(node, inputs, index), channels),
  );
  const inner = sizeOf(x.shape.slice(2));
  const data = x.data.map((value, i) => {
    const c = Math.floor(i / inner) % channels;
    const deviation = Math.sqrt((variance?.[c] ?? NaN) + node.epsilon);
    return ((value - (mean?.[c] ?? NaN)) / deviation) * (scale?.[c] ?? NaN) + (bias?.[c] ?? NaN);
  });
  return rounded({ shape: x.shape, data });
}
