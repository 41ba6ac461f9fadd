// Lowering writes a plan through this: tensors are named by reference, steps are checked against the
// shaders' generated types, and memory is planned once the last step is known.

import { atOnce, type Steps } from "../flow/turns.ts";
import type { DType } from "../tensor/dtype.ts";
import { sizeOf } from "../tensor/tensor.ts";
import { arrangementOf, fitsIn, type Arrangement } from "./arrangement.ts";
import { ConstantPool } from "./constants.ts";
import { align, placeSteps, placeTensors, type Lifetime } from "./memory.ts";
import type {
  BufferRole,
  BufferSpec,
  Check,
  Plan,
  Port,
  ShaderName,
  Shaders,
  Slice,
  StateSlot,
  Step,
  Upload,
  Variable,
} from "./plan.ts";

/** A piece of GPU memory that steps read or write, before it has a place. */
export interface Ref {
  readonly role: BufferRole;
  readonly id: number;
  readonly bytes: number;
}

type Bindings<S extends ShaderName> = Shaders[S]["bindings"];
type StorageName<S extends ShaderName> = Exclude<keyof Bindings<S> & string, "params">;
type Uniforms<S extends ShaderName> =
  Bindings<S> extends { readonly params: { readonly fields: infer F } }
    ? Readonly<Record<keyof F & string, number>>
    : never;

/** Arguments of one dispatch of shader S: a wrong name does not compile. */
export interface StepArgs<S extends ShaderName> {
  readonly node: string;
  /** Pipeline overrides, and sizes of the tile. */
  readonly overrides?: Readonly<
    Partial<Record<keyof (Shaders[S]["overrides"] & Shaders[S]["tile"]) & string, number>>
  >;
  readonly uniforms: Uniforms<S>;
  readonly buffers: Readonly<Record<StorageName<S>, Ref>>;
  /** Workgroups; folded to two dimensions above 65,535. */
  readonly groups: number;
}

/** The bindings that a shader writes are named so; every other storage binding is read-only. */
export const WRITTEN: ReadonlySet<string> = new Set([
  ...["out", "slot", "hOut", "cOut", "outScale", "outZero", "outRange", "outSums", "outNorm"],
  ...["parameter", "summed", "velocity", "first", "second"],
  ...["outMean", "outVariance", "outBias", "outDivisor", "runningMean", "runningVariance"],
]);

const MAX_GROUPS = 65535;

/** `groups` workgroups as a grid whose sides stay within the limit. */
export function foldGrid(groups: number): readonly [number, number] {
  if (groups <= MAX_GROUPS) return [groups, groups === 0 ? 0 : 1];
  const rows = Math.ceil(groups / MAX_GROUPS);
  return [Math.ceil(groups / rows), rows];
}

interface PendingStep extends Omit<Step, "buffers"> {
  readonly buffers: Readonly<Record<string, Ref>>;
}

interface PendingPort extends Omit<Port, "slice"> {
  readonly ref: Ref;
}

/** Buffers are not made larger than this unless one tensor needs it: the default binding limit. */
const MAX_ARENA = 134217728;

export class PlanBuilder {
  readonly #pool: ConstantPool;
  #steps: PendingStep[] = [];
  #tensors: number[] = []; // bytes
  #data: { role: "constants" | "state"; data: ArrayBufferView }[] = [];
  #inputs: PendingPort[] = [];
  #outputs: PendingPort[] = [];
  #checks: (Omit<Check, "slice"> & { readonly ref: Ref })[] = [];
  #states: (Omit<StateSlot, "slice"> & { readonly ref: Ref })[] = [];
  #variables: (Omit<Variable, "slice"> & { readonly ref: Ref; readonly data: ArrayBufferView })[] =
    [];

  /** Constants of equal bytes become one array of `pool`. */
  constructor(pool = new ConstantPool()) {
    this.#pool = pool;
  }

