// What the standard asks of every node whatever its op, by the op's schema: number of inputs and outputs, element
// types, attributes and their kinds. Names are followed through the file, graphs in attributes included, so that a
// contradiction is found however far apart its two ends are.

import { DataType, dataTypeName, type GraphProto, type NodeProto } from "./proto.ts";
import { schemaOf, type Port, type Schema } from "./schema.ts";
import { importerOf } from "./ops/table.ts";
import { damaged } from "./wire.ts";

const WAY_OUT =
  "Export the model again: onnx.checker.check_model(path, full_check=True) finds this too.";

/** Element types by name, as far as they are known. */
class Types {
  readonly #own = new Map<string, number>();
  readonly #outer: Types | undefined;

  constructor(outer?: Types) {
    this.#outer = outer;
  }

  set(name: string, code: number | undefined): void {
    if (code !== undefined) this.#own.set(name, code);
  }

  get(name: string): number | undefined {
    return this.#own.get(name) ?? this.#outer?.get(name);
  }
}

function wrong(node: NodeProto, rule: string, got: string): Error {
  const name = node.name || node.outputs.find((output) => output !== "") || "";
  return damaged(`${node.opType} "${name}": ${rule}; got ${got}`, node.offset, WAY_OUT);
}

/** The port that place `index` of `ports` is; undefined beyond them. */
function portAt(ports: readonly Port[], index: number): Port | undefined {
  const last = ports.at(-1);
  return ports[index] ?? (last?.repeats === true ? last : undefined);
}

function checkCount(node: NodeProto, what: "input" | "output", ports: readonly Port[]): void {
  const names = what === "input" ? node.inputs : node.outputs;
  const least = ports.filter(({ isOptional, repeats }) => !isOptional && !repeats).length;
  const most = ports.at(-1)?.repeats === true ? Infinity : ports.length;
  if (names.length < least || names.length > most) {
    const range = least === most ? String(least) : `${least} … ${most}`;
    throw wrong(node, `it takes ${range} ${what}(s)`, String(names.length));
  }
  if (what === "output") return;
  const gap = names.findIndex((name, at) => name === "" && portAt(ports, at)?.isOptional !== true);
  if (gap >= 0) throw wrong(node, `input ${gap} must be there`, "none");
}

function checkAttributes(node: NodeProto, { attributes, since }: Schema): void {
  const importer = importerOf(node);
  for (const [name, { kind }] of node.attributes) {
    const rule = attributes.get(name);
    if (rule === undefined) {
      // What no opset has is refused by name, with all else that is not supported.
      if (typeof importer === "string" || !importer.attributes.has(name)) continue;
      const rest = [...attributes.keys()].join(", ") || "none";
      throw wrong(node, `since opset ${since} its attributes are ${rest}`, name);
    }
    if (rule.kind !== kind && kind !== "other" && rule.kind !== "other")
      throw wrong(node, `attribute ${name} must be of type ${rule.kind}`, kind);
  }
  for (const [name, { isRequired }] of attributes)
    if (isRequired && !node.attributes.has(name))
      throw wrong(node, `attribute ${name} must be given`, "none");
}

const list = (types: ReadonlySet<number>) => [...types].map(dataTypeName).join(", ");

/** Binds type variables by the inputs of `node`; throws FormatError where they contradict. */
function bindInputs(node: NodeProto, schema: Schema, types: Types): Map<string, number> {
  const bound = new Map<string, number>();
  node.inputs.forEach((name, index) => {
    const port = portAt(schema.inputs, index);
    const code = name === "" ? undefined : types.get(name);
    if (port === undefined || code === undefined) return;
    if (!port.types.has(code)) {
      const rule = `input ${index} must be of type ${list(port.types)} in this opset`;
      throw wrong(node, rule, dataTypeName(code));
    }
    if (port.variable === undefined) return;
    const other = bound.get(port.variable);
    if (other !== undefined && other !== code) {
      const got = `${dataTypeName(other)} and ${dataTypeName(code)}`;
      throw wrong(node, "inputs must share one dtype", got);
    }
    bound.set(port.variable, code);
  });
  return bound;
}

