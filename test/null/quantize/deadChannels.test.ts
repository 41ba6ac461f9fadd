// Pruned channels: their scale is the least that a tool gives, and a bias in steps of it does not fit int32. Such
// models load, lower and compute what their float form says.

import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { bindShapes } from "../../../src/graph/bind.ts";
import { GraphBuilder } from "../../../src/graph/builder.ts";
import type { Graph } from "../../../src/graph/graph.ts";
import type { Node } from "../../../src/graph/node.ts";
import type { QParams } from "../../../src/graph/value.ts";
import { parseNpz } from "../../../src/formats/npz.ts";
import { load } from "../../../src/load.ts";
import { lower } from "../../../src/plan/lower.ts";
import { annotate } from "../../../src/quantize/annotate.ts";
import { convertGraph } from "../../../src/quantize/convert.ts";
import { fuse } from "../../../src/quantize/fuse.ts";
import { integerize } from "../../../src/quantize/integerize.ts";
import { insertObservers } from "../../../src/quantize/prepare.ts";
import { qconfigs } from "../../../src/quantize/presets.ts";
import { interpret } from "../../../src/reference/interpret.ts";
import { float32, tensor, type Tensor } from "../../../src/tensor/tensor.ts";
import { calibrateOnHost } from "../../support/calibrate.ts";
import { codes, floats } from "../../support/seeded.ts";

const EPS = 2 ** -23;
const CHANNELS = 4;
const window = { kernel: [3, 3], strides: [1, 1], dilations: [1, 1], pads: [1, 1, 1, 1] };
const layers = {
  Conv: { filter: [CHANNELS, 6, 3, 3], axis: 0, node: { op: "Conv", ...window, group: 1 } },
  "Conv, depthwise": { filter: [4, 1, 3, 3], axis: 0, node: { op: "Conv", ...window, group: 4 } },
  Gemm: { filter: [6, CHANNELS], axis: 1, node: { op: "Gemm", transB: false } },
  "Gemm, turned": { filter: [CHANNELS, 6], axis: 0, node: { op: "Gemm", transB: true } },
} as const;
type Layer = (typeof layers)[keyof typeof layers];

function inputShape({ filter, node }: Layer): number[] {
  return node.op === "Gemm" ? [3, 6] : [1, node.group === 4 ? 4 : filter[1], 5, 5];
}

const nodeOf = ({ node }: Layer, inputs: string[], output: string) => {
  const gemm = node.op === "Gemm" ? { alpha: 1, beta: 1, transA: false } : {};
  return { ...gemm, ...node, name: "/layer", inputs, outputs: [output] } as Node;
};

/** q of a weight; channel 1 holds `dead` in place of random codes. */
function codesOf({ filter, axis }: Layer, dead: "zeros" | "codes"): Tensor<"int8"> {
  const weight = codes("int8", filter, 5);
  const stride = axis === 0 ? weight.data.length / CHANNELS : 1;
  const isDead = (at: number) => Math.floor(at / stride) % CHANNELS === 1;
  const data = weight.data.map((q, at) => (dead === "zeros" && isDead(at) ? 0 : q));
  return tensor("int8", filter, data);
}

/** Dequantize → layer → Quantize as files write it. */
function qdq(layer: Layer, weight: Tensor<"int8">, scale: Float32Array, bias: Float32Array): Graph {
  const builder = new GraphBuilder();
  builder.input("x", { dtype: "float32", shape: inputShape(layer) });
  const params = (dtype: "uint8" | "int8", scales: Float32Array, zero: number, axis?: number) =>
    ({
      dtype,
      scale: scales,
      zeroPoint: new Int32Array(scales.length).fill(zero),
      ...(axis === undefined ? {} : { axis }),
    }) as QParams;
  const one = (value: number) => Float32Array.of(value);
  const axis = scale.length > 1 ? layer.axis : undefined;
  builder.constant("w_q", weight, params("int8", scale, 0, axis));
  builder.constant("b", float32([bias.length], bias));
  const step = (op: "Quantize" | "Dequantize", from: string, to: string, quant?: QParams) =>
    builder.add(
      { op, name: `/${to}`, inputs: [from], outputs: [to] },
      quant ? { quant } : { dtype: "float32" },
    );
  step("Quantize", "x", "x_q", params("uint8", one(0.002), 128));
  step("Dequantize", "x_q", "x_d");
  step("Dequantize", "w_q", "w_d");
  builder.add(nodeOf(layer, ["x_d", "w_d", "b"], "y_f"));
  step("Quantize", "y_f", "y_q", params("uint8", one(0.03), 60));
  step("Dequantize", "y_q", "y");
  return builder.build("dead", ["x"], ["y"]);
}

