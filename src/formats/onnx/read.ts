// Bytes → ModelProto. One function per message: its fields by number, and which of them
// may come only once.

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
import { damaged, WireReader } from "./wire.ts";

/** Read a model. Tensors keep views on `bytes`. Throws FormatError with a byte offset. */
export function readModel(bytes: Uint8Array, limits: OnnxLimits): ModelProto {
  const reader = new WireReader(bytes, limits);
  const opsets = new Map<string, number>();
  let irVersion = 0;
  let producerName = "";
  let producerVersion = "";
  let graph: GraphProto | undefined;
  reader.fields(
    (field) => {
      if (field === 1) irVersion = reader.int("ir_version");
      else if (field === 2) producerName = reader.string();
      else if (field === 3) producerVersion = reader.string();
      else if (field === 7) graph = readGraph(reader);
      else if (field === 8) readOpset(reader, opsets);
      else reader.skip();
    },
    [1, 2, 3, 7],
  );
  if (graph === undefined) {
    throw damaged("there is no graph", undefined, "Pass the bytes of an .onnx model.");
  }
  return { irVersion, opsets, producerName, producerVersion, graph };
}

function readOpset(reader: WireReader, opsets: Map<string, number>): void {
  const offset = reader.offset;
  let domain = "";
  let version = 0;
  reader.message(
    (field) => {
      if (field === 1) domain = reader.string();
      else if (field === 2) version = reader.int("opset version");
      else reader.skip();
    },
    [1, 2],
  );
  if (domain === "ai.onnx") domain = "";
  if (opsets.has(domain)) throw damaged(`opset domain "${domain}" is imported twice`, offset);
  opsets.set(domain, version);
}

function readGraph(reader: WireReader): GraphProto {
  const nodes: NodeProto[] = [];
  const initializers: TensorProto[] = [];
  const inputs: ValueInfoProto[] = [];
  const outputs: ValueInfoProto[] = [];
  const push = pushWithin(reader);
  let name = "";
  let sparse = 0;
  reader.message(
    (field) => {
      if (field === 1) push(nodes, readNode, "nodes");
      else if (field === 2) name = reader.string();
      else if (field === 5) push(initializers, readTensor, "initializers");
      else if (field === 11) push(inputs, readValueInfo, "inputs");
      else if (field === 12) push(outputs, readValueInfo, "outputs");
      else {
        if (field === 15) sparse++;
        reader.skip();
      }
    },
    [2],
  );
  return { name, nodes, initializers, sparse, inputs, outputs };
}

function readNode(reader: WireReader): NodeProto {
  const offset = reader.offset;
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes = new Map<string, AttributeProto>();
  const push = pushWithin(reader);
  let [name, opType, domain] = ["", "", ""];
  reader.message(
    (field) => {
      if (field === 1) push(inputs, (from) => from.string(), "inputs of a node");
      else if (field === 2) push(outputs, (from) => from.string(), "outputs of a node");
      else if (field === 3) name = reader.string();
      else if (field === 4) opType = reader.string();
      else if (field === 7) domain = reader.string();
      else if (field === 5) {
        const at = reader.offset;
        const [key, attribute] = readAttribute(reader);
        if (attributes.has(key)) throw damaged(`attribute "${key}" is given twice`, at);
        if (attributes.size >= reader.limits.listLength) throw tooMany("attributes", reader, at);
        attributes.set(key, attribute);
      } else reader.skip();
    },
    [3, 4, 7],
  );
  return { name, opType, domain, inputs, outputs, attributes, offset };
}

/** AttributeProto.AttributeType: the kind of each code. */
const kindOfType = (
  " float int string tensor graph floats ints strings tensors graphs sparse_tensor sparse_tensors " +
  "type_proto type_protos"
).split(" ");

/** The kind of value that each field of AttributeProto holds, by field number. */
const kindOfField = (
  ",,float,int,string,tensor,graph,floats,ints,strings,tensors,graphs,,,type_proto,type_protos" +
  ",,,,,,reference,sparse_tensor,sparse_tensors"
).split(",");

