// safetensors → tensors. The elements stay views on the file's bytes where they are aligned; the
// intervals of the tensors must tile the data exactly, so no byte is hidden and none belongs to two.

import { bytesPerElement, view, type DType } from "../../tensor/dtype.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { floatOfHalf } from "../../tensor/half.ts";
import { damaged, parseHeader, type HeaderEntry } from "./header.ts";
import { SAFETENSORS_LIMITS, type SafetensorsLimits } from "./limits.ts";

export interface Safetensors {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly metadata: ReadonlyMap<string, string>;
}

interface Stored {
  readonly dtype: DType;
  readonly itemsize: number;
  /** The element at byte `at`, for types that this library widens. */
  readonly widen?: (data: DataView, at: number) => number;
}

const plain = (dtype: DType): Stored => ({ dtype, itemsize: bytesPerElement(dtype) });

const floatBits = new DataView(new ArrayBuffer(4));

/** bfloat16 is the upper half of a float32. */
function floatOfBrain(bits: number): number {
  floatBits.setUint32(0, bits << 16);
  return floatBits.getFloat32(0);
}

/** What a file's dtype becomes here. Halves and doubles become float32, 16-bit integers int32. */
const dtypes: ReadonlyMap<string, Stored> = new Map<string, Stored>([
  ["F32", plain("float32")],
  ["I8", plain("int8")],
  ["U8", plain("uint8")],
  ["I32", plain("int32")],
  ["I64", plain("int64")],
  ["BOOL", plain("bool")],
  ["F64", { dtype: "float32", itemsize: 8, widen: (data, at) => data.getFloat64(at, true) }],
  [
    "F16",
    { dtype: "float32", itemsize: 2, widen: (data, at) => floatOfHalf(data.getUint16(at, true)) },
  ],
  [
    "BF16",
    { dtype: "float32", itemsize: 2, widen: (data, at) => floatOfBrain(data.getUint16(at, true)) },
  ],
  ["I16", { dtype: "int32", itemsize: 2, widen: (data, at) => data.getInt16(at, true) }],
  ["U16", { dtype: "int32", itemsize: 2, widen: (data, at) => data.getUint16(at, true) }],
]);

/** An entry whose sizes and interval agree, in numbers. */
interface Placed {
  readonly name: string;
  readonly stored: Stored;
  readonly shape: readonly number[];
  readonly count: number;
  readonly begin: number;
  readonly end: number;
  readonly offset: number;
}

function checkEntry(entry: HeaderEntry, dataBytes: number, limits: SafetensorsLimits): Placed {
  const { name, dtype, shape, begin, end, offset } = entry;
  const stored = dtypes.get(dtype);
  if (stored === undefined) {
    const known = [...dtypes.keys()].join(", ");
    throw damaged(`tensor "${name}" must have a dtype of ${known}; got "${dtype}"`, offset);
  }
  const large = shape.find((size) => size > BigInt(limits.dimSize));
  if (large !== undefined) {
    throw damaged(`tensor "${name}": a size must be 0 … ${limits.dimSize}; got ${large}`, offset);
  }
  const count = shape.reduce((product, size) => product * size, 1n);
  const needed = count * BigInt(stored.itemsize);
  if (begin > end || end > BigInt(dataBytes)) {
    throw damaged(
      `tensor "${name}" must lie in the ${dataBytes} data bytes; got data_offsets [${begin}, ${end}]`,
      offset,
    );
  }
  if (end - begin !== needed) {
    throw damaged(
      `tensor "${name}" of shape [${shape.join(", ")}] must have ${needed} bytes; got ${end - begin}`,
      offset,
    );
  }
  return {
    name,
    stored,
    shape: shape.map(Number),
    count: Number(count),
    begin: Number(begin),
    end: Number(end),
    offset,
  };
}

/** Sorted by place, each begins where the one before it ends, and the last ends with the file: no hole,
 *  no overlap, and no byte seen under two names. An empty tensor takes no byte, but its place counts. */
