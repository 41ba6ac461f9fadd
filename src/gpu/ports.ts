// Between the caller's tensors and the bytes at a plan's border: dense, row-major, uint8 kept as int8.

import type { Port } from "../plan/plan.ts";
import { sizeOf, tensor, type Tensor } from "../tensor/tensor.ts";

/** The caller's tensor as the bytes the plan expects. */
export function encode(port: Port, { data }: Tensor): ArrayBufferView {
  if (port.shift === 0 || !(data instanceof Uint8Array)) return data;
  return Int8Array.from(data, (q) => q - port.shift);
}

/** Bytes of an output as the caller's tensor. */
export function decode(port: Port, bytes: ArrayBuffer): Tensor {
  const length = sizeOf(port.shape);
  if (port.dtype === "float32") {
    return tensor("float32", port.shape, new Float32Array(bytes, 0, length));
  }
  if (port.dtype === "int32") return tensor("int32", port.shape, new Int32Array(bytes, 0, length));
  const stored = new Int8Array(bytes, 0, length);
  if (port.dtype === "int8") return tensor("int8", port.shape, stored.slice());
  return tensor(
    "uint8",
    port.shape,
    Uint8Array.from(stored, (q) => q + port.shift),
  );
}
