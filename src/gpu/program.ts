// A plan made ready on a device: buffers allocated, constants uploaded, kernels compiled, bind groups
// made once. A run writes the inputs, encodes every step into one compute pass, submits once, and
// reads back the outputs and nothing else.

import { DisposedError } from "../errors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { BufferRole, Plan, Slice, StateSlot, Step } from "../plan/plan.ts";
import type { Device, Kernel } from "./device.ts";
import { decode, encode } from "./ports.ts";
import { packUniform } from "./shader.ts";

// GPUBufferUsage and GPUMapMode, by value: the globals are missing in Node.
const MAP_READ = 0x1;
const COPY_SRC = 0x4;
const COPY_DST = 0x8;
const UNIFORM = 0x40;
const STORAGE = 0x80;

const USAGE: Record<BufferRole, number> = {
  arena: STORAGE,
  constants: STORAGE | COPY_DST,
  state: STORAGE | COPY_DST | COPY_SRC,
  input: STORAGE | COPY_DST,
  output: STORAGE | COPY_SRC,
};

const UNIFORM_ALIGNMENT = 256;

interface Dispatch {
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly grid: readonly [number, number];
}

/** Bytes to read back: which buffer, and where they lie in the read-back buffer. */
interface Readback {
  readonly slice: Slice;
  readonly at: number;
}

export class Program implements Disposable {
  readonly plan: Plan;
  readonly #device: Device;
  readonly #buffers: readonly GPUBuffer[];
  readonly #owned: readonly GPUBuffer[];
  readonly #dispatches: readonly Dispatch[];
  readonly #readback: GPUBuffer;
  readonly #outputs: readonly Readback[];
  readonly #states: readonly Readback[];
  #busy: Promise<unknown> = Promise.resolve();
  #disposed = false;

  private constructor(
    device: Device,
    plan: Plan,
    parts: {
      buffers: GPUBuffer[];
      owned: GPUBuffer[];
      dispatches: Dispatch[];
      readback: GPUBuffer;
    },
  ) {
    this.plan = plan;
    this.#device = device;
    this.#buffers = parts.buffers;
    this.#owned = parts.owned;
    this.#dispatches = parts.dispatches;
    this.#readback = parts.readback;
    let at = 0;
    const reserve = (slice: Slice): Readback => {
      const place = { slice, at };
      at += slice.size;
      return place;
    };
    this.#outputs = plan.outputs.map(({ slice }) => reserve(slice));
    this.#states = plan.states.map(({ slice }) => reserve(slice));
  }

  /** Allocate, upload and compile. On failure nothing stays allocated. */
  static async create(device: Device, plan: Plan): Promise<Program> {
    const owned: GPUBuffer[] = [];
    const own = (buffer: GPUBuffer) => {
      owned.push(buffer);
      return buffer;
    };
    const kernels = await Promise.all(
      plan.steps.map(({ shader, overrides }) => device.kernel(shader, overrides)),
    );
    try {
      return await device.scoped("compile", () => {
        const buffers = plan.buffers.map(({ role, size }) =>
          own(device.createBuffer({ label: role, size, usage: USAGE[role] })),
        );
        for (const { slice, data } of plan.uploads) write(device, buffers, slice, data);
        const uniforms = packUniforms(plan, kernels);
        const uniformBuffer = own(
          device.createBuffer({
            label: "uniforms",
            size: uniforms.bytes.byteLength,
            usage: UNIFORM | COPY_DST,
          }),
        );
        device.gpu.queue.writeBuffer(uniformBuffer, 0, uniforms.bytes);
        const size = [...plan.outputs, ...plan.states].reduce(
          (sum, { slice }) => sum + slice.size,
          0,
        );
        const readback = own(
          device.createBuffer({
            label: "readback",
            size: Math.max(4, size),
            usage: MAP_READ | COPY_DST,
          }),
        );
        const dispatches = plan.steps.map((step, index) =>
          bind(
            device,
            buffers,
            uniformBuffer,
            uniforms.offsets[index] ?? 0,
            step,
            element(kernels, index),
          ),
        );
        return new Program(device, plan, { buffers, owned, dispatches, readback });
      });
    } catch (error) {
      for (const buffer of owned) device.free(buffer);
      throw error;
    }
  }

