// A WebGPU device and what this library keeps on it: compiled kernels, and a count of live buffers.
// A loss is final: everything pending rejects with DeviceLostError, and so does every later call.

import {
  DeviceLostError,
  DisposedError,
  GpuError,
  NoAdapterError,
  NoWebGpuError,
} from "../errors.ts";
import { joinParts } from "./joinParts.ts";
import { admitMatrices, matrixSizes, type MatrixFacts } from "./matrices.ts";
import { hasQuads } from "./quads.ts";
import { shaders } from "./shaders.gen.ts";
import type { Shader } from "./shader.ts";

/** Live GPU memory that this library holds. */
export interface Memory {
  readonly buffers: number;
  readonly bytes: number;
}

export interface DeviceOptions {
  readonly powerPreference?: GPUPowerPreference;
  /** Ask for a software adapter, where the browser has one. */
  readonly forceFallbackAdapter?: boolean;
}

/** What an adapter tells of itself. */
export interface AdapterFacts {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  readonly isFallback: boolean;
  /** Kernels use dot4I8Packed; else lib/dot4_unpacked.wgsl, which gives the same integers. */
  readonly packedDot: boolean;
  /** Four consecutive invocations of a workgroup are a quad (quads.ts): not known of adopted devices. */
  readonly quads?: boolean;
  /** The int8 matrices of subgroups that the adapter offers, and what the test of them gave
   *  (matrices.ts). Absent where the feature is not offered. */
  readonly matrices?: readonly MatrixFacts[];
}

/** A kernel: a shader made into a pipeline for one set of overrides. */
export interface Kernel {
  readonly shader: Shader;
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/** Told when somebody begins and ends to wait for the GPU. */
export interface Pacer {
  begin(): void;
  end(): void;
}

/** A validation error goes first: what follows from it is no news. */
const ANY_ERROR = ["internal", "out-of-memory", "validation"] as const;

const PACKED_DOT = "packed_4x8_integer_dot_product";

export class Device implements Disposable {
  readonly gpu: GPUDevice;
  readonly facts: AdapterFacts;
  /** Resolves when the device is lost, by dispose() too. */
  readonly lost: Promise<GPUDeviceLostInfo>;
  /** Where waiting itself costs time (nodePacer.ts). */
  pacer: Pacer | undefined;
  readonly #owned: boolean;
  readonly #kernels = new Map<string, Promise<Kernel>>();
  readonly #buffers = new Map<GPUBuffer, number>();
  /** Those who wait for the GPU now; one listener on `lost` serves them all. */
  readonly #waiting = new Set<(error: DeviceLostError) => void>();
  #loss: DeviceLostError | undefined;
  #disposed = false;

