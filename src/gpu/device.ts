// A WebGPU device and what this library keeps on it: compiled kernels, and a count of live buffers.
// A loss is final: everything pending rejects with DeviceLostError, and so does every later call. What goes on
// after it goes on on another device, which `recover` asks for.

import {
  DeviceLostError,
  DisposedError,
  GpuError,
  NoAdapterError,
  WebGpuQuantError,
} from "../errors.ts";
import { sleep } from "../flow/abort.ts";
import { Joint } from "../flow/joint.ts";
import { joinParts } from "./joinParts.ts";
import type { MatrixFacts } from "./matrices.ts";
import { shaders } from "./shaders.gen.ts";
import type { Shader } from "./shader.ts";

/** Live GPU memory that this library holds. */
export interface Memory {
  readonly buffers: number;
  readonly bytes: number;
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

/** Tells a shader with its overrides from any other. */
export function keyOfKernel(name: string, overrides: Readonly<Record<string, number>>): string {
  return `${name} ${JSON.stringify(Object.entries(overrides).sort())}`;
}

/** Told when somebody begins and ends to wait for the GPU. */
export interface Pacer {
  begin(): void;
  end(): void;
}

const REPORT = "Please report this with the output of `webgpu-quant doctor`.";

/** A validation error goes first: what follows from it is no news. */
const ANY_ERROR = ["internal", "out-of-memory", "validation"] as const;

/** A failed call and the news of the loss that it failed by arrive apart: so long is waited for the other, ms. */
const NEWS = 100;
/** The same where the words of the failure speak of a loss: a browser that restarts its GPU process is busy. */
const LATE_NEWS = 3000;
/** What Chromium and Dawn say of calls whose device, or whose process, is gone. */
const LOSS_WORDS =
  /\b(lost|destroyed device|external instance|instance (was )?dropped|disconnect)/i;
/** What drivers say where they call it no out-of-memory error. */
const MEMORY_WORDS = /out of (device |host )?memory|allocation|VK_ERROR_OUT_OF/i;

/** Asks for a device like one that was lost. */
export type Reopen = () => Promise<Device>;

export class Device implements Disposable {
  readonly gpu: GPUDevice;
  readonly facts: AdapterFacts;
  /** Resolves when the device is lost, by dispose() too. */
  readonly lost: Promise<GPUDeviceLostInfo>;
  /** Where waiting itself costs time (nodePacer.ts). */
  pacer: Pacer | undefined;
  readonly #owned: boolean;
  readonly #reopen: Reopen | undefined;
  readonly #kernels = new Map<string, Promise<Kernel>>();
  readonly #buffers = new Map<GPUBuffer, number>();
  /** Those who wait for the GPU now; one listener on `lost` serves them all. */
  readonly #waiting = new Set<(error: DeviceLostError) => void>();
  #loss: DeviceLostError | undefined;
  #successor: Joint<Device> | undefined;
  #disposed = false;
  /** Buffers that the `scoped` work under way has made. */
  #made: GPUBuffer[] | undefined;

