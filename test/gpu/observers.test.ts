// Observer kernels against their host oracle: extremes and counts are the same numbers, batch after
// batch, and a value that is not finite is found, counted and placed.

import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bindShapes } from "../../src/graph/bind.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Observe } from "../../src/graph/node.ts";
import type { ObserverSpec } from "../../src/graph/observer.ts";
import type { Device } from "../../src/gpu/device.ts";
import { Program } from "../../src/gpu/program.ts";
import { lower } from "../../src/plan/lower.ts";
import { defaultTarget, type Target } from "../../src/plan/target.ts";
import { addBatch, emptyStatistics, type Statistics } from "../../src/quantize/observers.ts";
import { observeTensor } from "../../src/quantize/observeTensor.ts";
import { histogramOf, minMaxOf } from "../../src/reference/observe.ts";
import { observe } from "../../src/observe.ts";
import { readSlot } from "../../src/statistics.ts";
import { float32, type Tensor } from "../../src/tensor/tensor.ts";
import { seed } from "../support/cases.ts";
import { testDevice } from "../support/device.ts";
import { floats, generator } from "../support/seeded.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});
afterAll(() => {
  expect(device.memory).toEqual({ buffers: 0, bytes: 0 });
  device.dispose();
});

const SEED = 20260728;

const observeNode = (observer: ObserverSpec): Observe => ({
  op: "Observe",
  name: "observe x",
  inputs: ["x"],
  outputs: [],
  observer,
});

/** What the device saw of each batch: all have one shape, and one program sees them in order. */
async function onDevice(
  observer: ObserverSpec,
  batches: readonly Tensor[],
  target: Target = defaultTarget,
) {
  const builder = new GraphBuilder();
  const [first] = batches;
  builder.input("x", { dtype: "float32", shape: first!.shape });
  const node = observeNode(observer);
  builder.add(node);
  using program = await Program.create(
    device,
    lower(bindShapes(builder.build("observe", ["x"], []), new Map()), target),
  );
  const seen: ReturnType<typeof readSlot>[] = [];
  for (const x of batches) {
    const [state] = await program.runStates(new Map([["x", x]]));
    seen.push(readSlot(node, state!.slot.shape, state!.bytes));
  }
  return seen;
}

/** −0 is 0: the device orders floats by their bits, where both must be one value. */
const plain = (values: Float32Array) => Array.from(values, (value) => value + 0);

const size: fc.Arbitrary<number> = fc.constantFrom(1, 2, 3, 4, 5, 8, 9, 17);
const shape = fc.array(size, { minLength: 1, maxLength: 5 }).filter((dims) => {
  const elements = dims.reduce((product, dim) => product * dim, 1);
  return elements < 30000;
});

/** Values with plateaus, both signs of 0 and a wide range of exponents. */
function values(dims: readonly number[], from: number, kind: string): Tensor<"float32"> {
  const x = floats(dims, from, 1 + (from % 7));
  const next = generator(from + 1);
  const change = {
    plain: (value: number) => value,
    relu: (value: number) => (next() < 0.3 ? -0 : Math.max(0, value)),
    wide: (value: number) => value * 2 ** Math.floor(next() * 60 - 30),
    constant: () => (from % 5) - 2,
    positive: (value: number) => Math.abs(value) + 3,
  }[kind]!;
  return float32(dims, x.data.map(change));
}

const kinds = fc.constantFrom("plain", "relu", "wide", "constant", "positive");

