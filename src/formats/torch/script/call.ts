// One call of an op of PyTorch's: its arguments, checked as they are asked for, and the words for what
// is wrong with them.

import { UnsupportedError } from "../../../errors.ts";
import { rangeOf, type Dim, type QParams, type Value } from "../../../graph/value.ts";
import { StridedTensor } from "../pickled.ts";
import type { Draft, Translator } from "./translator.ts";
import { NamedSize, Packed, Traced, type Thing } from "./values.ts";

/** Named arguments that change where a result lies, not what it is. */
const HARMLESS = new Set([
  "memory_format",
  "non_blocking",
  "copy",
  "device",
  "layout",
  "pin_memory",
]);

export class Call {
  /** As the code spells it, in-place underscore left off: "torch.relu". */
  readonly op: string;
  readonly args: readonly Thing[];
  readonly named: ReadonlyMap<string, Thing>;
  readonly translator: Translator;
  /** Of the module that calls. */
  readonly path: string;
  /** File and line. */
  readonly where: string;
  /** Names of arguments that were looked at. */
  readonly #read = new Set<string>();

  constructor(parts: {
    op: string;
    args: readonly Thing[];
    named: ReadonlyMap<string, Thing>;
    translator: Translator;
    path: string;
    where: string;
  }) {
    this.op = parts.op;
    this.args = parts.args;
    this.named = parts.named;
    this.translator = parts.translator;
    this.path = parts.path;
    this.where = parts.where;
  }

  /** A typed error about this call. */
  fail(problem: string): UnsupportedError {
    return new UnsupportedError(
      "load",
      [{ op: this.op, node: this.path || "forward", problem: `${problem} (${this.where})` }],
      "Export the model to ONNX instead, or change the model so that it needs no such op.",
    );
  }

  /** The name of a node of this call: the module's path, or the op's short name. */
  get label(): string {
    const short = this.op.slice(this.op.lastIndexOf(".") + 1);
    return this.path === "" ? short : `${this.path}.${short}`;
  }

  /** Argument `index`, or the one named `name`; null where it is missing. */
  at(index: number, name?: string): Thing {
    if (name !== undefined) this.#read.add(name);
    const named = name === undefined ? undefined : this.named.get(name);
    return this.args[index] ?? named ?? null;
  }

  /** Throws where the code names an argument that the op did not look at. */
  checkNamed(): void {
    for (const [name, value] of this.named) {
      if (value === null || this.#read.has(name) || HARMLESS.has(name)) continue;
      throw this.fail(`argument "${name}" is not supported`);
    }
  }

  /** `value`, or its number where it is a constant tensor of one element. */
  known(value: Thing): Thing {
    if (!(value instanceof StridedTensor) || value.size.some((size) => size !== 1)) return value;
    return Number(this.translator.entry(value, this.label).tensor.data[0]);
  }

  number(index: number, fallback?: number, name?: string): number {
    const value = this.known(this.at(index, name));
    if (typeof value === "number") return value;
    if (value === null && fallback !== undefined) return fallback;
    throw this.fail(`argument ${index} must be a number`);
  }

  flag(index: number, fallback: boolean): boolean {
    const value = this.at(index);
    if (value === null) return fallback;
    if (typeof value === "boolean") return value;
    throw this.fail(`argument ${index} must be True or False`);
  }

  numbers(index: number, fallback: readonly number[] = []): readonly number[] {
    const value = this.at(index);
    if (value === null) return fallback;
    if (typeof value === "number") return [value];
    const list = Array.isArray(value) ? (value as readonly Thing[]) : undefined;
    if (list?.every((item) => typeof item === "number")) return list as readonly number[];
    throw this.fail(`argument ${index} must be a list of numbers`);
  }

  /** Two numbers, where one stands for both; an empty list is the fallback. */
  pair(index: number, fallback: readonly [number, number]): readonly [number, number] {
    return this.twice(this.numbers(index), fallback);
  }

  twice(list: readonly number[], fallback: readonly [number, number]): readonly [number, number] {
    const [first, second] = list;
    if (first === undefined) return fallback;
    if (list.length > 2) throw this.fail("only 2-D windows are supported");
    return [first, second ?? first];
  }

  list(index: number): readonly Thing[] {
    const value = this.at(index);
    if (Array.isArray(value)) return value as readonly Thing[];
    throw this.fail(`argument ${index} must be a list`);
  }

  /** Sizes of a shape: numbers, and named ones as their names. */
  sizes(index: number): Dim[] {
    return this.list(index).map((item) => {
      if (typeof item === "number") return item;
      if (item instanceof NamedSize) return item.name;
      throw this.fail(`argument ${index} must be a list of sizes`);
    });
  }

  traced(index: number): Traced {
    return this.asTraced(this.at(index), `argument ${index}`);
  }

  asTraced(value: Thing, what: string): Traced {
    if (value instanceof Traced) return value;
    throw this.fail(`${what} must be a tensor that depends on the input`);
  }

  weight(index: number): StridedTensor {
    const value = this.at(index);
    if (value instanceof StridedTensor) return value;
    throw this.fail(`argument ${index} must be a constant tensor`);
  }

  packed(index: number): Packed {
    const value = this.at(index);
    if (value instanceof Packed) return value;
    throw this.fail(`argument ${index} must be packed parameters`);
  }

  type(tensor: Traced): Value {
    return this.translator.type(tensor);
  }

  /** The parameters of a quantized tensor. */
  quantOf(tensor: Traced): QParams {
    const { quant } = this.type(tensor);
    if (quant) return quant;
    throw this.fail("its input must be quantized");
  }

  /** The graph's name of a float operand: a tensor of the program, of the archive, or a number. */
  operand(value: Thing): string {
    if (value instanceof Traced) return this.translator.name(value);
    if (value instanceof StridedTensor) {
      return this.translator.constant(value, `${this.label}.constant`);
    }
    if (typeof value === "number") return this.translator.scalar(value, `${this.label}.scalar`);
    throw this.fail("its operands must be tensors or numbers");
  }

  /** Axis `index` of a tensor of `rank` axes, counted from the end where negative. */
  axis(axis: number, rank: number): number {
    const found = axis < 0 ? axis + rank : axis;
    if (Number.isInteger(found) && found >= 0 && found < rank) return found;
    throw this.fail(`axis ${axis} must be an axis of a tensor of ${rank}`);
  }

  add(draft: Draft, quant?: QParams, name = this.label): Traced {
    return this.translator.add(draft, name, quant);
  }

  /** Parameters of a quantized output, as the code states them. */
  qparams(scale: number, zeroPoint: number, dtype: QParams["dtype"]): QParams {
    const rounded = Math.fround(scale);
    const quant: QParams = {
      dtype,
      scale: Float32Array.of(rounded),
      zeroPoint: Int32Array.of(zeroPoint),
    };
    const [least, greatest] = rangeOf(quant);
    const isIn = Number.isInteger(zeroPoint) && zeroPoint >= least && zeroPoint <= greatest;
    if (rounded > 0 && rounded < Infinity && isIn) return quant;
    throw this.fail(`scale ${scale} and zero point ${zeroPoint} are none of ${dtype}`);
  }
}
