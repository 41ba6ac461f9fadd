// The batches of an epoch: every sample once, in an order that follows from seed and epoch alone, wherever it is
// taken up again.

import { describe, expect, it } from "vitest";
import {
  batchesPerEpoch,
  epochBatches,
  epochOrder,
  type BatchingOptions,
} from "../../../src/training/batches.ts";
import type { TrainingData, TrainingSample } from "../../../src/training/samples.ts";
import { float32, tensor } from "../../../src/tensor/tensor.ts";

const sampleOf = (index: number): TrainingSample => ({
  tensors: { x: float32([2], [index, -index]), id: tensor("int32", [], Int32Array.of(index)) },
  label: index % 10,
});

const indexed = (length: number) => ({ length, get: sampleOf });
function* generated(length: number) {
  for (let index = 0; index < length; index++) yield sampleOf(index);
}
async function* awaited(length: number) {
  for (let index = 0; index < length; index++) yield await Promise.resolve(sampleOf(index));
}

const sources: readonly (readonly [string, (length: number) => TrainingData])[] = [
  ["indexed data", indexed],
  ["a list", (length) => [...generated(length)]],
  ["a function that starts a generator", (length) => () => generated(length)],
  ["a function that starts an async generator", (length) => () => awaited(length)],
];

/** The samples of each batch. */
async function idsOf(data: TrainingData, options: Partial<BatchingOptions>): Promise<number[][]> {
  const ids: number[][] = [];
  const all = { batchSize: 4, seed: 7, epoch: 0, ...options };
  for await (const { tensors, labels } of epochBatches(data, all)) {
    const batch = Array.from(tensors["id"]!.data, Number);
    expect(Array.from(labels!.data)).toEqual(batch.map((id) => id % 10));
    expect(tensors["x"]!.shape).toEqual([batch.length, 2]);
    expect(Array.from(tensors["x"]!.data, Number)).toEqual(batch.flatMap((id) => [id, -id || -0]));
    ids.push(batch);
  }
  return ids;
}

const counted = (length: number) => Array.from({ length }, (_, index) => index);
const sorted = (ids: readonly number[][]) => ids.flat().sort((a, b) => a - b);

describe.each(sources)("an epoch over %s", (_, of) => {
  it("has every sample once, in another order each epoch", async () => {
    const orders = await Promise.all(
      [0, 1, 2].map((epoch) => idsOf(of(40), { epoch, shuffle: 16 })),
    );
    for (const ids of orders) expect(sorted(ids)).toEqual(counted(40));
    expect(new Set(orders.map(String)).size).toBe(3);
  });

  it("is the same again for the same seed and epoch, and another for another seed", async () => {
    const [a, b, c] = await Promise.all(
      [7, 7, 8].map((seed) => idsOf(of(40), { seed, epoch: 5, shuffle: 16 })),
    );
    expect(a).toEqual(b);
    expect(a).not.toEqual(c);
  });

  it("goes on at any position as if it had never stopped, augmentation included", async () => {
    const augment: BatchingOptions["augment"] = (sample, random) => ({
      ...sample,
      tensors: { ...sample.tensors, noise: float32([], [random.uniform()]) },
    });
    const options = { batchSize: 3, seed: 1, epoch: 4, shuffle: 8, dropLast: false, augment };
    const all: unknown[] = [];
    for await (const batch of epochBatches(of(20), options)) all.push(batch);
    expect(all).toHaveLength(7);
    for (let position = 0; position <= 7; position++) {
      const rest: unknown[] = [];
      for await (const batch of epochBatches(of(20), { ...options, position })) rest.push(batch);
      expect(rest).toEqual(all.slice(position));
    }
  });

  it("keeps the order of the data without shuffle", async () => {
    expect((await idsOf(of(9), { shuffle: false })).flat()).toEqual(counted(8));
  });

  it("drops the last samples that fill no batch, or gives them as a smaller one", async () => {
    expect((await idsOf(of(10), {})).map(({ length }) => length)).toEqual([4, 4]);
    const all = await idsOf(of(10), { dropLast: false });
    expect(all.map(({ length }) => length)).toEqual([4, 4, 2]);
    expect([batchesPerEpoch(10, 4), batchesPerEpoch(10, 4, false)]).toEqual([2, 3]);
  });

  it("stops when it is told to", async () => {
    const control = new AbortController();
    const seen: unknown[] = [];
    const run = async () => {
      const options = { batchSize: 2, seed: 0, epoch: 0, signal: control.signal };
      for await (const batch of epochBatches(of(10), options)) {
        seen.push(batch);
        control.abort(new Error("enough"));
      }
    };
    await expect(run()).rejects.toThrow("enough");
    expect(seen).toHaveLength(1);
  });

  it("refuses data without a batch", async () => {
    await expect(idsOf(of(3), {})).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: data: an epoch must have at least one batch of 4; got 3 samples in epoch 0. Give more samples, or a smaller batchSize.]`,
    );
  });
});

describe("a stream's shuffle buffer", () => {
  it("moves samples over all of its size and no further ahead", async () => {
    const ids = (await idsOf(() => generated(200), { batchSize: 1, shuffle: 50 })).flat();
    const ahead = ids.map((id, place) => id - place);
    expect(Math.max(...ahead)).toBeLessThan(50);
    expect(Math.max(...ahead)).toBeGreaterThan(40);
  });

  it("refuses a generator that is used up, by its epoch", async () => {
    const used = generated(8);
    expect(sorted(await idsOf(used, {}))).toEqual(counted(8));
    await expect(idsOf(used, { epoch: 1 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: data: an epoch must have at least one batch of 4; got 0 samples in epoch 1. Pass a function that starts the stream anew: a generator is read once.]`,
    );
  });
});

