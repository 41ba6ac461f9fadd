// Attention, row by row and head by head: scores, mask, softmax, the mean of v weighted by them.

import type { NodeOf } from "../graph/node.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { broadcast, floatInput, outputShape, rounded } from "./operands.ts";

/** softmax(scale · q kᵀ + mask) · v. inputs: q, k, v, mask?. */
export function attention(node: NodeOf<"Attention">, inputs: readonly Tensor[]): Tensor<"float32"> {
  const { heads, scale } = node;
  const [q, k, v] = [0, 1, 2].map((index) => floatInput(node, inputs, index));
  const shape = outputShape(node, inputs);
  const [batch = 0, rows = 0, width = 0] = shape;
  const [, , depth = 0] = q?.shape ?? [];
  const [, keys = 0] = k?.shape ?? [];
  const [d, dv] = [depth / heads, width / heads];
  const masked = [batch, heads, rows, keys];
  const mask = inputs.length > 3 ? broadcast(node, floatInput(node, inputs, 3), masked) : undefined;
  const data = new Float64Array(batch * rows * width);
  for (let row = 0; row < batch * heads * rows; row++) {
    const t = row % rows;
    const h = Math.floor(row / rows) % heads;
    const b = Math.floor(row / rows / heads);
    const scores = Array.from({ length: keys }, (_, s) => {
      let sum = 0;
      for (let c = h * d; c < (h + 1) * d; c++)
        sum +=
          (q?.data[(b * rows + t) * depth + c] ?? NaN) *
          (k?.data[(b * keys + s) * depth + c] ?? NaN);
      return scale * sum + (mask?.[row * keys + s] ?? 0);
    });
    const most = scores.reduce((greatest, score) => Math.max(greatest, score), -Infinity);
    const powers = scores.map((score) => Math.exp(score - most));
    const total = powers.reduce((sum, power) => sum + power, 0);
    for (let c = h * dv; c < (h + 1) * dv; c++) {
      let sum = 0;
      powers.forEach((power, s) => (sum += power * (v?.data[(b * keys + s) * width + c] ?? NaN)));
      data[(b * rows + t) * width + c] = sum / total;
    }
  }
  return rounded({ shape, data });
}
