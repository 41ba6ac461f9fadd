// LSTM and GRU. Y holds h after every step, so the arguments of all gates at all steps are two products of rows,
// found again side by side; then one node a direction walks back, and four products give the rest. The gradients
// reach as far back as the window that the node sees, and the states it began with.

import { UnsupportedError } from "../../errors.ts";
import type { Fields } from "../backward.ts";
import type { Backward } from "../backward.ts";
import type { NodeOf } from "../../graph/node.ts";
import {
  directionsOf,
  gatesOf,
  isReverse,
  roleIndex,
  type RecurrentRole,
} from "../../graph/recurrent.ts";
import { float32, sizeOf, tensor } from "../../tensor/tensor.ts";
import type { Rule, Rules } from "../rule.ts";

type Recurrent = NodeOf<"LSTM" | "GRU">;

/** What a node may not have, in words; undefined where it may be trained. */
function problemOf(node: Recurrent): string | undefined {
  if (node.dynamic) return "its products are of bytes";
  if (node.roles.includes("peepholes")) return "it has peepholes";
  if (node.clip !== undefined) return "it clips its gates";
  if (node.op === "LSTM" && node.inputForget) return "its forget gate is 1 − the input gate";
  if (node.op === "GRU" && !node.linearBeforeReset) return "it resets h before the product";
  const plain = ["Sigmoid", "Tanh", "Tanh"];
  const count = node.op === "LSTM" ? 3 : 2;
  const isPlain = (node.activations ?? []).every(
    ({ function: name }, index) => name === plain[index % count],
  );
  return isPlain ? undefined : "its activations are not Sigmoid and Tanh";
}

/** The few forms of nodes that the rule is written in. */
function writer(back: Backward) {
  const add = (fields: Fields) => back.add(fields);
  const reshape = (name: string, shape: readonly number[]) =>
    back.shape(name).join() === shape.join()
      ? name
      : add({ op: "Reshape", inputs: [name], shape: [...shape] });
  return {
    add,
    reshape,
    /** Elements from … to − 1 of an axis. */
    slice: (name: string, axis: number, from: number, to: number) =>
      from === 0 && to === back.shape(name)[axis]
        ? name
        : add({
            op: "Slice",
            inputs: [name],
            axes: [axis],
            starts: [from],
            ends: [to],
            steps: [1],
          }),
    concat: (names: readonly string[], axis: number) =>
      names.length === 1 ? (names[0] ?? "") : add({ op: "Concat", inputs: names, axis }),
    transpose: (name: string, perm: readonly number[]) =>
      add({ op: "Transpose", inputs: [name], perm }),
    gemm: (inputs: readonly string[], { transA = false, transB = false }) =>
      add({ op: "Gemm", inputs, alpha: 1, beta: 1, transA, transB }),
    zeros: (shape: readonly number[]) =>
      back.constant(float32(shape, new Float32Array(sizeOf(shape)))),
  };
}
type Writer = ReturnType<typeof writer>;

/** Slice `index` of an axis, which goes. */
function pick(write: Writer, back: Backward, name: string, axis: number, index: number): string {
  const shape = back.shape(name);
  const rest = shape.filter((_, at) => at !== axis);
  return write.reshape(write.slice(name, axis, index, index + 1), rest);
}

/** What one direction gives: the gradient of x's rows, and of its parts of W, R, bias and states. */
interface Direction {
  readonly x: string | undefined;
  readonly W: string | undefined;
  readonly R: string | undefined;
  readonly bias: string | undefined;
  readonly initialH: string | undefined;
  readonly initialC: string | undefined;
}

