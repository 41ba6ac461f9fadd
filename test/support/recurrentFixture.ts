// test/fixtures/recurrent.json: PyTorch's LSTM and GRU, float and dynamically quantized, as models and results.

import { readFileSync } from "node:fs";
import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Node } from "../../src/graph/node.ts";
import { Model } from "../../src/model.ts";
import { float32, type Tensor, type Tensors } from "../../src/tensor/tensor.ts";
import { floatsFrom } from "./dynamicFixture.ts";

export interface RecurrentFixture {
  readonly op: "LSTM" | "GRU";
  readonly inputs: number;
  readonly units: number;
  readonly time: number;
  readonly batch: number;
  readonly bidirectional: boolean;
  readonly x: string;
  readonly state: readonly string[];
  readonly weights: Readonly<Record<string, string>>;
  /** y (T, B, D·H), h and c (D, B, H). */
  readonly float: readonly string[];
  readonly engines: Readonly<Record<"qnnpack" | "fbgemm", readonly string[]>>;
  /** Of the sum of each output times cos(0), cos(1), …, in PyTorch's order. */
  readonly gradients: Pick<RecurrentFixture, "x" | "state" | "weights">;
}

const file = new URL("../fixtures/recurrent.json", import.meta.url);
export const recurrentFixtures = (
  JSON.parse(readFileSync(file, "utf8")) as { cases: RecurrentFixture[] }
).cases;

/** ONNX's gates, as places among PyTorch's: i, f, g, o and r, z, n. */
const places = { LSTM: [0, 3, 1, 2], GRU: [1, 0, 2] } as const;

/** W, R and B from PyTorch's weights, or from their gradients. */
export function onnxWeights(
  { op, inputs, units, bidirectional }: RecurrentFixture,
  weights: Readonly<Record<string, string>>,
): Readonly<Record<"W" | "R" | "B", Tensor<"float32">>> {
  const suffixes = bidirectional ? ["", "_reverse"] : [""];
  const count = suffixes.length;
  const gather = (kind: string): number[] =>
    suffixes.flatMap((suffix) => {
      const data = floatsFrom(weights[`${kind}_l0${suffix}`] ?? "");
      const length = data.length / places[op].length;
      return places[op].flatMap((at) => [...data.subarray(at * length, (at + 1) * length)]);
    });
  const rows = places[op].length * units;
  const halves = [gather("bias_ih"), gather("bias_hh")];
  const bias = suffixes.flatMap((_, d) => halves.flatMap((b) => b.slice(d * rows, (d + 1) * rows)));
  return {
    W: float32([count, rows, inputs], gather("weight_ih")),
    R: float32([count, rows, units], gather("weight_hh")),
    B: float32([count, 2 * rows], bias),
  };
}

/** PyTorch's layer as a model of x and the states it begins with. */
export function recurrentModel(fixture: RecurrentFixture): Model<"float"> {
  const { op, inputs, units, time, batch, bidirectional } = fixture;
  const count = bidirectional ? 2 : 1;
  const builder = new GraphBuilder();
  const state = [count, batch, units];
  builder.input("x", { dtype: "float32", shape: [time, batch, inputs] });
  const names = op === "LSTM" ? ["h", "c"] : ["h"];
  for (const name of names) builder.input(name, { dtype: "float32", shape: state });
  for (const [name, data] of Object.entries(onnxWeights(fixture, fixture.weights)))
    builder.constant(name, data);
  const outputs = ["Y", ...names.map((name) => `Y_${name}`)];
  builder.add({
    op,
    name: "rnn",
    inputs: ["x", "W", "R", "B", ...names],
    outputs,
    roles: ["bias", "initialH", ...(op === "LSTM" ? ["initialC"] : [])],
    direction: bidirectional ? "bidirectional" : "forward",
    hiddenSize: units,
    layout: 0,
    ...(op === "LSTM" ? { inputForget: false } : { linearBeforeReset: true }),
  } as Node);
  return new Model("float", builder.build("rnn", ["x", ...names], outputs), {});
}

/** Its inputs. */
export function recurrentFeeds(fixture: RecurrentFixture): Tensors {
  const { inputs, units, time, batch, bidirectional, x, state } = fixture;
  const shape = [bidirectional ? 2 : 1, batch, units];
  const states = state.map((each, at): [string, Tensor] => [
    at === 0 ? "h" : "c",
    float32(shape, floatsFrom(each)),
  ]);
  return Object.fromEntries([["x", float32([time, batch, inputs], floatsFrom(x))], ...states]);
}

/** Y, Y_h and Y_c of PyTorch's results: y (T, B, D·H) as Y (T, D, B, H). */
export function recurrentResults(fixture: RecurrentFixture, packed: readonly string[]): Tensors {
  const { units, time, batch, bidirectional } = fixture;
  const count = bidirectional ? 2 : 1;
  const [y = new Float32Array(), ...states] = packed.map(floatsFrom);
  const turned = new Float32Array(y.length);
  for (let at = 0; at < y.length; at += units) {
    const [t, b, d] = [
      Math.floor(at / (batch * count * units)),
      Math.floor(at / (count * units)) % batch,
      (at / units) % count,
    ];
    turned.set(y.subarray(at, at + units), ((t * count + d) * batch + b) * units);
  }
  const shape = [count, batch, units];
  const named = states.map((each, at): [string, Tensor] => [
    at === 0 ? "Y_h" : "Y_c",
    float32(shape, each),
  ]);
  return Object.fromEntries([["Y", float32([time, count, batch, units], turned)], ...named]);
}
