// A session runs a compiled graph. Plans depend on sizes: the first run of each size lowers the graph for
// it, later ones replay. Constants are packed and uploaded once for all of them; with bounds, kernels and
// memory are made once too, and another size costs a plan and its bind groups.

import { DisposedError, InputError } from "./errors.ts";
import { bindShapes, matchDims } from "./graph/bind.ts";
import { checkInputs, type NonFiniteRule } from "./graph/finite.ts";
import { valueOf, type Graph } from "./graph/graph.ts";
import { recognize } from "./graph/recognize/index.ts";
import { Program } from "./gpu/program.ts";
import type { Device } from "./gpu/device.ts";
import { ConstantStore } from "./gpu/shared.ts";
import { Choices } from "./plan/choices.ts";
import { ConstantPool } from "./plan/constants.ts";
import type { Dims } from "./plan/family.ts";
import { lowerInto } from "./plan/lower.ts";
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
  readonly program: Promise<Program>;
  /** The same once it is ready, to be freed at once. */
  ready: Program | undefined;
  /** Runs that wait for it or use it. */
  users: number;
}

export class Session implements Disposable {
  /** What runs: the graph that was given, with what is recognised in it as one node each. */
  readonly graph: Graph;
  readonly device: Device;
  /** The greatest sizes it runs, where it was compiled with any. */
  readonly bounds: Dims | undefined;
  readonly #target: Target;
  readonly #entries = new Map<string, Entry>();
  readonly #pool = new ConstantPool();
  readonly #constants: ConstantStore;
  #resident: Promise<Resident> | undefined;
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
    this.device = device;
    this.bounds = bounds;
    this.#target = target;
    this.#constants = new ConstantStore(device);
  }

  /** Run on host tensors, named as the model's inputs. Throws InputError where they do not fit, NonFiniteError
   *  where one holds NaN or ±∞. */
  async run(inputs: Tensors, options: RunOptions = {}): Promise<Tensors> {
    const dims = this.#dimsOf(inputs);
    checkInputs(this.graph, inputs, { verb: "run" }, options.nonFinite);
    const entry = this.#entryFor(dims);
    entry.users++;
    try {
      const program = await entry.program;
      const outputs = await program.run(new Map(Object.entries(inputs)), options.signal);
      return Object.fromEntries(outputs);
    } finally {
      entry.users--;
      this.#trim(this.#kept);
    }
  }

  /** The program for the sizes of `inputs`. Only `run` keeps it from being dropped for others. */
  async program(inputs: Tensors): Promise<Program> {
    return await this.prepareFor(this.#dimsOf(inputs));
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
    if (this.#disposed)
      throw new DisposedError("session: used after dispose(). Compile the model again.");
  }

  /** Lower, allocate and compile for known sizes of the symbolic dims, ahead of the first run. */
  async prepareFor(dims: Dims): Promise<Program> {
    this.#check();
    return await this.#entryFor(this.#inBounds(dims)).program;
  }

  /** With bounds, allocate, upload and compile what all sizes up to them need. */
  async prepare(): Promise<void> {
    this.#check();
    if (this.bounds) await this.#residentOf(this.bounds);
  }

  #residentOf(bounds: Dims): Promise<Resident> {
    if (this.#resident) return this.#resident;
    const made = Resident.create(this.graph, this.device, this.#target, bounds, this.#constants);
    made.then(
      (resident) => {
        if (this.#disposed) resident.dispose();
      },
      () => (this.#resident = undefined), // the caller is told, and may try again
    );
    return (this.#resident = made);
  }

  #entryFor(dims: Dims): Entry {
    const key = [...dims].map(([name, size]) => `${name}=${size}`).join();
    const known = this.#entries.get(key);
    if (known) return known;
    this.#trim(this.#kept - 1);
    const program = this.#create(dims);
    const entry: Entry = { program, ready: undefined, users: 0 };
    this.#entries.set(key, entry);
    program.then(
      (made) => (entry.ready = made),
      () => this.#entries.delete(key),
    );
    return entry;
  }

  async #create(dims: Dims): Promise<Program> {
    const program = this.bounds
      ? await (await this.#residentOf(this.bounds)).program(dims)
      : await Program.create(this.device, this.planFor(dims), { constants: this.#constants });
    if (!this.#disposed) return program;
    program.dispose();
    this.#constants.dispose();
    throw new DisposedError("session: disposed while it was compiled. Compile the model again.");
  }

  /** Every node that runs for known sizes, with its dtype and its shaders. */
  nodesFor(dims: Dims): PlannedNode[] {
    return listNodes(bindShapes(this.graph, dims), this.planFor(dims));
  }

  /** The dispatches for known sizes in memory of their own, as data: print it with `printPlan`. */
  planFor(dims: Dims): Plan {
    const graph = bindShapes(this.graph, dims);
    const shared = { choices: new Choices([graph]), pool: this.#pool };
    return lowerInto(graph, this.#target, shared).finish();
  }

  /** Free the oldest idle programs until `count` are left; those in use stay. */
  #trim(count: number): void {
    for (const [key, { ready, users }] of this.#entries) {
      if (this.#entries.size <= count) return;
      if (!ready || users > 0) continue;
      ready.dispose();
      this.#entries.delete(key);
    }
  }

  /** Free the session's GPU memory. Runs in flight reject. */
  dispose(): void {
    this.#disposed = true;
    for (const { ready } of this.#entries.values()) ready?.dispose();
    this.#entries.clear();
    this.#resident?.then(
      (resident) => resident.dispose(),
      () => undefined,
    );
    this.#constants.dispose();
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
