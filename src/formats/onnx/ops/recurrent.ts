// LSTM and GRU. ONNX leaves optional inputs out by empty names; here the node says which are there.

import {
  activation,
  directions,
  recurrentActivations,
  recurrentRoles,
  type Direction,
  type RecurrentActivation,
  type RecurrentAttributes,
  type RecurrentFunction,
  type RecurrentRole,
} from "../../../graph/recurrent.ts";
import { onnxRule } from "../../../graph/dynamic.ts";
import type { QParams } from "../../../graph/value.ts";
import { formatShape, toNumbers } from "../../../tensor/tensor.ts";
import type { Call } from "../call.ts";
import { turnMatrices } from "../exportRecurrent.ts";
import { bytesOf } from "./qparams.ts";

const functions = new Map<string, RecurrentFunction>(
  (Object.keys(recurrentActivations) as RecurrentFunction[]).map((name) => [
    name.toLowerCase(),
    name,
  ]),
);

/** The activations, each with the next of the given alphas and betas if it takes one. */
function activationsOf(call: Call, count: number): RecurrentActivation[] | undefined {
  const names = call.strings("activations");
  const alphas = [...(call.floats("activation_alpha") ?? [])];
  const betas = [...(call.floats("activation_beta") ?? [])];
  if (names === undefined || names.length === 0) return undefined;
  if (names.length !== count) {
    call.wrong(`there must be ${count} activations`, names.join(", "));
  }
  return names.map((name) => {
    const known = functions.get(name.toLowerCase());
    if (known === undefined) return call.refuse(`activation "${name}" is not supported`);
    const takes: { alpha?: number; beta?: number } = recurrentActivations[known];
    const alpha = takes.alpha === undefined ? undefined : alphas.shift();
    const beta = takes.beta === undefined ? undefined : betas.shift();
    return activation(known, alpha, beta);
  });
}

function directionOf(call: Call): Direction {
  const given = call.string("direction", "forward").toLowerCase();
  const known = directions.find((direction) => direction === given);
  return known ?? call.wrong(`direction must be one of ${directions.join(", ")}`, given);
}

/** The inputs after x, W and R that are there, by the role that ONNX gives each place. */
function rolesOf(call: Call): { roles: RecurrentRole[]; inputs: string[] } {
  const roles: RecurrentRole[] = [];
  const inputs = [0, 1, 2].map((index) => call.input(index));
  recurrentRoles.forEach((role, at) => {
    const name = call.optional(at + 3);
    if (name === undefined) return;
    roles.push(role);
    inputs.push(name);
    const dtype = call.scope.dtypeOf(name);
    if (role === "sequenceLens" && dtype !== "int32") {
      call.wrong("sequence_lens must be int32", dtype);
    }
    if (role !== "sequenceLens" && dtype !== "float32") {
      call.refuse(`input "${name}" has dtype ${dtype}; only float32 is computed at run time`);
    }
    if (role === "bias" || role === "peepholes") call.fixed(at + 3, `the input "${name}"`);
  });
  return { roles, inputs };
}

/** W or R of DynamicQuantizeLSTM, (D, K, 4·H), as a quantized constant of the graph, (D, 4·H, K). */
function turnedWeight(call: Call, index: 1 | 2, at: 8 | 10, what: string): string {
  const dtype = bytesOf(call, index);
  const data = call.constant(index, what) ?? call.wrong(`${what} must be given`, "none");
  const scale = call.constant(at, "a scale") ?? call.wrong("a scale must be given", "none");
  const zero =
    call.constant(at + 1, "a zero point") ?? call.wrong("zero points must be given", "none");
  const [count = 1, , rows = 1] = data.shape;
  const isPerRow = scale.shape.length === 2;
  const want = formatShape(isPerRow ? [count, rows] : [count]);
  if (data.shape.length !== 3) call.wrong(`${what} must have 3 axes`, formatShape(data.shape));
  if (formatShape(scale.shape) !== want || zero.data.length !== scale.data.length) {
    call.wrong(`scales and zero points must be ${want}`, formatShape(scale.shape));
  }
  if (scale.dtype !== "float32" || zero.dtype !== dtype) {
    call.wrong(`they must be float32 and ${dtype}`, `${scale.dtype} and ${zero.dtype}`);
  }
  const own = isPerRow ? rows : count;
  const shared = (values: number[]) => {
    const isSame = values.every((value, place) => value === values[place % own]);
    return isSame ? values.slice(0, own) : call.refuse("rows whose scale differs by direction");
  };
  const quant: QParams = {
    dtype,
    scale: Float32Array.from(shared(toNumbers(scale))),
    zeroPoint: Int32Array.from(shared(toNumbers(zero))),
    axis: isPerRow ? 1 : 0,
  };
  const name = call.fresh(`${call.input(index)}_rows`);
  call.scope.setQuantized(name, turnMatrices(data), quant);
  return name;
}

/** onnxruntime's LSTM of bytes: activations by DynamicQuantizeLinear's rule. */
export function DynamicQuantizeLSTM(call: Call): void {
  const weights = [turnedWeight(call, 1, 8, "W"), turnedWeight(call, 2, 10, "R")];
  const float = call.as(
    "LSTM",
    [call.input(0), ...weights, ...[3, 4, 5, 6, 7].map((index) => call.optional(index) ?? "")],
    [0, 1, 2].map((index) => call.output(index)),
  );
  const outputs = [0, 1, 2].map((index) => float.output(index));
  const inputForget = call.flag("input_forget");
  const shared = common(float, "LSTM", true);
  const node = { op: "LSTM", name: call.name, outputs, inputForget, ...shared } as const;
  call.scope.add({ ...node, dynamic: onnxRule });
}

function common(
  call: Call,
  op: "LSTM" | "GRU",
  isDynamic = false,
): RecurrentAttributes & { inputs: string[] } {
  if (call.rank(0) !== 3) call.wrong("x must have 3 axes", formatShape(call.shape(0)));
  for (const index of isDynamic ? [0] : [0, 1, 2]) {
    const dtype = call.scope.dtypeOf(call.input(index));
    if (dtype !== "float32") call.refuse(`input ${index} has dtype ${dtype}; it must be float32`);
  }
  call.fixed(1, "the weight W");
  call.fixed(2, "the weight R");
  const direction = directionOf(call);
  const rows = call.shape(2)[2];
  const hiddenSize = call.int("hidden_size", typeof rows === "number" ? rows : 0);
  if (hiddenSize < 1) call.wrong("hidden_size must be positive", String(hiddenSize));
  const layout = call.int("layout", 0);
  if (layout !== 0 && layout !== 1) call.wrong("layout must be 0 or 1", String(layout));
  const clip = call.has("clip") ? call.float("clip", 0) : 0;
  const count = (op === "LSTM" ? 3 : 2) * (direction === "bidirectional" ? 2 : 1);
  const activations = activationsOf(call, count);
  return {
    direction,
    hiddenSize,
    layout,
    ...rolesOf(call),
    ...(activations ? { activations } : {}),
    ...(clip > 0 ? { clip } : {}),
  };
}

export function LSTM(call: Call): void {
  const outputs = [0, 1, 2].map((index) => call.output(index));
  const inputForget = call.flag("input_forget");
  call.scope.add({ op: "LSTM", name: call.name, outputs, inputForget, ...common(call, "LSTM") });
}

export function GRU(call: Call): void {
  const outputs = [0, 1].map((index) => call.output(index));
  const linearBeforeReset = call.flag("linear_before_reset");
  const shared = common(call, "GRU");
  call.scope.add({ op: "GRU", name: call.name, outputs, linearBeforeReset, ...shared });
}
