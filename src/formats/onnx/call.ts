// One node of the file, as an importer function sees it: typed attributes, inputs by position, and two
// ways to say no. `wrong` is for files that contradict the standard, `refuse` for what we do not do.

import { formatShape, toNumbers, widened, type Tensor } from "../../tensor/tensor.ts";
import type { DType } from "../../tensor/dtype.ts";
import type { Dim } from "../../graph/value.ts";
import type { AttributeProto, GraphProto, NodeProto, TensorProto } from "./proto.ts";
import type { Entry } from "./entries.ts";
import { Refusal, type Scope } from "./scope.ts";
import { invalid } from "./wire.ts";

/** Sizes and indices beyond this act like it: no axis is longer (limits.dimSize). */
const FARTHEST = 2 ** 31 - 1;

function clampIndex(value: number | bigint): number {
  return Math.min(Math.max(Number(value), -FARTHEST - 1), FARTHEST);
}

export class Call {
  readonly op: string;
  /** Of the node in the graph: the file's own, or `Conv_0`. */
  readonly name: string;
  readonly scope: Scope;
  readonly proto: NodeProto;
  /** Whether output `index` has a consumer or is a graph output. */
  readonly isUsed: (index: number) => boolean;
  readonly decode: (tensor: TensorProto) => Tensor | undefined;
  /** Import the nodes of `branch`, a graph in an attribute, in place of this node; its outputs get the names of
   *  `outputs`, the node's own unless given. */
  readonly inline: (branch: GraphProto, outputs?: readonly string[]) => void;

  constructor(
    proto: NodeProto,
    name: string,
    scope: Scope,
    isUsed: (index: number) => boolean,
    decode: (tensor: TensorProto) => Tensor | undefined,
    inline: (branch: GraphProto, outputs?: readonly string[]) => void,
  ) {
    this.op = proto.opType;
    this.name = name;
    this.proto = proto;
    this.scope = scope;
    this.isUsed = isUsed;
    this.decode = decode;
    this.inline = inline;
  }

  /** The same node as one of type `opType` with other inputs and outputs: how a node of several steps hands
   *  one of them to that op's importer. */
  as(opType: string, inputs: readonly string[], outputs: readonly string[]): Call {
    const proto = { ...this.proto, opType, inputs, outputs };
    const isFirst = (index: number) => index === 0;
    return new Call(proto, this.name, this.scope, isFirst, this.decode, this.inline);
  }

  get opset(): number {
    return this.scope.opset;
  }

  /** What this library does not do. */
  refuse(problem: string): never {
    throw new Refusal(problem);
  }

  /** What the standard forbids. */
  wrong(rule: string, got: string): never {
    throw invalid(`${this.op} "${this.name}": ${rule}; got ${got}`, this.proto.offset);
  }

  // Attributes -----------------------------------------------------------------------------------

