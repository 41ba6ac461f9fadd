// The single-node cases of the ONNX project (github.com/onnx/onnx, onnx/backend/test/data/node): a model,
// what goes in, and what must come out.

import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ONNX_LIMITS } from "../../src/formats/onnx/limits.ts";
import {
  dataTypeName,
  type TensorProto,
  type ValueInfoProto,
} from "../../src/formats/onnx/proto.ts";
import { readModel } from "../../src/formats/onnx/read.ts";
import { decodeTensor, readTensor } from "../../src/formats/onnx/readTensor.ts";
import { WireReader } from "../../src/formats/onnx/wire.ts";
import { widened, type Tensor, type Tensors } from "../../src/tensor/tensor.ts";
import { sharedData } from "../support/sharedData.ts";

export const folder = join(sharedData, "onnx-node-tests");

export interface NodeCase {
  readonly name: string;
  readonly op: string;
  readonly bytes: Uint8Array;
  readonly inputs: Tensors;
  readonly outputs: Tensors;
  /** Element types that this library has no tensor for, by input or output. */
  readonly unread: readonly string[];
}

/** A file that holds one TensorProto; the reader meets them as fields of a message. */
function readFile(path: string): TensorProto {
  const field = new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(readFileSync(path));
  const reader = new WireReader(field.finish(), ONNX_LIMITS);
  let tensor: TensorProto | undefined;
  reader.fields(() => (tensor = readTensor(reader)));
  if (!tensor) throw new Error(`${path} holds no tensor`);
  return tensor;
}

/** The case in `folder`/`name`. Tensors whose element type nothing here holds are named in `unread`. */
export function readCase(name: string): NodeCase {
  const path = join(folder, name);
  const bytes = new Uint8Array(readFileSync(join(path, "model.onnx")));
  const { graph } = readModel(bytes, ONNX_LIMITS);
  const unread: string[] = [];
  const tensors = (kind: "input" | "output", infos: readonly ValueInfoProto[]): Tensors => {
    const found = infos.flatMap((info, index): [string, Tensor][] => {
      const file = join(path, "test_data_set_0", `${kind}_${index}.pb`);
      if (!existsSync(file)) return [];
      const proto = readFile(file);
      const tensor = decodeTensor(proto, undefined);
      if (tensor) return [[info.name, widened(tensor)]]; // float16 ports are float32 here
      unread.push(`${kind} "${info.name}" is ${dataTypeName(proto.dataType)}`);
      return [];
    });
    return Object.fromEntries(found);
  };
  const inputs = tensors("input", graph.inputs);
  const outputs = tensors("output", graph.outputs);
  return { name, op: graph.nodes[0]?.opType ?? "?", bytes, inputs, outputs, unread };
}
