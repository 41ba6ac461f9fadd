// A plan's WebGPU objects: buffers with the constants in them, and one bind group and pipeline a step,
// made once so that a run only replays them.

import type { BufferRole, Plan, Slice, Step } from "../plan/plan.ts";
import type { Device, Kernel } from "./device.ts";
import { packUniforms } from "./uniforms.ts";

// GPUBufferUsage by value: the global is missing in Node.
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

/** One step, ready to be encoded. */
export interface Dispatch {
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly grid: readonly [number, number];
}

export interface LoadedPlan {
  /** One per Plan.buffers. */
  readonly buffers: readonly GPUBuffer[];
  /** One per Plan.steps. */
  readonly dispatches: readonly Dispatch[];
  /** Room for all outputs and states, to be mapped. */
  readonly readback: GPUBuffer;
  /** All buffers, to be freed. */
  readonly owned: readonly GPUBuffer[];
}

/** Allocate, upload and compile, all kernels at once. On failure nothing stays allocated. */
export async function loadPlan(device: Device, plan: Plan): Promise<LoadedPlan> {
  const kernels = await Promise.all(
    plan.steps.map(({ shader, overrides }) => device.kernel(shader, overrides)),
  );
  const owned: GPUBuffer[] = [];
  const create = (label: string, size: number, usage: number): GPUBuffer => {
    const buffer = device.createBuffer({ label, size, usage });
    owned.push(buffer);
    return buffer;
  };
  try {
    return await device.scoped("compile", () => {
      const buffers = plan.buffers.map(({ role, size }) => create(role, size, USAGE[role]));
      for (const { slice, data } of plan.uploads) writeSlice(device, buffers, slice, data);
      const { bytes, offsets } = packUniforms(plan, kernels);
      const uniforms = create("uniforms", bytes.byteLength, UNIFORM | COPY_DST);
      device.gpu.queue.writeBuffer(uniforms, 0, bytes);
      const readBytes = [...plan.outputs, ...plan.states, ...plan.checks].reduce(
        (sum, { slice }) => sum + slice.size,
        0,
      );
      const readback = create("readback", Math.max(4, readBytes), MAP_READ | COPY_DST);
      const dispatches = plan.steps.map((step, index) => {
        const kernel = element(kernels, index);
        const buffer = { buffer: uniforms, offset: element(offsets, index) };
        return bind(device, buffers, buffer, step, kernel);
      });
      return { buffers, dispatches, readback, owned };
    });
  } catch (error) {
    for (const buffer of owned) device.free(buffer);
    throw error;
  }
}

function bind(
  device: Device,
  buffers: readonly GPUBuffer[],
  uniforms: { readonly buffer: GPUBuffer; readonly offset: number },
  step: Step,
  kernel: Kernel,
): Dispatch {
  const entries = Object.entries(kernel.shader.bindings).map(
    ([name, binding]): GPUBindGroupEntry => {
      if (binding.type === "uniform")
        return { binding: binding.binding, resource: { ...uniforms, size: binding.size } };
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

/** Write `data` at the start of `slice`, padded to the multiple of four bytes that WebGPU writes. */
export function writeSlice(
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

/** Element `index`, which a plan that was lowered whole always has. */
export function element<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new Error(`program: no element ${index}; please report.`);
  return item;
}
