// A session runs a compiled graph. Plans depend on sizes: the first run of each size lowers the graph for
// it, later ones replay. Constants are packed and uploaded once for all of them; with bounds, kernels and
// memory are made once too, and another size costs a plan and its bind groups.

import { DisposedError, InputError } from "./errors.ts";
import { Joint } from "./flow/joint.ts";
import { atOnce, inTurns, type Steps } from "./flow/turns.ts";
import { bindShapes, matchDims } from "./graph/bind.ts";
import { checkInputs, type NonFiniteRule } from "./graph/finite.ts";
import { valueOf, type Graph } from "./graph/graph.ts";
import { recognize } from "./graph/recognize/index.ts";
import { Program } from "./gpu/program.ts";
import type { Device } from "./gpu/device.ts";
import { compileKernels, type Watch } from "./gpu/loadedPlan.ts";
import { ConstantStore, DISPOSED } from "./gpu/shared.ts";
import { ConstantPool } from "./plan/constants.ts";
import type { Dims } from "./plan/family.ts";
import { planSteps } from "./plan/lower.ts";
import { listNodes, type PlannedNode } from "./plan/listing.ts";
import type { Plan } from "./plan/plan.ts";
import { targetOf, type Target } from "./plan/target.ts";
import { foldDequantizers } from "./quantize/constants.ts";
import { Resident } from "./resident.ts";
import { allocate, type DType } from "./tensor/dtype.ts";
import { formatShape, sizeOf, type Tensor, type Tensors } from "./tensor/tensor.ts";

export interface RunOptions {
  readonly signal?: AbortSignal;
  /** Inputs with NaN or ±∞ (−∞ in masks excepted): "refuse", the default, throws NonFiniteError; "allow"
   *  computes with them as IEEE 754 says. */
  readonly nonFinite?: NonFiniteRule;
}

/** Programs kept for sizes that were used; the oldest that nobody runs goes first. */
const KEPT_PROGRAMS = 4;
/** The same with bounds, where a program holds no GPU memory. */
const KEPT_BOUNDED = 64;

interface Entry {
  readonly program: Joint<Program>;
  /** Runs that wait for it or use it. */
  users: number;
}

/** What was made ready ahead of a run. */
type Ready = (session: Session, watch: Watch) => Promise<void>;

export class Session implements Disposable {
  /** What runs: the graph that was given, with what is recognised in it as one node each. */
  readonly graph: Graph;
  /** The greatest sizes it runs, where it was compiled with any. */
  readonly bounds: Dims | undefined;
  readonly #target: Target;
  readonly #entries = new Map<string, Entry>();
  readonly #pool = new ConstantPool();
  #device: Device;
  #constants: ConstantStore;
  #resident: Joint<Resident> | undefined;
  /** Made ready again by `recover`. */
  readonly #ready: Ready[] = [];
  #disposed = false;

  /** `bounds` are of every open size of `graph`. */
  constructor(
    graph: Graph,
    device: Device,
    target: Target = targetOf(device.facts),
    bounds?: Dims,
  ) {
    // What runs may have another form than what is saved, and nothing is saved from here.
    this.graph = recognize(foldDequantizers(graph));
    this.#device = device;
    this.bounds = bounds;
    this.#target = target;
    this.#constants = new ConstantStore(device);
  }

  /** Where it runs: another one after `recover`. */
  get device(): Device {
    return this.#device;
  }

  /**
   * Run on host tensors, named as the model's inputs.
   * @throws InputError where they do not fit; NonFiniteError where one holds NaN or ±∞; the reason of `signal` as soon
   *   as it aborts; DeviceLostError, after which `recover` makes the session usable again.
   */
  async run(inputs: Tensors, { signal, nonFinite }: RunOptions = {}): Promise<Tensors> {
    signal?.throwIfAborted();
    const dims = this.#dimsOf(inputs);
    checkInputs(this.graph, inputs, { verb: "run" }, nonFinite);
    const entry = this.#entryFor(dims);
    entry.users++;
    try {
      const program = await this.#wait(entry.program, signal);
      return Object.fromEntries(await program.run(new Map(Object.entries(inputs)), signal));
    } finally {
      entry.users--;
      this.#trim(this.#kept);
    }
  }

