// ONNX → Graph: what goes in, the walk over the nodes (walk.ts), what comes out. What cannot be imported is
// collected and named all at once, before anything runs.
//
// Structure is checked first (structure.ts). Names of the file stay
// names of the graph. Every float is float32 here: double tensors are rounded to it, float16 ones widened, but for
// weights that an op reads as they are.

import { InputError, UnsupportedError, type Unsupported } from "../../errors.ts";
import { checkNames } from "../../text/names.ts";
import { prune, type Graph } from "../../graph/graph.ts";
import { canonical, namesOf, substitute } from "../../graph/dims.ts";
import { widenConstants } from "../../graph/weightOnly.ts";
import type { Dim } from "../../graph/value.ts";
import { allocate, type DType } from "../../tensor/dtype.ts";
import { exactly } from "../../tensor/exact.ts";
import { formatShape, sizeOf, tensor, widened, type Tensor } from "../../tensor/tensor.ts";
import { checkGraph } from "./check.ts";
import { ONNX_LIMITS, type OnnxLimits } from "./limits.ts";
import {
  DataType,
  dataTypeName,
  type DimProto,
  type GraphProto,
  type TensorProto,
  type ValueInfoProto,
} from "./proto.ts";
import { readModel } from "./read.ts";
import { dtypeOf, wideOf } from "./readTensor.ts";
import { Scope } from "./scope.ts";
import { checkStructure } from "./structure.ts";
import { drain, usedNames, Walk } from "./walk.ts";

export interface ImportOptions {
  /** Sizes of symbolic dims: { batch: 1 }. Dims left out stay symbolic. */
  readonly dims?: Readonly<Record<string, number>>;
  /** Values of graph inputs that are known when loading, by name: they become initializers. What must be
   *  known at import (shapes, axes, scales, weights) may be given so where a file has it as an input. A number
   *  fills a tensor of the type and shape that the file states. */
  readonly constants?: Readonly<Record<string, Tensor | number>>;
  /** Files of external data by their `location`. */
  readonly externalData?: ReadonlyMap<string, Uint8Array>;
  /** Limits other than `ONNX_LIMITS`. */
  readonly limits?: Partial<OnnxLimits>;
}

const OPSETS = { first: 7, last: 25 } as const;
/** Element types of graph inputs and outputs. */
const ports = new Map<number, DType>([
  [DataType.FLOAT, "float32"],
  [DataType.INT32, "int32"],
  [DataType.INT64, "int64"],
  [DataType.INT8, "int8"],
  [DataType.UINT8, "uint8"],
  [DataType.BOOL, "bool"],
  [DataType.FLOAT16, "float32"],
  [DataType.DOUBLE, "float32"],
]);
const PORTS = "FLOAT, FLOAT16, DOUBLE, INT32, INT64, INT8, UINT8 and BOOL are supported";
const WAY_OUT =
  "Export the model without these, or replace them before import (README: supported ONNX ops).";

/**
 * The graph of an ONNX model (opset 7 … 25 of the default domain). Inputs and outputs of float32 (FLOAT16
 * and DOUBLE of the file included), int32, int64, int8, uint8 and bool; QDQ pairs become Quantize and Dequantize nodes, and so does what QLinear ops say; weights are views on `bytes` where their alignment allows.
 *
 * Throws FormatError where the bytes are no valid model, UnsupportedError with every node that cannot be
 * imported, InputError for options and for sizes that must be known. https://onnx.ai/onnx/intro
 */
export function importOnnx(bytes: Uint8Array, options: ImportOptions = {}): Graph {
  return drain(importSteps(bytes, options));
}

/** How far an import is: nodes of the file's graph. */
export interface ImportProgress {
  readonly done: number;
  readonly total: number;
}

