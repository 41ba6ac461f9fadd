// Asking for a device: an adapter, the limits and features that are used, and what the adapter tells of itself.

import {
  BlockedError,
  MissingFeatureError,
  NoAdapterError,
  NoWebGpuError,
  SoftwareAdapterError,
} from "../errors.ts";
import { Device, type AdapterFacts, type Reopen } from "./device.ts";
import { admitMatrices, matrixSizes } from "./matrices.ts";
import { hasQuads } from "./quads.ts";

export interface DeviceOptions {
  readonly powerPreference?: GPUPowerPreference;
  /** Ask for a software adapter, where the browser has one. */
  readonly forceFallbackAdapter?: boolean;
  /** False refuses a software adapter: everything runs there, many times slower than on a GPU. Default: true. */
  readonly allowSoftware?: boolean;
  /** Features that the caller's own shaders need of the device; this library needs none. */
  readonly requiredFeatures?: readonly GPUFeatureName[];
}

/** Sources of devices one of which was lost: a browser that offers no adapter after that has blocked it. */
const troubled = new WeakSet<GPU>();

const PACKED_DOT = "packed_4x8_integer_dot_product";

function describe(gpu: GPU, info: GPUAdapterInfo): AdapterFacts {
  const { vendor, architecture, device, description } = info;
  const isFallback =
    info.isFallbackAdapter || architecture === "swiftshader" || architecture === "llvmpipe";
  // Software adapters have the feature and emulate it, slower than the unpacked form (kernel bench).
  const packedDot = gpu.wgslLanguageFeatures.has(PACKED_DOT) && !isFallback;
  return { vendor, architecture, device, description, isFallback, packedDot };
}

/** Features that are used where they are there. */
const FEATURES = ["subgroups", "timestamp-query"] as const;

/** What matrices of subgroups need; the first is experimental and only offered where a flag asks for it. */
const MATRIX_FEATURES: readonly string[] = [
  "chromium-experimental-subgroup-matrix",
  "subgroup-size-control",
];

/** Limits worth more than the default; each is asked for as min(adapter, wanted). */
const WANTED = {
  maxBufferSize: 2 ** 32,
  maxStorageBufferBindingSize: 2 ** 31 - 4,
} as const;

/**
 * Ask `gpu` for an adapter and a device. Disposing the result destroys it; where it is lost, `recover` asks again by
 * `reopen`.
 * @throws NoWebGpuError without `gpu`; NoAdapterError where it offers none; BlockedError where the browser refuses one;
 *   SoftwareAdapterError and MissingFeatureError as `options` say.
 */
export async function requestDeviceFrom(
  gpu: GPU | undefined,
  options: DeviceOptions = {},
  reopen: Reopen = () => requestDeviceFrom(gpu, options),
): Promise<Device> {
  if (gpu === undefined) {
    const { isSecureContext } = globalThis as { isSecureContext?: boolean };
    throw new NoWebGpuError(
      isSecureContext === false
        ? "requestDevice: browsers offer WebGPU to secure pages only, and this one is not. Serve it on https or localhost."
        : "requestDevice: this runtime has no WebGPU. In Node import requestDevice from " +
            '"webgpu-quant/node"; in a browser use one with WebGPU, on https or localhost.',
    );
  }
  const adapter = await adapterOf(gpu, options);
  const { device, matrices, isLost } = await openDevice(adapter, options);
  const facts = { ...describe(gpu, adapter.info), ...(matrices ? { matrices } : {}) };
  if (isLost) {
    // A driver that the test of an experimental feature brings down still does everything else.
    const again = await gpu.requestAdapter(options);
    if (again) {
      const plain = await openDevice(again, options, false);
      return await finish(plain.device, facts, gpu, reopen);
    }
  }
  return await finish(device, facts, gpu, reopen);
}

