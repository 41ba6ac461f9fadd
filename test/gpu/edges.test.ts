// Shapes at the edge: grids that fold, means of nothing and of very much, outputs that are inputs, and
// the sums of Compare.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bindShapes } from "../../src/graph/bind.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Device } from "../../src/gpu/device.ts";
import { Program } from "../../src/gpu/program.ts";
import { PlanBuilder } from "../../src/plan/builder.ts";
import { lower } from "../../src/plan/lower.ts";
import { interpret } from "../../src/reference/interpret.ts";
import { float32, tensor } from "../../src/tensor/tensor.ts";
import { checkCase, single, type Attributes, type Case } from "../support/cases.ts";
import { testDevice } from "../support/device.ts";
import { codes, floats } from "../support/seeded.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});
afterAll(() => {
  expect(device.memory).toEqual({ buffers: 0, bytes: 0 });
  device.dispose();
});

describe("more than 65,535 workgroups", () => {
  it("fold into two dimensions, and every word is written once", async () => {
    // Workgroups of one invocation: at 64 the tensor would have to be 16 MB.
    const words = 70001;
    const plan = new PlanBuilder();
    const x = plan.input("x", "int8", [words * 4], words * 4, 0);
    const out = plan.output("y", "int8", [words * 4], words * 4, 0);
    const table = plan.constant(Int32Array.from({ length: 256 }, (_, index) => 127 - index));
    plan.step("lookupI8", {
      node: "negate",
      overrides: { WORKGROUP: 1 },
      uniforms: { count: words },
      buffers: { x, table, out },
      groups: words,
    });
    const finished = plan.finish();
    expect(finished.steps[0]!.grid).toEqual([35001, 2]);
    using program = await Program.create(device, finished);
    const feed = codes("int8", [words * 4], 7);
    const { data } = (await program.run(new Map([["x", feed]]))).get("y")!;
    expect(feed.data.findIndex((q, index) => data[index] !== -1 - q)).toBe(-1);
  });

  it("of a mean, one a word, fold as well", async () => {
    const node = { op: "ReduceMean", axes: [1], keepdims: true } as const;
    const given = single(node, [{ tensor: floats([65537, 3], 1) }]);
    const { steps } = lower(bindShapes(given.graph, new Map()));
    expect(steps.map(({ grid }) => grid)).toContainEqual([32769, 2]);
    await checkCase(device, given, { terms: 1 }); // three terms of about 1
  });
});

it.each([0, 3])(
  "a mean over 90,000 codes, past 2²⁴, is the reference's with zero point %i",
  async (zero) => {
    const quant = {
      dtype: "uint8",
      scale: Float32Array.of(0.5),
      zeroPoint: Int32Array.of(zero),
    } as const;
    const x = codes("uint8", [1, 2, 300, 300], 7);
    x.data.forEach((q, index) => (x.data[index] = 255 - (q & 15)));
    const to = { ...quant, scale: Float32Array.of(0.53) };
    await checkCase(device, single({ op: "GlobalAveragePool" }, [{ tensor: x, quant }], to));
  },
);

describe("sizes of 0", () => {
  const one = (attributes: Attributes, shape: readonly number[]): Case =>
    single(attributes, [{ tensor: floats(shape, 1) }]);

  it("a mean over no codes is the zero point", async () => {
    const quant = {
      dtype: "uint8",
      scale: Float32Array.of(0.5),
      zeroPoint: Int32Array.of(7),
    } as const;
    const node = { op: "ReduceMean", axes: [0], keepdims: false } as const;
    const x = { tensor: codes("uint8", [0, 3], 1), quant };
    await expect(checkCase(device, single(node, [x], quant))).resolves.toBeUndefined();
  });

  it.each([
    ["a mean over no elements is 0", one({ op: "ReduceMean", axes: [0], keepdims: false }, [0, 3])],
    ["a sum of nothing is 0", one({ op: "ReduceSum", axes: [0], keepdims: true }, [0, 3])],
    ["a product of nothing is 1", one({ op: "ReduceProd", axes: [1], keepdims: false }, [3, 0])],
    ["the max of nothing is −∞", one({ op: "ReduceMax", axes: [0], keepdims: false }, [0, 3])],
    ["the min of nothing is ∞", one({ op: "ReduceMin", axes: [1], keepdims: false }, [2, 0])],
    ["a global mean over no pixels is 0", one({ op: "GlobalAveragePool" }, [2, 3, 0, 4])],
    ["softmax over nothing is nothing", one({ op: "Softmax", axis: 1 }, [3, 0])],
    ["softmax along the other axis of nothing", one({ op: "Softmax", axis: 0 }, [3, 0])],
    ["a batch of none", one({ op: "Relu" }, [0, 3, 4, 4])],
  ])("%s", async (_, given) => {
    await checkCase(device, given);
  });
});

