// One run: the recorded dispatches in one pass and one submit, or, where that would take long, in
// consecutive submits of which two are in flight at a time. Between them an abort is noticed.

import type { Device } from "./device.ts";
import type { Dispatch } from "./loadedPlan.ts";
import type { Schedule } from "./schedule.ts";

/** What goes with the dispatches of a run. */
export interface Frame<T> {
  /** Writes and commands before the first step. */
  before(encoder: GPUCommandEncoder): void;
  /** Commands after the last step. */
  after(encoder: GPUCommandEncoder): void;
  /** Called once all is submitted: resolves when the GPU is done, with what it left. */
  read(): Promise<T>;
}

export function encodeSteps(pass: GPUComputePassEncoder, dispatches: readonly Dispatch[]): void {
  let last: GPUComputePipeline | undefined;
  for (const { pipeline, group, grid } of dispatches) {
    if (pipeline !== last) pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(grid[0], grid[1]);
    last = pipeline;
  }
}

/** Run `dispatches` as `schedule` says, and tell it how long they took. Rejects with GpuError,
 *  DeviceLostError, or `signal`'s reason; the GPU is done with all that was submitted by then. */
export async function replay<T>(
  device: Device,
  dispatches: readonly Dispatch[],
  schedule: Schedule,
  frame: Frame<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  const { queue } = device.gpu;
  const pending: Promise<unknown>[] = [];
  let idle = 0; // when the GPU was last done with a submit, ms
  try {
    for (let from = 0; ; ) {
      const chunk = schedule.next(from);
      const isLast = chunk.to === dispatches.length;
      const begun = performance.now();
      const submitted = device.scoped("run", () => {
        const encoder = device.gpu.createCommandEncoder();
        if (from === 0) frame.before(encoder);
        const pass = encoder.beginComputePass();
        encodeSteps(pass, isWhole(chunk, dispatches) ? dispatches : dispatches.slice(from, chunk.to));
        pass.end();
        if (isLast) frame.after(encoder);
        queue.submit([encoder.finish()]);
      });
      // Errors of the submit and its result come together: neither waits for the other.
      const finish = async <R>(result: Promise<R>): Promise<R> => {
        pending.push(submitted, result);
        const [value] = await Promise.all([result, submitted]);
        const now = performance.now();
        schedule.record(chunk, now - Math.max(begun, idle));
        idle = now;
        return value;
      };
      if (isLast) {
        const result = finish(frame.read());
        await Promise.all(pending);
        return await result;
      }
      ...
    }
  } finally {
    await Promise.allSettled(pending);
  }
}
