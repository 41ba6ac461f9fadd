// What programs of one session share on the device: constants, each uploaded once, and, where plans lie in
// the same memory, that memory. One idea: an array is known by its identity, a buffer by its role and
// number, so nothing here knows what a plan is for.

import { DisposedError } from "../errors.ts";
import { untilAborted } from "../flow/abort.ts";
import { Pace } from "../flow/turns.ts";
import type { BufferRole, Plan, Upload } from "../plan/plan.ts";
import type { Device } from "./device.ts";

// GPUBufferUsage by value: the global is missing in Node.
const MAP_READ = 0x1;
const COPY_SRC = 0x4;
const COPY_DST = 0x8;
const UNIFORM = 0x40;
const STORAGE = 0x80;

export const USAGE: Readonly<Record<BufferRole | "uniforms" | "readback", number>> = {
  arena: STORAGE,
  constants: STORAGE | COPY_DST,
  state: STORAGE | COPY_DST | COPY_SRC,
  variable: STORAGE | COPY_DST | COPY_SRC,
  input: STORAGE | COPY_DST,
  output: STORAGE | COPY_SRC,
  uniforms: UNIFORM | COPY_DST,
  readback: MAP_READ | COPY_DST,
};

/** What who uses a session after its dispose() is told. */
export const DISPOSED = "session: used after dispose(). Compile the model again.";

/** What a program need not allocate itself. */
export interface Shared {
  readonly constants?: ConstantStore;
  readonly memory?: SharedMemory;
}

/** A range of a buffer, bytes. */
export interface Place {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly size: number;
}

/** Write `data` at the start of `place`, padded to the multiple of four bytes that WebGPU writes. */
export function writePlace(device: Device, { buffer, offset }: Place, data: ArrayBufferView): void {
  const whole = data.byteLength - (data.byteLength % 4);
  const { queue } = device.gpu;
  if (whole > 0)
    queue.writeBuffer(buffer, offset, data.buffer as ArrayBuffer, data.byteOffset, whole);
  if (whole === data.byteLength) return;
  const tail = new Uint8Array(4);
  tail.set(new Uint8Array(data.buffer, data.byteOffset + whole, data.byteLength - whole));
  queue.writeBuffer(buffer, offset + whole, tail);
}

/** What a plan that is being made ready holds in a store. Exactly one of the two is called, once. */
export interface Hold {
  /** The plan is ready: its constants stay as long as the store. */
  keep(): void;
  /** It failed: what nobody else holds is freed. */
  release(): void;
}

/** A buffer of constants. */
interface Block {
  readonly buffer: GPUBuffer;
  readonly arrays: ArrayBufferView[];
  holds: number;
  isKept: boolean;
}

/** Constants on a device, by the array that holds them. */
export class ConstantStore implements Disposable {
  readonly #device: Device;
  readonly #places = new Map<ArrayBufferView, Place & { readonly block: Block }>();
  readonly #blocks = new Set<Block>();
  /** Loads go one after another, so that none relies on what another may have to take back. */
  #turn: Promise<unknown> = Promise.resolve();
  #disposed = false;

  constructor(device: Device) {
    this.#device = device;
  }

  /** Arrays uploaded so far. */
  get uploads(): number {
    return this.#places.size;
  }

  /** Where `data` is; it must have been loaded. */
  placeOf(data: ArrayBufferView): Place {
    const place = this.#places.get(data);
    if (!place) throw new Error("constants: one was not loaded; please report.");
    return place;
  }

  /** Upload the constants of `plan` that are not there yet, in turns, in buffers no larger than the plan's. On failure
   *  what this call did is taken back. */
  async load(plan: Plan, signal?: AbortSignal): Promise<Hold> {
    const before = this.#turn;
    let end = (): void => undefined;
    this.#turn = Promise.all([before, new Promise<void>((resolve) => (end = resolve))]);
    try {
      await untilAborted(before, signal);
      return await this.#load(plan, signal);
    } finally {
      end();
    }
  }