/** `importOnnx` in small steps, for a caller that does other things in between. */
export function* importSteps(
  bytes: Uint8Array,
  options: ImportOptions = {},
): Generator<ImportProgress, Graph> {
  const limits = { ...ONNX_LIMITS, ...options.limits };
  const model = readModel(bytes, limits);
  const opset = model.opsets.get("") ?? 0;
  if (opset < OPSETS.first || opset > OPSETS.last) {
    const range = `${OPSETS.first} … ${OPSETS.last}`;
    throw new UnsupportedError(
      "import",
      [
        {
          op: "opset",
          node: String(opset),
          problem: `the default domain must be of opset ${range}`,
        },
      ],
      "Export the model again with opset 13 or newer.",
    );
  }
  const { graph } = model;
  const total = graph.nodes.length;
  const begun = { done: 0, total };
  yield begun;
  checkStructure(graph);
  yield begun;
  checkGraph(graph, model.opsets);
  const locations = [...locationsOf(graph)];
  checkNames("externalData", "file", options.externalData?.keys() ?? [], locations);
  const scope = new Scope(opset, limits);
  const offenders: Unsupported[] = [];
  defineInputs(scope, graph, options, offenders);
  const walk = new Walk(scope, options.externalData, offenders);
  for (const done of walk.initializers(graph, usedNames(graph))) yield { done, total };
  defineConstants(scope, graph, options);
  for (const done of walk.run(graph)) yield { done, total };
  if (offenders.length === 0) checkOutputs(scope, graph, offenders);
  if (offenders.length > 0) throw new UnsupportedError("import", offenders, WAY_OUT);
  const known = knownNames(graph, options);
  const inputs = graph.inputs.flatMap(({ name }) => (known.has(name) ? [] : [name]));
  const outputs = graph.outputs.map(({ name }) => name);
  return prune(widenConstants(scope.builder.build(graph.name || "model", inputs, outputs)));
}

/** The shapes that a file states of its inputs, sizes left open by name, without importing its nodes.
 *  Throws FormatError. */
export function inputShapes(bytes: Uint8Array): Map<string, readonly Dim[]> {
  const { graph } = readModel(bytes, ONNX_LIMITS);
  const weights = new Set(graph.initializers.map(({ name }) => name));
  return new Map(
    graph.inputs.flatMap(({ name, shape }) =>
      shape === undefined || weights.has(name)
        ? []
        : [[name, shape.map((dim, axis) => canonical(dim ?? `${name}_${axis}`))] as const],
    ),
  );
}

/** The files that tensors of `graph` keep their data in. */
function locationsOf(graph: GraphProto, found = new Set<string>()): Set<string> {
  const add = ({ payload }: TensorProto) => {
    if (payload?.field === "external") found.add(payload.keys.get("location") ?? "");
  };
  graph.initializers.forEach(add);
  for (const { attributes } of graph.nodes)
    for (const attribute of attributes.values()) {
      if (attribute.kind === "tensor") add(attribute.value);
      else if (attribute.kind === "graph") locationsOf(attribute.value, found);
    }
  return found;
}

/** Names of initializers, and of inputs whose values the caller gives. */
function knownNames(graph: GraphProto, { constants = {} }: ImportOptions): Set<string> {
  return new Set([...graph.initializers.map(({ name }) => name), ...Object.keys(constants)]);
}

/** The inputs whose values the caller gives: they must be there, and of the type the file states. */
function defineConstants(scope: Scope, graph: GraphProto, { constants = {} }: ImportOptions): void {
  const initial = new Set(graph.initializers.map(({ name }) => name));
  const open = graph.inputs.flatMap(({ name }) => (initial.has(name) ? [] : [name]));
  checkNames("constants", "input", Object.keys(constants), open);
  for (const [name, given] of Object.entries(constants)) {
    const input = graph.inputs.find((input) => input.name === name);
    if (input === undefined) continue;
    const { elemType = DataType.FLOAT } = input;
    const stated = typeof given === "number" ? filled(input, given) : given;
    const constant = elemType === DataType.FLOAT16 ? widened(stated) : stated;
    const { shape = constant.shape } = input;
    const fits =
      shape.length === constant.shape.length &&
      shape.every((dim, axis) => typeof dim !== "number" || dim === constant.shape[axis]);
    if (dtypeOf(elemType) !== constant.dtype || !fits) {
      const want = `${dataTypeName(elemType)}${formatShape(shape.map((dim) => dim ?? "?"))}`;
      throw new InputError(
        `constants: "${name}" must be ${want}; got ${constant.dtype}${formatShape(constant.shape)}. ` +
          `Convert the data.`,
      );
    }
    const wide = wideOf(elemType);
    scope.setConstant(name, constant);
    if (wide) scope.setWide(name, wide);
  }
}

