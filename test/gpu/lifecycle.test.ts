// Whose memory it is, and what happens when things go wrong: nothing leaks, a loss is final and typed,
// runs queue, and calibration costs the same memory however long it goes on.

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { calibrate } from "../../src/calibrate.ts";
import { compile } from "../../src/compile.ts";
import { convert } from "../../src/convert.ts";
import type { Device } from "../../src/gpu/device.ts";
import { adoptDevice } from "../../src/gpu/request.ts";
import { bindShapes } from "../../src/graph/bind.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import { Model } from "../../src/model.ts";
import { prepare } from "../../src/prepare.ts";
import { addBatch, emptyStatistics, type Statistics } from "../../src/quantize/observers.ts";
import { observeTensor } from "../../src/quantize/observeTensor.ts";
import { interpret } from "../../src/reference/interpret.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { testDevice, testInstance } from "../support/device.ts";
import { exactGraph, exactInputs, pictures, residualGraph } from "../support/models.ts";

const nothing = { buffers: 0, bytes: 0 };
let device: Device;
beforeAll(async () => {
  device = await testDevice();
});
afterEach(() => {
  expect(device.memory).toEqual(nothing);
});
afterAll(() => device.dispose());

const floatModel = () => new Model("float", residualGraph(), {});

/** `count` batches of the given sizes in turn. */
function* batches(count: number, sizes: readonly number[] = [2]) {
  for (let index = 0; index < count; index++) yield pictures(sizes[index % sizes.length]!, index);
}

async function quantizedModel() {
  const calibrated = await calibrate(prepare(floatModel()), batches(4), { device });
  return convert(calibrated);
}

describe("a session", () => {
  it("frees all it allocated when it is disposed", async () => {
    const session = await compile(floatModel(), device);
    await session.run(pictures(1, 1));
    await session.run(pictures(3, 1));
    expect(device.memory.buffers).toBeGreaterThan(0);
    session.dispose();
    expect(device.memory).toEqual(nothing);
  });

  it("keeps four sizes and no more", async () => {
    using session = await compile(floatModel(), device);
    const seen: number[] = [];
    for (const batch of [1, 2, 3, 4, 5, 6, 7]) {
      await session.run(pictures(batch, 1));
      seen.push(device.memory.buffers);
    }
    expect(new Set(seen.slice(3)).size).toBe(1);
  });

  it("gives concurrent runs their own answers, more sizes at once than it keeps", async () => {
    using session = await compile(floatModel(), device);
    const inputs = [1, 2, 3, 4, 5, 6, 1, 2].map((batch, index) => pictures(batch, index));
    const alone: unknown[] = [];
    for (const input of inputs) alone.push((await session.run(input))["scores"]);
    const together = await Promise.all(inputs.map((input) => session.run(input)));
    expect(together.map(({ scores }) => scores)).toEqual(alone);
  });

  it("gives the same bits twice, and in another session", async () => {
    const input = pictures(2, 5);
    for (const model of [floatModel(), await quantizedModel()]) {
      using first = await compile(model, device);
      using second = await compile(model, device);
      const results = [await first.run(input), await first.run(input), await second.run(input)];
      expect(results[1]).toEqual(results[0]);
      expect(results[2]).toEqual(results[0]);
    }
  });

  it("refuses to run after dispose()", async () => {
    const session = await compile(floatModel(), device);
    session.dispose();
    await expect(session.run(pictures(1, 1))).rejects.toThrowErrorMatchingInlineSnapshot(
      `[DisposedError: session: used after dispose(). Compile the model again.]`,
    );
  });

  it("rejects what was running when it was disposed", async () => {
    const session = await compile(floatModel(), device);
    await session.run(pictures(1, 1));
    const pending = session.run(pictures(1, 2));
    const outcome = expect(pending).rejects.toMatchObject({ name: "DisposedError" });
    session.dispose();
    await outcome;
  });

  it("does not start where the signal is aborted already, and stays usable", async () => {
    using session = await compile(floatModel(), device);
    const signal = AbortSignal.abort();
    await expect(session.run(pictures(1, 1), { signal })).rejects.toMatchObject({
      name: "AbortError",
    });
    expect((await session.run(pictures(1, 1)))["scores"]?.shape).toEqual([1, 5]);
  });

  it("names the input that does not fit", async () => {
    using session = await compile(floatModel(), device);
    const { images } = pictures(1, 1);
    await expect(session.run({ image: images })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: input "images" is missing; got image. Pass what came as "image", a tensor of shape [batch, 3, 8, 8] under that name.]`,
    );
    await expect(
      session.run({ images, imagse: images, extra: images }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: inputs: the model has no input "imagse"; got inputs images. Did you mean "images"?]`,
    );
    await expect(
      session.run({ images: { ...images, shape: [1, 3, 4, 16] } }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: input "images": shape must be [batch, 3, 8, 8]; got [1, 3, 4, 16]. Reshape or resize the data to fit the model.]`,
    );
    const bytes = { dtype: "uint8", shape: images.shape, data: new Uint8Array(192) } as const;
    await expect(session.run({ images: bytes })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: input "images": dtype must be float32; got uint8. Convert the data before the run.]`,
    );
  });
});