  /** Room for an activation. */
  tensor(bytes: number): Ref {
    return { role: "arena", id: this.#tensors.push(bytes) - 1, bytes };
  }

  /** Data uploaded once. */
  constant(given: ArrayBufferView): Ref {
    const data = this.#pool.intern(given);
    return {
      role: "constants",
      id: this.#data.push({ role: "constants", data }) - 1,
      bytes: data.byteLength,
    };
  }

  /** Numbers that live from run to run, starting with `data`, and are read back. */
  state(slot: Omit<StateSlot, "slice" | "words">, data: ArrayBufferView): Ref {
    const ref: Ref = {
      role: "state",
      id: this.#data.push({ role: "state", data }) - 1,
      bytes: data.byteLength,
    };
    this.#states.push({ ...slot, words: data.byteLength / 4, ref });
    return ref;
  }

  /** What starts as `data`, packed in its layout, and lives from run to run. */
  variable(variable: Omit<Variable, "slice">, data: ArrayBufferView): Ref {
    const ref: Ref = { role: "variable", id: this.#variables.length, bytes: data.byteLength };
    this.#variables.push({ ...variable, ref, data });
    return ref;
  }

  /** Two int32 that a run sets to 0 and its steps fill: see Check. */
  check(check: Omit<Check, "slice">): Ref {
    const id = this.#data.push({ role: "state", data: new Int32Array(2) }) - 1;
    const ref: Ref = { role: "state", id, bytes: 8 };
    this.#checks.push({ ...check, ref });
    return ref;
  }

  input(name: string, dtype: DType, shape: readonly number[], bytes: number, shift: number): Ref {
    const ref: Ref = { role: "input", id: this.#inputs.length, bytes };
    this.#inputs.push({ name, dtype, shape, shift, ref });
    return ref;
  }

  output(name: string, dtype: DType, shape: readonly number[], bytes: number, shift: number): Ref {
    const ref: Ref = { role: "output", id: this.#outputs.length, bytes };
    this.#outputs.push({ name, dtype, shape, shift, ref });
    return ref;
  }

  step<S extends ShaderName>(shader: S, args: StepArgs<S>): void {
    if (args.groups === 0) return;
    const { node, uniforms, buffers } = args;
    const overrides: Record<string, number> = {};
    for (const [name, value] of Object.entries<number | undefined>(args.overrides ?? {})) {
      if (value !== undefined) overrides[name] = value;
    }
    this.#steps.push({ node, shader, overrides, uniforms, buffers, grid: foldGrid(args.groups) });
  }

  /** Lifetimes of the activations, by the steps that bind them. */
  lifetimes(): Lifetime[] {
    return this.#lifetimes("arena", this.#tensors);
  }

  /** Variables live all the time; what matters is which of them a step changes while it reads others. */
  #variableArena() {
    const sizes = this.#variables.map(({ ref }) => ref.bytes);
    const lives = this.#lifetimes("variable", sizes).map((life) => ({
      ...life,
      first: 0,
      last: 0,
    }));
    return placeTensors(lives, MAX_ARENA);
  }

