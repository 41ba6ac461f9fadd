// requestDevice in browsers and workers. Node has its own in node.ts, since it must load Dawn first.

import type { Device } from "./gpu/device.ts";
import { requestDeviceFrom, type DeviceOptions } from "./gpu/request.ts";

/** Ask the browser for a device; disposing it destroys it. Throws NoWebGpuError, NoAdapterError. */
export function requestDevice(options: DeviceOptions = {}): Promise<Device> {
  const gpu = typeof navigator === "undefined" ? undefined : (navigator.gpu as GPU | undefined);
  return requestDeviceFrom(gpu, options);
}
