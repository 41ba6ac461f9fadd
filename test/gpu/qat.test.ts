// Quantization-aware training on the device: twelve steps as PyTorch's, and a trained model whose integers are those
// that its evaluation stands for.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compile } from "../../src/compile.ts";
import { convert } from "../../src/convert.ts";
import type { Device } from "../../src/gpu/device.ts";
import { Model } from "../../src/model.ts";
import { prepareQat } from "../../src/prepareQat.ts";
import { qatQConfigs } from "../../src/quantize/qat/presets.ts";
import { Session } from "../../src/session.ts";
import { train } from "../../src/train.ts";
import { testDevice } from "../support/device.ts";
import { pictures, residualGraph } from "../support/models.ts";
import { qatRuns } from "../support/qatFixture.ts";
import { differences, trainFixture } from "../support/qatFixtureSteps.ts";
import { compareBytes, onDevice, residualBatches, trainQat } from "../support/qatTraining.ts";
import { tinyData, tinyModel } from "../support/tinyTraining.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});
afterAll(() => {
  expect(device.memory).toEqual({ buffers: 0, bytes: 0 });
  device.dispose();
});

describe("twelve steps on the device", () => {
  it.each(qatRuns())("are PyTorch's: $title", async (run) => {
    const found = differences(run, await trainFixture(run, onDevice(device)));
    expect(found.loss).toBeLessThan(1e-4);
    expect(found.scale).toBeLessThan(1e-5);
    expect(found.zeroPoints).toBe(0);
  });
});

describe("convert of a model trained on the device", () => {
  const optimizer = { kind: "sgd", learningRate: 0.01, momentum: 0.9 } as const;
  const ends = { stem: qatQConfigs.int8, head: qatQConfigs.int8 };
  it.each([
    { title: "int8", options: {} },
    { title: "int4 between int8 ends", options: { qconfig: qatQConfigs.int4, overrides: ends } },
  ])("runs in the integers that its evaluation stands for: $title", async ({ options }) => {
    const prepared = prepareQat(new Model("float", residualGraph(), {}), options);
    const { model } = await trainQat(prepared, residualBatches(6), optimizer, onDevice(device));
    const converted = convert(model);
    // Every value that both have is an output, so that all bytes are seen.
    const names = [...model.graph.values.keys()].filter((name) => {
      const isByte = ["int8", "uint8"].includes(converted.graph.values.get(name)?.dtype ?? "");
      return isByte && !model.graph.constants.has(name);
    });
    const all = async (graph: typeof model.graph) => {
      using session = new Session({ ...graph, outputs: names }, device);
      return new Map(Object.entries(await session.run(pictures(64, 77))));
    };
    const results = { want: await all(model.graph), got: await all(converted.graph) };
    const { count, differing, most } = compareBytes(model, converted, results);
    expect(count).toBeGreaterThan(20000);
    expect(differing).toBeLessThanOrEqual(count / 10000);
    expect(most).toBeLessThanOrEqual(1);
  });

  it("trains by the verb, through every switch, and learns scales after", async () => {
    const options = { device, epochs: 2, batch: 16, optimizer } as const;
    const controls = { disableObserver: { step: 8 }, freezeBatchNorm: { step: 14 } };
    const prepared = prepareQat(tinyModel(1), { qconfig: qatQConfigs.int4 });
    const first = await train(prepared, tinyData(160), { ...options, controls });
    expect([first.model.stage, first.steps]).toEqual(["qat", 20]);
    const scaleOf = ({ details }: typeof first.model, layer: string) =>
      details.state.get(details.weights.get(layer)!.scale)!.data;
    const second = await train(first.model, tinyData(160), {
      ...{ ...options, epochs: 1, learnable: true },
      controls: { freezeBatchNorm: { step: 0 } },
    });
    expect(scaleOf(second.model, "linear")).not.toEqual(scaleOf(first.model, "linear"));
    expect(convert(second.model).stage).toBe("quantized");
  });

  it("compiles before it is converted, and gives scores", async () => {
    const prepared = prepareQat(new Model("float", residualGraph(), {}));
    const { model } = await trainQat(prepared, residualBatches(2), optimizer, onDevice(device));
    using session = await compile(model, device);
    const { scores } = await session.run(pictures(3, 1));
    expect(scores?.shape).toEqual([3, 5]);
  });
});
