// Fake-quantization's kernels against PyTorch, every element of outputs and masks, at the clamp's edges and a
// few ULP beside them; random shapes are in kernels.test.ts.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../src/gpu/device.ts";
import { Session } from "../../src/session.ts";
import { toNumbers, type Tensor } from "../../src/tensor/tensor.ts";
import { hashOf } from "../null/quantize/seeded.ts";
import { single, type Attributes } from "../support/cases.ts";
import { testDevice } from "../support/device.ts";
import { gradCases, learnCases } from "../support/fakeQuantizeGrad.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});
afterAll(() => device.dispose());

async function outputs(node: Attributes, inputs: readonly Tensor[], count = 1) {
  const operands = inputs.map((tensor) => ({ tensor }));
  const { graph, feeds } = single(node, operands, undefined, count);
  using session = new Session(graph, device);
  const results = await session.run(feeds);
  return graph.outputs.map((name) => results[name]!);
}

describe("FakeQuantize on the device gives what PyTorch's fake_quantize gives, bit for bit", () => {
  it.each([...gradCases, ...learnCases])("$title", async ({ forward, x, scale, zeroPoint, y }) => {
    const [got] = await outputs(forward, [x, scale, zeroPoint]);
    expect(hashOf(got!.data as Float32Array)).toBe(y);
  });
});

describe("FakeQuantizeGrad on the device passes what PyTorch's autograd passes", () => {
  it.each(gradCases)("$title", async ({ node, x, dY, scale, zeroPoint, want }) => {
    const [got] = await outputs(node, [x, dY, scale, zeroPoint]);
    expect(toNumbers(got!)).toEqual(want);
  });
});

describe("FakeQuantizeGrad on the device learns as PyTorch does", () => {
  it.each(learnCases)("$title", async ({ node, x, dY, scale, zeroPoint, dX, dScale, dZero }) => {
    const got = await outputs(node, [x, dY, scale, zeroPoint], 3);
    expect(hashOf(got[0]!.data as Float32Array)).toBe(dX);
    const relative = (at: number, want: readonly number[]) =>
      toNumbers(got[at]!).map((value, c) =>
        value === want[c] ? 0 : Math.abs(value - want[c]!) / Math.abs(want[c]!),
      );
    // Sums of f32 in another order than PyTorch's.
    for (const error of [...relative(1, dScale), ...relative(2, dZero)])
      expect(error).toBeLessThan(1e-5);
  });
});