  constructor(gpu: GPUDevice, facts: AdapterFacts, owned: boolean) {
    this.gpu = gpu;
    this.facts = facts;
    this.#owned = owned;
    this.lost = gpu.lost.then((info) => {
      const loss = new DeviceLostError(info.reason, info.message);
      this.#loss = loss;
      for (const reject of this.#waiting) reject(loss);
      return info;
    });
  }

  /** Live buffers and their bytes. */
  get memory(): Memory {
    let bytes = 0;
    for (const size of this.#buffers.values()) bytes += size;
    return { buffers: this.#buffers.size, bytes };
  }

  /** Throws where the device is lost or disposed. */
  check(): void {
    if (this.#disposed)
      throw new DisposedError("device: used after dispose(). Request a new device.");
    if (this.#loss) throw this.#loss;
  }

  /** `promise`, or a DeviceLostError if the device goes first: GPU promises may never settle then. */
  async race<T>(promise: Promise<T>): Promise<T> {
    this.check();
    let reject: (error: DeviceLostError) => void = () => undefined;
    const lost = new Promise<never>((_, rejectLost) => (reject = rejectLost));
    this.#waiting.add(reject);
    this.pacer?.begin();
    try {
      return await Promise.race([promise, lost]);
    } finally {
      this.pacer?.end();
      this.#waiting.delete(reject);
    }
  }

  /** A buffer that is counted until `free`. Throws GpuError (through `scoped`) when memory is out. */
  createBuffer(descriptor: GPUBufferDescriptor): GPUBuffer {
    this.check();
    if (descriptor.size > this.gpu.limits.maxBufferSize) {
      throw new GpuError(
        `device: a buffer of ${descriptor.size} bytes is over the adapter's limit of ` +
          `${this.gpu.limits.maxBufferSize}. Use a smaller batch.`,
      );
    }
    const buffer = this.gpu.createBuffer(descriptor);
    this.#buffers.set(buffer, descriptor.size);
    return buffer;
  }

  /** Destroy a buffer that `createBuffer` made. */
  free(buffer: GPUBuffer): void {
    if (this.#buffers.delete(buffer)) buffer.destroy();
  }

  /** Run `work`, which must not wait for anything (error scopes are a stack that all callers share); a
   *  GPU error of the kinds `filters` that it causes is thrown as GpuError, named by `where`: of several the one whose
   *  kind comes last in `filters`. */
  async scoped<T>(
    where: string,
    work: () => T,
    filters: readonly GPUErrorFilter[] = ANY_ERROR,
  ): Promise<T> {
    this.check();
    const { gpu } = this;
    for (const filter of filters) gpu.pushErrorScope(filter);
    let popped: Promise<(GPUError | null)[]>;
    let result: T;
    try {
      result = work();
    } finally {
      popped = Promise.all(filters.map(() => gpu.popErrorScope()));
    }
    // Popped in the reverse order: the last filter's comes first, and goes first.
    const errors = await this.race(popped);
    const first = errors.findIndex((error) => error !== null);
    const error = errors[first];
    if (error) {
      const wayOut =
        filters.at(-1 - first) === "out-of-memory"
          ? `Out of GPU memory (${this.memory.bytes} bytes held here): use a smaller batch or dispose sessions.`
          : "Please report this with the output of `webgpu-quant doctor`.";
      throw new GpuError(`${where}: ${error.message}. ${wayOut}`);
    }
    return result;
  }

  /** The kernel of `name` with `overrides`, compiled once a device. */
  kernel(name: keyof typeof shaders, overrides: Readonly<Record<string, number>>): Promise<Kernel> {
    this.check();
    const key = `${name} ${JSON.stringify(Object.entries(overrides).sort())}`;
    let kernel = this.#kernels.get(key);
    if (!kernel) {
      kernel = this.#compile(shaders[name], overrides);
      this.#kernels.set(key, kernel);
    }
    return kernel;
  }

  async #compile(shader: Shader, overrides: Readonly<Record<string, number>>): Promise<Kernel> {
    const { gpu } = this;
    const entries = Object.values(shader.bindings).map(({ binding, type }) => ({
      binding,
      visibility: 4, // GPUShaderStage.COMPUTE; the global is missing in Node
      buffer: { type },
    }));
    const layout = gpu.createBindGroupLayout({ label: shader.label, entries });
    const { PACKED_DOT } = overrides;
    const packedDot = PACKED_DOT === undefined ? this.facts.packedDot : PACKED_DOT === 1;
    const module = gpu.createShaderModule({
      label: shader.label,
      code: joinParts(shader, packedDot, overrides),
    });
    const constants = Object.fromEntries(
      Object.entries(overrides).filter(([name]) => !(name in shader.tile)),
    );
    const pipeline = await this.race(
      gpu.createComputePipelineAsync({
        label: shader.label,
        layout: gpu.createPipelineLayout({ bindGroupLayouts: [layout] }),
        compute: { module, entryPoint: "main", constants },
      }),
    ).catch((error: unknown) => {
      if (error instanceof DeviceLostError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new GpuError(
        `shader ${shader.label} ${JSON.stringify(overrides)}: ${reason}. Please report this with the ` +
          "output of `webgpu-quant doctor`.",
      );
    });
    return { shader, pipeline, layout };
  }

  /** Frees all buffers made here; destroys the device if requestDevice made it. */
  dispose(): void {
    if (this.#disposed) return;
    for (const buffer of this.#buffers.keys()) buffer.destroy();
    this.#buffers.clear();
    this.#kernels.clear();
    this.#disposed = true;
    if (this.#owned) this.gpu.destroy();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

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

/** Ask `gpu` for an adapter and a device. Disposing the result destroys it.
 *  Throws NoWebGpuError, NoAdapterError. */
export async function requestDeviceFrom(
  gpu: GPU | undefined,
  options: DeviceOptions = {},
): Promise<Device> {
  if (gpu === undefined) {
    throw new NoWebGpuError(
      "requestDevice: this runtime has no WebGPU. In Node import requestDevice from " +
        '"webgpu-quant/node"; in a browser use one with WebGPU, on https or localhost.',
    );
  }
  const adapter = await gpu.requestAdapter(options);
  if (adapter === null) {
    throw new NoAdapterError(
      "requestDevice: WebGPU is there, but it offers no adapter. Turn on hardware acceleration, " +
        "update the graphics driver, or start Chromium with --enable-unsafe-webgpu for its software adapter.",
    );
  }
  const { device, matrices, isLost } = await openDevice(adapter);
  const facts = { ...describe(gpu, adapter.info), ...(matrices ? { matrices } : {}) };
  if (isLost) {
    // A driver that the test of an experimental feature brings down still does everything else.
    const again = await gpu.requestAdapter(options);
    if (again) return await finish((await openDevice(again, false)).device, facts);
  }
  return await finish(device, facts);
}

async function finish(device: GPUDevice, facts: AdapterFacts): Promise<Device> {
  return new Device(device, { ...facts, quads: await hasQuads(device) }, true);
}

/** A device of `adapter` with everything that is used; with matrices, the test of them. */
async function openDevice(adapter: GPUAdapter, tryMatrices = true) {
  const requiredLimits = Object.fromEntries(
    Object.entries(WANTED).map(([name, wanted]) => [
      name,
      Math.min(wanted, adapter.limits[name as keyof typeof WANTED]),
    ]),
  );
  const isOffered = tryMatrices && MATRIX_FEATURES.every((name) => adapter.features.has(name));
  const sizes = isOffered ? matrixSizes(adapter.info) : [];
  const requiredFeatures = [
    ...FEATURES.filter((feature) => adapter.features.has(feature)),
    ...(sizes.length > 0 ? (MATRIX_FEATURES as GPUFeatureName[]) : []),
  ];
  const device = await adapter.requestDevice({ requiredLimits, requiredFeatures });
  if (!isOffered) return { device, matrices: undefined, isLost: false };
  let isLost = false;
  void device.lost.then(() => (isLost = true));
  const { subgroupMinSize: least, subgroupMaxSize: greatest } = adapter.info;
  const matrices = await admitMatrices(device, sizes, { least, greatest });
  return { device, matrices, isLost };
}

/** Use a device that the caller owns: disposing only frees what was made on it here. `gpu` is where it
 *  came from; Node has no global one, so pass it there. Throws NoWebGpuError without it. */
export function adoptDevice(device: GPUDevice, gpu?: GPU): Device {
  const source = gpu ?? (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu;
  if (source === undefined) {
    throw new NoWebGpuError(
      "adoptDevice: this runtime has no navigator.gpu. Pass the GPU object that made the device as the second argument.",
    );
  }
  return new Device(device, describe(source, device.adapterInfo), false);
}
