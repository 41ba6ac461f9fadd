// A plan's WebGPU objects: buffers with the constants in them, and one bind group and pipeline a step,
// made once so that a run only replays them. What other programs share is bound and not made (shared.ts).

import type { Plan, Slice, Step } from "../plan/plan.ts";
import { keyOfKernel, type Device, type Kernel } from "./device.ts";
import { untilAborted } from "../flow/abort.ts";
import { Pace } from "../flow/turns.ts";
import { checkLimits, readBytes } from "./limits.ts";
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

/** Who watches while a plan is made ready. */
export interface Watch {
  readonly signal?: AbortSignal;
  /** Kernels that are compiled, of all that the plan has. */
  readonly onKernel?: (done: number, total: number) => void;
}

/** Kernels that are compiled at a time: what goes on in the background after an abort. */
const MOST_COMPILING = 16;

/** Compile the kernels of `plan`, many at a time. Throws LimitError where the device cannot bind what a step needs. */
export async function compileKernels(
  device: Device,
  plan: Plan,
  { signal, onKernel }: Watch = {},
): Promise<Kernel[]> {
  checkLimits(device, plan);
  const pace = new Pace(signal);
  const compiling = new Set<Promise<Kernel>>();
  const wanted = new Set(plan.steps.map(({ shader, overrides }) => keyOfKernel(shader, overrides)));
  const known = new Set<Promise<Kernel>>();
  let done = 0;
  const kernels: Promise<Kernel>[] = [];
  for (const { shader, overrides } of plan.steps) {
    const kernel = device.kernel(shader, overrides);
    kernels.push(kernel);
    if (known.has(kernel)) continue;
    known.add(kernel);
    compiling.add(kernel);
    const over = (): void => void compiling.delete(kernel);
    kernel.then(() => {
      over();
      done++;
      if (!signal?.aborted) onKernel?.(done, wanted.size);
    }, over);
    if (compiling.size >= MOST_COMPILING) await untilAborted(Promise.race(compiling), signal);
    if (pace.isOver) await pace.rest();
  }
  return await untilAborted(Promise.all(kernels), signal);
}

/** Allocate, upload and compile, many kernels at a time, but for what is `shared`. On failure, and where the signal
 *  aborts, nothing stays allocated but that. */
export async function loadPlan(
  device: Device,
  plan: Plan,
  shared: Shared = {},
  watch: Watch = {},
): Promise<LoadedPlan> {
  const kernels = await compileKernels(device, plan, watch);
  const ownConstants = shared.constants ? undefined : new ConstantStore(device);
  const constants = shared.constants ?? ownConstants ?? new ConstantStore(device);
  const hold = await constants.load(plan, watch.signal);
  const { memory } = shared;
  const owned: GPUBuffer[] = [];
  const create = (label: keyof typeof USAGE, size: number): GPUBuffer => {
    const buffer = device.createBuffer({ label, size, usage: USAGE[label] });
    owned.push(buffer);
    return buffer;
  };
  try {
    const loaded = await device.scoped("compile", () => {
      watch.signal?.throwIfAborted();
      const buffers =
        memory?.buffersOf(plan) ??
        plan.buffers.map(({ role, size }) =>
          role === "constants" ? undefined : create(role, size),
        );
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
      const readback = memory?.readback ?? create("readback", readBytes(plan));
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
    hold.keep();
    return loaded;
  } catch (error) {
    hold.release();
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