describe("over random batches", () => {
  it.each([{ kind: "minMax" }, { kind: "movingAverageMinMax" }] as const)(
    "$kind gives the host's extremes",
    async (observer) => {
      const property = fc.asyncProperty(shape, kinds, seed, async (dims, kind, from) => {
        const batches = [values(dims, from, kind), values(dims, from + 9, kind)];
        const seen = await onDevice(observer, batches);
        batches.forEach((x, index) => {
          const { min, max } = minMaxOf(x);
          expect(seen[index]).toEqual({
            min: Float32Array.from(plain(min)),
            max: Float32Array.from(plain(max)),
          });
        });
      });
      await fc.assert(property, { seed: SEED, numRuns: 60 });
    },
  );

  it.each([2, 3, 4, 5])("per-channel extremes of rank %i are the host's", async (rank) => {
    // The channel axis of four axes is 1; of any other number it is the last, as tensors lie.
    const axis = rank === 4 ? 1 : rank - 1;
    const dims = fc.array(size, { minLength: rank, maxLength: rank });
    const property = fc.asyncProperty(dims, kinds, seed, async (of, kind, from) => {
      fc.pre(of.reduce((product, dim) => product * dim, 1) < 30000);
      const x = values(of, from, kind);
      const [seen] = await onDevice({ kind: "perChannelMinMax", axis }, [x]);
      const { min, max } = minMaxOf(x, axis);
      expect(seen).toEqual({
        min: Float32Array.from(plain(min)),
        max: Float32Array.from(plain(max)),
      });
    });
    await fc.assert(property, { seed: SEED, numRuns: 25 });
  });

  it("histogram counts are the host's, over a range that grows from batch to batch", async () => {
    const property = fc.asyncProperty(
      shape,
      kinds,
      fc.constantFrom(2048, 16, 101),
      seed,
      fc.boolean(),
      async (dims, kind, bins, from, software) => {
        const observer = { kind: "histogram", bins } as const;
        const batches = [0, 1, 2].map((batch) => values(dims, from + batch, kind));
        const seen = await onDevice(observer, batches, { ...defaultTarget, software });
        let statistics: Statistics = emptyStatistics(observer);
        for (const [index, x] of batches.entries()) {
          const want = observeTensor(observer, x, statistics);
          expect(seen[index]).toEqual({ ...want, ...zeroed(want) });
          statistics = addBatch(statistics, want);
        }
      },
    );
    await fc.assert(property, { seed: SEED, numRuns: 60 });
  });

  it.each([false, true])(
    "large histograms count every element once, software %s",
    async (software) => {
      const target = { ...defaultTarget, software };
      // Of one value, as often as eight invocations of a software adapter may count it, 16 bits a bin, and oftener.
      const most = 8 * 16383 * 4;
      const all = (count: number, value: number) => {
        const data = new Float32Array(count).fill(value);
        data[0] = -value; // so that the value has the last bin, and its negative the first
        return float32([count], data);
      };
      for (const x of [
        values([3, 19, 41, 23], 5, "relu"),
        values([1, 1, 700, 402], 5, "relu"), // 2¹⁸ words and more: eight workgroups there
        all(most, 3),
        all(most + 4, 3),
        all(most + 4, -3),
      ]) {
        const [seen] = await onDevice({ kind: "histogram" }, [x], target);
        if (!seen || seen === "non-finite" || !("counts" in seen)) throw new Error("no histogram");
        expect(seen.counts).toEqual(histogramOf(x, seen.low, seen.high, 2048));
        expect(seen.counts.reduce((sum, count) => sum + count, 0)).toBe(x.data.length);
      }
    },
  );

  it.each([false, true])(
    "a constant that one more does not change, and a range beyond every float: software %s",
    async (software) => {
      const target = { ...defaultTarget, software };
      const huge = [-(2 ** 127) * 1.5, 2 ** 127 * 1.5, 0, 1];
      for (const data of [Array<number>(9).fill(2 ** 26), [...huge, ...huge]]) {
        const x = float32([data.length], data);
        const [seen] = await onDevice({ kind: "histogram", bins: 101 }, [x], target);
        expect(seen).toEqual(
          observeTensor(
            { kind: "histogram", bins: 101 },
            x,
            emptyStatistics({ kind: "histogram", bins: 101 }),
          ),
        );
      }
    },
  );
});

/** The range of `batch` without −0. */
function zeroed(batch: object) {
  const entries = Object.entries(batch).filter(([, value]) => typeof value === "number");
  return Object.fromEntries(entries.map(([name, value]) => [name, (value as number) + 0]));
}

