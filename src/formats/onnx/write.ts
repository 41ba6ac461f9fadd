// ModelProto → bytes: the mirror of read.ts. Fields are written in the order of their numbers, tensors
// always as raw_data, so the same model always gives the same bytes.

import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type {
  AttributeProto,
  GraphProto,
  ModelProto,
  NodeProto,
  TensorProto,
  ValueInfoProto,
} from "./proto.ts";

const { Varint, LengthDelimited, Bit32 } = WireType;

/** The bytes of `model`. */
export function writeModel(model: ModelProto): Uint8Array<ArrayBuffer> {
  const out = new BinaryWriter();
  int(out, 1, model.irVersion);
  text(out, 2, model.producerName);
  text(out, 3, model.producerVersion);
  message(out, 7, () => writeGraph(out, model.graph));
  for (const [domain, version] of model.opsets) {
    message(out, 8, () => {
      text(out, 1, domain);
      int(out, 2, version);
    });
  }
  return out.finish();
}

function writeGraph(out: BinaryWriter, graph: GraphProto): void {
  for (const node of graph.nodes) message(out, 1, () => writeNode(out, node));
  text(out, 2, graph.name);
  for (const tensor of graph.initializers) message(out, 5, () => writeTensor(out, tensor));
  for (const value of graph.inputs) message(out, 11, () => writeValueInfo(out, value));
  for (const value of graph.outputs) message(out, 12, () => writeValueInfo(out, value));
}

function writeNode(out: BinaryWriter, node: NodeProto): void {
  // Absent optional inputs are "" and must be written: they hold a place.
  for (const input of node.inputs) out.tag(1, LengthDelimited).string(input);
  for (const output of node.outputs) out.tag(2, LengthDelimited).string(output);
  text(out, 3, node.name);
  text(out, 4, node.opType);
  for (const [name, attribute] of node.attributes) {
    message(out, 5, () => writeAttribute(out, name, attribute));
  }
  text(out, 7, node.domain);
}

function writeAttribute(out: BinaryWriter, name: string, attribute: AttributeProto): void {
  text(out, 1, name);
  switch (attribute.kind) {
    case "float":
      out.tag(2, Bit32).float(attribute.value);
      return int(out, 20, 1);
    case "int":
      out.tag(3, Varint).int64(attribute.value);
      return int(out, 20, 2);
    case "string":
      out.tag(4, LengthDelimited).string(attribute.value);
      return int(out, 20, 3);
    case "tensor":
      message(out, 5, () => writeTensor(out, attribute.value));
      return int(out, 20, 4);
    case "graph":
      message(out, 6, () => writeGraph(out, attribute.value));
      return int(out, 20, 5);
    case "floats":
      for (const value of attribute.value) out.tag(7, Bit32).float(value);
      return int(out, 20, 6);
    case "ints":
      for (const value of attribute.value) out.tag(8, Varint).int64(value);
      return int(out, 20, 7);
    case "strings":
      for (const value of attribute.value) out.tag(9, LengthDelimited).string(value);
      return int(out, 20, 8);
    case "other":
      throw new Error(`write: attribute "${name}" of type ${attribute.value}; please report.`);
    default:
      return attribute satisfies never;
  }
}

function writeTensor(out: BinaryWriter, tensor: TensorProto): void {
  const { payload } = tensor;
  for (const dim of tensor.dims) out.tag(1, Varint).int64(dim);
  int(out, 2, tensor.dataType);
  text(out, 8, tensor.name);
  if (payload === undefined) return;
  if (payload.field !== "raw_data") {
    throw new Error(`write: tensor "${tensor.name}" keeps ${payload.field}; please report.`);
  }
  out.tag(9, LengthDelimited).bytes(payload.bytes);
}

function writeValueInfo(out: BinaryWriter, value: ValueInfoProto): void {
  text(out, 1, value.name);
  const writeShape = () => {
    for (const dim of value.shape ?? []) {
      message(out, 1, () => {
        if (typeof dim === "number") out.tag(1, Varint).int64(dim);
        else if (dim !== undefined) text(out, 2, dim);
      });
    }
  };
  message(out, 2, () =>
    message(out, 1, () => {
      if (value.elemType !== undefined) int(out, 1, value.elemType);
      if (value.shape) message(out, 2, writeShape);
    }),
  );
}

function message(out: BinaryWriter, field: number, write: () => void): void {
  out.tag(field, LengthDelimited).fork();
  write();
  out.join();
}

function int(out: BinaryWriter, field: number, value: number): void {
  out.tag(field, Varint).int64(value);
}

/** A string, left out where it is empty. */
function text(out: BinaryWriter, field: number, value: string): void {
  if (value !== "") out.tag(field, LengthDelimited).string(value);
}
