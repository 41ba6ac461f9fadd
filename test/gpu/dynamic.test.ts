// Dynamic quantization on a device: the parameters of tens of thousands of ranges, equal to the host's bit for
// bit, and its products in every family of kernels.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../src/gpu/device.ts";
import { chooseDynamic, type DynamicRule } from "../../src/graph/dynamic.ts";
import type { BoundGraph } from "../../src/graph/bind.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import { prune } from "../../src/graph/graph.ts";
import { targetOf } from "../../src/plan/target.ts";
import { candidates, tileName } from "../../src/plan/tiles.ts";
import { interpret } from "../../src/reference/interpret.ts";
import { Session } from "../../src/session.ts";
import { fl } from "../../src/tensor/rounding.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import { testDevice, variantDevice } from "../support/device.ts";
import { dynamicProducts } from "../support/families/dynamic.ts";
import { forced, forcedMatrix, matrixUnits } from "../support/forced.ts";
import { generator } from "../support/seeded.ts";

const ROWS = 20_000;

/** Pairs of one range each: of all magnitudes, one-sided, symmetric, with ties between zero points, and around
 *  every threshold of the rules. */
function ranges(seed: number): Float32Array {
  const next = generator(seed);
  const pick = (values: readonly number[]) => values[Math.floor(next() * values.length)] ?? 0;
  const pairs: number[] = [];
  while (pairs.length < 2 * ROWS) {
    const magnitude = 2 ** Math.floor(next() * 60 - 40);
    const wide = 2 ** Math.floor(next() * 230 - 120);
    const levels = pick([255, 127]);
    const at = Math.floor(next() * levels);
    const step =
      pick([1, 0.5, 0.1, 0.3, 6.1e-5, 6.2e-5, 3e-5, 1e-7]) * pick([1, 1, 2 ** -20, 1.0001]);
    const forms: (readonly [number, number])[] = [
      [-next() * magnitude, next() * magnitude],
      [-next() * wide, next() * wide],
      [-next() * wide, next() * magnitude],
      [0, next() * wide],
      [-next() * wide, 0],
      [-magnitude, magnitude],
      // The zero point lies on a half step, or next to one.
      [-(at + 0.5) * step, (levels - at - 0.5) * step],
      [-at * step, (levels - at) * step],
      [-(at + 0.5) * magnitude, (levels - at - 0.5) * magnitude],
      // One side far below the other's last bit.
      [-magnitude, magnitude * 2 ** -Math.floor(next() * 70)],
      [0, 0],
      [0, levels * 2 ** -Math.floor(120 + next() * 12)],
      [-levels * 2 ** -124 * next(), levels * 2 ** -125],
    ];
    const [low, high] = forms[Math.floor(next() * forms.length)] ?? [0, 0];
    // Devices may take numbers below the least normal for 0.
    pairs.push(...[low, high].map((value) => (Math.abs(value) < 2 ** -126 ? 0 : fl(value))));
  }
  return Float32Array.from(pairs.slice(0, 2 * ROWS));
}

let device: Device;
let packed: Device;
let unpacked: Device;
beforeAll(async () => {
  device = await testDevice();
  packed = await variantDevice({ packedDot: true });
  unpacked = await variantDevice({ packedDot: false });
});
afterAll(() => {
  for (const each of [device, packed, unpacked]) each.dispose();
});

const rules = [
  { rule: "onnx", dtype: "uint8", reduceRange: false },
  { rule: "onnx", dtype: "int8", reduceRange: true },
  { rule: "torch", dtype: "uint8", reduceRange: true },
  { rule: "torch", dtype: "int8", reduceRange: false },
] as const;

describe("scale and zero point of 20,000 ranges equal the host's bit for bit", () => {
  it.each(rules)("$rule, $dtype, reduced $reduceRange", async (form) => {
    const rule: DynamicRule = { ...form, granularity: "perToken" };
    const seed = 20261126;
    const data = ranges(seed);
    const builder = new GraphBuilder();
    builder.input("x", { dtype: "float32", shape: [ROWS, 2] });
    const outputs = ["q", "s", "z"];
    builder.add({ op: "DynamicQuantizeLinear", name: "node", inputs: ["x"], outputs, ...rule });
    using session = new Session(builder.build("ranges", ["x"], outputs), device);
    const { s, z } = await session.run({ x: float32([ROWS, 2], data) });
    const wrong: string[] = [];
    for (let row = 0; row < ROWS && wrong.length < 5; row++) {
      const [low = 0, high = 0] = data.subarray(2 * row, 2 * row + 2);
      const want = chooseDynamic(rule, low, high);
      if (s?.data[row] === want.scale && z?.data[row] === want.zeroPoint) continue;
      wrong.push(
        `seed ${seed}, row ${row}, ${low} … ${high}: ${s?.data[row]}, ${z?.data[row]} for ` +
          `${want.scale}, ${want.zeroPoint}`,
      );
    }
    expect(wrong).toEqual([]);
  });
});

