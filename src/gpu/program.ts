// A plan made ready on a device: buffers allocated, constants uploaded, kernels compiled, bind groups
// made once. A run writes the inputs, replays every step, and reads back the outputs and nothing else.

import { DisposedError } from "../errors.ts";
import { untilAborted } from "../flow/abort.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Plan, Slice, StateSlot } from "../plan/plan.ts";
import { clearsOf } from "./clears.ts";
import type { Device } from "./device.ts";
import { element, loadPlan, writeSlice, type LoadedPlan, type Watch } from "./loadedPlan.ts";
import { DISPOSED, USAGE, type Shared } from "./shared.ts";
import { verify } from "./checks.ts";
import { decode, encode } from "./ports.ts";
import { kickPays, LONGEST_KICK, readBack, type Range } from "./readback.ts";
import { replay, resubmit } from "./replay.ts";
import { Schedule } from "./schedule.ts";
import { combine, timeSource, timestampSteps, wallSteps } from "./stepTimes.ts";

/** Bytes to read back, and where they lie in the read-back buffer. */
interface Readback extends Range {
  readonly slice: Slice;
}

/** A state slot and what a run left in it. */
export interface StateBytes {
  readonly slot: StateSlot;
  readonly bytes: ArrayBuffer;
}

export class Program implements Disposable {
  readonly plan: Plan;
  readonly #device: Device;
  readonly #loaded: LoadedPlan;
  readonly #schedule: Schedule;
  readonly #clears: readonly Slice[];
  readonly #outputs: readonly Readback[];
  readonly #states: readonly Readback[];
  readonly #checks: readonly Readback[];
  /** Reading back comes sooner if the device is asked all the while. */
  readonly #kickPays: boolean;
  /** Whose turn it is: programs that share memory share it. */
  readonly #turn: { busy: Promise<unknown> };
  #disposed = false;

  private constructor(device: Device, plan: Plan, loaded: LoadedPlan, kick: boolean) {
    this.plan = plan;
    this.#device = device;
    this.#loaded = loaded;
    this.#kickPays = kick;
    this.#turn = loaded.turn;
    this.#schedule = new Schedule(plan.steps.length);
    this.#clears = clearsOf(plan.states, plan.checks);
    let at = 0;
    const reserve = (slice: Slice): Readback => {
      const place = { slice, offset: at, size: slice.size };
      at += slice.size;
      return place;
    };
    this.#outputs = plan.outputs.map(({ slice }) => reserve(slice));
    this.#states = plan.states.map(({ slice }) => reserve(slice));
    this.#checks = plan.checks.map(({ slice }) => reserve(slice));
  }

  /** Allocate, upload and compile, but for what `shared` has. On failure, and where the signal aborts, nothing stays
   *  allocated but that. */
  static async create(
    device: Device,
    plan: Plan,
    shared: Shared = {},
    watch: Watch = {},
  ): Promise<Program> {
    const kick = await untilAborted(kickPays(device), watch.signal);
    return new Program(device, plan, await loadPlan(device, plan, shared, watch), kick);
  }