  /** The program for the sizes of `inputs`. Only `run` keeps it from being dropped for others. */
  async program(inputs: Tensors, watch: Watch = {}): Promise<Program> {
    return await this.prepareFor(this.#dimsOf(inputs), watch);
  }

  /**
   * Go on after a loss of the device: on `device`, or on the one that is asked for in its place. What was compiled
   * ahead is compiled again; the rest when a run needs it. Nothing happens while the device lives.
   * @throws what `Device.recover` throws; InputError for a device of another adapter; what `compile` throws.
   */
  async recover(device?: Device, watch: Watch = {}): Promise<void> {
    this.#check();
    const next = device ?? (await this.#device.recover(watch.signal));
    this.#check();
    if (next === this.#device) return;
    if (JSON.stringify(next.facts) !== JSON.stringify(this.#device.facts))
      throw new InputError(
        "recover: the device must be of the adapter that the session was compiled for; got another one. " +
          "Compile the model again.",
      );
    this.#drop();
    this.#device = next;
    this.#constants = new ConstantStore(next);
    for (const ready of this.#ready) await ready(this, watch);
  }

  /** The sizes of the symbolic dims, from inputs that fit. */
  #dimsOf(inputs: Tensors): Dims {
    this.#check();
    const dims = matchDims(this.graph, inputs);
    for (const name of this.graph.inputs)
      checkInput(name, valueOf(this.graph, name).dtype, inputs[name]);
    return this.#inBounds(dims);
  }

  #inBounds(dims: Dims): Dims {
    for (const [name, bound] of this.bounds ?? []) {
      const size = dims.get(name) ?? bound;
      if (size <= bound) continue;
      throw new InputError(
        `size "${name}" must be at most ${bound}, its bound; got ${size}. ` +
          `Pass less at a time, or compile with { bounds: { ${name}: ${size} } }.`,
      );
    }
    return dims;
  }

  get #kept(): number {
    return this.bounds ? KEPT_BOUNDED : KEPT_PROGRAMS;
  }

  #check(): void {
    if (this.#disposed) throw new DisposedError(DISPOSED);
  }

  async #wait<T>(work: Joint<T>, signal: AbortSignal | undefined): Promise<T> {
    try {
      return await work.wait(signal);
    } catch (error) {
      this.#check(); // whatever it fails with after dispose(), that is why
      throw error;
    }
  }

  /** Lower, allocate and compile for known sizes of the symbolic dims, ahead of the first run. */
  async prepareFor(dims: Dims, watch: Watch = {}): Promise<Program> {
    this.#check();
    return await this.#wait(this.#entryFor(this.#inBounds(dims), watch).program, watch.signal);
  }

  /** Make ready what a first run would wait for, now and whenever the session recovers: with bounds all that any size
   *  up to them needs, without open sizes everything, and otherwise the kernels and constants of `typical` sizes. */
  async prepare(typical: readonly Dims[], watch: Watch = {}): Promise<void> {
    const ready: Ready = async (session, watch) => {
      if (session.bounds)
        await session.#wait(session.#residentOf(session.bounds, watch), watch.signal);
      else for (const dims of typical) await session.#warm(dims, watch);
    };
    await this.#make(ready, watch);
  }

  /** The same for sizes that are known to come: a run of them only replays. */
  async prepareWhole(dims: Dims, watch: Watch = {}): Promise<void> {
    await this.#make(async (session, watch) => void (await session.prepareFor(dims, watch)), watch);
  }

  async #make(ready: Ready, watch: Watch): Promise<void> {
    this.#check();
    await ready(this, watch);
    this.#ready.push(ready);
  }

  /** Compile the kernels and upload the constants of sizes like `dims`, without memory for a run. */
  async #warm(dims: Dims, watch: Watch): Promise<void> {
    const plan = await inTurns(this.#planSteps(dims), watch.signal);
    await compileKernels(this.#device, plan, watch);
    (await this.#constants.load(plan, watch.signal)).keep();
  }

  #residentOf(bounds: Dims, watch: Watch): Joint<Resident> {
    if (this.#resident && !this.#resident.isOver) return this.#resident;
    return (this.#resident = new Joint(
      (signal) =>
        Resident.create(this.graph, this.#device, this.#target, bounds, this.#constants, {
          ...watch,
          signal,
        }),
      (resident) => resident.dispose(),
    ));
  }

  #entryFor(dims: Dims, watch: Watch = {}): Entry {
    const key = [...dims].map(([name, size]) => `${name}=${size}`).join();
    const known = this.#entries.get(key);
    if (known && !known.program.isOver) return known;
    this.#trim(this.#kept - 1);
    const program = new Joint(
      (signal) => this.#create(dims, { ...watch, signal }),
      (made) => made.dispose(),
    );
    const entry: Entry = { program, users: 0 };
    this.#entries.set(key, entry);
    return entry;
  }