describe("at the edges of float32", () => {
  it("−0 counts as 0", async () => {
    const [seen] = await onDevice({ kind: "minMax" }, [float32([3], [-0, -0, -0])]);
    expect(seen).toEqual({ min: Float32Array.of(0), max: Float32Array.of(0) });
  });

  it("the greatest and the least normal values are kept exactly", async () => {
    const [least, greatest] = [2 ** -126, 3.4028234663852886e38];
    const x = float32([5], [least, -greatest, greatest, -least, 0]);
    const [seen] = await onDevice({ kind: "minMax" }, [x]);
    expect(seen).toEqual({ min: Float32Array.of(-greatest), max: Float32Array.of(greatest) });
  });

  it("a denormal is itself or 0, which WGSL leaves to the adapter", async () => {
    const tiny = 2 ** -140;
    const [seen] = await onDevice({ kind: "minMax" }, [float32([4], [tiny, tiny, tiny, tiny])]);
    if (!seen || seen === "non-finite" || "counts" in seen) throw new Error("no extremes");
    expect([0, tiny]).toContain(seen.min[0]);
    expect([0, tiny]).toContain(seen.max[0]);
  });

  it("a tensor without elements gives nothing", async () => {
    expect(await onDevice({ kind: "histogram" }, [float32([0, 3], [])])).toEqual([undefined]);
    expect(await onDevice({ kind: "minMax" }, [float32([2, 0], [])])).toEqual([undefined]);
  });
});

describe("values that are not finite", () => {
  const observers: readonly ObserverSpec[] = [
    { kind: "minMax" },
    { kind: "histogram" },
    { kind: "perChannelMinMax", axis: 1 },
  ];
  const cases = observers.flatMap((observer) =>
    [NaN, Infinity, -Infinity].map((value) => ({ kind: observer.kind, observer, value })),
  );
  const dims = [2, 5, 3, 3];

  it.each(cases)("$value is noticed by $kind, in the batch that has it", async (given) => {
    const good = floats(dims, 1);
    const bad = float32(
      dims,
      good.data.map((x, i) => (i === 47 || i === 61 ? given.value : x)),
    );
    const [before, seen, after] = await onDevice(given.observer, [good, bad, good]);
    expect(seen).toBe("non-finite");
    expect(before).not.toBe("non-finite");
    expect(after).not.toBe("non-finite");
  });

  it.each(cases.filter(({ value }) => !Number.isNaN(value)))(
    "$value is refused by $kind with tensor, batch and index",
    async ({ observer, value }) => {
      await expect(observeOverflow(observer, dims, [47, 61], value)).rejects.toMatchObject({
        name: "NonFiniteError",
        tensor: "product",
        batch: 1,
        count: 2,
        index: 47, // row-major, though the device meets pixel (0, 2) of channel 1 before (2, 0) of 0
      });
    },
  );

  it("the message names all of it", async () => {
    await expect(
      observeOverflow({ kind: "minMax" }, [4], [1, 3], Infinity),
    ).rejects.toThrowErrorMatchingInlineSnapshot(
      `[NonFiniteError: calibrate: batch 1, value "product": must be finite; got Infinity at index 1, the first of 2 such values. Check the preprocessing of that batch and the model's weights, or leave what makes it float: overrides: { "leaky": null }.]`,
    );
  });
});

/** Observe three batches through a leaky ReLU; in the second, `places` overflow to `value`. */
async function observeOverflow(
  observer: ObserverSpec,
  dims: readonly number[],
  places: readonly number[],
  value: number,
) {
  const builder = new GraphBuilder();
  builder.input("x", { dtype: "float32", shape: dims });
  const node = { name: "leaky", inputs: ["x"], outputs: ["product"] };
  builder.add({ op: "LeakyRelu", ...node, alpha: value > 0 ? -16 : 16 });
  builder.add({ ...observeNode(observer), inputs: ["product"] });
  const good = floats(dims, 1);
  const bad = good.data.map((x, i) => (places.includes(i) ? -(2 ** 126) : x));
  const batches = [good, float32(dims, bad), good].map((x) => ({ x }));
  return await observe(builder.build("observe", ["x"], []), batches, 0, { device });
}
