// One ONNX node, run by ONNX Runtime: an oracle for the oracle. The model is written here byte by
// byte (protobuf wire format, onnx.proto field numbers in the comments), so no file format code of
// this library takes part.

import * as ort from "onnxruntime-web";
import type { Tensor } from "../../../src/tensor/tensor.ts";

ort.env.wasm.numThreads = 1;

type Attribute = number | string | readonly number[] | { readonly float: number };

const elementTypes = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  uint4: 21,
  int4: 22,
} as const;

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}

const integer = (field: number, value: number) => [...varint(field << 3), ...varint(value)];

function bytes(field: number, value: string | Iterable<number>): number[] {
  const data = typeof value === "string" ? [...new TextEncoder().encode(value)] : [...value];
  return [...varint((field << 3) | 2), ...varint(data.length), ...data];
}

/** AttributeProto: name 1, f 2, i 3, s 4, ints 8, type 20. */
function attribute(name: string, value: Attribute): number[] {
  const typed = (type: number, data: number[]) => [...data, ...integer(20, type)];
  const body = () => {
    if (typeof value === "number") return typed(2, integer(3, value));
    if (typeof value === "string") return typed(3, bytes(4, value));
    if ("float" in value) {
      const data = new Uint8Array(Float32Array.of(value.float).buffer);
      return typed(1, [(2 << 3) | 5, ...data]);
    }
    return typed(
      7,
      value.flatMap((each) => integer(8, each)),
    );
  };
  return bytes(5, [...bytes(1, name), ...body()]); // NodeProto.attribute 5
}

/** TensorProto: dims 1, data_type 2, name 8, raw_data 9. */
function initializer(name: string, { dtype, shape, data }: Tensor): number[] {
  const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const dims = shape.flatMap((dim) => integer(1, dim));
  return [...dims, ...integer(2, elementTypes[dtype]), ...bytes(8, name), ...bytes(9, raw)];
}

/** ValueInfoProto: name 1, type 2 = TypeProto: tensor_type 1 = elem_type 1 (shape is inferred). */
const valueInfo = (name: string, type: number) => [
  ...bytes(1, name),
  ...bytes(2, bytes(1, integer(1, type))),
];

/** Output 0 of `op` at opset 13 (IR version 7) for constant inputs; elements as plain numbers. */
export async function runOnnx(
  op: string,
  attributes: Readonly<Record<string, Attribute>>,
  inputs: readonly Tensor[],
  outputType: keyof typeof elementTypes = "float32",
): Promise<{ shape: readonly number[]; data: number[] }> {
  const names = inputs.map((_, index) => `x${index}`);
  const node = [
    ...names.flatMap((name) => bytes(1, name)),
    ...bytes(2, "y"),
    ...bytes(4, op),
    ...Object.entries(attributes).flatMap(([name, value]) => attribute(name, value)),
  ];
  const graph = [
    ...bytes(1, node),
    ...bytes(2, "test"),
    ...inputs.flatMap((input, index) => bytes(5, initializer(names[index]!, input))),
    ...bytes(12, valueInfo("y", elementTypes[outputType])),
  ];
  const model = [...integer(1, 7), ...bytes(7, graph), ...bytes(8, integer(2, 13))];
  const session = await ort.InferenceSession.create(Uint8Array.from(model), {
    logSeverityLevel: 3,
  });
  const { y } = await session.run({});
  const data = Array.from(y!.data as ArrayLike<number | bigint>, Number);
  await session.release();
  return { shape: y!.dims, data };
}
