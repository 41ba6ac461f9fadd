// PyTorch's dynamic Linear and transformer encoder (test/fixtures/make_dynamic.py) on a device: bytes of the
// activations bit for bit, outputs to 1e-5 of the largest.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../src/gpu/device.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { quantizeDynamic } from "../../src/quantizeDynamic.ts";
import { Session } from "../../src/session.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import { testDevice } from "../support/device.ts";
import {
  encoderFixture,
  encoderInput,
  encoderLinears,
  quantizedEncoder,
} from "../support/dynamicEncoder.ts";
import {
  bytesFrom,
  dynamicFixture,
  farFrom,
  floatsFrom,
  linearModel,
} from "../support/dynamicFixture.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});
afterAll(() => device.dispose());

/** `graph` with these values as outputs too. */
const showing = (graph: Graph, ...names: readonly string[]): Graph => ({
  ...graph,
  outputs: [...graph.outputs, ...names],
});

const linears = dynamicFixture.linears.flatMap((fixture) =>
  (["fbgemm", "qnnpack"] as const).flatMap((engine) => {
    const want = fixture.engines[engine];
    const name = `${fixture.rows}×${fixture.columns}→${fixture.outs} of ${engine}`;
    return want ? [{ name, fixture, engine, want }] : [];
  }),
);

describe("a dynamic Linear", () => {
  it.each([...linears, ...encoderLinears])("$name", async ({ fixture, engine, want }) => {
    const weight = fixture.perChannel ? "perChannel" : "perTensor";
    const { graph } = quantizeDynamic(linearModel(fixture), { preset: engine, weight });
    const seen = showing(graph, "x_quantized", "x_scale", "x_zero_point");
    using session = new Session(seen, device);
    const x = float32([fixture.rows, fixture.columns], floatsFrom(fixture.x));
    const { y, ...made } = await session.run({ x });
    expect(made["x_quantized"]?.data).toEqual(bytesFrom(want.q));
    expect(made["x_scale"]?.data).toEqual(floatsFrom(want.scale));
    expect(made["x_zero_point"]?.data).toEqual(Uint8Array.of(want.zeroPoint));
    expect(farFrom(y!, floatsFrom(want.y), 1e-5)).toBeUndefined();
  });
});

describe("an nn.TransformerEncoder of 2 layers", () => {
  it.each(["fbgemm", "qnnpack"] as const)("%s: bytes and output", async (engine) => {
    const { graph } = quantizedEncoder(engine);
    const want = encoderFixture.engines[engine];
    const names = Object.keys(want.linears);
    const bytes = names.map((name) => graph.nodes.find((node) => node.name === name)!.inputs[0]!);
    using session = new Session(showing(graph, ...bytes), device);
    const values = await session.run({ x: encoderInput });
    names.forEach((name, at) => {
      expect(values[bytes[at]!]!.data, name).toEqual(bytesFrom(want.linears[name]!.q));
    });
    expect(farFrom(values[graph.outputs[0]!]!, floatsFrom(want.y), 1e-5)).toBeUndefined();
  });
});
