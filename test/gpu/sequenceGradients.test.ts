// Gradients of what reads sequences, on the device: LSTM and GRU against PyTorch's autograd.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { appendGradients } from "../../src/autodiff/gradients.ts";
import { bindShapes } from "../../src/graph/bind.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Graph } from "../../src/graph/graph.ts";
import type { Device } from "../../src/gpu/device.ts";
import { interpret } from "../../src/reference/interpret.ts";
import { Session } from "../../src/session.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
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
