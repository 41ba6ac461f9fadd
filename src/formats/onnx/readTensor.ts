// TensorProto → Tensor. Elements stay views on the file where their alignment allows; the number of
// bytes must be exactly what the sizes ask for, and they stand in exactly one place: a file with both
// raw_data and typed data would show one model to a scanner and another to a runtime.

import { allocate, bytesPerElement, type DType } from "../../tensor/dtype.ts";
import { formatShape, sizeOf, type Tensor } from "../../tensor/tensor.ts";
import { externalBytes } from "./external.ts";
import { unpackNibbles } from "../../tensor/nibbles.ts";
import type { Wide } from "./entries.ts";
import { DataType, type Payload, type TensorProto } from "./proto.ts";
import { damaged, type WireReader } from "./wire.ts";

export function readTensor(reader: WireReader): TensorProto {
  const offset = reader.offset;
  const dims: number[] = [];
  const chunks = new Map<"float_data" | "double_data", Uint8Array[]>();
  const integers = new Map<"int32_data" | "int64_data", BigInt64Array[]>();
  const keys = new Map<string, string>();
  const other = new Set<"string_data" | "uint64_data">();
  let raw: Uint8Array | undefined;
  let name = "";
  let dataType = 0;
  let location = 0;
  const collect = <K, V>(map: Map<K, V[]>, key: K, value: V) => {
    const list = map.get(key);
    if (list) list.push(value);
    else map.set(key, [value]);
  };
  reader.message(
    (field) => {
      if (field === 1) for (const dim of reader.int64s()) dims.push(checkDim(dim, reader, dims));
      else if (field === 2) dataType = reader.int("data_type");
      else if (field === 3) throw damaged("segmented tensors are not supported", reader.offset);
      else if (field === 4) collect(chunks, "float_data", reader.fixed(4));
      else if (field === 5) collect(integers, "int32_data", reader.int64s());
      else if (field === 7) collect(integers, "int64_data", reader.int64s());
      else if (field === 8) name = reader.string();
      else if (field === 9) raw = reader.bytes();
      else if (field === 10) collect(chunks, "double_data", reader.fixed(8));
      else if (field === 13) readExternalKey(reader, keys);
      else if (field === 14) location = reader.int("data_location");
      else {
        if (field === 6) other.add("string_data");
        if (field === 11) other.add("uint64_data");
        reader.skip();
      }
    },
    [2, 8, 9, 14],
  );
  const found: Payload[] = [...other].map((field) => ({ field }));
  if (raw) found.push({ field: "raw_data", bytes: raw });
  for (const [field, list] of chunks) found.push({ field, bytes: joinBytes(list) });
  for (const [field, list] of integers) found.push({ field, values: joinIntegers(list) });
  if (location !== 0 || keys.size > 0) found.push({ field: "external", keys });
  if (found.length > 1) {
    const fields = found.map(({ field }) => field).join(" and ");
    throw damaged(`tensor "${name}" must have one data field; got ${fields}`, offset);
  }
  const [payload] = found;
  return { name, dataType, dims, offset, ...(payload ? { payload } : {}) };
}

function readExternalKey(reader: WireReader, keys: Map<string, string>): void {
  const offset = reader.offset;
  let [key, value] = ["", ""];
  reader.message(
    (field) => {
      if (field === 1) key = reader.string();
      else if (field === 2) value = reader.string();
      else reader.skip();
    },
    [1, 2],
  );
  if (keys.has(key)) throw damaged(`external data key "${key}" is given twice`, offset);
  keys.set(key, value);
}

function checkDim(dim: bigint, reader: WireReader, dims: readonly number[]): number {
  const { rank, dimSize } = reader.limits;
  if (dims.length >= rank) throw damaged(`a tensor has more than ${rank} axes`, reader.offset);
  if (dim < 0n || dim > BigInt(dimSize)) {
    throw damaged(`a size must be 0 … ${dimSize}; got ${dim}`, reader.offset);
  }
  return Number(dim);
}

