// Storages → tensors. A tensor whose elements lie in row-major order in an aligned storage of a dtype
// that we have is a view on the file's bytes; any other is a copy, booked on the file's budget.

import { InputError } from "../../errors.ts";
import type { QParams } from "../../graph/value.ts";
import { rangeOf } from "../../graph/value.ts";
import { allocate, view, type DType, type TypedArray } from "../../tensor/dtype.ts";
import { sizeOf, stridesOf, tensor, toNumbers, type Tensor } from "../../tensor/tensor.ts";
import { floatOfHalf } from "../../tensor/half.ts";
import type { Budget } from "../zip/rules.ts";
import { damaged } from "./limits.ts";
import type { Storage, StorageType, StridedTensor } from "./pickled.ts";

/** One entry of a state dict: dense, row-major; a quantized one holds q with its parameters. */
export interface StateEntry {
  readonly tensor: Tensor;
  readonly quant?: QParams;
}

interface ElementType {
  readonly dtype: DType;
  readonly itemsize: number; // bytes in the file
  /** How an element is read where the file's type is not `dtype` itself. */
  readonly decode?: (view: DataView, at: number) => number;
}

const scratch = new DataView(new ArrayBuffer(4));

/** The float whose upper half is `bits`. */
function floatOfBfloat(bits: number): number {
  scratch.setUint16(0, bits);
  scratch.setUint16(2, 0);
  return scratch.getFloat32(0);
}

const types: Readonly<Record<StorageType, ElementType>> = {
  Float: { dtype: "float32", itemsize: 4 },
  Double: { dtype: "float32", itemsize: 8, decode: (bytes, at) => bytes.getFloat64(at, true) },
  Half: {
    dtype: "float32",
    itemsize: 2,
    decode: (bytes, at) => floatOfHalf(bytes.getUint16(at, true)),
  },
  BFloat16: {
    dtype: "float32",
    itemsize: 2,
    decode: (bytes, at) => floatOfBfloat(bytes.getUint16(at, true)),
  },
  Long: { dtype: "int64", itemsize: 8 },
  Int: { dtype: "int32", itemsize: 4 },
  Short: { dtype: "int32", itemsize: 2, decode: (bytes, at) => bytes.getInt16(at, true) },
  Char: { dtype: "int8", itemsize: 1 },
  Byte: { dtype: "uint8", itemsize: 1 },
  Bool: { dtype: "bool", itemsize: 1 },
  QInt8: { dtype: "int8", itemsize: 1 },
  QUInt8: { dtype: "uint8", itemsize: 1 },
  QInt32: { dtype: "int32", itemsize: 4 },
};

export const itemsizeOf = (type: StorageType): number => types[type].itemsize;

/** Where a storage's bytes lie, undefined where the file has none under that key. */
export type FindStorage = (key: string) => Uint8Array | undefined;

/** Turns a file's tensors into ours, each once. */
export class TensorReader {
  readonly #find: FindStorage;
  readonly #budget: Budget;
  readonly #done = new Map<StridedTensor, StateEntry>();

  constructor(find: FindStorage, budget: Budget) {
    this.#find = find;
    this.#budget = budget;
  }

  /** `source`, which errors call `name`. Throws FormatError where its data is not in the file,
   *  InputError for quantization that has no integer form here. */
  read(source: StridedTensor, name: string): StateEntry {
    const known = this.#done.get(source);
    if (known) return known;
    const dense = this.#dense(source, name);
    const quant = this.#quant(source, dense, name);
    const entry = { tensor: dense, ...(quant ? { quant } : {}) };
    this.#done.set(source, entry);
    return entry;
  }

  /** The elements of a small tensor as numbers. */
  numbers(source: StridedTensor, name: string): number[] {
    return toNumbers(this.read(source, name).tensor);
  }