/** `value` everywhere in a tensor of the type and shape of `input`. */
function filled({ name, elemType = DataType.FLOAT, shape }: ValueInfoProto, value: number): Tensor {
  const sizes = shape?.map((dim) => {
    if (typeof dim === "number") return dim;
    throw new InputError(
      `constants: "${name}" has a size that the file leaves open; got the number ${value}. ` +
        `Give a tensor.`,
    );
  });
  const dtype = dtypeOf(elemType) ?? "float32"; // defineConstants refuses a type that is not known
  const like = tensor("float32", [1], Float32Array.of(value));
  const wide = Number.isInteger(value)
    ? tensor("int64", [1], BigInt64Array.of(BigInt(value)))
    : like;
  const [element = 0] = exactly(
    dtype === "float32" ? like : wide,
    dtype,
    `constants: "${name}"`,
  ).data;
  const data = allocate(dtype, sizeOf(sizes ?? []));
  if (data instanceof BigInt64Array) data.fill(BigInt(element));
  else data.fill(Number(element));
  return tensor(dtype, sizes ?? [], data);
}

function defineInputs(
  scope: Scope,
  graph: GraphProto,
  options: ImportOptions,
  offenders: Unsupported[],
): void {
  const sizes = new Map(Object.entries(options.dims ?? {}));
  const known = new Set<string>();
  const given = knownNames(graph, options);
  for (const name of graph.nodes.flatMap((node) => node.outputs)) scope.names.take(name);
  for (const { name } of [...graph.inputs, ...graph.initializers]) scope.names.take(name);
  const taken = new Set(graph.inputs.flatMap(({ shape = [] }) => shape));
  for (const { name, elemType, shape } of graph.inputs) {
    if (given.has(name)) continue;
    const dtype = ports.get(elemType ?? 0);
    if (dtype === undefined || shape === undefined) {
      const type = elemType === undefined ? "no tensor type" : dataTypeName(elemType);
      const problem = shape === undefined ? "has no shape" : `is ${type}; ${PORTS}`;
      offenders.push({ op: "input", node: name, problem });
      continue;
    }
    const dims = shape.map((dim, axis): Dim => {
      // Some exporters write 0 for a size that they leave open.
      if (typeof dim === "number" && (dim > 0 || shape.length === 1)) return dim;
      const symbol = canonical(dim || namelessDim(`${name}_${axis}`, taken));
      for (const part of namesOf(symbol)) known.add(part);
      return substitute(symbol, sizes);
    });
    scope.setInput(name, { dtype, shape: dims });
  }
  checkNames("dims", "size", sizes.keys(), [...known]);
  for (const [name, size] of sizes) {
    if (Number.isInteger(size) && size >= 1 && size <= scope.limits.dimSize) continue;
    throw new InputError(
      `dims: size "${name}" must be a positive integer; got ${size}. Pass { ${name}: 1 }.`,
    );
  }
}

/** The name of a size that the file does not name; not one that it gives to another. */
function namelessDim(wanted: string, taken: ReadonlySet<DimProto>): string {
  return taken.has(wanted) ? namelessDim(`${wanted}_`, taken) : wanted;
}

/** Outputs have the types the file states; one that is known at import gets an Identity, so that it is computed. */
function checkOutputs(scope: Scope, graph: GraphProto, offenders: Unsupported[]): void {
  for (const { name, elemType } of graph.outputs) {
    scope.asValue(name);
    const dtype = scope.dtypeOf(name);
    const wide = scope.wideOf(name);
    const isPort = wide === undefined && [...ports.values()].includes(dtype);
    if (!isPort || (elemType !== undefined && ports.get(elemType) !== dtype)) {
      const stated = `${dtype}, where the file says ${dataTypeName(elemType ?? 0)}`;
      const type = isPort ? stated : (wide ?? dtype);
      offenders.push({ op: "output", node: name, problem: `is ${type}; ${PORTS}` });
      continue;
    }
    const entry = scope.entry(name);
    if (entry?.kind === "constant") {
      const inputs = [scope.names.fresh(`${name}_constant`)];
      scope.builder.constant(inputs[0] ?? "", entry.tensor);
      const node = scope.nodeNames.fresh(`${name}_identity`);
      // In front, in place of the constant, so that nodes which read it still come after.
      scope.builder.constants.delete(name);
      scope.emit({ op: "Identity", name: node, inputs, outputs: [name] }, { dtype });
      scope.builder.nodes.unshift(...scope.builder.nodes.splice(-1));
    } else if (!scope.builder.values.has(name)) {
      throw new Error(`import: output "${name}" has no value; please report.`);
    }
  }
}