function joinBytes(chunks: readonly Uint8Array[]): Uint8Array {
  const [first] = chunks;
  if (first && chunks.length === 1) return first;
  const joined = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    joined.set(chunk, at);
    at += chunk.length;
  }
  return joined;
}

function joinIntegers(chunks: readonly BigInt64Array[]): BigInt64Array {
  const [first] = chunks;
  if (first && chunks.length === 1) return first;
  const joined = new BigInt64Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    joined.set(chunk, at);
    at += chunk.length;
  }
  return joined;
}

const GREATEST_FLOAT = 3.4028234663852886e38;

/** How a file's dtype is kept here, and where its typed elements stand. double becomes float32. */
const dtypes: ReadonlyMap<number, { dtype: DType; bits: number; field: Payload["field"] }> =
  new Map([
    [DataType.FLOAT, { dtype: "float32", bits: 32, field: "float_data" }],
    [DataType.UINT8, { dtype: "uint8", bits: 8, field: "int32_data" }],
    [DataType.INT8, { dtype: "int8", bits: 8, field: "int32_data" }],
    [DataType.UINT16, { dtype: "int32", bits: 16, field: "int32_data" }],
    [DataType.INT16, { dtype: "int32", bits: 16, field: "int32_data" }],
    [DataType.INT32, { dtype: "int32", bits: 32, field: "int32_data" }],
    [DataType.INT64, { dtype: "int64", bits: 64, field: "int64_data" }],
    [DataType.BOOL, { dtype: "bool", bits: 8, field: "int32_data" }],
    [DataType.FLOAT16, { dtype: "float16", bits: 16, field: "int32_data" }],
    [DataType.DOUBLE, { dtype: "float32", bits: 64, field: "double_data" }],
    [DataType.UINT4, { dtype: "uint4", bits: 4, field: "int32_data" }],
    [DataType.INT4, { dtype: "int4", bits: 4, field: "int32_data" }],
  ]);

/** A double as a float32. Finite ones stay finite: masks are filled with the least double there is. */
function nearestFloat(value: number): number {
  if (!Number.isFinite(value)) return value;
  return Math.min(Math.max(value, -GREATEST_FLOAT), GREATEST_FLOAT);
}

/** The 16-bit type of a DataType code, which no tensor here has. */
export function wideOf(dataType: number): Wide | undefined {
  return dataType === DataType.UINT16
    ? "uint16"
    : dataType === DataType.INT16
      ? "int16"
      : undefined;
}

/** The library's dtype for values of a DataType code; undefined where there is none. float16 is a way to
 *  store constants: the values are float32. */
export function dtypeOf(dataType: number): DType | undefined {
  const dtype = dtypes.get(dataType)?.dtype;
  return dtype === "float16" ? "float32" : dtype;
}

/**
 * The tensor that `proto` describes; undefined where its dtype is not supported.
 * Throws FormatError where sizes and data disagree or external data is missing.
 */