  /** Run once. Inputs are row-major and have the shapes of `plan.inputs`; outputs likewise. Calls
   *  queue: one run at a time uses the buffers. */
  run(inputs: ReadonlyMap<string, Tensor>, signal?: AbortSignal): Promise<Map<string, Tensor>> {
    return this.#queue(async () => {
      signal?.throwIfAborted();
      await this.#submit(inputs, this.#outputs);
      const bytes = await this.#map(this.#outputs);
      return new Map(
        this.plan.outputs.map((port, index) => [port.name, decode(port, element(bytes, index))]),
      );
    });
  }

  /** Run once and read every state slot (their bytes, in the order of `plan.states`). */
  runStates(
    inputs: ReadonlyMap<string, Tensor>,
    signal?: AbortSignal,
  ): Promise<{ slot: StateSlot; bytes: ArrayBuffer }[]> {
    return this.#queue(async () => {
      signal?.throwIfAborted();
      await this.#submit(inputs, this.#states);
      const bytes = await this.#map(this.#states);
      return this.plan.states.map((slot, index) => ({ slot, bytes: element(bytes, index) }));
    });
  }

  /** Wall time of each step, ms: the least of `repeats`, each step submitted alone. For profiles: the
   *  sum is more than a run takes. */
  timeSteps(repeats: number): Promise<number[]> {
    return this.#queue(async () => {
      const { gpu } = this.#device;
      const times: number[] = [];
      for (const { pipeline, group, grid } of this.#dispatches) {
        let least = Infinity;
        for (let repeat = 0; repeat < repeats; repeat++) {
          const start = performance.now();
          const encoder = gpu.createCommandEncoder();
          const pass = encoder.beginComputePass();
          pass.setPipeline(pipeline);
          pass.setBindGroup(0, group);
          pass.dispatchWorkgroups(grid[0], grid[1]);
          pass.end();
          gpu.queue.submit([encoder.finish()]);
          await this.#device.race(gpu.queue.onSubmittedWorkDone());
          least = Math.min(least, performance.now() - start);
        }
        times.push(least);
      }
      return times;
    });
  }

  /** Overwrite part of a state slot before the next run; `offset` in bytes, a multiple of four. */
  writeState(slot: StateSlot, offset: number, data: ArrayBufferView): void {
    const { slice } = slot;
    write(this.#device, this.#buffers, { ...slice, offset: slice.offset + offset }, data);
  }

  #queue<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#busy.then(() => {
      if (this.#disposed)
        throw new DisposedError("session: used after dispose(). Compile the model again.");
      this.#device.check();
      return work();
    });
    this.#busy = result.catch(() => undefined);
    return result;
  }

  #submit(inputs: ReadonlyMap<string, Tensor>, wanted: readonly Readback[]): Promise<void> {
    return this.#device.scoped("run", () => {
      const { gpu } = this.#device;
      for (const port of this.plan.inputs) {
        const input = inputs.get(port.name);
        if (input) write(this.#device, this.#buffers, port.slice, encode(port, input));
      }
      const encoder = gpu.createCommandEncoder();
      for (const { slice, cleared = [] } of this.plan.states) {
        const buffer = element(this.#buffers, slice.buffer);
        for (const [offset, size] of cleared)
          if (size > 0) encoder.clearBuffer(buffer, slice.offset + offset, size);
      }
      const pass = encoder.beginComputePass();
      for (const { pipeline, group, grid } of this.#dispatches) {
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, group);
        pass.dispatchWorkgroups(grid[0], grid[1]);
      }
      pass.end();
      for (const { slice, at } of wanted) {
        encoder.copyBufferToBuffer(
          element(this.#buffers, slice.buffer),
          slice.offset,
          this.#readback,
          at,
          slice.size,
        );
      }
      gpu.queue.submit([encoder.finish()]);
    });
  }

  async #map(wanted: readonly Readback[]): Promise<ArrayBuffer[]> {
    const first = wanted[0];
    const last = wanted.at(-1);
    if (!first || !last) {
      await this.#device.race(this.#device.gpu.queue.onSubmittedWorkDone());
      return [];
    }
    const size = last.at + last.slice.size - first.at;
    await this.#device.race(this.#readback.mapAsync(MAP_READ, first.at, size));
    const mapped = this.#readback.getMappedRange(first.at, size);
    const parts = wanted.map(({ slice, at }) =>
      mapped.slice(at - first.at, at - first.at + slice.size),
    );
    this.#readback.unmap();
    return parts;
  }

  /** Free all buffers. A run in flight rejects. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const buffer of this.#owned) this.#device.free(buffer);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** Element `index`, which a plan that was lowered whole always has. */
function element<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new Error(`program: no element ${index}; please report.`);
  return item;
}

/** Bytes of a view, padded to the multiple of four that WebGPU writes. */
function write(
  device: Device,
  buffers: readonly GPUBuffer[],
  slice: Slice,
  data: ArrayBufferView,
): void {
  const buffer = element(buffers, slice.buffer);
  const whole = data.byteLength - (data.byteLength % 4);
  const { queue } = device.gpu;
  if (whole > 0)
    queue.writeBuffer(buffer, slice.offset, data.buffer as ArrayBuffer, data.byteOffset, whole);
  if (whole === data.byteLength) return;
  const tail = new Uint8Array(4);
  tail.set(new Uint8Array(data.buffer, data.byteOffset + whole, data.byteLength - whole));
  queue.writeBuffer(buffer, slice.offset + whole, tail);
}

function packUniforms(
  plan: Plan,
  kernels: readonly Kernel[],
): { bytes: Uint8Array<ArrayBuffer>; offsets: number[] } {
  const packed = plan.steps.map((step, index) => {
    const params = element(kernels, index).shader.bindings["params"];
    return params?.type === "uniform" ? packUniform(params, step.uniforms) : new ArrayBuffer(0);
  });
  let size = 0;
  const offsets = packed.map(({ byteLength }) => {
    const offset = size;
    size += Math.ceil(byteLength / UNIFORM_ALIGNMENT) * UNIFORM_ALIGNMENT;
    return offset;
  });
  const bytes = new Uint8Array(Math.max(UNIFORM_ALIGNMENT, size));
  packed.forEach((buffer, index) => bytes.set(new Uint8Array(buffer), offsets[index]));
  return { bytes, offsets };
}

function bind(
  device: Device,
  buffers: readonly GPUBuffer[],
  uniforms: GPUBuffer,
  offset: number,
  step: Step,
  kernel: Kernel,
): Dispatch {
  const entries = Object.entries(kernel.shader.bindings).map(
    ([name, binding]): GPUBindGroupEntry => {
      if (binding.type === "uniform") {
        return {
          binding: binding.binding,
          resource: { buffer: uniforms, offset, size: binding.size },
        };
      }
      const slice = step.buffers[name];
      if (!slice)
        throw new Error(`${step.shader} "${step.node}": no buffer "${name}"; please report.`);
      const { buffer, ...range } = slice;
      return { binding: binding.binding, resource: { buffer: element(buffers, buffer), ...range } };
    },
  );
  const group = device.gpu.createBindGroup({ label: step.node, layout: kernel.layout, entries });
  return { pipeline: kernel.pipeline, group, grid: step.grid };
}
