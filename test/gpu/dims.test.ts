// One compiled session for every size up to bounds: right at each of them, and nothing compiled,
// uploaded or allocated after compile().

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compile } from "../../src/compile.ts";
import { DisposedError, InputError } from "../../src/errors.ts";
import { bindShapes } from "../../src/graph/bind.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Device } from "../../src/gpu/device.ts";
import { Model } from "../../src/model.ts";
import { interpret } from "../../src/reference/interpret.ts";
import { Session } from "../../src/session.ts";
import { difference, sums } from "../support/cases.ts";
import { testDevice } from "../support/device.ts";
import { encoder } from "../support/encoder.ts";
import { floats } from "../support/seeded.ts";

const BOUND = 21;
const WIDTH = 12;
const graph = encoder({ layers: 2, heads: 3, width: WIDTH, inner: 20 });
const model = new Model("float", graph, {});

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});
afterAll(() => {
  expect(device.memory).toEqual({ buffers: 0, bytes: 0 });
  device.dispose();
});

/** What is asked of the GPU from now on: pipelines, buffers, and bytes written but to small buffers. */
function watch({ gpu }: Device) {
  const seen = { pipelines: 0, buffers: 0, constants: 0 };
  const restore: (() => void)[] = [];
  const spy = <T extends object>(
    on: T,
    name: keyof T & string,
    tell: (args: unknown[]) => void,
  ) => {
    const original = on[name] as (...args: unknown[]) => unknown;
    const replaced = (...args: unknown[]) => {
      tell(args);
      return original.apply(on, args);
    };
    Object.defineProperty(on, name, { value: replaced, configurable: true });
    restore.push(() => Reflect.deleteProperty(on, name));
  };
  spy(gpu, "createComputePipelineAsync", () => seen.pipelines++);
  spy(gpu, "createBuffer", () => seen.buffers++);
  spy(gpu.queue, "writeBuffer", ([buffer]) => {
    if ((buffer as GPUBuffer).label === "constants") seen.constants++;
  });
  return { seen, stop: () => restore.forEach((each) => each()) };
}

const feed = (batch: number, sequence: number) => ({
  x: floats([batch, sequence, WIDTH], 100 * batch + sequence),
});

function wrongAt(got: Awaited<ReturnType<Session["run"]>>, batch: number, sequence: number) {
  const dims = new Map([
    ["batch", batch],
    ["sequence", sequence],
  ]);
  const want = interpret(bindShapes(graph, dims), feed(batch, sequence));
  return graph.outputs.flatMap((name) => difference(got[name], want.get(name)!) ?? []);
}