export function decodeTensor(
  proto: TensorProto,
  externalData: ReadonlyMap<string, Uint8Array> | undefined,
): Tensor | undefined {
  const type = dtypes.get(proto.dataType);
  if (type === undefined) return undefined;
  const { payload, dims, offset } = proto;
  const count = dims.reduce((product, dim) => product * BigInt(dim), 1n);
  const byteCount = (count * BigInt(type.bits) + 7n) / 8n;
  const mismatch = (got: number, unit: string) =>
    damaged(
      `tensor "${proto.name}" of shape ${formatShape(dims)} must have ` +
        `${unit === "bytes" ? byteCount : count} ${unit}; got ${got}`,
      offset,
    );
  if (payload === undefined) {
    if (count !== 0n) throw mismatch(0, "bytes");
    return { dtype: type.dtype, shape: dims, data: allocate(type.dtype, 0) };
  }
  const isAnywhere = payload.field === "raw_data" || payload.field === "external";
  if (!isAnywhere && payload.field !== type.field) throw wrongField(proto, payload, type.field);
  if ("values" in payload) {
    if (type.bits === 4) {
      // Two elements an entry, as in a byte of raw_data.
      const { length } = payload.values;
      if (BigInt(length) !== byteCount) throw mismatch(length, "bytes");
      const bytes = Uint8Array.from(payload.values, (value) => Number(BigInt.asUintN(8, value)));
      return { dtype: type.dtype, shape: dims, data: fromBytes(proto, bytes, type.dtype) };
    }
    if (BigInt(payload.values.length) !== count) throw mismatch(payload.values.length, "elements");
    return {
      dtype: type.dtype,
      shape: dims,
      data: fromIntegers(proto, payload.values, type.dtype),
    };
  }
  const bytes =
    "keys" in payload
      ? externalBytes(proto, payload.keys, externalData)
      : "bytes" in payload
        ? payload.bytes
        : new Uint8Array();
  if (BigInt(bytes.length) !== byteCount) throw mismatch(bytes.length, "bytes");
  return { dtype: type.dtype, shape: dims, data: fromBytes(proto, bytes, type.dtype) };
}

function wrongField(proto: TensorProto, payload: Payload, expected: string) {
  const rule = `tensor "${proto.name}" must keep its data in raw_data or ${expected}`;
  return damaged(`${rule}; got ${payload.field}`, proto.offset);
}

function fromIntegers(proto: TensorProto, values: BigInt64Array, dtype: DType): Tensor["data"] {
  if (proto.dataType === DataType.INT64) return values;
  const data = allocate(dtype, values.length);
  if (data instanceof BigInt64Array) return data;
  const isHalf = proto.dataType === DataType.FLOAT16;
  values.forEach((value, index) => {
    data[index] = Number(isHalf ? BigInt.asUintN(16, value) : value);
    if (!isHalf && data[index] !== Number(value)) {
      throw damaged(`tensor "${proto.name}" holds ${value}, which is no ${dtype}`, proto.offset);
    }
  });
  return data;
}

function fromBytes(proto: TensorProto, bytes: Uint8Array, dtype: DType): Tensor["data"] {
  if (proto.dataType === DataType.DOUBLE) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const data = new Float32Array(bytes.length / 8);
    for (let index = 0; index < data.length; index++)
      data[index] = nearestFloat(view.getFloat64(index * 8, true));
    return data;
  }
  if (proto.dataType === DataType.UINT16 || proto.dataType === DataType.INT16) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const isSigned = proto.dataType === DataType.INT16;
    return Int32Array.from({ length: bytes.length / 2 }, (_, at) =>
      isSigned ? view.getInt16(at * 2, true) : view.getUint16(at * 2, true),
    );
  }
  if (dtype === "int4") return unpackNibbles(bytes, sizeOf(proto.dims), dtype);
  if (dtype === "uint4") return unpackNibbles(bytes, sizeOf(proto.dims), dtype);
  const itemsize = bytesPerElement(dtype);
  // A typed array needs an aligned start; protobuf aligns nothing, so about one in `itemsize` is lucky.
  const aligned = bytes.byteOffset % itemsize === 0 ? bytes : new Uint8Array(bytes);
  const length = bytes.length / itemsize;
  const { buffer, byteOffset } = aligned;
  if (dtype === "float32") return new Float32Array(buffer, byteOffset, length);
  if (dtype === "float16") return new Uint16Array(buffer, byteOffset, length);
  if (dtype === "int32") return new Int32Array(buffer, byteOffset, length);
  if (dtype === "int64") return new BigInt64Array(buffer, byteOffset, length);
  if (dtype === "int8") return new Int8Array(buffer, byteOffset, length);
  return new Uint8Array(buffer, byteOffset, length);
}
