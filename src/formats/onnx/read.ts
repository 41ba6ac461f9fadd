// Bytes → ModelProto. One function per message, a switch over field numbers; a singular field that
// comes twice is refused, because two readers could disagree on which one counts.

import type { OnnxLimits } from "./limits.ts";
import type {
  AttributeProto,
  DimProto,
  GraphProto,
  ModelProto,
  NodeProto,
  TensorProto,
  ValueInfoProto,
} from "./proto.ts";
import { readTensor } from "./readTensor.ts";
import { damaged, onlyOnce, WireReader } from "./wire.ts";

/** Read a model. Tensors keep views on `bytes`. Throws FormatError with a byte offset. */
export function readModel(bytes: Uint8Array, limits: OnnxLimits): ModelProto {
  const reader = new WireReader(bytes, limits);
  const opsets = new Map<string, number>();
  const once = onlyOnce(reader, "ModelProto");
  let irVersion = 0;
  let producerName = "";
  let producerVersion = "";
  let graph: GraphProto | undefined;
  reader.fields((field) => {
    if (field === 1) (once(field), (irVersion = reader.int("ir_version")));
    else if (field === 2) (once(field), (producerName = reader.string()));
    else if (field === 3) (once(field), (producerVersion = reader.string()));
    else if (field === 7) (once(field), (graph = readGraph(reader)));
    else if (field === 8) readOpset(reader, opsets);
    else reader.skip();
  });
  if (graph === undefined) {
    throw damaged("there is no graph", undefined, "Pass the bytes of an .onnx model.");
  }
  return { irVersion, opsets, producerName, producerVersion, graph };
}

function readOpset(reader: WireReader, opsets: Map<string, number>): void {
  const offset = reader.offset;
  let domain = "";
  let version = 0;
  reader.message((field) => {
    if (field === 1) domain = reader.string();
    else if (field === 2) version = reader.int("opset version");
    else reader.skip();
  });
  if (domain === "ai.onnx") domain = "";
  if (opsets.has(domain)) throw damaged(`opset domain "${domain}" is imported twice`, offset);
  opsets.set(domain, version);
}

function readGraph(reader: WireReader): GraphProto {
  const nodes: NodeProto[] = [];
  const initializers: TensorProto[] = [];
  const inputs: ValueInfoProto[] = [];
  const outputs: ValueInfoProto[] = [];
  const once = onlyOnce(reader, "GraphProto");
  const push = pushWithin(reader);
  let name = "";
  let sparse = 0;
  reader.message((field) => {
    if (field === 1) push(nodes, readNode, "nodes");
    else if (field === 2) (once(field), (name = reader.string()));
    else if (field === 5) push(initializers, readTensor, "initializers");
    else if (field === 11) push(inputs, readValueInfo, "inputs");
    else if (field === 12) push(outputs, readValueInfo, "outputs");
    else {
      if (field === 15) sparse++;
      reader.skip();
    }
  });
  return { name, nodes, initializers, sparse, inputs, outputs };
}

function readNode(reader: WireReader): NodeProto {
  const offset = reader.offset;
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes = new Map<string, AttributeProto>();
  const once = onlyOnce(reader, "NodeProto");
  const push = pushWithin(reader);
  let [name, opType, domain] = ["", "", ""];
  reader.message((field) => {
    if (field === 1) push(inputs, (from) => from.string(), "inputs of a node");
    else if (field === 2) push(outputs, (from) => from.string(), "outputs of a node");
    else if (field === 3) (once(field), (name = reader.string()));
    else if (field === 4) (once(field), (opType = reader.string()));
    else if (field === 7) (once(field), (domain = reader.string()));
    else if (field === 5) {
      const at = reader.offset;
      const [key, attribute] = readAttribute(reader);
      if (attributes.has(key)) throw damaged(`attribute "${key}" is given twice`, at);
      if (attributes.size >= reader.limits.listLength) throw tooMany("attributes", reader, at);
      attributes.set(key, attribute);
    } else reader.skip();
  });
  return { name, opType, domain, inputs, outputs, attributes, offset };
}

/** AttributeProto.AttributeType, as far as ops here use it. */
const kinds = ["", "float", "int", "string", "tensor", "graph", "floats", "ints"] as const;