/** The type of output 0 where attributes say it. */
function statedType({ opType, attributes, inputs }: NodeProto): number | undefined {
  const int = (name: string) => {
    const attribute = attributes.get(name);
    return attribute?.kind === "int" ? Number(attribute.value) : undefined;
  };
  const value = attributes.get("value");
  const ofTensor = value?.kind === "tensor" ? value.value.dataType : undefined;
  switch (opType) {
    case "Cast":
      return int("to") ?? -1;
    case "Constant": {
      const [key = ""] = attributes.keys();
      if (key.startsWith("value_int")) return DataType.INT64;
      return key.startsWith("value_float") ? DataType.FLOAT : ofTensor;
    }
    case "ConstantOfShape":
      return ofTensor ?? DataType.FLOAT;
    case "QuantizeLinear":
      return inputs[2] ? undefined : int("output_dtype") || DataType.UINT8;
    case "DequantizeLinear":
      return int("output_dtype") || undefined;
    default:
      return undefined;
  }
}

function typeOutputs(node: NodeProto, schema: Schema, bound: Map<string, number>, types: Types) {
  const stated = statedType(node);
  node.outputs.forEach((name, index) => {
    const port = portAt(schema.outputs, index);
    if (port === undefined) return;
    const [only] = port.types;
    const known = port.variable === undefined ? undefined : bound.get(port.variable);
    const code =
      (index === 0 ? stated : undefined) ?? known ?? (port.types.size === 1 ? only : undefined);
    if (code !== undefined && !port.types.has(code)) {
      const rule = `output ${index} must be of type ${list(port.types)} in this opset`;
      throw wrong(node, rule, dataTypeName(code));
    }
    if (name !== "") types.set(name, code);
  });
}

function checkNode(node: NodeProto, opsets: ReadonlyMap<string, number>, types: Types): void {
  const opset = opsets.get("") ?? 0;
  const schema = schemaOf(node, opset);
  const branches: (readonly (number | undefined)[])[] = [];
  for (const attribute of node.attributes.values())
    if (attribute.kind === "graph") branches.push(checkGraph(attribute.value, opsets, types));
  if (schema === undefined) return;
  if (schema === "later")
    throw wrong(node, "the op must be one of the file's opset", String(opset));
  if (node.domain === "com.microsoft" && !opsets.has(node.domain))
    throw wrong(node, `the file must import domain ${node.domain}`, [...opsets.keys()].join(", "));
  checkCount(node, "input", schema.inputs);
  checkCount(node, "output", schema.outputs);
  checkAttributes(node, schema);
  typeOutputs(node, schema, bindInputs(node, schema, types), types);
  if (node.opType !== "If") return;
  node.outputs.forEach((name, index) => {
    const codes = branches.map((outputs) => outputs[index]);
    const [code, other = code] = codes;
    if (code !== undefined && code !== other) {
      const got = codes.map((each) => dataTypeName(each ?? 0)).join(" and ");
      throw wrong(node, `output ${index} must have one type in both branches`, got);
    }
    types.set(name, code);
  });
}

/**
 * Every node of `graph`, and of the graphs in its attributes, is what its op's schema says.
 * @param opsets Domain → version, as the file imports them.
 * @returns the types of the graph's outputs, as far as they are known.
 * @throws FormatError at the first node that is not.
 */
export function checkGraph(
  graph: GraphProto,
  opsets: ReadonlyMap<string, number>,
  outer?: Types,
): readonly (number | undefined)[] {
  const types = new Types(outer);
  for (const { name, elemType } of graph.inputs) types.set(name, elemType);
  for (const { name, dataType } of graph.initializers) types.set(name, dataType);
  for (const node of graph.nodes) checkNode(node, opsets, types);
  return graph.outputs.map(({ name }) => types.get(name));
}
