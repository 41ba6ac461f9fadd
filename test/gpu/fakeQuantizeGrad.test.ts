// The gradient's kernel against PyTorch's autograd, every element of the mask, at the clamp's edges and a
// few ULP beside them; random shapes are in kernels.test.ts.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../src/gpu/device.ts";
import { Session } from "../../src/session.ts";
import { toNumbers } from "../../src/tensor/tensor.ts";
import { single } from "../support/cases.ts";
import { testDevice } from "../support/device.ts";
import { gradCases } from "../support/fakeQuantizeGrad.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});
afterAll(() => device.dispose());

describe("FakeQuantizeGrad on the device passes what PyTorch's autograd passes", () => {
  it.each(gradCases)("$title", async ({ node, x, dY, want }) => {
    const { graph, feeds } = single(node, [{ tensor: x }, { tensor: dY }]);
    using session = new Session(graph, device);
    const { y0 } = await session.run(feeds);
    expect(toNumbers(y0!)).toEqual(want);
  });
});
