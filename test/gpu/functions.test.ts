// The accuracy of erf and Gelu, whose WGSL is our own, over dense grids; and LayerNormalization as GPUs of many
// invocations run it, which a software adapter never chooses.

import { afterAll, beforeAll, expect, it } from "vitest";
import type { Device } from "../../src/gpu/device.ts";
import { erf, unaryFunction } from "../../src/graph/functions.ts";
import { defaultTarget } from "../../src/plan/target.ts";
import { Session } from "../../src/session.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import { checkCase, single } from "../support/cases.ts";
import { testDevice } from "../support/device.ts";
import { layerNorm } from "../support/families/norms.ts";
import { floats } from "../support/seeded.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});
afterAll(() => {
  device.dispose();
});

/** `count` f32 from −span to span. */
const grid = (span: number, count: number) =>
  float32(
    [count],
    Float32Array.from({ length: count }, (_, i) => (2 * span * i) / (count - 1) - span),
  );

/** Greatest |got − want(x)| / size(x) over a grid. */
async function worst(
  attributes: Parameters<typeof single>[0],
  want: (x: number) => number,
  size: (x: number) => number,
): Promise<number> {
  let most = 0;
  for (const span of [0.01, 1.5, 12]) {
    const x = grid(span, 100_003);
    const { graph } = single(attributes, [{ tensor: x }]);
    using session = new Session(graph, device);
    const y = (await session.run({ x0: x }))["y0"]!.data as Float32Array;
    x.data.forEach((value, i) => {
      most = Math.max(most, Math.abs(y[i]! - want(value)) / size(value));
    });
  }
  return most;
}

it("Erf is within 3e-7 of erf, which shaders/lib/erf.wgsl promises", async () => {
  const error = await worst({ op: "Erf" }, erf, () => 1);
  console.log(`Erf: greatest error ${error.toExponential(2)}`);
  expect(error).toBeLessThan(3e-7);
});

it.each(["none", "tanh"] as const)("Gelu %s is within 3e-7 · max(1, |x|)", async (approximate) => {
  const node = { op: "Gelu", approximate } as const;
  const f = unaryFunction({ ...node, name: "", inputs: [], outputs: [] });
  const error = await worst(node, f, (x) => Math.max(1, Math.abs(x)));
  console.log(`Gelu ${approximate}: greatest error ${error.toExponential(2)}`);
  expect(error).toBeLessThan(3e-7);
});

it("LayerNormalization with a workgroup a row equals the reference", async () => {
  await layerNorm.check(device, 150, defaultTarget);
});

it.each([false, true])(
  "rows of 1,024 around 1e4 keep their digits, software: %s",
  async (software) => {
    const x = floats([8, 1024], 5);
    const moved = x.data.map((value) => value + 1e4);
    const operands = [
      { tensor: float32([8, 1024], moved) },
      { tensor: floats([1024], 6), constant: true },
      { tensor: floats([1024], 7), constant: true },
    ];
    const node = { op: "LayerNormalization", axis: 1, epsilon: 1e-5 } as const;
    await checkCase(
      device,
      single(node, operands),
      { tolerance: 1e-5 },
      { ...defaultTarget, software },
    );
  },
);