  /** `owned`: disposing destroys it. `reopen` makes its successor after a loss. */
  constructor(gpu: GPUDevice, facts: AdapterFacts, owned: boolean, reopen?: Reopen) {
    this.gpu = gpu;
    this.facts = facts;
    this.#owned = owned;
    this.#reopen = reopen;
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

  get isLost(): boolean {
    return this.#loss !== undefined;
  }

  /** The device to use now: this one, or what `recover` has put in its place. */
  get current(): Device {
    return this.#successor?.value?.current ?? this;
  }

  /**
   * The device to go on with: this one while it lives, and after a loss a new one of the same adapter. It is
   * asked for once, whoever asks, and again where that failed. Disposing this device disposes it too.
   * @throws DisposedError after dispose(); DeviceLostError where it was adopted without a way to another;
   *   NoAdapterError where there is none now, or only another one; the reason of `signal`.
   */
  async recover(signal?: AbortSignal): Promise<Device> {
    const last = this.current;
    if (last !== this) return await last.recover(signal);
    if (this.#disposed) this.check();
    if (!this.#loss) return this;
    const reopen = this.#reopen;
    if (!reopen) throw this.#loss;
    if (!this.#successor || this.#successor.isOver)
      this.#successor = new Joint(
        async () => this.#like(await reopen()),
        (device) => device.dispose(),
      );
    return await this.#successor.wait(signal);
  }

  /** `next`, if what was planned for this device runs there to the same bits. */
  #like(next: Device): Device {
    const [mine, its] = [this.facts, next.facts].map((facts) => JSON.stringify(facts));
    if (mine === its && !this.#disposed) return next;
    next.dispose();
    if (this.#disposed) this.check();
    throw new NoAdapterError(
      `recover: the adapter must be the one that was lost (${nameOf(this.facts)}); got ` +
        `${nameOf(next.facts)}. Request a new device and compile again.`,
    );
  }

  /** `error`, or the loss that it came of: news of that may come a little later. */
  async #orLoss(error: unknown): Promise<unknown> {
    if (error instanceof WebGpuQuantError && !(error instanceof GpuError)) return error;
    const words = error instanceof Error ? error.message : String(error);
    const saysSo = LOSS_WORDS.test(words);
    const over = new AbortController();
    const late = sleep(saysSo ? LATE_NEWS : NEWS, over.signal).catch(() => undefined);
    await Promise.race([this.lost, late]);
    over.abort();
    if (this.#loss) return this.#loss;
    if (saysSo) return new DeviceLostError("unknown", words);
    return error instanceof WebGpuQuantError ? error : new GpuError(`device: ${words}. ${REPORT}`);
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
    } catch (error) {
      throw await this.#orLoss(error);
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
    this.#made?.push(buffer);
    return buffer;
  }

  /** Destroy a buffer that `createBuffer` made. */
  free(buffer: GPUBuffer): void {
    if (this.#buffers.delete(buffer)) buffer.destroy();
  }

  /** Run `work`, which must not wait for anything (error scopes are a stack that all callers share); a
   *  GPU error of the kinds `filters` that it causes is thrown as GpuError, named by `where`: of several the one whose
   *  kind comes last in `filters`. Where it fails in any way, the buffers that it made are freed. */
  async scoped<T>(
    where: string,
    work: () => T,
    filters: readonly GPUErrorFilter[] = ANY_ERROR,
  ): Promise<T> {
    this.check();
    const { gpu } = this;
    const made: GPUBuffer[] = [];
    try {
      for (const filter of filters) gpu.pushErrorScope(filter);
      let popped: Promise<(GPUError | null)[]>;
      let result: T;
      this.#made = made;
      try {
        result = work();
      } finally {
        this.#made = undefined;
        popped = Promise.all(filters.map(() => gpu.popErrorScope()));
        popped.catch(() => undefined); // what `work` throws goes first
      }
      // Popped in the reverse order: the last filter's comes first, and goes first.
      const errors = await this.race(popped);
      const first = errors.findIndex((error) => error !== null);
      const error = errors[first];
      if (error) throw await this.#orLoss(this.#explained(where, error, filters.at(-1 - first)));
      return result;
    } catch (error) {
      for (const buffer of made) this.free(buffer);
      throw error;
    }
  }

  #explained(where: string, { message }: Error | GPUError, filter?: GPUErrorFilter): GpuError {
    const wayOut =
      filter === "out-of-memory" || MEMORY_WORDS.test(message)
        ? `Out of GPU memory (${this.memory.bytes} bytes held here): use a smaller batch or dispose sessions.`
        : REPORT;
    return new GpuError(`${where}: ${message}. ${wayOut}`);
  }

  /** The kernel of `name` with `overrides`, compiled once a device. */
  kernel(name: keyof typeof shaders, overrides: Readonly<Record<string, number>>): Promise<Kernel> {
    this.check();
    const key = keyOfKernel(name, overrides);
    let kernel = this.#kernels.get(key);
    if (!kernel) {
      kernel = this.#compile(shaders[name], overrides);
      this.#kernels.set(key, kernel);
      kernel.catch(() => this.#kernels.delete(key)); // memory may be there the next time
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
      const reason = error instanceof Error ? error : new Error(String(error));
      throw this.#explained(`shader ${shader.label} ${JSON.stringify(overrides)}`, reason);
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
    this.#successor?.end((device) => device.dispose());
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

const nameOf = ({ vendor, architecture, description }: AdapterFacts): string =>
  [vendor, architecture, description].filter(Boolean).join(" ") || "unnamed";
