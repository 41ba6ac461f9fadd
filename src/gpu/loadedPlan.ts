// A plan's WebGPU objects: buffers with the constants in them, and one bind group and pipeline a step,
// made once so that a run only replays them. What other programs share is bound and not made (shared.ts).

import type { Plan, Slice, Step } from "../plan/plan.ts";
import type { Device, Kernel } from "./device.ts";
import { ConstantStore, USAGE, writePlace, type Place, type Shared } from "./shared.ts";
import { packUniforms } from "./uniforms.ts";

/** One step, ready to be encoded. */
export interface Dispatch {
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly grid: readonly [number, number];
}

export interface LoadedPlan {
  /** One per Plan.buffers; those of constants are not asked for. */
  readonly buffers: readonly (GPUBuffer | undefined)[];
  /** One per Plan.steps. */
  readonly dispatches: readonly Dispatch[];
  /** Room for all outputs and states, to be mapped. */
  readonly readback: GPUBuffer;
  /** Whose turn it is to use the buffers. */
  readonly turn: { busy: Promise<unknown> };
  /** Makes the parameters those of this plan; at the start of every turn. */
  arm(): void;
  /** All buffers that are this plan's alone, to be freed. */
  readonly owned: readonly GPUBuffer[];
  /** Constants that are this plan's alone, likewise. */
  readonly ownConstants: ConstantStore | undefined;
}

/** Compile the kernels of `plan`, all at once. */
export function compileKernels(device: Device, { steps }: Plan): Promise<Kernel[]> {
  return Promise.all(steps.map(({ shader, overrides }) => device.kernel(shader, overrides)));
}

/** Allocate, upload and compile, all kernels at once, but for what is `shared`. On failure nothing stays
 *  allocated but that. */
export async function loadPlan(
  device: Device,
  plan: Plan,
  shared: Shared = {},
): Promise<LoadedPlan> {
  const kernels = await compileKernels(device, plan);
  const owned: GPUBuffer[] = [];
  const create = (label: keyof typeof USAGE, size: number): GPUBuffer => {
    const buffer = device.createBuffer({ label, size, usage: USAGE[label] });
    owned.push(buffer);
    return buffer;
  };
  let undo = () => {};
  const ownConstants = shared.constants ? undefined : new ConstantStore(device);
  const constants = shared.constants ?? ownConstants ?? new ConstantStore(device);
  try {
    return await device.scoped("compile", () => {
      const { memory } = shared;
      const buffers =
        memory?.buffersOf(plan) ??
        plan.buffers.map(({ role, size }) =>
          role === "constants" ? undefined : create(role, size),
        );
      undo = constants.load(plan);
      const places = new Map<string, Place>();
      for (const { slice, data } of plan.uploads) {
        if (plan.buffers[slice.buffer]?.role === "constants")
          places.set(keyOf(slice), constants.placeOf(data));
        // In shared memory another run may be under way; what it holds is cleared by every run itself.
        else if (!memory) writeSlice(device, buffers, slice, data);
      }
      const { bytes, offsets } = packUniforms(plan, kernels);
      const uniforms = memory?.uniforms ?? create("uniforms", bytes.byteLength);
      if (bytes.byteLength > uniforms.size)
        throw new Error("program: its parameters exceed the shared buffer; please report.");
      const arm = () => {
        if (!memory || memory.armed === bytes) return;
        device.gpu.queue.writeBuffer(uniforms, 0, bytes);
        memory.armed = bytes;
      };
      if (!memory) device.gpu.queue.writeBuffer(uniforms, 0, bytes);
      const readBytes = [...plan.outputs, ...plan.states, ...plan.checks].reduce(
        (sum, { slice }) => sum + slice.size,
        0,
      );
      const readback = memory?.readback ?? create("readback", Math.max(4, readBytes));
      const placeOf = ({ buffer, ...range }: Slice): Place =>
        places.get(keyOf({ buffer, ...range })) ?? { buffer: element(buffers, buffer), ...range };
      const dispatches = plan.steps.map((step, index) => {
        const kernel = element(kernels, index);
        const buffer = { buffer: uniforms, offset: element(offsets, index) };
        return bind(device, placeOf, buffer, step, kernel);
      });
      const turn = memory?.turn ?? { busy: Promise.resolve() };
      return { buffers, dispatches, readback, turn, arm, owned, ownConstants };
    });
  } catch (error) {
    for (const buffer of owned) device.free(buffer);
    undo();
    throw error;
  }
}

const keyOf = ({ buffer, offset }: Slice): string => `${buffer}+${offset}`;

function bind(
  device: Device,
  placeOf: (slice: Slice) => Place,
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
      return { binding: binding.binding, resource: placeOf(slice) };
    },
  );
  const group = device.gpu.createBindGroup({ label: step.node, layout: kernel.layout, entries });
  return { pipeline: kernel.pipeline, group, grid: step.grid };
}

/** Write `data` at the start of `slice`, which is no constant. */
export function writeSlice(
  device: Device,
  buffers: LoadedPlan["buffers"],
  { buffer, ...range }: Slice,
  data: ArrayBufferView,
): void {
  writePlace(device, { buffer: element(buffers, buffer), ...range }, data);
}

/** Element `index`, which a plan that was lowered whole always has. */
export function element<T>(items: readonly (T | undefined)[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new Error(`program: no element ${index}; please report.`);
  return item;
}
