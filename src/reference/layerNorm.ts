// LayerNormalization: each row, all axes from `axis` on, less its mean and divided by its deviation.

import type { NodeOf } from "../graph/node.ts";
import { sizeOf, type Tensor } from "../tensor/tensor.ts";
import { broadcast, floatInput, rounded } from "./operands.ts";

/** Float LayerNormalization. inputs: x, scale, bias?. */
export function layerNorm(
  node: NodeOf<"LayerNormalization">,
  inputs: readonly Tensor[],
): Tensor<"float32"> {
  const { shape, data } = floatInput(node, inputs, 0);
  const scale = broadcast(node, floatInput(node, inputs, 1), shape);
  const bias = inputs.length > 2 ? broadcast(node, floatInput(node, inputs, 2), shape) : undefined;
  const length = sizeOf(shape.slice(node.axis));
  const result = new Float64Array(data.length);
  for (let first = 0; first < data.length; first += length) {
    const row = data.subarray(first, first + length);
    const mean = row.reduce((sum, x) => sum + x, 0) / length;
    const variance = row.reduce((sum, x) => sum + (x - mean) ** 2, 0) / length;
    const deviation = Math.sqrt(variance + node.epsilon);
    row.forEach((x, i) => {
      const at = first + i;
      result[at] = ((x - mean) / deviation) * (scale[at] ?? NaN) + (bias?.[at] ?? 0);
    });
  }
  return rounded({ shape, data: result });
}