  #bytes(storage: Storage, name: string): Uint8Array {
    const bytes = this.#find(storage.key);
    const wanted = storage.length * itemsizeOf(storage.type);
    if (bytes && bytes.length >= wanted) return bytes;
    const got = bytes ? `${bytes.length} bytes` : "nothing";
    throw damaged(
      `tensor "${name}": storage "${storage.key}" must have ${wanted} bytes; got ${got}`,
    );
  }

  #dense(source: StridedTensor, name: string): Tensor {
    const { storage, offset, size, stride } = source;
    const { dtype, itemsize, decode } = types[storage.type];
    const bytes = this.#bytes(storage, name);
    const count = sizeOf(size);
    const rowMajor = stridesOf(size);
    const isDense = size.every((dim, axis) => dim <= 1 || stride[axis] === rowMajor[axis]);
    const start = bytes.byteOffset + offset * itemsize;
    if (!decode && isDense && start % itemsize === 0) {
      const buffer = bytes.buffer as ArrayBuffer;
      const data = count === 0 ? allocate(dtype, 0) : view(dtype, buffer, start, count);
      return tensor(dtype, size, data);
    }
    const width = dtype === "int64" ? 8 : dtype === "float32" || dtype === "int32" ? 4 : 1;
    this.#budget.take(count * width, `tensor "${name}" of size [${size.join(", ")}]`);
    const data: TypedArray = allocate(dtype, count);
    const from = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const read = decode ?? plainDecoder(dtype);
    forEachElement(size, stride, offset, (at, index) => {
      if (data instanceof BigInt64Array) data[index] = from.getBigInt64(at * itemsize, true);
      else data[index] = read(from, at * itemsize);
    });
    return tensor(dtype, size, data);
  }

  #quant(source: StridedTensor, dense: Tensor, name: string): QParams | undefined {
    const { scheme, storage } = source;
    const { dtype } = dense;
    if (!storage.type.startsWith("Q")) {
      if (scheme) throw damaged(`tensor "${name}" has a scale, but ${storage.type} elements`);
      return undefined;
    }
    if (!scheme || (dtype !== "int8" && dtype !== "uint8" && dtype !== "int32")) {
      throw damaged(`quantized tensor "${name}" has no scale`);
    }
    if (scheme.kind === "perTensor") {
      const scale = Float32Array.of(scheme.scale);
      const zeroPoint = Int32Array.of(scheme.zeroPoint);
      return this.#checked({ dtype, scale, zeroPoint }, scheme.zeroPoint, name);
    }
    const { scales, zeroPoints, axis } = scheme;
    if (zeroPoints.storage.type !== "Long" && zeroPoints.storage.type !== "Int") {
      throw new InputError(
        `tensor "${name}": zero points must be integers; got ${zeroPoints.storage.type}. ` +
          "Float zero points (embeddings) have no integer kernel here: load the float checkpoint.",
      );
    }
    const channels = source.size[axis];
    const lists = [scales, zeroPoints].map((list) => list.size);
    if (channels === undefined || lists.some((size) => size.length !== 1 || size[0] !== channels)) {
      throw damaged(
        `tensor "${name}" must have one scale and zero point per slice of axis ${axis}`,
      );
    }
    const scale = Float32Array.from(this.numbers(scales, `${name} (scales)`));
    const points = this.numbers(zeroPoints, `${name} (zero points)`);
    const quant = { dtype, scale, zeroPoint: Int32Array.from(points), axis };
    for (const point of points) this.#checked(quant, point, name);
    return quant;
  }

  #checked(quant: QParams, zeroPoint: number, name: string): QParams {
    const [least, greatest] = rangeOf(quant);
    const bad = quant.scale.find((scale) => !(scale > 0 && scale < Infinity));
    if (bad !== undefined) throw damaged(`tensor "${name}" has a scale of ${bad}`);
    if (!(zeroPoint >= least && zeroPoint <= greatest)) {
      throw damaged(
        `tensor "${name}" has a zero point of ${zeroPoint}, which is no ${quant.dtype}`,
      );
    }
    return quant;
  }
}

function plainDecoder(dtype: DType): (view: DataView, at: number) => number {
  if (dtype === "float32") return (bytes, at) => bytes.getFloat32(at, true);
  if (dtype === "int32") return (bytes, at) => bytes.getInt32(at, true);
  if (dtype === "int8") return (bytes, at) => bytes.getInt8(at);
  return (bytes, at) => bytes.getUint8(at);
}

/** Visit the elements in row-major order: where each lies in the storage, and its row-major index. */
function forEachElement(
  size: readonly number[],
  stride: readonly number[],
  offset: number,
  visit: (at: number, index: number) => void,
): void {
  const count = sizeOf(size);
  const place = size.map(() => 0);
  let at = offset;
  for (let index = 0; index < count; index++) {
    visit(at, index);
    for (let axis = size.length - 1; axis >= 0; axis--) {
      const step = stride[axis] ?? 0;
      const next = (place[axis] ?? 0) + 1;
      if (next < (size[axis] ?? 1)) {
        place[axis] = next;
        at += step;
        break;
      }
      place[axis] = 0;
      at -= step * ((size[axis] ?? 1) - 1);
    }
  }
}
