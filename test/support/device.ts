// The devices that tests run on: this machine's GPU or its software driver, and variants of it.

import { Device, type AdapterFacts } from "../../src/gpu/device.ts";
import { requestDevice } from "../../src/node.ts";

/** This machine's device, as users get it. */
export function testDevice(): Promise<Device> {
  return requestDevice();
}

/** The same, with facts changed: `{ packedDot: false }` forces the shaders' own dot product. */
export async function variantDevice(changes: Partial<AdapterFacts>): Promise<Device> {
  const { gpu, facts } = await requestDevice();
  return new Device(gpu, { ...facts, ...changes }, true);
}

/** The last of Dawn's instances that requestDevice made, as `navigator.gpu` is in a browser. */
export function testInstance(): GPU {
  const { webgpuQuantInstances: made } = globalThis as unknown as {
    webgpuQuantInstances?: Map<string, GPU>;
  };
  const last = [...(made?.values() ?? [])].at(-1);
  if (!last) throw new Error("no device was requested yet");
  return last;
}
