// Ops on what is known while the program is read: numbers, sizes, lists, strings. They are computed on
// the spot and leave nothing in the graph.

import { StridedTensor } from "../../pickled.ts";
import type { Call } from "../call.ts";
import { NamedSize, Traced, type Thing } from "../values.ts";

type Op = (call: Call) => Thing;

/** The result of an arithmetic op on two numbers, undefined where a tensor takes part. */
export function onNumbers(call: Call): Thing | undefined {
  const [a, b] = [call.at(0), call.at(1)];
  if (a instanceof Traced || b instanceof Traced) return undefined;
  const [x, y] = [call.known(a), call.known(b)];
  if (x instanceof NamedSize || y instanceof NamedSize) {
    throw call.fail("arithmetic on a size needs that size: load(bytes, { dims: { batch: 1 } })");
  }
  if (typeof x !== "number" || typeof y !== "number") return undefined;
  const compute = arithmetic[call.op];
  return compute?.(x, y);
}

const arithmetic: Readonly<Record<string, (x: number, y: number) => number>> = {
  "torch.add": (x, y) => x + y,
  "torch.sub": (x, y) => x - y,
  "torch.mul": (x, y) => x * y,
  "torch.div": (x, y) => x / y,
  "torch.floordiv": (x, y) => Math.floor(x / y),
  "torch.floor_divide": (x, y) => Math.floor(x / y),
  "torch.remainder": (x, y) => x - y * Math.floor(x / y),
};

const numeric: Op = (call) => {
  const value = onNumbers(call);
  if (value === undefined) throw call.fail("it is supported on numbers only");
  return value;
};

/** Comparisons of numbers, strings and None. */
const compare =
  (
    test: (a: number | string | boolean | null, b: number | string | boolean | null) => boolean,
  ): Op =>
  (call) => {
    const [a, b] = [call.at(0), call.at(1)].map((value) => call.known(value));
    const isPlain = (value: Thing | undefined): value is number | string | boolean | null =>
      value === null || ["number", "string", "boolean"].includes(typeof value);
    if (isPlain(a) && isPlain(b)) return test(a, b);
    throw call.fail("the model decides by its data; only decisions by constants are supported");
  };

/** torch.__is__(x, None): whether an optional argument is there. */
const isNone =
  (wanted: boolean): Op =>
  (call) => {
    if (call.at(1) !== null) throw call.fail("only comparisons with None are supported");
    return (call.at(0) === null) === wanted;
  };

function shapeOf(call: Call): Thing[] {
  const value = call.at(0);
  const shape = value instanceof StridedTensor ? value.size : call.type(call.traced(0)).shape;
  return shape.map((dim) => (typeof dim === "string" ? new NamedSize(dim) : dim));
}

function size(call: Call): Thing {
  const shape = shapeOf(call);
  const axis = call.at(1);
  return axis === null ? shape : (shape[call.axis(call.number(1), shape.length)] ?? null);
}

function len(call: Call): number {
  const value = call.at(0);
  if (Array.isArray(value)) return (value as readonly Thing[]).length;
  if (typeof value === "string") return value.length;
  const [first] = shapeOf(call);
  if (typeof first === "number") return first;
  throw call.fail("the length must be known");
}

/** int(x), float(x): numbers, and tensors of one element. */
const toNumber =
  (round: (value: number) => number): Op =>
  (call) => {
    const value = call.known(call.at(0));
    if (value instanceof NamedSize) return value;
    if (typeof value === "boolean") return value ? 1 : 0;
    if (value === "inf" || value === "-inf") return value === "inf" ? Infinity : -Infinity;
    if (typeof value === "number") return round(value);
    throw call.fail("only numbers are converted; the model reads a value out of its data");
  };

/** Texts are read by people, in an error that the model raises; a hostile file may hold many. */
const MOST_TEXT = 200;

function format(call: Call): string {
  let index = 0;
  const [pattern] = call.args;
  if (typeof pattern !== "string") throw call.fail("its pattern must be a string");
  const text = pattern.replaceAll("{}", () => {
    const value = call.args[++index] ?? null;
    return Array.isArray(value) ? "[…]" : value instanceof NamedSize ? value.name : String(value);
  });
  return text.slice(0, MOST_TEXT);
}

function raise(call: Call): never {
  const text = call.at(0);
  throw call.fail(
    `the model raises "${typeof text === "string" ? text.slice(0, 200) : "an error"}"`,
  );
}

const same: Op = (call) => call.at(0);

export const host: Readonly<Record<string, Op>> = {
  "torch.floordiv": numeric,
  "torch.floor_divide": numeric,
  "torch.remainder": numeric,
  "torch.eq": compare((a, b) => a === b),
  "torch.ne": compare((a, b) => a !== b),
  "torch.lt": compare((a, b) => Number(a) < Number(b)),
  "torch.le": compare((a, b) => Number(a) <= Number(b)),
  "torch.gt": compare((a, b) => Number(a) > Number(b)),
  "torch.ge": compare((a, b) => Number(a) >= Number(b)),
  "torch.__is__": isNone(true),
  "torch.__isnot__": isNone(false),
  "torch.__not__": (call) => !call.flag(0, false),
  "torch.__and__": (call) => call.flag(0, false) && call.flag(1, false),
  "torch.__or__": (call) => call.flag(0, false) || call.flag(1, false),
  "torch.size": size,
  "torch.len": len,
  "torch.dim": (call) => shapeOf(call).length,
  "torch.format": format,
  "torch.device": () => "device",
  "torch.list": same,
  "torch.warn": () => null,
  "ops.prim.NumToTensor": same,
  "ops.prim.data": same,
  "ops.prim.device": () => "device",
  "ops.prim.RaiseException": raise,
  int: toNumber(Math.trunc),
  float: toNumber((value) => value),
  bool: (call) => call.flag(0, false),
  annotate: (call) => call.at(1),
  unchecked_cast: (call) => call.at(1),
  uninitialized: () => null,
};
