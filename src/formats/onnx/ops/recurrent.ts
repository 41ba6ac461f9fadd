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
import { formatShape } from "../../../tensor/tensor.ts";
import type { Call } from "../call.ts";

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

function common(call: Call, op: "LSTM" | "GRU"): RecurrentAttributes & { inputs: string[] } {
  if (call.rank(0) !== 3) call.wrong("x must have 3 axes", formatShape(call.shape(0)));
  for (const index of [0, 1, 2]) {
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
