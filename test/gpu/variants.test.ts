// The same kernels on other devices than this machine's own: with the packed dot product and without it
// (the shaders' own replacement), and with no more than the limits that every WebGPU device has.

import { afterAll, describe, expect, it } from "vitest";
import type { Device } from "../../src/gpu/device.ts";
import { Device as DeviceClass } from "../../src/gpu/device.ts";
import { requestDevice } from "../../src/node.ts";
import { testInstance, variantDevice } from "../support/device.ts";
import { attentions } from "../support/families/attention.ts";
import { convolutions, largeConvolutions } from "../support/families/convolution.ts";
import { elementwise } from "../support/families/elementwise.ts";
import { gradients } from "../support/families/gradients.ts";
import { engines } from "../support/families/engines.ts";
import { products } from "../support/families/matmul.ts";
import { movements } from "../support/families/movement.ts";
import { norms } from "../support/families/norms.ts";
import { pools } from "../support/families/pools.ts";

const families = [
  ...convolutions,
  ...largeConvolutions,
  ...products,
  ...elementwise,
  ...engines,
  ...norms,
  ...gradients,
  ...pools,
  ...attentions,
  ...movements,
];
const devices: Device[] = [];
afterAll(() => {
  for (const device of devices) device.dispose();
});

async function once(make: () => Promise<Device>): Promise<() => Promise<Device>> {
  let made: Promise<Device> | undefined;
  return () =>
    (made ??= make().then((device) => {
      devices.push(device);
      return device;
    }));
}

const withDot = {
  packed: await once(() => variantDevice({ packedDot: true })),
  unpacked: await once(() => variantDevice({ packedDot: false })),
};

const atDefaults = await once(async () => {
  const { gpu, facts } = await requestDevice();
  const adapter = await testInstance().requestAdapter();
  gpu.destroy();
  return new DeviceClass(await adapter!.requestDevice(), { ...facts, quads: false }, true);
});

describe.each(["packed", "unpacked"] as const)("with the dot product %s", (form) => {
  const integers = families.filter(({ title }) =>
    /integers|Quantize|accumulators|tile/.test(title),
  );

  it.each(integers)("$title", async ({ check }) => {
    const device = await withDot[form]();
    const hasFeature = testInstance().wgslLanguageFeatures.has("packed_4x8_integer_dot_product");
    // A runtime without the feature cannot compile the packed form: there is nothing to test there.
    if (form === "packed" && !hasFeature) return;
    expect(device.facts.packedDot).toBe(form === "packed");
    await check(device, 12);
  });
});

describe("with the default limits", () => {
  it("the device has no more than they allow", async () => {
    const { gpu } = await atDefaults();
    expect(gpu.limits.maxStorageBufferBindingSize).toBe(134217728);
    expect(gpu.limits.maxBufferSize).toBe(268435456);
    expect(gpu.features.has("shader-f16")).toBe(false);
  });

  it.each(families)("$title", async ({ check }) => {
    await check(await atDefaults(), 5);
  });
});