  async #load(plan: Plan, signal: AbortSignal | undefined): Promise<Hold> {
    const missing = new Map<number, Upload[]>();
    const seen = new Set<ArrayBufferView>();
    const held = new Set<Block>();
    for (const upload of plan.uploads) {
      const { buffer } = upload.slice;
      if (plan.buffers[buffer]?.role !== "constants") continue;
      const block = this.#places.get(upload.data)?.block;
      if (block) held.add(block);
      if (block || seen.has(upload.data)) continue;
      seen.add(upload.data);
      missing.set(buffer, [...(missing.get(buffer) ?? []), upload]);
    }
    for (const block of held) block.holds++;
    const release = (): void => {
      for (const block of held) if (--block.holds === 0 && !block.isKept) this.#free(block);
    };
    try {
      const pace = new Pace(signal);
      for (const uploads of missing.values()) {
        const block = await this.#allocate(uploads);
        held.add(block);
        let offset = 0;
        for (let at = 0; at < uploads.length;) {
          if (pace.isOver) await pace.rest();
          this.#check();
          await this.#device.scoped("constants", () => {
            for (; at < uploads.length && !pace.isOver; at++) {
              const { slice, data } = uploads[at] as Upload;
              const place = { buffer: block.buffer, offset, size: slice.size, block };
              writePlace(this.#device, place, data);
              block.arrays.push(data);
              this.#places.set(data, place);
              offset += slice.size;
            }
          });
        }
      }
      this.#check();
    } catch (error) {
      release();
      throw error;
    }
    const keep = (): void => {
      for (const block of held) block.isKept = true;
      release();
    };
    return { keep, release };
  }

  async #allocate(uploads: readonly Upload[]): Promise<Block> {
    const size = uploads.reduce((sum, { slice }) => sum + slice.size, 0);
    const [buffer] = await this.#device.scoped("constants", () => {
      this.#check();
      return [this.#device.createBuffer({ label: "constants", size, usage: USAGE.constants })];
    });
    const block: Block = { buffer: buffer as GPUBuffer, arrays: [], holds: 1, isKept: false };
    this.#blocks.add(block);
    return block;
  }

  #free(block: Block): void {
    if (!this.#blocks.delete(block)) return;
    for (const data of block.arrays) this.#places.delete(data);
    this.#device.free(block.buffer);
  }

  #check(): void {
    if (this.#disposed) throw new DisposedError(DISPOSED);
  }

  dispose(): void {
    this.#disposed = true;
    for (const block of this.#blocks) this.#free(block);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** The buffers of one plan but its constants, for all plans that are arranged as it is. */
export class SharedMemory implements Disposable {
  /** Whose turn it is to use the buffers. */
  readonly turn: { busy: Promise<unknown> } = { busy: Promise.resolve() };
  readonly uniforms: GPUBuffer;
  readonly readback: GPUBuffer;
  /** Whose parameters `uniforms` holds. */
  armed: object | undefined;
  readonly #device: Device;
  readonly #buffers = new Map<string, GPUBuffer>();

  /** Memory of `plan`, which has no state, and `uniformBytes` of parameters. To be called in
   *  `Device.scoped`. */
  constructor(device: Device, plan: Plan, uniformBytes: number) {
    this.#device = device;
    const create = (label: keyof typeof USAGE, size: number): GPUBuffer =>
      device.createBuffer({ label, size, usage: USAGE[label] });
    for (const [key, { role, size }] of numbered(plan))
      if (role !== "constants") this.#buffers.set(key, create(role, size));
    this.uniforms = create("uniforms", uniformBytes);
    const read = [...plan.outputs, ...plan.checks].reduce((sum, { slice }) => sum + slice.size, 0);
    this.readback = create("readback", Math.max(4, read));
  }

  /** One per Plan.buffers; undefined for constants. */
  buffersOf(plan: Plan): (GPUBuffer | undefined)[] {
    return numbered(plan).map(([key]) => this.#buffers.get(key));
  }

  dispose(): void {
    for (const buffer of [...this.#buffers.values(), this.uniforms, this.readback])
      this.#device.free(buffer);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** The buffers of `plan`, named by their role and their number among those of that role. */
function numbered(plan: Plan) {
  const counts = new Map<BufferRole, number>();
  return plan.buffers.map((spec) => {
    const count = counts.get(spec.role) ?? 0;
    counts.set(spec.role, count + 1);
    return [`${spec.role}${count}`, spec] as const;
  });
}
