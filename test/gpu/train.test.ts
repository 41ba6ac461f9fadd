// Training on a device, as people use it: it learns, it stops when told, it goes on to the same bits wherever it was
// killed, and it says where it broke.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TrainingError } from "../../src/errors.ts";
import { requestDevice, type Device } from "../../src/node.ts";
import type { Model } from "../../src/model.ts";
import { train } from "../../src/train.ts";
import type { TrainOptions } from "../../src/trainOptions.ts";
import type { CheckpointStore } from "../../src/training/checkpointStore.ts";
import { tinyData, tinyModel } from "../support/tinyTraining.ts";

/** A store that forgets nothing. */
function memoryStore(): CheckpointStore & { readonly kept: Map<number, Uint8Array> } {
  const kept = new Map<number, Uint8Array>();
  return {
    kept,
    put: async (step, bytes) => void kept.set(step, bytes),
    steps: async () => [...kept.keys()].sort((a, b) => b - a),
    get: async (step) => kept.get(step),
    clear: async () => kept.clear(),
  };
}

function bitsOf(model: Model): Record<string, Uint32Array> {
  const floats = [...model.graph.constants].filter(([, { dtype }]) => dtype === "float32");
  return Object.fromEntries(
    floats.map(([name, { data }]) => [
      name,
      new Uint32Array((data as Float32Array).slice().buffer),
    ]),
  );
}

describe("train", () => {
  let device: Device;
  beforeAll(async () => void (device = await requestDevice()));
  afterAll(() => device.dispose());

  const options = (): TrainOptions => ({
    device,
    epochs: 3,
    batch: 16,
    optimizer: { kind: "adamw", learningRate: 0.02, maxNorm: 5 },
    loss: { kind: "crossEntropy", labelSmoothing: 0.05 },
    schedule: { kind: "cosine", warmUp: { updates: 3 } },
    seed: 3,
    // Normalizations change their way in the middle, so a resume crosses from one graph to another.
    controls: { freezeBatchNorm: { step: 20 } },
  });

  it("learns, and tells how it goes", async () => {
    const seen: { loss: number; accuracy?: number; eta?: number; steps?: number }[] = [];
    const { model, epochs, steps, isStopped } = await train(tinyModel(1), tinyData(160), {
      ...options(),
      onProgress: (progress) => void seen.push(progress),
    });
    expect([steps, isStopped, epochs.length, seen.length]).toEqual([30, false, 3, 30]);
    expect(epochs[2]?.loss).toBeLessThan((epochs[0]?.loss ?? 0) * 0.7);
    expect(epochs[2]?.accuracy).toBeGreaterThan(0.85);
    expect(seen[5]?.steps).toBe(30);
    expect(seen[5]?.eta).toBeGreaterThan(0);
    expect(model.stage).toBe("float");
    expect(bitsOf(model)["first.mean"]).not.toEqual(bitsOf(tinyModel(1))["first.mean"]);
  });

  it("killed before and behind a change of graph, goes on to the same bits", async () => {
    const whole = bitsOf((await train(tinyModel(1), tinyData(160), options())).model);
    const store = memoryStore();
    for (const point of [3, 19, 20, 26]) {
      store.kept.clear();
      const checkpoint = { store, every: 4 };
      const killed = train(tinyModel(1), tinyData(160), {
        ...options(),
        checkpoint,
        onProgress: ({ step }) => {
          if (step === point) throw new Error("killed");
        },
      });
      await expect(killed).rejects.toThrow("killed");
      const resumed = await train(tinyModel(1), tinyData(160), { ...options(), checkpoint });
      expect(resumed.steps).toBe(30);
      expect(bitsOf(resumed.model), `killed after step ${point}`).toEqual(whole);
    }
  });

  it("stops after the step under way, leaves a usable model, and goes on from there", async () => {
    const whole = bitsOf((await train(tinyModel(1), tinyData(160), options())).model);
    const store = memoryStore();
    const controller = new AbortController();
    const stopped = await train(tinyModel(1), tinyData(160), {
      ...options(),
      signal: controller.signal,
      checkpoint: { store },
      onProgress: ({ step }) => {
        if (step === 13) controller.abort();
      },
    });
    expect([stopped.isStopped, stopped.steps]).toEqual([true, 13]);
    const resumed = await train(tinyModel(1), tinyData(160), {
      ...options(),
      checkpoint: { store },
    });
    expect(bitsOf(resumed.model)).toEqual(whole);
  });

  it("adds gradients up over batches", async () => {
    const { epochs } = await train(tinyModel(1), tinyData(160), { ...options(), accumulate: 2 });
    expect(epochs[2]?.loss).toBeLessThan(epochs[0]?.loss ?? 0);
  });

  it("freezes by names", async () => {
    const before = tinyModel(1);
    const { model } = await train(before, tinyData(64), {
      ...options(),
      epochs: 1,
      controls: { freezeBatchNorm: { epoch: 0 } },
      groups: [
        { match: "*", frozen: true },
        { match: "linear.*", learningRate: 0.1 },
      ],
    });
    const [was, is] = [bitsOf(before), bitsOf(model)];
    const changed = Object.keys(was).filter((name) => String(was[name]) !== String(is[name]));
    expect(changed).toEqual(["linear.weight"]);
  });

  it("says where it broke, and keeps the last good checkpoint", async () => {
    const store = memoryStore();
    const data = tinyData(160);
    const broken = train(tinyModel(1), data, {
      ...options(),
      optimizer: { kind: "sgd", learningRate: 1e30 },
      checkpoint: { store, every: 1 },
    });
    const error = await broken.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(TrainingError);
    const { message, checkpoint, step, layer } = error as TrainingError;
    console.log(message);
    expect(checkpoint).toBe(step);
    expect(layer).toMatch(/^layer |^variable /);
    expect(store.kept.has(step)).toBe(true);
  });

  it("names an input that is not finite", async () => {
    const data = tinyData(160);
    const get = async (index: number) => {
      const sample = await data.get(index);
      if (index === 77) (sample.tensors["images"]!.data as Float32Array)[5] = NaN;
      return sample;
    };
    const broken = train(tinyModel(1), { ...data, get }, { ...options(), shuffle: false });
    await expect(broken).rejects.toThrow(
      /^train: epoch 0: batch 4, input "images": must be finite; got NaN at index/,
    );
  });
});
