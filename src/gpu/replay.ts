// One run: the recorded dispatches in one pass and one submit, or, where that would take long, in
// consecutive submits of which two are in flight at a time. Between them an abort is noticed.

import type { Device } from "./device.ts";
import type { Dispatch } from "./loadedPlan.ts";
import type { Chunk, Schedule } from "./schedule.ts";

/** Commands around the dispatches of a run. */
export interface Ends {
  /** Writes and commands before the first step. */
  before(encoder: GPUCommandEncoder): void;
  /** Commands after the last step. */
  after(encoder: GPUCommandEncoder): void;
}

/** What goes with the dispatches of a run. */
export interface Frame<T> extends Ends {
  /** Called once all is submitted: resolves when the GPU is done, with what it left. */
  read(): Promise<T>;
}

/** Encode the steps of `chunk` into `pass`. */
export function encodeSteps(
  pass: GPUComputePassEncoder,
  dispatches: readonly Dispatch[],
  { from, to }: Chunk,
): void {
  let last: GPUComputePipeline | undefined;
  for (let step = from; step < to; step++) {
    const dispatch = dispatches[step];
    if (!dispatch) continue;
    const { pipeline, group, grid } = dispatch;
    if (pipeline !== last) pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(grid[0], grid[1]);
    last = pipeline;
  }
}

/** What writing, encoding and submitting can give: internal errors come of pipelines alone
 *  (https://www.w3.org/TR/webgpu/#gpuinternalerror), and where memory runs out in a queue or in an upload, Dawn and wgpu
 *  lose the device. Each scope costs the calling thread what tens of dispatches cost. */
const SUBMIT_ERRORS = ["validation"] as const;

/** Encode the steps of `chunk`, and the ends that touch it, and submit them. Resolves when all of it was found
 *  valid, which says nothing of when it is done. */
function submitChunk(
  device: Device,
  dispatches: readonly Dispatch[],
  chunk: Chunk,
  ends: Ends,
): Promise<void> {
  const { gpu } = device;
  const submit = () => {
    const encoder = gpu.createCommandEncoder();
    if (chunk.from === 0) ends.before(encoder);
    const pass = encoder.beginComputePass();
    encodeSteps(pass, dispatches, chunk);
    pass.end();
    if (chunk.to >= dispatches.length) ends.after(encoder);
    gpu.queue.submit([encoder.finish()]);
  };
  return device.scoped("run", submit, SUBMIT_ERRORS);
}

/** Submit a run as `schedule` says, and wait for nothing but its errors. */
export async function resubmit(
  device: Device,
  dispatches: readonly Dispatch[],
  schedule: Schedule,
  ends: Ends,
): Promise<void> {
  const submitted: Promise<void>[] = [];
  for (let from = 0; from < dispatches.length;) {
    const chunk = schedule.next(from);
    submitted.push(submitChunk(device, dispatches, chunk, ends));
    from = chunk.to;
  }
  await Promise.allSettled(submitted);
  await Promise.all(submitted);
}

/** Run `dispatches` as `schedule` says, and tell it how long they took. Rejects with GpuError,
 *  DeviceLostError or the reason of `signal`; the GPU is done with what was submitted by then. */
export async function replay<T>(
  device: Device,
  dispatches: readonly Dispatch[],
  schedule: Schedule,
  frame: Frame<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  const flights: Promise<unknown>[] = [];
  let idle = 0; // when the GPU was done with the submit before, ms

  const submit = <R>(chunk: Chunk, read: () => Promise<R>): Promise<R> => {
    const begun = performance.now();
    const submitted = submitChunk(device, dispatches, chunk, frame);
    const flight = both(submitted, read()).then((value) => {
      const now = performance.now();
      schedule.record(chunk, now - Math.max(begun, idle));
      idle = now;
      return value;
    });
    flight.catch(() => undefined); // thrown below, by whichever line waits for it
    flights.push(flight);
    return flight;
  };

  try {
    let chunk = schedule.next(0);
    while (chunk.to < dispatches.length) {
      const done = submit(chunk, () => device.race(device.gpu.queue.onSubmittedWorkDone()));
      await (schedule.isKnown ? flights.at(-2) : done);
      signal?.throwIfAborted();
      chunk = schedule.next(chunk.to);
    }
    const result = submit(chunk, () => frame.read());
    await Promise.all(flights);
    return await result;
  } finally {
    await Promise.allSettled(flights);
  }
}

/** `result`, once `submitted` is settled too: the errors of a submit and what it leaves arrive
 *  together, and neither waits for the other. An error of the submit goes first, as the cause. */
async function both<R>(submitted: Promise<void>, result: Promise<R>): Promise<R> {
  await Promise.allSettled([submitted, result]);
  await submitted;
  return await result;
}
