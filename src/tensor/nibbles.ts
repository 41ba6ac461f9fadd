// Four bits an element, two elements to a byte, the first in the low half: ONNX's INT4 and UINT4.

import { allocate } from "./dtype.ts";

/** `values` as nibbles; each must fit four bits, signed or not. */
export function packNibbles(values: ArrayLike<number>): Uint8Array {
  const packed = new Uint8Array(Math.ceil(values.length / 2));
  for (let at = 0; at < values.length; at++) {
    packed[at >> 1] = (packed[at >> 1] ?? 0) | (((values[at] ?? 0) & 15) << ((at & 1) * 4));
  }
  return packed;
}

/** The first `count` nibbles of `bytes`, read as int4 (−8 … 7) or as uint4 (0 … 15). */
export function unpackNibbles(
  bytes: Uint8Array,
  count: number,
  dtype: "int4" | "uint4",
): Int8Array | Uint8Array {
  const data = allocate(dtype, count);
  for (let at = 0; at < count; at++) {
    const nibble = ((bytes[at >> 1] ?? 0) >> ((at & 1) * 4)) & 15;
    data[at] = dtype === "int4" && nibble > 7 ? nibble - 16 : nibble;
  }
  return data;
}