describe("calibration", () => {
  it("holds as much memory after the last batch as after the first", async () => {
    const prepared = prepare(floatModel());
    const seen: unknown[] = [];
    const onProgress = () => seen.push(device.memory);
    await calibrate(prepared, batches(24), { device, onProgress, biasCorrection: false });
    expect(seen).toHaveLength(24);
    expect(seen[0]).not.toEqual(nothing);
    expect(new Set(seen.map((memory) => JSON.stringify(memory))).size).toBe(1);
  });

  it("over batches of mixed sizes sees what the CPU sees", async () => {
    const prepared = prepare(new Model("float", exactGraph(), {}));
    const data = [3, 1, 2, 3, 1, 5, 1].map((batch, index) => exactInputs(batch, index + 1));
    const calibrated = await calibrate(prepared, data, { device, biasCorrection: false });
    const { fused, calibration } = calibrated.details;
    const statistics = new Map<string, Statistics>();
    for (const input of data) {
      const bound = bindShapes(fused, new Map([["batch", input.x.shape[0]!]]));
      const values = interpret(bound, input);
      for (const name of calibration.statistics.keys()) {
        const spec = { kind: "histogram" } as const;
        const before = statistics.get(name) ?? emptyStatistics(spec);
        const seen = observeTensor(spec, values.get(name) as Tensor<"float32">, before);
        statistics.set(name, addBatch(before, seen));
      }
    }
    expect([...statistics.keys()]).toEqual(["x", "relu6.out", "y"]);
    expect(withoutNegativeZero(calibration.statistics)).toEqual(withoutNegativeZero(statistics));
    expect(calibration.samples).toBe(16);
  });

  it("aborted half-way leaves nothing behind and gives the signal's reason", async () => {
    const controller = new AbortController();
    let seen = 0;
    const onProgress = () => {
      if (++seen === 3) controller.abort(new Error("enough"));
    };
    const { signal } = controller;
    await expect(
      calibrate(prepare(floatModel()), batches(10), { device, signal, onProgress }),
    ).rejects.toThrow("enough");
    expect(seen).toBe(3);
  });

  it("aborted while it corrects biases leaves nothing behind either", async () => {
    const controller = new AbortController();
    const onProgress = ({ phase }: { phase: string }) => {
      if (phase === "correct bias") controller.abort();
    };
    const { signal } = controller;
    const options = { device, signal, onProgress };
    await expect(calibrate(prepare(floatModel()), batches(20), options)).rejects.toMatchObject({
      name: "AbortError",
    });
  });

  it("names tensor, batch and index of a NaN in a sample", async () => {
    const bad = pictures(2, 9);
    bad.images.data[200] = NaN;
    const data = [pictures(2, 1), pictures(2, 2), bad, pictures(2, 3)];
    const result = calibrate(prepare(floatModel()), data, { device });
    await expect(result).rejects.toMatchObject({
      name: "NonFiniteError",
      tensor: "images",
      batch: 2,
      count: 1,
      index: 200,
    });
    await expect(result).rejects.toThrowErrorMatchingInlineSnapshot(
      `[NonFiniteError: calibrate: batch 2, input "images": must be finite; got NaN at index 200. Check the preprocessing of that batch, or pass { nonFinite: "allow" } (on the command line: --allow-non-finite).]`,
    );
  });

  it("passes on what its data source throws, and frees its memory", async () => {
    function* broken() {
      yield pictures(2, 1);
      throw new Error("the camera is off");
    }
    await expect(calibrate(prepare(floatModel()), broken(), { device })).rejects.toThrow(
      "the camera is off",
    );
  });

  it("of no data is refused in words", async () => {
    await expect(
      calibrate(prepare(floatModel()), [], { device }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: calibrate: data must hold at least one batch; got none. Check the data source.]`,
    );
  });
});

/** Plain data with every −0 made 0. */
function withoutNegativeZero(statistics: ReadonlyMap<string, Statistics>) {
  return [...statistics].map(([name, seen]) => {
    const entries = Object.entries(seen).map(([key, value]) => [
      key,
      typeof value === "number" ? value + 0 : value,
    ]);
    return [name, Object.fromEntries(entries) as unknown];
  });
}

it("a converted model gives the reference's integers, bit for bit", async () => {
  const model = await quantizedModel();
  using session = await compile(model, device);
  const input = pictures(3, 77);
  const { scores } = await session.run(input);
  const bound = bindShapes(model.graph, new Map([["batch", 3]]));
  expect(scores).toEqual(interpret(bound, input).get("scores"));
});

describe("what cannot be allocated or compiled", () => {
  it("a tensor over the adapter's limit is refused in words, and nothing stays", async () => {
    const builder = new GraphBuilder();
    builder.input("x", { dtype: "float32", shape: [100000, 100000] });
    builder.add({ op: "Relu", name: "relu", inputs: ["x"], outputs: ["y"] });
    const model = new Model("float", builder.build("large", ["x"], ["y"]), {});
    await expect(compile(model, device)).rejects.toMatchObject({
      name: "LimitError",
      code: "limit",
      node: "relu",
      needed: 4e10,
      message: expect.stringMatching(
        /^compile: node "relu": one of its tensors must be at most \d+ bytes here \(maxStorageBufferBindingSize\); got 40000000000\. Run fewer or smaller samples at a time, or use a device with larger limits/,
      ),
    });
  });

  it("a kernel that does not compile is a GpuError that names the shader", async () => {
    await expect(device.kernel("lookupI8", { WORKGROUP: 4096 })).rejects.toMatchObject({
      name: "GpuError",
      message: expect.stringMatching(/^shader lookup_i8 \{"WORKGROUP":4096\}: /),
    });
  });
});

describe("a device", () => {
  it("that was adopted is never destroyed, and its memory is counted apart", async () => {
    const gpu = testInstance();
    const adopted = adoptDevice(device.gpu, gpu);
    const session = await compile(floatModel(), adopted);
    const [first] = [await session.run(pictures(1, 1))];
    expect(device.memory).toEqual(nothing);
    adopted.dispose();
    expect(adopted.memory).toEqual(nothing);
    expect(() => adopted.check()).toThrowErrorMatchingInlineSnapshot(
      `[DisposedError: device: used after dispose(). Request a new device.]`,
    );
    using again = await compile(floatModel(), device);
    expect(await again.run(pictures(1, 1))).toEqual(first);
  });

  it("that is lost rejects what is pending and every later call", async () => {
    const doomed = await testDevice();
    const model = floatModel();
    const session = await compile(model, doomed);
    await session.run(pictures(1, 1));
    const pending = session.run(pictures(1, 2));
    const lost = { name: "DeviceLostError", code: "device-lost" };
    const outcome = expect(pending).rejects.toMatchObject(lost);
    doomed.gpu.destroy();
    await outcome;
    await expect(session.run(pictures(1, 3))).rejects.toMatchObject(lost);
    await expect(session.run(pictures(7, 3))).rejects.toMatchObject(lost);
    await expect(compile(model, doomed)).rejects.toMatchObject(lost);
    await expect(calibrate(prepare(model), batches(2), { device: doomed })).rejects.toMatchObject(
      lost,
    );
    expect(() => doomed.check()).toThrow(/^device lost \(destroyed\): .* Request a new device/);
    session.dispose();
    expect(doomed.memory).toEqual(nothing);
  });
});