function readAttribute(reader: WireReader): [string, AttributeProto] {
  const offset = reader.offset;
  const floats: number[] = [];
  const ints: bigint[] = [];
  const strings: string[] = [];
  let name = "";
  let type = 0;
  let float = 0;
  let int = 0n;
  let string: Uint8Array = new Uint8Array();
  let tensor: TensorProto | undefined;
  let graph: GraphProto | undefined;
  const seen = new Set<string>();
  reader.message(
    (field) => {
      const holds = kindOfField[field];
      if (holds) seen.add(holds);
      if (field === 1) name = reader.string();
      else if (field === 2) float = reader.float();
      else if (field === 3) int = reader.int64();
      else if (field === 4) string = reader.bytes();
      else if (field === 5) tensor = readTensor(reader);
      else if (field === 6) graph = readGraph(reader);
      // Lists of graphs are read, so that their bytes and nesting are checked, and then forgotten.
      else if (field === 11) readGraph(reader);
      else if (field === 7) {
        const chunk = reader.fixed(4);
        const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.length);
        for (let at = 0; at < chunk.length; at += 4) floats.push(view.getFloat32(at, true));
      } else if (field === 9) pushWithin(reader)(strings, (at) => at.string(), "strings");
      else if (field === 8) for (const value of reader.int64s()) ints.push(value);
      else if (field === 20) type = reader.int("attribute type");
      else reader.skip();
    },
    [1, 2, 3, 4, 5, 6, 20],
  );
  // Very old files leave the type out; then the one field that is there tells.
  const kind = type === 0 ? [...seen][0] : (kindOfType[type] ?? `type ${type}`);
  const others = [...seen].filter((field) => field !== kind);
  if (kind === undefined || others.length > 0) {
    throw damaged(`attribute "${name}" must have one value; got ${[...seen].join(", ")}`, offset);
  }
  if (kind === "float") return [name, { kind, value: float }];
  if (kind === "int") return [name, { kind, value: int }];
  if (kind === "string") return [name, { kind, value: reader.text(string, offset) }];
  if (kind === "floats") return [name, { kind, value: floats }];
  if (kind === "strings") return [name, { kind, value: strings }];
  if (kind === "ints") return [name, { kind, value: ints }];
  if (kind === "tensor" && tensor) return [name, { kind, value: tensor }];
  if (kind === "graph" && graph) return [name, { kind, value: graph }];
  return [name, { kind: "other", value: kind }];
}

function readValueInfo(reader: WireReader): ValueInfoProto {
  const offset = reader.offset;
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
  reader.message(
    (field) => {
      if (field === 1) name = reader.string();
      else if (field === 2) {
        reader.message(
          (kind) => (kind === 1 ? reader.message(readTensorType, [1, 2]) : reader.skip()),
          [1],
        );
      } else reader.skip();
    },
    [1, 2],
  );
  return {
    name,
    offset,
    ...(elemType === undefined ? {} : { elemType }),
    ...(shape === undefined ? {} : { shape }),
  };
}

/** Names that exporters give to sizes without one: each stands for a size of its own. */
const NAMELESS = /^(?:|\?|-\d+|0|None|null|\*)$/;

/** A size; negative numbers stand for sizes that are left open, as in Paddle's files. */
function readDim(reader: WireReader): DimProto {
  const offset = reader.offset;
  let dim: DimProto;
  reader.message(
    (field) => {
      if (field === 1) dim = reader.int("dim_value");
      else if (field === 2) {
        const name = reader.string().trim();
        dim = NAMELESS.test(name) ? undefined : name;
      } else reader.skip();
    },
    [1, 2],
  );
  if (typeof dim === "number" && dim > reader.limits.dimSize) {
    throw damaged(`a size must be at most ${reader.limits.dimSize}; got ${dim}`, offset);
  }
  return typeof dim === "number" && dim < 0 ? undefined : dim;
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
