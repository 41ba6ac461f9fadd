// An int8 matrix read the other way: products take weights as (in, out), layers of PyTorch keep them as (out, in).

import { tensor, type Tensor } from "./tensor.ts";

/** (N, K) → (K, N). */
export function turned({ shape, data }: Tensor<"int8">): Tensor<"int8"> {
  const [rows = 1, columns = 1] = shape;
  const out = new Int8Array(data.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      out[column * rows + row] = data[row * columns + column] ?? 0;
    }
  }
  return tensor("int8", [columns, rows], out);
}
