// How long each step takes: a pass a step with a timestamp at both ends, where the device can, else a
// submit a step by the clock on the wall. Both take longer than a run, in which steps follow each other
// without a gap.

import type { Device } from "./device.ts";
import { element, type Dispatch } from "./loadedPlan.ts";
import { encodeSteps } from "./replay.ts";
import type { Schedule } from "./schedule.ts";

// GPUBufferUsage and GPUMapMode by value: the globals are missing in Node.
const MAP_READ = 0x1;
const COPY_SRC = 0x4;
const COPY_DST = 0x8;
const QUERY_RESOLVE = 0x200;

/** Where step times come from: the GPU's clock, or the host's around a submit. */
export type TimeSource = "timestamp" | "wall";

export function timeSource(device: Device): TimeSource {
  return device.gpu.features.has("timestamp-query") ? "timestamp" : "wall";
}

/** A query set holds 4,096 timestamps: two a step. */
const MOST_STEPS = 2048;

/** One time of each step by the GPU's clock, ms. Submits are as long as `schedule` allows. */
export async function timestampSteps(
  device: Device,
  dispatches: readonly Dispatch[],
  schedule: Schedule,
): Promise<number[]> {
  const { gpu } = device;
  const count = 2 * Math.min(MOST_STEPS, Math.max(1, dispatches.length));
  const size = count * 8; // a timestamp is a u64 of nanoseconds
  const create = (usage: number) => device.createBuffer({ label: "timestamps", size, usage });
  const { resolved, target } = await device.scoped("profile", () => ({
    resolved: create(QUERY_RESOLVE | COPY_SRC),
    target: create(MAP_READ | COPY_DST),
  }));
  let queries: GPUQuerySet | undefined;
  try {
    const times: number[] = [];
    while (times.length < dispatches.length) {
      const { from, to } = schedule.next(times.length);
      const until = Math.min(to, from + MOST_STEPS);
      await device.scoped("profile", () => {
        const querySet = (queries ??= gpu.createQuerySet({ type: "timestamp", count }));
        const encoder = gpu.createCommandEncoder();
        for (let step = from; step < until; step++) {
          const at = 2 * (step - from);
          const timestampWrites = {
            querySet,
            beginningOfPassWriteIndex: at,
            endOfPassWriteIndex: at + 1,
          };
          const pass = encoder.beginComputePass({ timestampWrites });
          encodeSteps(pass, dispatches, { from: step, to: step + 1 });
          pass.end();
        }
        encoder.resolveQuerySet(querySet, 0, 2 * (until - from), resolved, 0);
        encoder.copyBufferToBuffer(resolved, 0, target, 0, size);
        gpu.queue.submit([encoder.finish()]);
      });
      await device.race(target.mapAsync(1));
      const stamps = new BigUint64Array(target.getMappedRange());
      for (let step = from; step < until; step++) {
        const [begin = 0n, end = 0n] = stamps.subarray(2 * (step - from));
        // The clock may be set back between two stamps: https://www.w3.org/TR/webgpu/#timestamp
        times.push(Math.max(0, Number(end - begin) / 1e6));
      }
      target.unmap();
    }
    return times;
  } finally {
    queries?.destroy();
    device.free(resolved);
    device.free(target);
  }
}

/** One time of each step by the host's clock, ms, each submitted alone. */
export async function wallSteps(
  device: Device,
  dispatches: readonly Dispatch[],
): Promise<number[]> {
  const { gpu } = device;
  const times: number[] = [];
  for (let step = 0; step < dispatches.length; step++) {
    const start = performance.now();
    const submitted = device.scoped("profile", () => {
      const encoder = gpu.createCommandEncoder();
      const pass = encoder.beginComputePass();
      encodeSteps(pass, dispatches, { from: step, to: step + 1 });
      pass.end();
      gpu.queue.submit([encoder.finish()]);
    });
    await Promise.all([submitted, device.race(gpu.queue.onSubmittedWorkDone())]);
    times.push(performance.now() - start);
  }
  return times;
}

/** Combine repeats: the least wall time, as noise only adds; the mean of timestamps, which browsers
 *  round (to 100 µs in Chrome), so that the least of them would be 0. */
export function combine(source: TimeSource, repeats: readonly (readonly number[])[]): number[] {
  const [first = []] = repeats;
  return first.map((_, step) => {
    const times = repeats.map((repeat) => element(repeat, step));
    if (source === "wall") return Math.min(...times);
    return times.reduce((sum, time) => sum + time, 0) / times.length;
  });
}