/** The adapter that `options` ask for, or why there is none. */
async function adapterOf(gpu: GPU, options: DeviceOptions): Promise<GPUAdapter> {
  const adapter = await gpu.requestAdapter(options).catch((error: unknown) => {
    throw blocked(error);
  });
  if (adapter === null) {
    if (troubled.has(gpu)) throw blocked("no adapter is offered since a device was lost");
    throw new NoAdapterError(
      "requestDevice: WebGPU is there, but it offers no adapter. Turn on hardware acceleration, " +
        "update the graphics driver, or start Chromium with --enable-unsafe-webgpu for its software adapter.",
    );
  }
  const { isFallback, description, architecture } = describe(gpu, adapter.info);
  if (isFallback && options.allowSoftware === false)
    throw new SoftwareAdapterError(
      `requestDevice: allowSoftware is false; got the software adapter ${description || architecture}. Turn on ` +
        "hardware acceleration or update the graphics driver, or leave the option out to run slowly.",
    );
  const missing = (options.requiredFeatures ?? []).filter((name) => !adapter.features.has(name));
  if (missing.length > 0)
    throw new MissingFeatureError(
      `requestDevice: requiredFeatures must be offered by the adapter; got an adapter without ${missing.join(", ")}. ` +
        "Leave them out and do without, or use another GPU or browser.",
      missing,
    );
  return adapter;
}

function blocked(cause: unknown): BlockedError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new BlockedError(
    `requestDevice: the browser refuses WebGPU here: ${reason}. It does so for a while after its GPU process failed: ` +
      "wait a minute and try again, then reload the page or restart the browser; in a frame, allow it there.",
    { cause },
  );
}

async function finish(
  device: GPUDevice,
  facts: AdapterFacts,
  source: GPU,
  reopen: Reopen,
): Promise<Device> {
  void device.lost.then(({ reason }) => {
    if (reason !== "destroyed") troubled.add(source);
  });
  return new Device(device, { ...facts, quads: await hasQuads(device) }, true, reopen);
}

/** A device of `adapter` with everything that is used; with matrices, the test of them. */
async function openDevice(
  adapter: GPUAdapter,
  { requiredFeatures: asked = [] }: DeviceOptions,
  tryMatrices = true,
) {
  const requiredLimits = Object.fromEntries(
    Object.entries(WANTED).map(([name, wanted]) => [
      name,
      Math.min(wanted, adapter.limits[name as keyof typeof WANTED]),
    ]),
  );
  const isOffered = tryMatrices && MATRIX_FEATURES.every((name) => adapter.features.has(name));
  const sizes = isOffered ? matrixSizes(adapter.info) : [];
  const requiredFeatures = [
    ...asked,
    ...FEATURES.filter((feature) => adapter.features.has(feature)),
    ...(sizes.length > 0 ? (MATRIX_FEATURES as GPUFeatureName[]) : []),
  ];
  const device = await adapter
    .requestDevice({ requiredLimits, requiredFeatures: [...new Set(requiredFeatures)] })
    .catch((error: unknown) => {
      throw blocked(error);
    });
  if (!isOffered) return { device, matrices: undefined, isLost: false };
  let isLost = false;
  void device.lost.then(() => (isLost = true));
  const { subgroupMinSize: least, subgroupMaxSize: greatest } = adapter.info;
  const matrices = await admitMatrices(device, sizes, { least, greatest });
  return { device, matrices, isLost };
}

/** How an adopted device is replaced after a loss. */
export interface AdoptOptions {
  /** Makes another GPUDevice, which the caller owns too. Without it `recover` gives the loss. */
  readonly reopen?: () => Promise<GPUDevice>;
}

/** Use a device that the caller owns: disposing only frees what was made on it here. `gpu` is where it
 *  came from; Node has no global one, so pass it there. Throws NoWebGpuError without it. */
export function adoptDevice(device: GPUDevice, gpu?: GPU, options: AdoptOptions = {}): Device {
  const source = gpu ?? (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu;
  if (source === undefined) {
    throw new NoWebGpuError(
      "adoptDevice: this runtime has no navigator.gpu. Pass the GPU object that made the device as the second argument.",
    );
  }
  const { reopen } = options;
  const again = reopen && (async () => adoptDevice(await reopen(), source, options));
  return new Device(device, describe(source, device.adapterInfo), false, again);
}
