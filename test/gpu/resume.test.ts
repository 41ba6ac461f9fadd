// Training that is killed at twenty random points, and each time gone on with from what the disk has, ends with the
// parameters of a training that ran through: every bit, on the same adapter.

import { mkdtempSync, readdirSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkpointFolder } from "../../src/checkpointFolder.ts";
import type { Device } from "../../src/gpu/device.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import { Model } from "../../src/model.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import { train } from "../../src/train.ts";
import type { TrainOptions } from "../../src/trainOptions.ts";
import { randomCrop, randomHorizontalFlip } from "../../src/training/augment.ts";
import { Random } from "../../src/training/random.ts";
import type { CheckpointStore } from "../../src/training/checkpointStore.ts";
import { testDevice } from "../support/device.ts";
import { floats } from "../support/seeded.ts";

let device: Device;
let folder: string;
beforeAll(async () => {
  device = await testDevice();
  folder = mkdtempSync(join(tmpdir(), "resume-"));
});
afterAll(() => {
  device.dispose();
  rmSync(folder, { recursive: true, force: true });
});

/** A convolution with batch normalization and a classifier: parameters, statistics and what an optimizer remembers. */
function network(): Model<"float"> {
  const builder = new GraphBuilder();
  builder.input("x", { dtype: "float32", shape: ["batch", 3, 6, 6] });
  const constant = (name: string, shape: readonly number[], seed: number, span = 0.5, plus = 0) => {
    const { data } = floats(shape, seed, span);
    return builder.constant(
      name,
      float32(
        shape,
        data.map((value) => value + plus),
      ),
    );
  };
  const window = {
    kernel: [3, 3],
    strides: [1, 1],
    dilations: [1, 1],
    pads: [1, 1, 1, 1],
  } as const;
  const inputs = ["x", constant("conv.weight", [5, 3, 3, 3], 1)];
  builder.add({ op: "Conv", name: "conv", inputs, outputs: ["c"], ...window, group: 1 });
  const statistics = [
    constant("bn.weight", [5], 2, 0.1, 1),
    constant("bn.bias", [5], 3),
    constant("bn.mean", [5], 4),
    constant("bn.variance", [5], 5, 0.1, 1),
  ];
  const norm = { op: "BatchNormalization", name: "bn", epsilon: 1e-5 } as const;
  builder.add({ ...norm, inputs: ["c", ...statistics], outputs: ["n"] });
  builder.add({ op: "Relu", name: "relu", inputs: ["n"], outputs: ["r"] });
  builder.add({ op: "GlobalAveragePool", name: "pool", inputs: ["r"], outputs: ["p"] });
  builder.add({ op: "Flatten", name: "flat", inputs: ["p"], outputs: ["f"], axis: 1 });
  const product = {
    op: "Gemm",
    name: "fc",
    alpha: 1,
    beta: 1,
    transA: false,
    transB: true,
  } as const;
  const fc = ["f", constant("fc.weight", [4, 5], 6), constant("fc.bias", [4], 7)];
  builder.add({ ...product, inputs: fc, outputs: ["y"] });
  return new Model("float", builder.build("net", ["x"], ["y"]), {});
}

const data = {
  length: 22,
  get: (index: number) => ({ tensors: { x: floats([3, 6, 6], 1000 + index) }, label: index % 4 }),
};

/** Every part that has a state: shuffling, augmentation, a schedule, moments, clipping, sums over two batches. */
const options = (): TrainOptions => ({
  device,
  epochs: 5,
  batch: 4,
  seed: 11,
  accumulate: 2,
  optimizer: { kind: "adamw", learningRate: 0.02, maxNorm: 1 },
  schedule: { kind: "cosine", warmUp: { updates: 4 } },
  augment: (sample, random) => {
    const picture = sample.tensors["x"] as ReturnType<typeof floats>;
    const x = randomHorizontalFlip(randomCrop(picture, random, { padding: 1 }), random);
    return { ...sample, tensors: { x } };
  },
});
const STEPS = 5 * 5;

const hexOf = ({ graph }: Model<"float">) =>
  [...graph.constants]
    .map(
      ([name, { data }]) =>
        `${name} ${Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("hex")}`,
    )
    .sort();

class Killed extends Error {}

/** Train until `step` is done, and no further. */
async function killedAt(step: number, store: CheckpointStore, every: number): Promise<number> {
  let first: number | undefined;
  const onProgress = (progress: { readonly step: number }) => {
    first ??= progress.step;
    if (progress.step === step) throw new Killed();
  };
  const run = train(network(), data, { ...options(), onProgress, checkpoint: { store, every } });
  await expect(run).rejects.toThrow(Killed);
  return (first ?? 0) - 1;
}

describe("a training that is killed and gone on with", () => {
  let want: string[];

  it("did learn something, in both of its kinds of layers", async () => {
    const start = performance.now();
    want = hexOf((await train(network(), data, options())).model);
    console.log(`${STEPS} steps in ${(performance.now() - start).toFixed(0)} ms`);
    const before = hexOf(network());
    const moved = want.filter((line, index) => line !== before[index]);
    expect(moved).toHaveLength(before.length);
  });

  it("ends with the same bits, killed at 20 random points", async () => {
    const store = checkpointFolder(join(folder, "killed"));
    const random = Random.of(20261126);
    const points = Array.from({ length: 20 }, () => 1 + random.below(STEPS)).sort((a, b) => a - b);
    const started: number[] = [];
    for (const point of points) started.push(await killedAt(point, store, 1 + random.below(3)));
    // Each went on where the disk had it, some of them from the middle of a sum over two batches.
    expect(started[0]).toBe(0);
    expect(Math.max(...started)).toBeGreaterThan(STEPS / 2);
    expect(started.some((step) => step % 2 === 1)).toBe(true);
    const { model, steps } = await train(network(), data, { ...options(), checkpoint: { store } });
    expect(steps).toBe(STEPS);
    expect(hexOf(model)).toEqual(want);
  });

  it("also where its newest checkpoint was cut short: it goes on from the one before", async () => {
    const path = join(folder, "cut");
    const store = checkpointFolder(path);
    await killedAt(14, store, 4);
    expect(await store.steps()).toEqual([12, 8]);
    truncateSync(join(path, readdirSync(path).sort().at(-1)!), 500);
    expect(await killedAt(11, store, 4)).toBe(8);
    const { model } = await train(network(), data, { ...options(), checkpoint: { store } });
    expect(hexOf(model)).toEqual(want);
  });
});
