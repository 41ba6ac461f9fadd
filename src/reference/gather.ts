// Gather: numpy's take, element by element.

import type { Gather } from "../graph/node.ts";
import { nodeError } from "../graph/shapes.ts";
import { allocate } from "../tensor/dtype.ts";
import { sizeOf, tensor, toNumbers, type Tensor } from "../tensor/tensor.ts";
import { inputAt } from "./operands.ts";

export function gather(node: Gather, inputs: readonly Tensor[], shape: readonly number[]): Tensor {
  const x = inputAt(node, inputs, 0);
  const picked = inputAt(node, inputs, 1);
  if (picked.dtype !== "int32" && picked.dtype !== "int64") {
    throw nodeError(node, "indices must be int32 or int64", picked.dtype, "Insert a Cast.");
  }
  const size = x.shape[node.axis] ?? 1;
  const inner = sizeOf(x.shape.slice(node.axis + 1));
  const outer = sizeOf(x.shape.slice(0, node.axis));
  const indices = toNumbers(picked);
  const bad = indices.find((index) => index < -size || index >= size);
  if (bad !== undefined) {
    const rule = `indices must be in ${-size} … ${size - 1}`;
    throw nodeError(node, rule, String(bad), "Check the inputs that these come from.");
  }
  const data = allocate(x.dtype, sizeOf(shape));
  let at = 0;
  for (let block = 0; block < outer; block++) {
    for (const index of indices) {
      const from = (block * size + (index < 0 ? index + size : index)) * inner;
      for (let step = 0; step < inner; step++) data[at++] = x.data[from + step] as never;
    }
  }
  return tensor(x.dtype, shape, data);
}
