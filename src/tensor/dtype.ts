// Element types of tensors, and the typed array that holds each. On the host every element has a place of
// its own: float16 its 16 bits (half.ts), int4 and uint4 a byte; files and devices pack the latter two to a byte.

export type DType =
  "float32" | "float16" | "int32" | "int64" | "int8" | "uint8" | "int4" | "uint4" | "bool";

/** The typed array of each dtype; bool is one byte per element, 0 or 1. */
export interface TypedArrays {
  float32: Float32Array;
  float16: Uint16Array;
  int32: Int32Array;
  int64: BigInt64Array;
  int8: Int8Array;
  uint8: Uint8Array;
  int4: Int8Array;
  uint4: Uint8Array;
  bool: Uint8Array;
}

export type TypedArray = TypedArrays[DType];

const constructors = {
  float32: Float32Array,
  float16: Uint16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int4: Int8Array,
  uint4: Uint8Array,
  bool: Uint8Array,
} as const;

/** Bytes of one element on the host. */
export function bytesPerElement(dtype: DType): number {
  return constructors[dtype].BYTES_PER_ELEMENT;
}

/** Whether an int64 fits the 32 bits that it has on a device. */
export function fitsWord(value: bigint): boolean {
  return BigInt.asIntN(32, value) === value;
}

/** A zero-filled array of `length` elements. */
export function allocate<D extends DType>(dtype: D, length: number): TypedArrays[D] {
  return new constructors[dtype](length) as TypedArrays[D];
}

/** `buffer` seen as elements of `dtype`; the offset (bytes) must be a multiple of the element size. */
export function view<D extends DType>(
  dtype: D,
  buffer: ArrayBuffer,
  byteOffset: number,
  length: number,
): TypedArrays[D] {
  return new constructors[dtype](buffer, byteOffset, length) as TypedArrays[D];
}
