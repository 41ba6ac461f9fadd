// float64 → float32: NumPy's and PyTorch's other float type has no place on a device. Each element is rounded once, as
// numpy.astype rounds it; what float32 cannot hold at all is refused.

import { InputError } from "../errors.ts";

/** `values` rounded to float32, ties to even. `what` is how the error calls them. Throws InputError naming the first
 *  finite element that lies beyond float32. */
export function narrowed(values: Float64Array, what: string): Float32Array<ArrayBuffer> {
  const data = Float32Array.from(values);
  const at = data.findIndex(
    (value, index) => Math.abs(value) === Infinity && Number.isFinite(values[index]),
  );
  if (at < 0) return data;
  throw new InputError(
    `${what}: float64 is computed in float32 here, whose greatest value is 3.4e38; got ${values[at]} at index ${at}. ` +
      "Scale the data.",
  );
}
