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

/** Encode the steps of each of `chunks`, and the ends that touch it, and submit them one by one, in one error scope; `onSubmit`
 *  is told of each. Resolves when all of it was found valid, which says nothing of when it is done. */
function submitChunks(
  device: Device,
  dispatches: readonly Dispatch[],
  chunks: readonly Chunk[],
  ends: Ends,
  onSubmit: (chunk: Chunk) => void = () => undefined,
): Promise<void> {
  const { gpu } = device;
  const submit = (chunk: Chunk) => {
    const encoder = gpu.createCommandEncoder();
    if (chunk.from === 0) ends.before(encoder);
    const pass = encoder.beginComputePass();
    encodeSteps(pass, dispatches, chunk);
    pass.end();
    if (chunk.to >= dispatches.length) ends.after(encoder);
    gpu.queue.submit([encoder.finish()]);
    onSubmit(chunk);
  };
  return device.scoped("run", () => chunks.forEach(submit), SUBMIT_ERRORS);
}

/** What to submit next without waiting: the first two chunks of a run whose times are known, else one. */
function nextChunks(schedule: Schedule, from: number, length: number): readonly Chunk[] {
  const chunk = schedule.next(from);
  if (from > 0 || !schedule.isKnown || chunk.to >= length) return [chunk];
  return [chunk, schedule.next(chunk.to)];
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
    const chunks = nextChunks(schedule, from, dispatches.length);
    submitted.push(submitChunks(device, dispatches, chunks, ends));
    from = chunks.at(-1)?.to ?? dispatches.length;
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
  const { length } = dispatches;
  const flights: Promise<unknown>[] = [];
  let result: Promise<T> | undefined;
  let idle = 0; // when the GPU was done with the submit before, ms

  const launch = (chunks: readonly Chunk[]) => {
    const reads: { chunk: Chunk; begun: number; read: Promise<unknown> }[] = [];
    let begun = performance.now();
    const submitted = submitChunks(device, dispatches, chunks, frame, (chunk) => {
      const read =
        chunk.to < length
          ? device.race(device.gpu.queue.onSubmittedWorkDone())
          : (result = frame.read());
      reads.push({ chunk, begun, read });
      begun = performance.now();
    });
    const done = reads.map(async ({ chunk, begun, read }) => {
      await both(submitted, read);
      const now = performance.now();
      schedule.record(chunk, now - Math.max(begun, idle));
      idle = now;
    });
    for (const flight of done.length > 0 ? done : [submitted]) {
      flight.catch(() => undefined); // thrown below, by whichever line waits for it
      flights.push(flight);
    }
  };

  try {
    let from = 0;
    do {
      if (from > 0) await (schedule.isKnown ? flights.at(-2) : flights.at(-1));
      signal?.throwIfAborted();
      const chunks = nextChunks(schedule, from, length);
      launch(chunks);
      from = chunks.at(-1)?.to ?? length;
    } while (from < length);
    await Promise.all(flights);
    if (!result) throw new Error("replay: nothing was read; please report.");
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