const rule: Rule<"LSTM" | "GRU"> = (back, node, gradients, wanted) => {
  const problem = problemOf(node);
  if (problem !== undefined) {
    const { op, name } = node;
    const wayOut = "Freeze it and what comes before it, or change the model.";
    throw new UnsupportedError("train", [{ op, node: name, problem }], wayOut);
  }
  const write = writer(back);
  const { reshape, concat, transpose } = write;
  const isBatchFirst = node.layout === 1;
  const [xName = "", W = "", R = ""] = node.inputs;
  const at = (role: RecurrentRole) => roleIndex(node, role);
  const inputAt = (role: RecurrentRole) => {
    const index = at(role);
    return index === undefined ? undefined : node.inputs[index];
  };
  /** (T, B, …), (T, D, B, H) and (D, B, H), however they lie in the node. */
  const timeFirst = (name: string) => (isBatchFirst ? transpose(name, [1, 0, 2]) : name);
  const steps = (name: string) => (isBatchFirst ? transpose(name, [1, 2, 0, 3]) : name);
  const optional = (name: string | undefined, order: (name: string) => string) =>
    name === undefined ? undefined : order(name);

  const x = timeFirst(xName);
  const [time = 1, batch = 1, inputs = 1] = back.shape(x);
  const units = node.hiddenSize;
  const count = directionsOf(node);
  const y = steps(node.outputs[0] ?? "");
  const [dY, dH, dC] = [
    optional(gradients[0], steps),
    optional(gradients[1], timeFirst),
    optional(gradients[2], timeFirst),
  ];
  const initialH = optional(inputAt("initialH"), timeFirst);
  const initialC = optional(inputAt("initialC"), timeFirst);
  const lens = inputAt("sequenceLens");
  const bias = inputAt("bias");
  const wants = (role: RecurrentRole) => wanted[at(role) ?? -1] ?? false;

  const rows = time * batch;
  const xRows = reshape(x, [rows, inputs]);
  const results = Array.from({ length: count }, (_, d): Direction => {
    const of = (name: string, axis: number) => pick(write, back, name, axis, d);
    const orZeros = (name: string | undefined, axis: number, shape: readonly number[]) =>
      name === undefined ? write.zeros(shape) : of(name, axis);
    const reverse = isReverse(node, d);
    const [ownW, ownR] = [of(W, 0), of(R, 0)];
    const first = orZeros(initialH, 0, [batch, units]);
    const before = stateBefore(back, write, { y: of(y, 1), first, reverse, lens });
    const hRows = reshape(before, [rows, units]);
    const own = bias === undefined ? undefined : of(bias, 0);
    const half = gatesOf(node) * units;
    const biasOf = (from: number) =>
      own === undefined ? [] : [write.slice(own, 0, from, from + half)];
    const input = write.gemm([xRows, ownW, ...biasOf(0)], { transB: true });
    const recurrent = write.gemm([hRows, ownR, ...biasOf(half)], { transB: true });
    const sums = reshape(sumsOf(node, write, input, recurrent), [time, batch, 4 * units]);
    const state = [1, batch, units];
    const last = [reshape(orZeros(dH, 0, [batch, units]), state)];
    if (node.op === "LSTM") last.push(reshape(orZeros(dC, 0, [batch, units]), state));
    const [dSums = "", dFirst = ""] = back.addAll(
      {
        op: node.op === "LSTM" ? "LSTMGrad" : "GRUGrad",
        reverse,
        inputs: [
          sums,
          ownR,
          node.op === "LSTM" ? orZeros(initialC, 0, [batch, units]) : before,
          orZeros(dY, 1, [time, batch, units]),
          concat(last, 0),
          ...(lens === undefined ? [] : [lens]),
        ],
      },
      2,
    );
    const parts = reshape(dSums, [rows, 4 * units]);
    const [dInput, dRecurrent] = partsOf(node, write, parts);
    const total = (name: string) =>
      write.add({ op: "ReduceSum", inputs: [name], axes: [0], keepdims: false });
    const dState = (index: number) => pick(write, back, dFirst, 0, index);
    return {
      x: wanted[0] ? write.add({ op: "MatMul", inputs: [dInput, ownW] }) : undefined,
      W: wanted[1] ? write.gemm([dInput, xRows], { transA: true }) : undefined,
      R: wanted[2] ? write.gemm([dRecurrent, hRows], { transA: true }) : undefined,
      bias: wants("bias") ? concat([total(dInput), total(dRecurrent)], 0) : undefined,
      initialH: wants("initialH") ? dState(0) : undefined,
      initialC: wants("initialC") ? dState(1) : undefined,
    };
  });

  /** All directions' parts, one behind the other. */
  const stacked = (what: keyof Direction): string | undefined => {
    const parts = results.flatMap((result) => result[what] ?? []);
    if (parts.length === 0) return undefined;
    return concat(
      parts.map((name) => reshape(name, [1, ...back.shape(name)])),
      0,
    );
  };
  const dx = results
    .flatMap(({ x: part }) => part ?? [])
    .reduce<string | undefined>(
      (a, b) => (a === undefined ? b : write.add({ op: "Add", inputs: [a, b] })),
      undefined,
    );
  const byRole = (role: RecurrentRole): string | undefined => {
    if (role === "bias") return stacked("bias");
    if (role === "initialH" || role === "initialC") return optional(stacked(role), timeFirst);
    return undefined;
  };
  return [
    optional(dx, (name) => timeFirst(reshape(name, [time, batch, inputs]))),
    stacked("W"),
    stacked("R"),
    ...node.roles.map(byRole),
  ];
};