const run = (graph: Graph, x: Tensor) =>
  interpret(bindShapes(graph, new Map()), { x }).get("y")!.data as Float32Array;

function expectSame(got: Float32Array, want: Float32Array, step: number): void {
  const worst = want.reduce((most, y, at) => Math.max(most, Math.abs(y - got[at]!)), 0);
  expect(worst).toBeLessThanOrEqual(1.01 * step);
}

describe.each(Object.entries(layers))("%s of a file", (_, layer) => {
  const biases = Float32Array.of(0.5, 2.5, -1, 0);
  it.each([
    { title: "zeros, a scale a channel", dead: "zeros", scales: [0.004, EPS, 0.003, 0.005] },
    { title: "codes under the least scale", dead: "codes", scales: [0.004, EPS, 0.003, 0.005] },
    { title: "a dead layer, one scale", dead: "zeros", scales: [EPS] },
    { title: "every channel dead", dead: "codes", scales: [EPS, EPS, EPS, EPS] },
  ] as const)("$title", ({ dead, scales }) => {
    const weight = codesOf(layer, dead);
    const graph = qdq(layer, weight, Float32Array.from(scales), biases);
    const typed = integerize(graph);
    const node = typed.nodes.find(({ name }) => name === "/layer")!;
    expect(typed.values.get(node.outputs[0]!)!.quant?.dtype).toBe("uint8");
    lower(bindShapes(typed, new Map())); // accumulators are proved to fit
    const x = floats(inputShape(layer), 6, 0.4);
    expectSame(run(typed, x), run(graph, x), 0.03);
    // Channels whose biases fit keep their integers.
    const kept = typed.constants.get(node.inputs[1]!)!.data as Int8Array;
    const stride = layer.axis === 0 ? kept.length / CHANNELS : 1;
    const isAlive = (at: number) => scales.length > 1 && scales[Math.floor(at / stride) % 4]! > EPS;
    expect(kept.filter((__, at) => isAlive(at))).toEqual(
      weight.data.filter((__, at) => isAlive(at)),
    );
  });
});

describe.each(Object.entries(layers))("%s that we quantize", (_, layer) => {
  it.each(Object.keys(qconfigs) as (keyof typeof qconfigs)[])("%s", (name) => {
    const builder = new GraphBuilder();
    builder.input("x", { dtype: "float32", shape: inputShape(layer) });
    const weight = floats(layer.filter, 5, 0.5);
    const stride = layer.axis === 0 ? weight.data.length / CHANNELS : 1;
    const pruned = weight.data.map((w, at) => {
      const channel = Math.floor(at / stride) % CHANNELS;
      return channel === 1 ? 0 : channel === 2 ? w * 1e-9 : w;
    });
    builder.constant("w", float32(layer.filter, pruned));
    builder.constant("b", float32([CHANNELS], [0.1, 2.5, -3, 0.2]));
    builder.add(nodeOf(layer, ["x", "w", "b"], "y"));
    const graph = fuse(builder.build("pruned", ["x"], ["y"]));
    const assignment = annotate(graph, qconfigs[name]);
    // An input this small makes the accumulator's steps so small, too.
    const x = floats(inputShape(layer), 6, 1e-3);
    const found = calibrateOnHost(insertObservers(graph, assignment), [{ x }]);
    const typed = convertGraph(graph, assignment, found);
    lower(bindShapes(typed, new Map()));
    const range = 2.5 + 3 + 0.01;
    expectSame(
      run(typed, x),
      run(graph, x),
      ((name === "fbgemm" || name === "x86" ? 2 : 1) * range) / 255,
    );
  });
});

const cases = new URL("../../../../shared/cases/", import.meta.url);
const file = new URL("m8_dead_channel_eps_scale.onnx", cases);
if (!existsSync(file)) console.log("skipped: ../shared/cases is not there");
it.skipIf(!existsSync(file))(
  "the file of a pruned PyTorch model gives ONNX Runtime's numbers",
  async () => {
    const { graph } = await load(readFileSync(file));
    const arrays = parseNpz(readFileSync(new URL("m8_dead_channel_eps_scale.npz", cases)));
    const inputs = [...arrays].filter(([name]) => name.startsWith("in_"));
    expect(inputs.length).toBeGreaterThan(0);
    for (const [name, x] of inputs) {
      const want = arrays.get(name.replace(/^in_(\d+)_.*/, "out_$1_y"))!;
      expectSame(run(graph, x), want.data as Float32Array, 0.02);
    }
  },
);
