// Host tensors: dense, row-major, immutable by convention.

import { allocate, type DType, type TypedArray, type TypedArrays } from "./dtype.ts";
import { floatOfHalf } from "./half.ts";

/** A host tensor, row-major and dense: `data.length` is the product of `shape`. */
export interface Tensor<D extends DType = DType> {
  readonly dtype: D;
  readonly shape: readonly number[];
  readonly data: TypedArrays[D];
}

/** Named tensors, as a graph's inputs or outputs. */
export type Tensors = Readonly<Record<string, Tensor>>;

/** Number of elements of `shape`; 1 for a scalar. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, dim) => product * dim, 1);
}

/** Row-major strides in elements: stridesOf([2, 3, 4]) is [12, 4, 1]. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) {
    strides[axis] = (strides[axis + 1] ?? 1) * (shape[axis + 1] ?? 1);
  }
  return strides;
}

/** Make a tensor; throws a RangeError where data and shape disagree. */
export function tensor<D extends DType>(
  dtype: D,
  shape: readonly number[],
  data: TypedArrays[D] = allocate(dtype, sizeOf(shape)),
): Tensor<D> {
  if (data.length !== sizeOf(shape)) {
    throw new RangeError(
      `tensor: shape [${shape.join(", ")}] needs ${sizeOf(shape)} elements; got ${data.length}.`,
    );
  }
  return { dtype, shape, data };
}

export function float32(shape: readonly number[], data: ArrayLike<number>): Tensor<"float32"> {
  return tensor("float32", shape, data instanceof Float32Array ? data : Float32Array.from(data));
}

/** The elements as plain numbers (int64 included: values here are sizes and indices). */
export function toNumbers(value: { readonly dtype?: DType; readonly data: TypedArray }): number[] {
  if (value.dtype === "float16") return Array.from(value.data as Uint16Array, floatOfHalf);
  return Array.from(value.data as ArrayLike<number | bigint>, Number);
}

/** A float16 tensor as the float32 it stands for, exactly; any other as it is. */
export function widened(value: Tensor): Tensor {
  if (value.dtype !== "float16") return value;
  const data = Float32Array.from(value.data as Uint16Array, floatOfHalf);
  return { dtype: "float32", shape: value.shape, data };
}

/** The elements as numbers: the data itself where it holds any. */
export function elementsOf(value: {
  readonly dtype?: DType;
  readonly data: TypedArray;
}): ArrayLike<number> {
  const { data } = value;
  return data instanceof BigInt64Array || value.dtype === "float16" ? toNumbers(value) : data;
}

/** `[1, 3, 224, 224]`, as shapes are written in messages. */
export function formatShape(shape: readonly (number | string)[]): string {
  return `[${shape.join(", ")}]`;
}
