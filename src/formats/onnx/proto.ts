// The ONNX messages this library reads and writes, as plain data, and their numbers from onnx.proto
// (github.com/onnx/onnx, onnx/onnx.proto). Names of the file are only ever Map keys and strings.

/** TensorProto.DataType: the name of each code. */
export const dataTypeNames: ReadonlyMap<number, string> = new Map(
  (
    "UNDEFINED FLOAT UINT8 INT8 UINT16 INT16 INT32 INT64 STRING BOOL FLOAT16 DOUBLE UINT32 UINT64 " +
    "COMPLEX64 COMPLEX128 BFLOAT16 FLOAT8E4M3FN FLOAT8E4M3FNUZ FLOAT8E5M2 FLOAT8E5M2FNUZ UINT4 INT4 " +
    "FLOAT4E2M1 FLOAT8E8M0 UINT2 INT2"
  )
    .split(" ")
    .map((name, code) => [code, name]),
);

/** `FLOAT8E8M0`, or `type 99`. */
export function dataTypeName(code: number): string {
  return dataTypeNames.get(code) ?? `type ${code}`;
}

export const DataType = {
  FLOAT: 1,
  UINT8: 2,
  INT8: 3,
  UINT16: 4,
  INT16: 5,
  INT32: 6,
  INT64: 7,
  BOOL: 9,
  FLOAT16: 10,
  DOUBLE: 11,
  UINT4: 21,
  INT4: 22,
} as const;

/** Where a tensor's elements stand: exactly one place. Bytes are little-endian. */
export type Payload =
  | { readonly field: "raw_data" | "float_data" | "double_data"; readonly bytes: Uint8Array }
  | { readonly field: "int32_data" | "int64_data"; readonly values: BigInt64Array }
  | { readonly field: "string_data" | "uint64_data" }
  | { readonly field: "external"; readonly keys: ReadonlyMap<string, string> };

export interface TensorProto {
  readonly name: string;
  readonly dataType: number;
  readonly dims: readonly number[];
  /** Absent only where the tensor has no elements. */
  readonly payload?: Payload;
  /** Of the message, in bytes from the start of the file. */
  readonly offset: number;
}

export type AttributeProto =
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "int"; readonly value: bigint }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "tensor"; readonly value: TensorProto }
  | { readonly kind: "floats"; readonly value: readonly number[] }
  | { readonly kind: "ints"; readonly value: readonly bigint[] }
  | { readonly kind: "strings"; readonly value: readonly string[] }
  | { readonly kind: "graph"; readonly value: GraphProto }
  /** A kind no supported op has: several graphs, sparse tensor, type, reference. */
  | { readonly kind: "other"; readonly value: string };

export interface NodeProto {
  readonly name: string;
  readonly opType: string;
  readonly domain: string;
  /** "" stands for an absent optional input or output. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, AttributeProto>;
  readonly offset: number;
}

/** One size: known, named, or neither. */
export type DimProto = number | string | undefined;

export interface ValueInfoProto {
  readonly name: string;
  /** Absent where the value is not a tensor. */
  readonly elemType?: number;
  /** Absent where the file gives no shape. */
  readonly shape?: readonly DimProto[];
  readonly offset: number;
}

export interface GraphProto {
  readonly name: string;
  readonly nodes: readonly NodeProto[];
  readonly initializers: readonly TensorProto[];
  /** Names of sparse initializers, which nothing here reads. */
  readonly sparse: number;
  readonly inputs: readonly ValueInfoProto[];
  readonly outputs: readonly ValueInfoProto[];
}

export interface ModelProto {
  readonly irVersion: number;
  /** Domain → version; the default domain is "". */
  readonly opsets: ReadonlyMap<string, number>;
  readonly producerName: string;
  readonly producerVersion: string;
  readonly graph: GraphProto;
}