/** h before each step (T, B, H), from h after each (T, B, H) and at first (B, H). */
function stateBefore(
  back: Backward,
  write: Writer,
  given: {
    readonly y: string;
    readonly first: string;
    readonly reverse: boolean;
    readonly lens: string | undefined;
  },
): string {
  const { y, first, reverse, lens } = given;
  const [time = 1, batch = 1, units = 1] = back.shape(y);
  const start = write.reshape(first, [1, batch, units]);
  if (time === 1) return start;
  if (!reverse) return write.concat([start, write.slice(y, 0, 0, time - 1)], 0);
  const shifted = write.concat([write.slice(y, 0, 1, time), start], 0);
  if (lens === undefined) return shifted;
  // The first step of an element stands at its last place, which need not be the window's.
  const places = Array.from({ length: time }, (_, t) => t + 1);
  const isInt64 = back.builder.value(lens).dtype === "int64";
  const ends = isInt64
    ? tensor("int64", [time, 1], BigInt64Array.from(places, BigInt))
    : tensor("int32", [time, 1], Int32Array.from(places));
  const isFirst = write.add({ op: "Equal", inputs: [back.constant(ends), lens] });
  const mask = write.reshape(isFirst, [time, batch, 1]);
  return write.add({ op: "Where", inputs: [mask, start, shifted] });
}

/** The arguments of the gates in the order that LSTMGrad and GRUGrad take them. */
function sumsOf(node: Recurrent, write: Writer, input: string, recurrent: string): string {
  if (node.op === "LSTM") return write.add({ op: "Add", inputs: [input, recurrent] });
  const two = 2 * node.hiddenSize;
  const both = [input, recurrent].map((name) => write.slice(name, 1, 0, two));
  const gates = write.add({ op: "Add", inputs: both });
  const rest = [input, recurrent].map((name) => write.slice(name, 1, two, 3 * node.hiddenSize));
  return write.concat([gates, ...rest], 1);
}

/** The gradients by W · x and by R · h. */
function partsOf(node: Recurrent, write: Writer, parts: string): [string, string] {
  if (node.op === "LSTM") return [parts, parts];
  const units = node.hiddenSize;
  const gates = write.slice(parts, 1, 0, 2 * units);
  const scaled = write.slice(parts, 1, 3 * units, 4 * units);
  return [write.slice(parts, 1, 0, 3 * units), write.concat([gates, scaled], 1)];
}

export const recurrentRules: Rules = { LSTM: rule as Rule<"LSTM">, GRU: rule as Rule<"GRU"> };