describe("a session with bounds", () => {
  it("is right at every size, and compiles, uploads and allocates nothing for it", async () => {
    using session = await compile(model, device, { bounds: { batch: 2, sequence: BOUND } });
    const { buffers, bytes } = device.memory;
    const { seen, stop } = watch(device);
    try {
      for (let sequence = 1; sequence <= BOUND; sequence++) {
        for (const batch of sequence % 5 === 1 ? [1, 2] : [1]) {
          const got = await session.run(feed(batch, sequence));
          expect(wrongAt(got, batch, sequence), `batch ${batch}, sequence ${sequence}`).toEqual([]);
        }
      }
    } finally {
      stop();
    }
    expect(seen).toEqual({ pipelines: 0, buffers: 0, constants: 0 });
    expect(device.memory).toEqual({ buffers, bytes });
  });

  it("keeps runs of several sizes apart that are asked for at once", async () => {
    using session = await compile(model, device, { bounds: { batch: 2, sequence: BOUND } });
    const sizes = [3, 21, 1, 8, 21, 3].map((sequence) => [1 + (sequence % 2), sequence] as const);
    const runs = sizes.map(([batch, sequence]) => session.run(feed(batch, sequence)));
    for (const [index, [batch, sequence]] of sizes.entries())
      expect(wrongAt(await runs[index]!, batch, sequence)).toEqual([]);
  });

  it("refuses inputs over a bound, and runs on", async () => {
    using session = await compile(model, device, { bounds: { batch: 1, sequence: 4 } });
    const error = await session.run(feed(1, 5)).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(InputError);
    expect((error as Error).message).toMatchInlineSnapshot(
      `"size "sequence" must be at most 4, its bound; got 5. Pass less at a time, or compile with { bounds: { sequence: 5 } }."`,
    );
    expect(wrongAt(await session.run(feed(1, 4)), 1, 4)).toEqual([]);
  });

  it("refuses bounds that do not fit the model's open sizes", async () => {
    const refusal = async (bounds: Readonly<Record<string, number>>) => {
      const error = await compile(model, device, { bounds }).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(InputError);
      return (error as Error).message;
    };
    expect(await refusal({ batch: 1 })).toMatchInlineSnapshot(
      `"bounds: every open size needs one, the model has batch, sequence; got batch. Add sequence."`,
    );
    expect(await refusal({ batch: 1, sequence: 0 })).toMatchInlineSnapshot(
      `"bounds: "sequence" must be a positive integer; got 0. Pass the greatest size to run."`,
    );
    expect(await refusal({ batch: 1, sequence: 4, tokens: 4 })).toMatchInlineSnapshot(
      `"bounds: the model has no open size "tokens"; got open sizes batch, sequence. Leave it out."`,
    );
  });

  it("frees everything when it is disposed, with runs in flight too", async () => {
    const session = await compile(model, device, { bounds: { batch: 1, sequence: 8 } });
    const run = session.run(feed(1, 7));
    session.dispose();
    await expect(run).rejects.toThrow(DisposedError);
    expect(device.memory).toEqual({ buffers: 0, bytes: 0 });
    await expect(session.run(feed(1, 7))).rejects.toThrow(DisposedError);
  });
});

it("without bounds, another size uploads no constant again", async () => {
  using session = await compile(model, device);
  await session.run(feed(1, 5));
  const { seen, stop } = watch(device);
  try {
    expect(wrongAt(await session.run(feed(1, 7)), 1, 7)).toEqual([]);
  } finally {
    stop();
  }
  expect(seen.constants).toBe(0);
});

it("runs an LSTM and a LayerNormalization of every length in one session", async () => {
  const [inputs, units] = [5, 6];
  const builder = new GraphBuilder();
  builder.input("x", { dtype: "float32", shape: ["sequence", "batch", inputs] });
  const weight = (name: string, shape: number[], at: number) =>
    builder.constant(name, floats(shape, at, 0.4));
  builder.add({
    op: "LSTM",
    name: "lstm",
    inputs: [
      "x",
      weight("w", [2, 4 * units, inputs], 1),
      weight("r", [2, 4 * units, units], 2),
      weight("b", [2, 8 * units], 3),
    ],
    roles: ["bias"],
    outputs: ["steps", "h", "c"],
    direction: "bidirectional",
    hiddenSize: units,
    layout: 0,
    inputForget: false,
  });
  builder.add({
    op: "LayerNormalization",
    name: "norm",
    inputs: ["steps", weight("scale", [units], 4), weight("shift", [units], 5)],
    outputs: ["y"],
    axis: 3,
    epsilon: 1e-5,
  });
  const recurrent = builder.build("recurrent", ["x"], ["y", "h", "c"]);
  const bounds = { sequence: 9, batch: 2 };
  using session = await compile(new Model("float", recurrent, {}), device, { bounds });
  const before = device.memory;
  const { seen, stop } = watch(device);
  try {
    for (let sequence = 1; sequence <= bounds.sequence; sequence++) {
      const batch = 1 + (sequence % 2);
      const x = floats([sequence, batch, inputs], sequence);
      const dims = new Map(Object.entries({ sequence, batch }));
      const want = interpret(bindShapes(recurrent, dims), { x });
      const got = await session.run({ x });
      for (const name of recurrent.outputs)
        expect(
          difference(got[name], want.get(name)!, sums),
          `sequence ${sequence}`,
        ).toBeUndefined();
    }
  } finally {
    stop();
  }
  expect(seen).toEqual({ pipelines: 0, buffers: 0, constants: 0 });
  expect(device.memory).toEqual(before);
});
