// Tensors with their axes in another order: products take weights as (in, out), layers of PyTorch keep them as
// (out, in).

import { stridesOf, type Tensor } from "./tensor.ts";
import { allocate, type DType } from "./dtype.ts";

/** `x` with axis `perm[i]` as axis i. */
export function permuted<D extends DType>(x: Tensor<D>, perm: readonly number[]): Tensor<D> {
  const shape = perm.map((axis) => x.shape[axis] ?? 1);
  const from = stridesOf(x.shape);
  const steps = perm.map((axis) => from[axis] ?? 0);
  const data = allocate(x.dtype, x.data.length);
  const at = shape.map(() => 0);
  let source = 0;
  for (let index = 0; index < data.length; index++) {
    data[index] = x.data[source] as never;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const next = (at[axis] ?? 0) + 1;
      source += steps[axis] ?? 0;
      if (next < (shape[axis] ?? 1)) {
        at[axis] = next;
        break;
      }
      at[axis] = 0;
      source -= next * (steps[axis] ?? 0);
    }
  }
  return { ...x, shape, data };
}

/** (N, K) → (K, N). */
export function turned(x: Tensor<"int8">): Tensor<"int8"> {
  return permuted(x, [1, 0]);
}
