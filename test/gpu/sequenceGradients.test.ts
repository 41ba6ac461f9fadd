// Gradients of what reads sequences, on the device: LSTM and GRU against PyTorch's autograd, and a small network
// of all of them against the reference.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { appendGradients } from "../../src/autodiff/gradients.ts";
import type { Fields } from "../../src/autodiff/backward.ts";
import { crossEntropy } from "../../src/autodiff/losses.ts";
import { bindShapes } from "../../src/graph/bind.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Graph } from "../../src/graph/graph.ts";
import type { Node } from "../../src/graph/node.ts";
import type { Device } from "../../src/gpu/device.ts";
import { interpret } from "../../src/reference/interpret.ts";
import { Session } from "../../src/session.ts";
import { sizeOf, tensor, type Tensor } from "../../src/tensor/tensor.ts";
import { difference } from "../support/cases.ts";
import { testDevice } from "../support/device.ts";
import { floatsFrom } from "../support/dynamicFixture.ts";
import {
  onnxWeights,
  recurrentFeeds,
  recurrentFixtures,
  recurrentModel,
  recurrentResults,
  type RecurrentFixture,
} from "../support/recurrentFixture.ts";
import { floats } from "../support/seeded.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});
afterAll(() => {
  expect(device.memory).toEqual({ buffers: 0, bytes: 0 });
  device.dispose();
});

/** What was summed with each output: cos(0), cos(1), … in PyTorch's order, as ONNX's output. */
function mixtures(fixture: RecurrentFixture) {
  const cosines = fixture.float.map((packed) =>
    Float32Array.from(floatsFrom(packed), (_, index) => Math.cos(index)),
  );
  const bytes = cosines.map(({ buffer }) => Buffer.from(buffer).toString("base64"));
  return recurrentResults(fixture, bytes);
}

/** `fixture` with its weights as variables, and the gradients by these and by its inputs as outputs. */
function training(fixture: RecurrentFixture): { graph: Graph; names: Map<string, string> } {
  const model = recurrentModel(fixture).graph;
  const builder = new GraphBuilder();
  for (const name of model.inputs) builder.input(name, model.values.get(name)!);
  for (const [name, data] of model.constants) builder.variable(name, data);
  for (const node of model.nodes) builder.add(node);
  const terms = Object.entries(mixtures(fixture)).map(([name, data]) => {
    const by = builder.constant(`${name}:by`, data);
    const mixed = `${name}:mixed`;
    builder.add({ op: "Mul", name: mixed, inputs: [name, by], outputs: [mixed] });
    const axes = data.shape.map((_, axis) => axis);
    const sum = { op: "ReduceSum", name: `${mixed}:sum`, axes, keepdims: false } as const;
    return builder.add({ ...sum, inputs: [mixed], outputs: [`${mixed}:sum`] });
  });
  const loss = terms.reduce((a, b) =>
    builder.add({ op: "Add", name: `${a}+`, inputs: [a, b], outputs: [`${a}+`] }),
  );
  const names = appendGradients(builder, loss, [...model.inputs, "W", "R", "B"]);
  const graph = builder.build("training", model.inputs, [...names.values()]);
  return { graph, names };
}

describe.each(recurrentFixtures)("PyTorch's $op, bidirectional $bidirectional,", (fixture) => {
  it("has these gradients by x, the states and all weights", async () => {
    const { graph, names } = training(fixture);
    const { gradients } = fixture;
    const feeds = recurrentFeeds(fixture);
    const want: Readonly<Record<string, Tensor>> = {
      ...recurrentFeeds({ ...fixture, ...gradients }),
      ...onnxWeights(fixture, gradients.weights),
    };
    using session = new Session(graph, device);
    const found = await session.run(feeds);
    const reference = interpret(bindShapes(graph, new Map()), feeds);
    for (const [name, gradient] of names) {
      // Some hundred f32 terms, added in other orders than PyTorch's float64.
      expect(difference(found[gradient], want[name]!, { tolerance: 2e-5 }), name).toBeUndefined();
      const own = reference.get(gradient);
      expect(difference(own, want[name]!, { tolerance: 2e-6 }), name).toBeUndefined();
    }
    expect([...names.keys()].sort()).toEqual(Object.keys(want).sort());
  });
});

it("tokens → embedding → LSTM → LayerNormalization → Gemm → loss: every gradient equals the reference", async () => {
  const [time, batch, units, classes, vocabulary] = [7, 3, 6, 5, 11];
  const builder = new GraphBuilder();
  const parameters = {
    table: [vocabulary, 5],
    W: [2, 4 * units, 5],
    R: [2, 4 * units, units],
    B: [2, 8 * units],
    scale: [2 * units],
    shift: [2 * units],
    filter: [classes, 2 * units],
    bias: [classes],
  };
  const entries = Object.entries(parameters);
  entries.forEach(([name, shape], at) => builder.variable(name, floats(shape, 40 + at)));
  builder.input("tokens", { dtype: "int32", shape: [time, batch] });
  builder.input("labels", { dtype: "int32", shape: [time, batch] });
  const add = (node: Fields, outputs: readonly string[]) =>
    builder.add({ ...node, name: outputs[0] ?? "", outputs } as Node);
  add({ op: "Gather", inputs: ["table", "tokens"], axis: 0 }, ["x"]);
  const layer = {
    direction: "bidirectional",
    hiddenSize: units,
    layout: 0,
    inputForget: false,
  } as const;
  const read = { op: "LSTM", inputs: ["x", "W", "R", "B"], roles: ["bias"], ...layer } as const;
  add(read, ["Y", "Y_h", "Y_c"]);
  add({ op: "Transpose", inputs: ["Y"], perm: [0, 2, 1, 3] }, ["turned"]);
  add({ op: "Reshape", inputs: ["turned"], shape: [time * batch, 2 * units] }, ["rows"]);
  const norm = { op: "LayerNormalization", axis: 1, epsilon: 1e-5 } as const;
  add({ ...norm, inputs: ["rows", "scale", "shift"] }, ["normal"]);
  const gemm = { op: "Gemm", alpha: 1, beta: 1, transA: false, transB: true } as const;
  add({ ...gemm, inputs: ["normal", "filter", "bias"] }, ["flat"]);
  add({ op: "Reshape", inputs: ["flat"], shape: [time, batch, classes] }, ["logits"]);
  const loss = crossEntropy(builder, "logits", "labels", { labelSmoothing: 0.1 });
  const gradients = appendGradients(builder, loss, Object.keys(parameters));
  const outputs = [loss, ...gradients.values()];
  const graph = builder.build("network", ["tokens", "labels"], outputs);
  const numbers = (count: number, below: number) =>
    Int32Array.from({ length: count }, (_, index) => (index * 7 + (index >> 2)) % below);
  const labels = numbers(time * batch, classes);
  labels[4] = -100;
  const feeds = {
    tokens: tensor("int32", [time, batch], numbers(time * batch, vocabulary)),
    labels: tensor("int32", [time, batch], labels),
  };
  const want = interpret(bindShapes(graph, new Map()), feeds);
  using session = new Session(graph, device);
  const got = await session.run(feeds);
  for (const name of outputs) {
    const shape = want.get(name)!.shape;
    expect(sizeOf(shape)).toBeGreaterThan(0);
    expect(difference(got[name], want.get(name)!, { tolerance: 5e-5 }), name).toBeUndefined();
  }
  expect(gradients.size).toBe(entries.length);
});
