// Tiny ONNX models for tests, written with the room's own writer.

import { float, int, ints, tensorProto, type Attributes } from "../../../src/formats/onnx/draft.ts";
import type { NodeProto, TensorProto, ValueInfoProto } from "../../../src/formats/onnx/proto.ts";
import { importOnnx, type ImportOptions } from "../../../src/formats/onnx/import.ts";
import { writeModel } from "../../../src/formats/onnx/write.ts";
import { printGraph } from "../../../src/graph/print.ts";
import { float32, tensor, type Tensor } from "../../../src/tensor/tensor.ts";

export { float, int, ints };

type Dims = readonly (number | string)[];

/** Attributes as plain values: integers, lists of integers, strings; floats through `float()`. */
type Plain = Readonly<Record<string, number | readonly number[] | string | Attributes[string]>>;

export function node(
  opType: string,
  inputs: readonly string[],
  outputs: readonly string[] = ["y"],
  attributes: Plain = {},
  more: Partial<NodeProto> = {},
): NodeProto {
  const entries = Object.entries(attributes).map(([name, value]) => {
    if (typeof value === "number") return [name, int(value)] as const;
    if (typeof value === "string") return [name, { kind: "string", value }] as const;
    if (Array.isArray(value)) return [name, ints(value as number[])] as const;
    return [name, value as Attributes[string]] as const;
  });
  const base = { name: "", domain: "", offset: 0, attributes: new Map(entries) };
  return { ...base, opType, inputs, outputs, ...more };
}

/** A graph for an attribute: the branch of an If. */
export function branch(
  nodes: readonly NodeProto[],
  outputs: readonly string[],
  initializers: Readonly<Record<string, Tensor>> = {},
): Attributes[string] {
  const infos = outputs.map((name): ValueInfoProto => ({ name, elemType: 1, offset: 0 }));
  const protos = Object.entries(initializers).map(([name, value]) => tensorProto(name, value));
  const graph = { nodes, initializers: protos, sparse: 0, inputs: [], outputs: infos };
  return { kind: "graph", value: { name: "branch", ...graph } };
}

export interface Tiny {
  readonly nodes: readonly NodeProto[];
  readonly opset?: number;
  readonly domain?: string;
  readonly inputs?: Readonly<Record<string, Dims>>;
  readonly outputs?: readonly string[];
  readonly initializers?: Readonly<Record<string, Tensor>>;
  readonly protos?: readonly TensorProto[];
  /** DataType codes of inputs and outputs that are not float32. */
  readonly types?: Readonly<Record<string, number>>;
}

/** A node of onnxruntime's own domain. */
export const microsoft = (...[opType, inputs, outputs, attributes]: Parameters<typeof node>) =>
  node(opType, inputs, outputs, attributes, { domain: "com.microsoft" });

/** The bytes of a model; input x and output y unless said otherwise, all float32. */
export function tiny(parts: Tiny): Uint8Array {
  const info = (name: string, shape?: Dims): ValueInfoProto => ({
    name,
    elemType: parts.types?.[name] ?? 1,
    ...(shape ? { shape } : {}),
    offset: 0,
  });
  const inputs = Object.entries(parts.inputs ?? { x: [1, 2, 4, 4] });
  const initializers = Object.entries(parts.initializers ?? {});
  return writeModel({
    irVersion: 8,
    opsets: new Map([
      [parts.domain ?? "", parts.opset ?? 17],
      ...(parts.nodes.some(({ domain }) => domain !== "") ? ([["com.microsoft", 1]] as const) : []),
    ]),
    producerName: "test",
    producerVersion: "",
    graph: {
      name: "tiny",
      nodes: parts.nodes,
      initializers: [
        ...initializers.map(([name, value]) => tensorProto(name, value)),
        ...(parts.protos ?? []),
      ],
      sparse: 0,
      inputs: inputs.map(([name, shape]) => info(name, shape)),
      outputs: (parts.outputs ?? ["y"]).map((name) => info(name)),
    },
  });
}

/** The printed graph of a tiny model, its lines trimmed. */
export function imported(parts: Tiny, options?: ImportOptions): string[] {
  return printGraph(importOnnx(tiny(parts), options))
    .split("\n")
    .slice(1, -1)
    .map((line) => line.trim());
}

export const floats = (shape: readonly number[], fill?: (index: number) => number) =>
  float32(
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, at) => (fill ? fill(at) : at)),
  );
export const longs = (...values: number[]) =>
  tensor("int64", [values.length], BigInt64Array.from(values, BigInt));
export const long = (value: number) => tensor("int64", [], BigInt64Array.of(BigInt(value)));
export const scalar = (value: number) => float32([], [value]);

/** The message of what `run` throws; fails where it throws nothing. */
export function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
  throw new Error("nothing was thrown");
}