  async #create(dims: Dims, watch: Watch): Promise<Program> {
    if (this.bounds) {
      const resident = await this.#residentOf(this.bounds, watch).wait(watch.signal);
      return await resident.program(dims, watch);
    }
    const plan = await inTurns(this.#planSteps(dims), watch.signal);
    return await Program.create(this.#device, plan, { constants: this.#constants }, watch);
  }

  /** Every node that runs for known sizes, with its dtype and its shaders. */
  nodesFor(dims: Dims): PlannedNode[] {
    return listNodes(bindShapes(this.graph, dims), this.planFor(dims));
  }

  /** The dispatches for known sizes in memory of their own, as data: print it with `printPlan`. */
  planFor(dims: Dims): Plan {
    return atOnce(this.#planSteps(dims));
  }

  *#planSteps(dims: Dims): Steps<Plan> {
    return yield* planSteps(bindShapes(this.graph, dims), this.#target, this.#pool);
  }

  /** Free the oldest idle programs until `count` are left; those in use stay. */
  #trim(count: number): void {
    for (const [key, { program, users }] of this.#entries) {
      if (program.isOver) this.#entries.delete(key);
      if (this.#entries.size <= count) return;
      if (!program.value || users > 0 || program.users > 0) continue;
      program.value.dispose();
      this.#entries.delete(key);
    }
  }

  /** Free what is on the device. */
  #drop(): void {
    for (const { program } of this.#entries.values()) program.end((made) => made.dispose());
    this.#entries.clear();
    this.#resident?.end((resident) => resident.dispose());
    this.#resident = undefined;
    this.#constants.dispose();
  }

  /** Free the session's GPU memory. Runs in flight reject. */
  dispose(): void {
    this.#disposed = true;
    this.#drop();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** A tensor literal may say one thing and hold another: then the last run's bytes would be read. */
function checkInput(name: string, dtype: DType, input: Tensor | undefined): void {
  if (input === undefined) return;
  // int64 lies as int32 anyway, and JavaScript's own integers are easier to make.
  if (input.dtype !== dtype && !(dtype === "int64" && input.dtype === "int32")) {
    throw new InputError(
      `input "${name}": dtype must be ${dtype}; got ${input.dtype}. Convert the data before the run.`,
    );
  }
  const holds = allocate(input.dtype, 0).constructor;
  const count = sizeOf(input.shape);
  if (input.data.constructor === holds && input.data.length === count) return;
  throw new InputError(
    `input "${name}": data must be a ${holds.name} of ${count} elements for shape ` +
      `${formatShape(input.shape)}; got a ${input.data.constructor.name} of ${input.data.length}. ` +
      "Make tensors with tensor(dtype, shape, data).",
  );
}