  #attribute<K extends AttributeProto["kind"]>(name: string, kind: K) {
    const attribute = this.proto.attributes.get(name);
    if (attribute === undefined) return undefined;
    if (attribute.kind === kind) return attribute as Extract<AttributeProto, { kind: K }>;
    return this.wrong(`attribute ${name} must be of type ${kind}`, attribute.kind);
  }

  has(name: string): boolean {
    return this.proto.attributes.has(name);
  }

  /** An integer attribute; what no axis reaches is clamped to ±2^31. */
  int(name: string, fallback: number): number {
    const value = this.#attribute(name, "int")?.value;
    return value === undefined ? fallback : clampIndex(value);
  }

  flag(name: string, fallback = false): boolean {
    return this.int(name, fallback ? 1 : 0) !== 0;
  }

  ints(name: string): number[] | undefined {
    return this.#attribute(name, "ints")?.value.map(clampIndex);
  }

  float(name: string, fallback: number): number {
    const value = this.#attribute(name, "float")?.value ?? fallback;
    return Number.isNaN(value) ? this.wrong(`attribute ${name} must be a number`, "NaN") : value;
  }

  floats(name: string): readonly number[] | undefined {
    return this.#attribute(name, "floats")?.value;
  }

  string(name: string, fallback: string): string {
    return this.#attribute(name, "string")?.value ?? fallback;
  }

  strings(name: string): readonly string[] | undefined {
    return this.#attribute(name, "strings")?.value;
  }

  graph(name: string): GraphProto | undefined {
    return this.#attribute(name, "graph")?.value;
  }

  tensor(name: string): TensorProto | undefined {
    return this.#attribute(name, "tensor")?.value;
  }

  // Inputs and outputs ---------------------------------------------------------------------------

  /** Name of input `index`, or undefined where it is absent. */
  optional(index: number): string | undefined {
    return this.proto.inputs[index] || undefined;
  }

  input(index: number): string {
    return this.optional(index) ?? this.wrong(`input ${index} must be there`, "none");
  }

  get inputs(): readonly string[] {
    return this.proto.inputs.map((_, index) => this.input(index));
  }

  /** Name of output `index`; an output the file leaves out gets a fresh one. */
  output(index = 0): string {
    return this.proto.outputs[index] || this.fresh(`${this.name}_output_${index}`);
  }

  /** A value name that nothing else has. */
  fresh(wanted: string): string {
    return this.scope.names.fresh(wanted);
  }

  entry(index: number): Entry {
    const entry = this.scope.entry(this.input(index));
    return entry ?? this.wrong(`input ${index} must be defined`, "a name without a value");
  }

  shape(index: number): readonly Dim[] {
    return this.scope.shapeOf(this.input(index));
  }

  rank(index: number): number {
    return this.shape(index).length;
  }

  /** Input `index` as a tensor known at import; undefined where the input is absent. */
  constant(index: number, what: string): Tensor | undefined {
    if (this.optional(index) === undefined) return undefined;
    const entry = this.entry(index);
    if (entry.kind === "constant") return widened(entry.tensor);
    return this.refuse(`${what} must be known at import; got ${this.#unknown(index)}`);
  }

  /** What input `index`, which is not known, is; and how to make a graph input known. */
  #unknown(index: number): string {
    const name = this.input(index);
    const entry = this.entry(index);
    if (entry.kind === "sizes") {
      const names = entry.sizes.filter((size) => typeof size === "string");
      return `the size ${names.join(", ")}; give it when loading: load(bytes, { dims: { … } })`;
    }
    if (!this.scope.isInput(name)) return "a value computed at run time";
    return `an input; give it when loading: load(bytes, { constants: { "${name}": tensor } })`;
  }

  /** Refuse input `index` where it depends on a graph input: kernels pack it when they are made. */
  fixed(index: number, what: string): void {
    const name = this.optional(index);
    if (name === undefined || this.scope.isFixed(name)) return;
    this.refuse(`${what} must be known at import; got a value computed at run time`);
  }

  /** Integers known at import (axes, pads, …). */
  constantInts(index: number, what: string): number[] | undefined {
    const tensor = this.constant(index, what);
    if (tensor === undefined) return undefined;
    if (tensor.dtype !== "int64" && tensor.dtype !== "int32") {
      return this.wrong(`${what} must be int64`, tensor.dtype);
    }
    return Array.from(tensor.data as ArrayLike<number | bigint>, clampIndex);
  }

  /** The same where names of sizes may stand among them. */
  sizes(index: number, what: string): readonly Dim[] | undefined {
    if (this.optional(index) === undefined) return undefined;
    const entry = this.entry(index);
    return entry.kind === "sizes" ? entry.sizes : this.constantInts(index, what);
  }

  /** One number known at import, of `dtype`. */
  constantScalar(index: number, what: string, dtype: DType = "float32"): number | undefined {
    const tensor = this.constant(index, what);
    if (tensor === undefined) return undefined;
    if (tensor.dtype !== dtype) return this.refuse(`${what} has dtype ${tensor.dtype}`);
    const [value] = toNumbers(tensor);
    if (tensor.data.length === 1 && value !== undefined && !Number.isNaN(value)) return value;
    return this.wrong(`${what} must be one number`, formatShape(tensor.shape));
  }

  // Axes -----------------------------------------------------------------------------------------

  /** `axis` counted from the front. `limit` is the rank, or rank + 1 where the end counts too. */
  axis(axis: number, rank: number, limit = rank): number {
    const positive = axis < 0 ? axis + rank : axis;
    if (positive >= 0 && positive < limit) return positive;
    return this.wrong(`axis must be in ${-rank} … ${limit - 1}`, String(axis));
  }

  /** Axes counted from the front, sorted, each once. */
  axes(axes: readonly number[], rank: number): number[] {
    if (axes.length > rank) this.wrong(`there must be at most ${rank} axes`, String(axes.length));
    const positive = axes.map((axis) => this.axis(axis, rank)).sort((a, b) => a - b);
    if (new Set(positive).size !== axes.length) this.wrong("axes must differ", formatShape(axes));
    return positive;
  }
}
