// `webgpu-quant`: the verbs. load → prepare → calibrate → convert → compile → run, save, compare.

export * from "./errors.ts";
export { adoptDevice, Device, type AdapterFacts, type DeviceOptions, type Memory } from "./gpu/device.ts";