it("ArgMax and ArgMin order infinities, zeros and NaN as numpy does", async () => {
  const rows = [
    [-Infinity, -Infinity, -3, 1],
    [0, -0, 0, -0],
    [Infinity, NaN, 1, NaN],
    [-1e-45, 1e-45, -Infinity, Infinity],
    [-Infinity, -Infinity, -Infinity, -Infinity],
  ];
  const x = { tensor: tensor("float32", [5, 4], Float32Array.from(rows.flat())) };
  for (const op of ["ArgMax", "ArgMin"] as const) {
    for (const selectLastIndex of [false, true]) {
      const given = single({ op, axis: 1, keepdims: false, selectLastIndex }, [x]);
      await checkCase(device, given);
      const y = interpret(bindShapes(given.graph, new Map()), given.feeds).get("y0")!;
      const wanted = op === "ArgMax" ? [3, 0, 1, 3, 0] : [0, 0, 1, 2, 0];
      const last = op === "ArgMax" ? [3, 3, 3, 3, 3] : [1, 3, 3, 2, 3];
      expect(Array.from(y.data, Number)).toEqual(selectLastIndex ? last : wanted);
    }
  }
});

it("Compare sums Σ x² and Σ (x − y)² as the host does", async () => {
  const builder = new GraphBuilder();
  const shape = [3, 19, 41, 23];
  const [x, y] = [floats(shape, 3), floats(shape, 4)];
  for (const name of ["x", "y"]) builder.input(name, { dtype: "float32", shape });
  builder.add({ op: "Compare", name: "compare", inputs: ["x", "y"], outputs: [] });
  using program = await Program.create(
    device,
    lower(bindShapes(builder.build("g", ["x", "y"], []), new Map())),
  );
  const feeds = new Map([
    ["x", x],
    ["y", y],
  ]);
  for (let run = 0; run < 2; run++) {
    const [state] = await program.runStates(feeds);
    const partial = new Float32Array(state!.bytes).subarray(0, state!.slot.words);
    const sum = (from: number) => partial.reduce((s, v, i) => (i % 2 === from ? s + v : s), 0);
    const signal = x.data.reduce((s, v) => s + v * v, 0);
    const noise = x.data.reduce((s, v, i) => s + (v - (y.data[i] ?? 0)) ** 2, 0);
    expect(Math.abs(sum(0) / signal - 1)).toBeLessThan(1e-5); // 54,000 terms in f32, in parts
    expect(Math.abs(sum(1) / noise - 1)).toBeLessThan(1e-5); // as above
  }
});

it("a graph whose output is its input or a constant copies it out", async () => {
  const builder = new GraphBuilder();
  builder.input("x", { dtype: "float32", shape: [1, 3, 2, 2] });
  builder.constant("c", float32([5], [1, 2, 3, 4, 5]));
  builder.add({ op: "Identity", name: "identity", inputs: ["x"], outputs: ["y"] });
  const graph = builder.build("g", ["x"], ["x", "y", "c"]);
  await checkCase(device, { graph, feeds: { x: floats([1, 3, 2, 2], 1) } }, { tolerance: 0 }); // copies
});