function readAttribute(reader: WireReader): [string, AttributeProto] {
  const offset = reader.offset;
  const once = onlyOnce(reader, "AttributeProto");
  const floats: number[] = [];
  const ints: bigint[] = [];
  let name = "";
  let type = 0;
  let float = 0;
  let int = 0n;
  let string: Uint8Array = new Uint8Array();
  let tensor: TensorProto | undefined;
  const seen = new Set<string>();
  reader.message((field) => {
    if (field === 1) (once(field), (name = reader.string()));
    else if (field === 2) (once(field), seen.add("float"), (float = reader.float()));
    else if (field === 3) (once(field), seen.add("int"), (int = reader.int64()));
    else if (field === 4) (once(field), seen.add("string"), (string = reader.bytes()));
    else if (field === 5) (once(field), seen.add("tensor"), (tensor = readTensor(reader)));
    // Subgraphs are read, so that their bytes and nesting are checked, and then forgotten.
    else if (field === 6) (once(field), seen.add("graph"), readGraph(reader));
    else if (field === 7) {
      seen.add("floats");
      const chunk = reader.fixed(4);
      const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.length);
      for (let at = 0; at < chunk.length; at += 4) floats.push(view.getFloat32(at, true));
    } else if (field === 8) {
      seen.add("ints");
      for (const value of reader.int64s()) ints.push(value);
    } else if (field === 11) (seen.add("graphs"), readGraph(reader));
    else if (field === 20) (once(field), (type = reader.int("attribute type")));
    else {
      if (field !== 13) seen.add(`field ${field}`);
      reader.skip();
    }
  });
  // Very old files leave the type out; then the one field that is there tells.
  const kind = type === 0 ? [...seen][0] : (kinds[type] ?? `type ${type}`);
  const others = [...seen].filter((field) => field !== kind);
  if (kind === undefined || others.length > 0) {
    throw damaged(`attribute "${name}" must have one value; got ${[...seen].join(", ")}`, offset);
  }
  if (kind === "float") return [name, { kind, value: float }];
  if (kind === "int") return [name, { kind, value: int }];
  if (kind === "string") return [name, { kind, value: reader.text(string, offset) }];
  if (kind === "floats") return [name, { kind, value: floats }];
  if (kind === "ints") return [name, { kind, value: ints }];
  if (kind === "tensor" && tensor) return [name, { kind, value: tensor }];
  return [name, { kind: "other", value: kind }];
}

function readValueInfo(reader: WireReader): ValueInfoProto {
  const offset = reader.offset;
  const once = onlyOnce(reader, "ValueInfoProto");
  let name = "";
  let elemType: number | undefined;
  let shape: DimProto[] | undefined;
  const readShape = (field: number): void => {
    if (field !== 1) return reader.skip();
    shape ??= [];
    if (shape.length >= reader.limits.rank) throw tooMany("axes", reader, reader.offset, "rank");
    shape.push(readDim(reader));
  };
  const readTensorType = (field: number): void => {
    if (field === 1) elemType = reader.int("elem_type");
    else if (field === 2) {
      shape = [];
      reader.message(readShape);
    } else reader.skip();
  };
  reader.message((field) => {
    if (field === 1) (once(field), (name = reader.string()));
    else if (field === 2) {
      once(field);
      reader.message((type) => (type === 1 ? reader.message(readTensorType) : reader.skip()));
    } else reader.skip();
  });
  return {
    name,
    offset,
    ...(elemType === undefined ? {} : { elemType }),
    ...(shape === undefined ? {} : { shape }),
  };
}

function readDim(reader: WireReader): DimProto {
  const offset = reader.offset;
  let dim: DimProto;
  reader.message((field) => {
    if (field === 1) dim = reader.int("dim_value");
    else if (field === 2) dim = reader.string() || undefined;
    else reader.skip();
  });
  if (typeof dim === "number" && (dim < 0 || dim > reader.limits.dimSize)) {
    throw damaged(`a size must be 0 … ${reader.limits.dimSize}; got ${dim}`, offset);
  }
  return dim;
}

function pushWithin(reader: WireReader) {
  return <T>(list: T[], read: (reader: WireReader) => T, what: string): void => {
    if (list.length >= reader.limits.listLength) throw tooMany(what, reader, reader.offset);
    list.push(read(reader));
  };
}

function tooMany(
  what: string,
  reader: WireReader,
  offset: number,
  limit: "listLength" | "rank" = "listLength",
) {
  const most = reader.limits[limit];
  return damaged(
    `there are more than ${most} ${what}`,
    offset,
    `Shrink the model, or raise limits.${limit}.`,
  );
}
