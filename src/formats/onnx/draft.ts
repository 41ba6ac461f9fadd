// An ONNX graph while it is written: nodes in order, initializers once each. Small constants of equal
// contents (scales, axes, bounds) share one initializer; zero points do not, since ONNX Runtime's passes
// replace a node's zero point by its name (`session.x64quantprecision`).

import { allocate, type DType } from "../../tensor/dtype.ts";
import { packNibbles } from "../../tensor/nibbles.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Unsupported } from "../../errors.ts";
import { Names } from "./names.ts";
import { DataType, type AttributeProto, type NodeProto, type TensorProto } from "./proto.ts";

/** DataType code of each dtype. */
export const codeOf = {
  float32: DataType.FLOAT,
  float16: DataType.FLOAT16,
  int32: DataType.INT32,
  int64: DataType.INT64,
  int8: DataType.INT8,
  uint8: DataType.UINT8,
  int4: DataType.INT4,
  uint4: DataType.UINT4,
  bool: DataType.BOOL,
} as const satisfies Record<DType, number>;

/** Attributes by name, in the words of this library: integers, floats, lists. */
export type Attributes = Readonly<Record<string, AttributeProto>>;

export const int = (value: number | boolean): AttributeProto => ({
  kind: "int",
  value: BigInt(value),
});
export const ints = (values: readonly number[]): AttributeProto => ({
  kind: "ints",
  value: values.map(BigInt),
});
export const float = (value: number): AttributeProto => ({ kind: "float", value });

/** `tensor` as an initializer; its bytes are not copied, but those of four bits packed. */
export function tensorProto(name: string, tensor: Tensor): TensorProto {
  const { buffer, byteOffset, byteLength } = tensor.data;
  const bytes =
    tensor.dtype === "int4" || tensor.dtype === "uint4"
      ? packNibbles(tensor.data as Int8Array | Uint8Array)
      : new Uint8Array(buffer, byteOffset, byteLength);
  const payload = { field: "raw_data", bytes } as const;
  return { name, dataType: codeOf[tensor.dtype], dims: tensor.shape, payload, offset: 0 };
}

/** Characters of a name that is made from another: names of tf2onnx have a hundred, and each would be there five
 *  times. */
const LONGEST = 24;

export class Draft {
  readonly opset: number;
  readonly nodes: NodeProto[] = [];
  readonly initializers: TensorProto[] = [];
  readonly offenders: Unsupported[] = [];
  readonly names = new Names(LONGEST);
  readonly nodeNames = new Names(LONGEST);
  #shared = new Map<string, string>();

  constructor(opset: number) {
    this.opset = opset;
  }

  node(
    opType: string,
    name: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: Attributes = {},
    domain: "" | "com.microsoft" = "",
  ): void {
    const map = new Map(Object.entries(attributes));
    this.nodes.push({ name, opType, domain, inputs, outputs, attributes: map, offset: 0 });
  }

  initializer(name: string, tensor: Tensor): void {
    this.initializers.push(tensorProto(name, tensor));
  }

  /** An initializer of its own, which no other node reads. */
  own(wanted: string, tensor: Tensor): string {
    const name = this.names.fresh(wanted);
    this.initializer(name, tensor);
    return name;
  }

  /** The name of an initializer with these contents; `wanted` if it is the first. */
  shared(wanted: string, tensor: Tensor): string {
    const key = `${tensor.dtype}[${tensor.shape.join()}]${tensor.data.join()}`;
    const known = this.#shared.get(key);
    if (known !== undefined) return known;
    const name = this.names.fresh(wanted);
    this.#shared.set(key, name);
    this.initializer(name, tensor);
    return name;
  }

  /** A list of integers as an initializer. */
  integers(wanted: string, values: readonly number[]): string {
    const data = BigInt64Array.from(values, BigInt);
    return this.shared(wanted, { dtype: "int64", shape: [values.length], data });
  }

  /** One number as an initializer. */
  scalar(wanted: string, value: number, dtype: DType = "float32"): string {
    const data = allocate(dtype, 1);
    data[0] = (dtype === "int64" ? BigInt(value) : value) as never;
    return this.shared(wanted, { dtype, shape: [], data } as Tensor);
  }

  /** Keep the node for the list of all that cannot be written. */
  refuse(node: { readonly op: string; readonly name: string }, problem: string): void {
    this.offenders.push({ op: node.op, node: node.name, problem });
  }
}
