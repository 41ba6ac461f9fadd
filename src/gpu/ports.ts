// Between the caller's tensors and the bytes at a plan's border: dense, row-major, uint8 kept as int8, int64
// and bool as int32.

import { InputError } from "../errors.ts";
import type { Port } from "../plan/plan.ts";
import { fitsWord } from "../tensor/dtype.ts";
import { sizeOf, tensor, type Tensor } from "../tensor/tensor.ts";

/** The caller's tensor as the bytes the plan expects. Throws InputError for an int64 that 32 bits do not
 *  hold. */
export function encode(port: Port, { data }: Tensor): ArrayBufferView {
  if (data instanceof BigInt64Array) return words(port, data);
  if (port.dtype === "bool") return Int32Array.from(data, (value) => (value === 0 ? 0 : 1));
  if (port.shift === 0 || !(data instanceof Uint8Array)) return data;
  return Int8Array.from(data, (q) => q - port.shift);
}

function words(port: Port, data: BigInt64Array): Int32Array {
  const at = data.findIndex((value) => !fitsWord(value));
  if (at < 0) return Int32Array.from(data, Number);
  throw new InputError(
    `input "${port.name}": int64 runs in 32 bits, −2147483648 … 2147483647; got ${data[at]} at index ` +
      `${at}. Clamp the values, or keep them out of the model.`,
  );
}

/** Bytes of an output as the caller's tensor. */
export function decode(port: Port, bytes: ArrayBuffer): Tensor {
  const length = sizeOf(port.shape);
  const { dtype, shape } = port;
  if (dtype === "float32") return tensor(dtype, shape, new Float32Array(bytes, 0, length));
  if (dtype === "int8" || dtype === "uint8") {
    const stored = new Int8Array(bytes, 0, length);
    if (dtype === "int8") return tensor(dtype, shape, stored.slice());
    const data = Uint8Array.from(stored, (q) => q + port.shift);
    return tensor(dtype, shape, data);
  }
  const stored = new Int32Array(bytes, 0, length);
  if (dtype === "int32") return tensor(dtype, shape, stored);
  if (dtype === "int64") return tensor(dtype, shape, BigInt64Array.from(stored, BigInt));
  return tensor(dtype, shape, Uint8Array.from(stored));
}
