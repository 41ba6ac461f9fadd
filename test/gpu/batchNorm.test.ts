// Batch normalization in training, as adapters of both kinds run it: many invocations that share a sum, and few.
// Its sums against f64, its order, and the running statistics.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../src/gpu/device.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import { defaultTarget, targetOf, type Target } from "../../src/plan/target.ts";
import { interpret } from "../../src/reference/interpret.ts";
import { bindShapes } from "../../src/graph/bind.ts";
import { Session } from "../../src/session.ts";
import { float32, sizeOf, toNumbers, type Tensor } from "../../src/tensor/tensor.ts";
import { single } from "../support/cases.ts";
import { testDevice } from "../support/device.ts";
import { gradients } from "../support/families/gradients.ts";
import { floats } from "../support/seeded.ts";
import { checkRuns } from "../support/training.ts";

let device: Device;
let targets: Readonly<Record<"a GPU" | "a software adapter", Target>>;
beforeAll(async () => {
  device = await testDevice();
  const own = targetOf(device.facts);
  targets = {
    "a GPU": { ...own, software: false },
    "a software adapter": { ...own, software: true },
  };
});
afterAll(() => {
  expect(device.memory).toEqual({ buffers: 0, bytes: 0 });
  device.dispose();
});

const kinds = ["a GPU", "a software adapter"] as const;
const normalizations = gradients.filter(({ title }) => /^BatchNorm|rows/.test(title));

describe("shared out as on a GPU", () => {
  it.each(normalizations)("$title", async ({ check }) => {
    await check(device, 10, targets["a GPU"]);
  });

  it("is what a device that nobody knows gets", () => {
    expect(defaultTarget.software).toBe(false);
  });
});

/** Numbers whose channel c has the mean 10^c and a deviation of about 0.6. */
function layered(
  shape: readonly [number, number, number, number],
  seed: number,
): Tensor<"float32"> {
  const [, channels, height, width] = shape;
  const { data } = floats(shape, seed);
  return float32(
    shape,
    data.map((x, i) => x + 10 ** (Math.floor(i / (height * width)) % channels)),
  );
}

describe.each(kinds)("the sums over 50,000 elements as on %s", (kind) => {
  const shape = [8, 4, 80, 80] as const;
  const feeds = { x0: layered(shape, 91), x1: floats([4], 92), x2: floats([4], 93) };
  const { graph } = single(
    { op: "BatchNormTraining", epsilon: 1e-5 },
    Object.values(feeds).map((tensor) => ({ tensor })),
    undefined,
    3,
  );

  it("are those of f64 to one part in a million", async () => {
    const want = interpret(bindShapes(graph, new Map()), feeds);
    using session = new Session(graph, device, targets[kind]);
    const got = await session.run(feeds);
    for (const name of ["y1", "y2"]) {
      const numbers = toNumbers(got[name]!);
      toNumbers(want.get(name)!).forEach((exact, c) => {
        const error = Math.abs(numbers[c]! - exact) / Math.max(1, Math.abs(exact));
        const deviation = name === "y2" ? Math.abs(numbers[c]! / exact - 1) : error;
        expect(deviation, `${name}[${c}]: ${numbers[c]} for ${exact}`).toBeLessThan(1e-6);
      });
    }
  });

  it("come in one order: a second run is equal bit for bit", async () => {
    using session = new Session(graph, device, targets[kind]);
    const [first, second] = [await session.run(feeds), await session.run(feeds)];
    for (const name of ["y0", "y1", "y2"]) expect(second[name]).toEqual(first[name]);
  });
});

describe("running statistics", () => {
  it("are moved in place by the statistics of each batch, padding left alone", async () => {
    const shape = [5, 6, 3, 2];
    const builder = new GraphBuilder();
    builder.input("x", { dtype: "float32", shape });
    builder.variable("scale", floats([6], 94));
    builder.variable("bias", floats([6], 95));
    builder.variable("mean", float32([6], new Float32Array(6)));
    builder.variable("variance", float32([6], new Float32Array(6).fill(1)));
    const statistics = { inputs: ["x", "scale", "bias"], outputs: ["y", "m", "v"], epsilon: 1e-5 };
    builder.add({ op: "BatchNormTraining", name: "norm", ...statistics });
    const inputs = ["mean", "variance", "m", "v"];
    const count = sizeOf(shape) / 6;
    builder.add({ op: "UpdateRunning", name: "run", inputs, outputs: [], momentum: 0.1, count });
    const graph = builder.build("running", ["x"], ["y"]);
    const feeds = [96, 97, 98].map((seed) => ({ x: floats(shape, seed, 3) }));
    await checkRuns(device, graph, feeds);
  });
});