describe("epochOrder", () => {
  it("does not change from version to version", () => {
    expect([...epochOrder(10, 42, 1)]).toMatchInlineSnapshot(`
      [
        1,
        0,
        5,
        3,
        7,
        9,
        4,
        2,
        6,
        8,
      ]
    `);
  });
});

describe("samples that do not stack are refused", () => {
  const x = float32([2], [1, 2]);
  it.each<[string, TrainingSample[]]>([
    ["another shape", [{ tensors: { x } }, { tensors: { x: float32([3], [1, 2, 3]) } }]],
    ["other inputs", [{ tensors: { x } }, { tensors: { y: x } }]],
    ["a label that is missing", [{ tensors: { x }, label: 1 }, { tensors: { x } }]],
    [
      "a label that is a fraction",
      [
        { tensors: { x }, label: 0.5 },
        { tensors: { x }, label: 1 },
      ],
    ],
    [
      "fewer labels than positions",
      [
        { tensors: { x }, label: [1, 2] },
        { tensors: { x }, label: [1] },
      ],
    ],
  ])("%s", async (_, samples) => {
    const read = async () => {
      const options = { batchSize: 2, seed: 0, epoch: 0, shuffle: false };
      for await (const batch of epochBatches(samples, options)) expect(batch).toBeDefined();
    };
    await expect(read()).rejects.toThrowErrorMatchingSnapshot();
  });

  it("targets are stacked as inputs are, for all samples or none", async () => {
    const targets = [0, 1, 2, 3].map((at) => ({ tensors: { x }, target: float32([1], [at]) }));
    const options = { batchSize: 2, seed: 0, epoch: 0, shuffle: false };
    const seen: unknown[] = [];
    for await (const batch of epochBatches(targets, options)) seen.push(batch.targets);
    expect(seen).toEqual([float32([2, 1], [0, 1]), float32([2, 1], [2, 3])]);
    const some = epochBatches([{ tensors: { x } }, ...targets], options).next();
    await expect(some).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: data: all samples must have a target, or none; got 1 of 2. Give one to the others.]`,
    );
  });

  it("counters that are none", async () => {
    await expect(idsOf(indexed(8), { batchSize: 0 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: batches: batchSize must be a whole number from 1 on; got 0. Change it.]`,
    );
    await expect(idsOf(indexed(8), { seed: 0.5 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: batches: seed must be a whole number from 0 on; got 0.5. Change it.]`,
    );
  });
});