function checkTiling(placed: readonly Placed[], dataBytes: number): void {
  const sorted = [...placed].sort((a, b) => a.begin - b.begin || a.end - b.end);
  let at = 0;
  for (const { name, begin, end, offset } of sorted) {
    if (begin !== at) {
      throw damaged(`tensor "${name}" must begin at data byte ${at}; got ${begin}`, offset);
    }
    at = end;
  }
  if (at !== dataBytes) {
    throw damaged(`the tensors must fill the ${dataBytes} data bytes; they end at ${at}`);
  }
}

function decode(bytes: Uint8Array, { stored, shape, count, begin, end }: Placed): Tensor {
  const { dtype, widen, itemsize } = stored;
  const part = bytes.subarray(begin, end);
  if (widen) {
    const data = new DataView(part.buffer, part.byteOffset, part.byteLength);
    const wide = dtype === "float32" ? new Float32Array(count) : new Int32Array(count);
    for (let i = 0; i < count; i++) wide[i] = widen(data, i * itemsize);
    return { dtype, shape, data: wide };
  }
  const aligned = part.byteOffset % itemsize === 0 ? part : new Uint8Array(part);
  const { buffer, byteOffset } = aligned;
  return { dtype, shape, data: view(dtype, buffer as ArrayBuffer, byteOffset, count) };
}

/** True where `bytes` begin as safetensors: the header's length, below 2³², then its JSON. */
export function isSafetensors(bytes: Uint8Array): boolean {
  return bytes[8] === 0x7b && bytes.subarray(4, 8).every((byte) => byte === 0);
}

/**
 * The tensors of a safetensors file, by name, in the file's order.
 * F16, BF16 and F64 are widened or rounded to float32, I16 and U16 to int32; all others are views.
 * @throws FormatError with the byte at fault: duplicate keys, sizes that disagree with the bytes,
 *   holes, overlaps, an unknown dtype, or a limit exceeded.
 */
export function readSafetensors(
  bytes: Uint8Array,
  options: { readonly limits?: Partial<SafetensorsLimits> } = {},
): Safetensors {
  const limits = { ...SAFETENSORS_LIMITS, ...options.limits };
  if (bytes.length > limits.fileBytes) {
    throw damaged(`the file must have at most ${limits.fileBytes} bytes; got ${bytes.length}`);
  }
  if (bytes.length < 10) throw damaged(`the file must have 10 bytes or more; got ${bytes.length}`);
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  const most = Math.min(limits.headerBytes, bytes.length - 8);
  if (length > BigInt(most)) {
    throw damaged(`the header must have at most ${most} bytes; its length says ${length}`, 0);
  }
  const start = 8 + Number(length);
  let text: string;
  try {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    text = decoder.decode(bytes.subarray(8, start));
  } catch {
    throw damaged("the header must be UTF-8", 8);
  }
  const { entries, metadata } = parseHeader(text, limits);
  const data = bytes.subarray(start);
  const placed = entries.map((entry) => checkEntry(entry, data.length, limits));
  checkTiling(placed, data.length);
  return { tensors: new Map(placed.map((each) => [each.name, decode(data, each)])), metadata };
}

/** Non-finite elements of the float tensors among `tensors`, by name; a tensor without any is absent.
 *  A file may hold them: reading counts nothing unless it is asked to. */
export function countNonFinite(
  tensors: ReadonlyMap<string, Tensor>,
): Map<string, { readonly nan: number; readonly infinite: number; readonly first: number }> {
  const found = new Map<string, { nan: number; infinite: number; first: number }>();
  for (const [name, { dtype, data }] of tensors) {
    if (dtype !== "float32") continue;
    const values = data as Float32Array;
    let [nan, infinite, first] = [0, 0, -1];
    for (let i = 0; i < values.length; i++) {
      const value = values[i] ?? 0;
      if (Number.isFinite(value)) continue;
      if (first < 0) first = i;
      if (Number.isNaN(value)) nan++;
      else infinite++;
    }
    if (first >= 0) found.set(name, { nan, infinite, first });
  }
  return found;
}