  #lifetimes(role: BufferRole, tensors: readonly number[]): Lifetime[] {
    const apart = tensors.map(() => new Set<number>());
    const first = tensors.map(() => Number.MAX_SAFE_INTEGER);
    const last = tensors.map(() => -1);
    this.#steps.forEach((step, index) => {
      const bound = Object.entries(step.buffers).filter(([, ref]) => ref.role === role);
      for (const [name, { id }] of bound) {
        first[id] = Math.min(first[id] ?? index, index);
        last[id] = index;
        if (!WRITTEN.has(name)) continue;
        for (const [other, ref] of bound) {
          // A buffer may be written in several places, but not read in one and written in another.
          if (WRITTEN.has(other) || ref.id === id) continue;
          apart[id]?.add(ref.id);
          apart[ref.id]?.add(id);
        }
      }
    });
    return tensors.map((bytes, id) => ({
      bytes,
      first: Math.min(first[id] ?? 0, Math.max(0, last[id] ?? 0)),
      last: Math.max(0, last[id] ?? 0),
      apart: apart[id] ?? new Set<number>(),
    }));
  }

  /** The plan with memory of its own. */
  finish(): Plan {
    return atOnce(this.finishSteps());
  }

  /** The same in steps. */
  *finishSteps(): Steps<Plan> {
    return (yield* this.arrange()).plan;
  }

  /** The plan in the memory of one for greater sizes; undefined where it does not fit in. */
  finishIn(arrangement: Arrangement): Plan | undefined {
    const own = arrangementOf(this.#facts());
    return fitsIn(own, arrangement) ? this.#finish(arrangement) : undefined;
  }

  /** The plan with memory of its own, and how that is arranged. */
  *arrange(): Steps<{ readonly plan: Plan; readonly arrangement: Arrangement }> {
    const arrangement = {
      ...arrangementOf(this.#facts()),
      arena: yield* placeSteps(this.lifetimes(), MAX_ARENA),
    };
    return { plan: this.#finish(arrangement), arrangement };
  }

  #facts() {
    const bytes = (ports: readonly PendingPort[]) => ports.map(({ ref }) => align(ref.bytes));
    return {
      tensors: this.#tensors.map(align),
      inputs: bytes(this.#inputs),
      outputs: bytes(this.#outputs),
      states: this.#states.length + this.#variables.length,
      steps: this.#steps,
    };
  }

  #finish(arrangement: Arrangement): Plan {
    const buffers: BufferSpec[] = [];
    const slices = new Map<string, Slice>();
    const key = ({ role, id }: Ref) => `${role}${id}`;

    const { arena } = arrangement;
    arena.sizes.forEach((size) => buffers.push({ role: "arena", size }));
    arena.placements.forEach((placement, id) => {
      const size = align(this.#tensors[id] ?? 0);
      slices.set(`arena${id}`, { buffer: placement.arena, offset: placement.offset, size });
    });

    const uploads: Upload[] = [];
    const kept = this.#variableArena();
    const firstKept = buffers.length;
    kept.sizes.forEach((size) => buffers.push({ role: "variable", size }));
    const variables = this.#variables.map(({ ref, data, ...rest }, index): Variable => {
      const { arena: at = 0, offset = 0 } = kept.placements[index] ?? {};
      const slice = { buffer: firstKept + at, offset, size: align(ref.bytes) };
      slices.set(key(ref), slice);
      uploads.push({ slice, data });
      return { ...rest, slice };
    });
    for (const role of ["constants", "state"] as const) {
      let size = 0;
      let buffer = buffers.length;
      const close = () => {
        if (size > 0) buffers.push({ role, size });
        buffer = buffers.length;
        size = 0;
      };
      this.#data.forEach((item, id) => {
        if (item.role !== role) return;
        const bytes = align(item.data.byteLength);
        if (size > 0 && size + bytes > MAX_ARENA) close();
        const slice = { buffer, offset: size, size: bytes };
        slices.set(`${role}${id}`, slice);
        uploads.push({ slice, data: item.data });
        size += bytes;
      });
      close();
    }

    const inputs = this.#inputs.map(({ ref, ...rest }, index): Port => {
      const slice = { buffer: buffers.length, offset: 0, size: align(ref.bytes) };
      buffers.push({ role: "input", size: arrangement.inputs[index] ?? slice.size });
      slices.set(key(ref), slice);
      return { ...rest, slice };
    });
    let outputBytes = 0;
    const outputs = this.#outputs.map(({ ref, ...rest }, index): Port => {
      const slice = { buffer: buffers.length, offset: outputBytes, size: align(ref.bytes) };
      outputBytes += arrangement.outputs[index] ?? slice.size;
      slices.set(key(ref), slice);
      return { ...rest, slice };
    });
    if (outputBytes > 0) buffers.push({ role: "output", size: outputBytes });

    const place = (ref: Ref): Slice => {
      const slice = slices.get(key(ref));
      if (slice === undefined) throw new Error(`plan: ${key(ref)} has no place; please report.`);
      return slice;
    };
    const states = this.#states.map(({ ref, ...rest }): StateSlot => ({
      ...rest,
      slice: place(ref),
    }));
    const checks = this.#checks.map(({ ref, ...rest }): Check => ({ ...rest, slice: place(ref) }));
    const steps = this.#steps.map((step): Step => ({
      ...step,
      buffers: Object.fromEntries(
        Object.entries(step.buffers).map(([name, ref]) => [name, place(ref)]),
      ),
    }));
    return { buffers, steps, uploads, inputs, outputs, states, variables, checks };
  }
}

/** Bytes of `shape` as a dense array of `bytes` a element, rounded up to whole words. */
export function denseBytes(shape: readonly number[], elementBytes: 1 | 4): number {
  return Math.ceil(sizeOf(shape) / 4) * 4 * elementBytes;
}
