// One run: the recorded dispatches in one pass and one submit, or, where that would take long, in
// consecutive submits of which two are in flight at a time. Between them an abort is noticed.

import type { Device } from "./device.ts";
import type { Dispatch } from "./loadedPlan.ts";
import type { Chunk, Schedule } from "./schedule.ts";

/** What goes with the dispatches of a run. */
export interface Frame<T> {
  /** Writes and commands before the first step. */
  before(encoder: GPUCommandEncoder): void;
  /** Commands after the last step. */
  after(encoder: GPUCommandEncoder): void;
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

/** Run `dispatches` as `schedule` says, and tell it how long they took. Rejects with GpuError,
 *  DeviceLostError or the reason of `signal`; the GPU is done with what was submitted by then. */
export async function replay<T>(
  device: Device,
  dispatches: readonly Dispatch[],
  schedule: Schedule,
  frame: Frame<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  const { gpu } = device;
  const flights: Promise<unknown>[] = [];
  let idle = 0; // when the GPU was done with the submit before, ms

  const submit = <R>(chunk: Chunk, isLast: boolean, read: () => Promise<R>): Promise<R> => {
    const begun = performance.now();
    const submitted = device.scoped("run", () => {
      const encoder = gpu.createCommandEncoder();
      if (chunk.from === 0) frame.before(encoder);
      const pass = encoder.beginComputePass();
      encodeSteps(pass, dispatches, chunk);
      pass.end();
      if (isLast) frame.after(encoder);
      gpu.queue.submit([encoder.finish()]);
    });
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
      const done = submit(chunk, false, () => device.race(gpu.queue.onSubmittedWorkDone()));
      await (schedule.isKnown ? flights.at(-2) : done);
      signal?.throwIfAborted();
      chunk = schedule.next(chunk.to);
    }
    const result = submit(chunk, true, () => frame.read());
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