  /** Run once. Inputs are row-major and have the shapes of `plan.inputs`; outputs likewise. Calls
   *  queue: one run at a time uses the buffers. Aborted, it rejects at once with the signal's reason, submits nothing
   *  more, and can be run again: the next run waits until the device is done with this one. */
  run(inputs: ReadonlyMap<string, Tensor>, signal?: AbortSignal): Promise<Map<string, Tensor>> {
    return this.#queue(signal, async () => {
      const bytes = await this.#replay(inputs, this.#outputs, signal);
      return new Map(
        this.plan.outputs.map((port, index) => [port.name, decode(port, element(bytes, index))]),
      );
    });
  }

  /** Run once and read every state slot, in the order of `plan.states`. `meanwhile` is called once
   *  the first commands are on their way, and waited for; what it rejects with goes first. */
  runStates(
    inputs: ReadonlyMap<string, Tensor>,
    signal?: AbortSignal,
    meanwhile?: () => Promise<void>,
  ): Promise<StateBytes[]> {
    return this.#queue(signal, async () => {
      const run = this.#replay(inputs, this.#states, signal);
      const other = meanwhile?.();
      await Promise.allSettled([run, other]);
      await other;
      const bytes = await run;
      return this.plan.states.map((slot, index) => ({ slot, bytes: element(bytes, index) }));
    });
  }

  /** Time of each step on what the last run left in the buffers, ms, over `repeats`: by timestamps where
   *  the device has them, else by wall time (`timeSource`). For profiles: a run takes less. */
  timeSteps(repeats: number, signal?: AbortSignal): Promise<number[]> {
    return this.#queue(signal, async () => {
      const source = timeSource(this.#device);
      const { dispatches } = this.#loaded;
      const times: number[][] = [];
      while (times.length < repeats) {
        signal?.throwIfAborted();
        times.push(
          source === "timestamp"
            ? await timestampSteps(this.#device, dispatches, this.#schedule)
            : await wallSteps(this.#device, dispatches),
        );
      }
      return combine(source, times);
    });
  }

  /** Encode and submit a run on what lies in the buffers, without inputs and without waiting until it is done: what
   *  a bench measures as the cost of a replay. Variables change as by any run. */
  resubmit(): Promise<void> {
    return this.#queue(undefined, () => {
      const { dispatches } = this.#loaded;
      const ends = {
        before: (encoder: GPUCommandEncoder) => this.#clear(encoder),
        after: (encoder: GPUCommandEncoder) => this.#copyOut(encoder, this.#outputs),
      };
      return resubmit(this.#device, dispatches, this.#schedule, ends);
    });
  }

  /** Overwrite part of a state slot before the next run; `offset` in bytes, a multiple of four. */
  writeState({ slice }: StateSlot, offset: number, data: ArrayBufferView): void {
    const part = { ...slice, offset: slice.offset + offset };
    writeSlice(this.#device, this.#loaded.buffers, part, data);
  }

  /** The bytes of every variable as the last run left them, in the order of `plan.variables`. */
  readVariables(): Promise<ArrayBuffer[]> {
    return this.#queue(undefined, async () => {
      const { variables } = this.plan;
      const size = variables.reduce((sum, { slice }) => sum + slice.size, 0);
      if (size === 0) return [];
      const device = this.#device;
      const { target, ranges } = await device.scoped("read variables", () => {
        const target = device.createBuffer({ label: "variables", size, usage: USAGE.readback });
        const encoder = device.gpu.createCommandEncoder({ label: "read variables" });
        let offset = 0;
        const ranges = variables.map(({ slice }) => {
          const range = { offset, size: slice.size };
          const source = element(this.#loaded.buffers, slice.buffer);
          encoder.copyBufferToBuffer(source, slice.offset, target, offset, slice.size);
          offset += slice.size;
          return range;
        });
        device.gpu.queue.submit([encoder.finish()]);
        return { target, ranges };
      });
      try {
        return await readBack(device, target, ranges, false);
      } finally {
        device.free(target);
      }
    });
  }

  #queue<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    const result = this.#turn.busy.then(async () => {
      this.#check();
      signal?.throwIfAborted();
      try {
        this.#loaded.arm();
        return await work();
      } catch (error) {
        this.#check(); // whatever a run fails with after dispose(), that is why
        throw error;
      }
    });
    this.#turn.busy = result.catch(() => undefined);
    return untilAborted(result, signal);
  }

  #check(): void {
    if (this.#disposed) throw new DisposedError(DISPOSED);
    this.#device.check();
  }

  /** Run once; the bytes of each of `wanted`. Throws InputError where a check of the plan is not met. */
  async #replay(
    inputs: ReadonlyMap<string, Tensor>,
    wanted: readonly Readback[],
    signal: AbortSignal | undefined,
  ): Promise<ArrayBuffer[]> {
    const { buffers, dispatches } = this.#loaded;
    const data = this.plan.inputs.flatMap((port) => {
      const input = inputs.get(port.name);
      return input ? [{ slice: port.slice, bytes: encode(port, input) }] : [];
    });
    const read = [...wanted, ...this.#checks];
    const frame = {
      before: (encoder: GPUCommandEncoder) => {
        for (const { slice, bytes } of data) writeSlice(this.#device, buffers, slice, bytes);
        this.#clear(encoder);
      },
      after: (encoder: GPUCommandEncoder) => this.#copyOut(encoder, read),
      read: () => this.#read(read),
    };
    const parts = await replay(this.#device, dispatches, this.#schedule, frame, signal);
    signal?.throwIfAborted();
    const seen = parts.slice(wanted.length);
    this.plan.checks.forEach((check, index) => verify(check, element(seen, index)));
    return parts;
  }

  #clear(encoder: GPUCommandEncoder): void {
    for (const { buffer, offset, size } of this.#clears)
      encoder.clearBuffer(element(this.#loaded.buffers, buffer), offset, size);
  }

  #copyOut(encoder: GPUCommandEncoder, wanted: readonly Readback[]): void {
    const { buffers, readback } = this.#loaded;
    for (const { slice, offset, size } of wanted) {
      const source = element(buffers, slice.buffer);
      encoder.copyBufferToBuffer(source, slice.offset, readback, offset, size);
    }
  }

  async #read(wanted: readonly Readback[]): Promise<ArrayBuffer[]> {
    if (wanted.length === 0) {
      await this.#device.race(this.#device.gpu.queue.onSubmittedWorkDone());
      return [];
    }
    const kick = this.#kickPays && (this.#schedule.total ?? Infinity) < LONGEST_KICK;
    return await readBack(this.#device, this.#loaded.readback, wanted, kick);
  }

  /** Free all buffers. A run in flight rejects. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const buffer of this.#loaded.owned) this.#device.free(buffer);
    this.#loaded.ownConstants?.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
