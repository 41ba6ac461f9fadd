// Every rule on the device against PyTorch's autograd, one op at a time: kernels of the forward pass with filters and
// parameters that no file holds, and those of the backward pass.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../src/gpu/device.ts";
import { Session } from "../../src/session.ts";
import { difference } from "../support/cases.ts";
import { testDevice } from "../support/device.ts";
import { gradientFixtures, TOLERANCE } from "../support/gradientFixture.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});
afterAll(() => {
  expect(device.memory).toEqual({ buffers: 0, bytes: 0 });
  device.dispose();
});

describe("gradients on the device equal PyTorch's autograd:", () => {
  it.each(gradientFixtures)("$title", async ({ make }) => {
    const { graph, feeds, want } = make();
    using session = new Session(graph, device);
    const got = await session.run(feeds);
    for (const [name, gradient] of want)
      expect(difference(got[name], gradient, { tolerance: TOLERANCE })).toBeUndefined();
  });
});