describe("a reduced range chooses parameters and cuts nothing", () => {
  // PyTorch 2.13's fbgemm and x86: a dynamic Linear of identity weights gives −64 and 64 here, q = 0 and 128.
  const data = Float32Array.of(-63.5, 63.5, 1, 0);
  it.each([
    { rule: "torch", dtype: "uint8", granularity: "perTensor", q: [0, 128, 65, 64] },
    { rule: "torch", dtype: "uint8", granularity: "perToken", q: [0, 128, 65, 64] },
    { rule: "torch", dtype: "int8", granularity: "perTensor", q: [-64, 64, 1, 0] },
    { rule: "onnx", dtype: "uint8", granularity: "perTensor", q: [0, 128, 65, 64] },
  ] as const)("$rule, $dtype, $granularity", async ({ q: want, ...form }) => {
    const builder = new GraphBuilder();
    builder.input("x", { dtype: "float32", shape: [1, 4] });
    const outputs = ["q", "s", "z"];
    const rule = { ...form, reduceRange: true };
    builder.add({ op: "DynamicQuantizeLinear", name: "node", inputs: ["x"], outputs, ...rule });
    const graph = builder.build("ties", ["x"], outputs);
    const inputs = { x: float32([1, 4], data) };
    expect([...interpret(graph as BoundGraph, inputs).get("q")!.data]).toEqual(want);
    using session = new Session(graph, device);
    expect([...(await session.run(inputs))["q"]!.data]).toEqual(want);
  });
});

describe("a range that the producer finds on the way is that of what it wrote", () => {
  const producers = {
    LayerNormalization: { op: "LayerNormalization", axis: -1, epsilon: 1e-5 },
    Gelu: { op: "Gelu", approximate: "none" },
  } as const;
  const shapes = [
    [1, 3],
    [7, 30],
    [300, 65], // more rows than one invocation joins alone
  ] as const;
  const cases = shapes.flatMap((shape) =>
    (["LayerNormalization", "Gelu"] as const).flatMap((op) =>
      [true, false].map((software) => ({ op, shape, software })),
    ),
  );
  it.each(cases)("$op of $shape, on a software adapter $software", async (given) => {
    const { op, shape, software } = given;
    const [rows, columns] = shape;
    const random = generator(20261127);
    const rule: DynamicRule = { ...rules[2], granularity: "perTensor" };
    const builder = new GraphBuilder();
    builder.input("x", { dtype: "float32", shape });
    const row = (scale: number) => Array.from({ length: columns }, () => scale * (random() - 0.3));
    builder.constant("g", float32([columns], row(3)));
    builder.constant("b", float32([columns], row(1)));
    const producer = { ...producers[op], name: "producer", inputs: ["x"], outputs: ["y"] };
    builder.add(
      producer.op === "Gelu" ? producer : { ...producer, axis: 1, inputs: ["x", "g", "b"] },
    );
    const outputs = ["q", "s", "z"];
    builder.add({ op: "DynamicQuantizeLinear", name: "node", inputs: ["y"], outputs, ...rule });
    const graph = prune(builder.build("ranged", ["x"], ["y", ...outputs]));
    using session = new Session(graph, device, { ...targetOf(device.facts), software });
    const steps = session.planFor(new Map()).steps.map(({ shader }) => shader);
    expect(steps).not.toContain("rangeF32");
    const x = Array.from({ length: rows * columns }, () => 8 * (random() - 0.5));
    const { y, s, z } = await session.run({ x: float32(shape, x) });
    const values = Array.from(y!.data as Float32Array);
    const want = chooseDynamic(rule, Math.min(0, ...values), Math.max(0, ...values));
    expect([s!.data[0], z!.data[0]]).toEqual([want.scale, want.zeroPoint]);
  });
});

describe("by the device's own rules", () => {
  it.each(dynamicProducts)("$title", ({ check }) => check(device, 10));
});

// The smallest tile of each family: larger ones are the same text, and take long to compile here. Each has one
// form of the dot product, which does not know the tile.
const tiles = ["workgroup", "gemv"].flatMap(
  (wanted) => candidates.findLast(({ family }) => family === wanted) ?? [],
);
describe.each(tiles.map((tile) => ({ tile, name: tileName(tile) })))("$name", ({ tile }) => {
  const isPacked = tile.family === "workgroup";
  it.each(dynamicProducts)(`$title, ${isPacked ? "packed" : "unpacked"}`, ({ check }) =>
    check(isPacked ? packed : unpacked, 1, forced(tile, isPacked)),
  );
});

describe("matrices of subgroups, emulated", () => {
  const [tile] = candidates.filter(({ family }) => family === "matrix").slice(-1);
  it.each(
    matrixUnits.slice(2, 3).flatMap((unit) => dynamicProducts.map((each) => ({ unit, ...each }))),
  )("$title, $unit.m × $unit.n × $unit.k", ({ unit, check }) =>
    check(packed, 1, forcedMatrix(tile!, unit)),
  );
});
