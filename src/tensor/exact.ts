// Another dtype for the same numbers. One idea: a conversion happens where every element keeps its value, and
// is refused where one would not.

import { InputError } from "../errors.ts";
import { allocate, type DType } from "./dtype.ts";
import { tensor, widened, type Tensor } from "./tensor.ts";

/** `from` as `dtype`: ids of int8 for an input of int64, say. bool counts as 0 and 1. `what` is how the error
 *  calls the tensor. Throws InputError naming the first element that would not keep its value. */
export function exactly(given: Tensor, dtype: DType, what: string): Tensor {
  if (given.dtype === dtype) return given;
  const from = widened(given);
  const data = allocate(dtype, from.data.length);
  for (let index = 0; index < data.length; index++) {
    const value = from.data[index] ?? 0;
    if (data instanceof BigInt64Array) data[index] = Number.isInteger(value) ? BigInt(value) : 0n;
    else data[index] = Number(value);
    const kept = data[index] ?? 0;
    // A loose comparison of a number with a bigint is exact.
    if (kept == value && (dtype !== "bool" || kept <= 1)) continue;
    throw new InputError(
      `${what}: element ${index} must be a number of ${dtype}; got ${value} of ${given.dtype}. ` +
        "Convert the data.",
    );
  }
  return tensor(dtype, from.shape, data);
}
