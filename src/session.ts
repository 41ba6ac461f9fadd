// A session runs a compiled graph. Plans depend on sizes: the first run of each batch size lowers the
// graph for it, later ones replay.

import { DisposedError, InputError } from "./errors.ts";
import { bindShapes, matchDims } from "./graph/bind.ts";
import { valueOf, type Graph } from "./graph/graph.ts";
import { Program } from "./gpu/program.ts";
import type { Device } from "./gpu/device.ts";
import { lower } from "./plan/lower.ts";
import type { Plan } from "./plan/plan.ts";
import type { Tensor, Tensors } from "./tensor/tensor.ts";

export interface RunOptions {
  readonly signal?: AbortSignal;
}

/** Programs kept for sizes that were used; the oldest goes first. */
const KEPT_PROGRAMS = 4;

export class Session implements Disposable {
  readonly graph: Graph;
  readonly device: Device;
  readonly #programs = new Map<string, Promise<Program>>();
  /** Those of #programs that are ready, to be freed at once. */
  readonly #ready = new Map<string, Program>();
  #disposed = false;

  constructor(graph: Graph, device: Device) {
    this.graph = graph;
    this.device = device;
  }

  /** Run on host tensors, named as the model's inputs. Throws InputError where they do not fit. */
  async run(inputs: Tensors, options: RunOptions = {}): Promise<Tensors> {
    const program = await this.program(inputs);
    const outputs = await program.run(new Map(Object.entries(inputs)), options.signal);
    return Object.fromEntries(outputs);
  }

  /** The program for the sizes of `inputs`. */
  async program(inputs: Tensors): Promise<Program> {
    if (this.#disposed)
      throw new DisposedError("session: used after dispose(). Compile the model again.");
    const shapes = Object.fromEntries(
      Object.entries(inputs).map(([name, { shape }]) => [name, shape]),
    );
    for (const name of this.graph.inputs)
      checkDtype(name, valueOf(this.graph, name).dtype, inputs[name]);
    return await this.prepareFor(matchDims(this.graph, shapes));
  }

  /** Lower, allocate and compile for known sizes of the symbolic dims, ahead of the first run. */
  prepareFor(dims: ReadonlyMap<string, number>): Promise<Program> {
    const key = [...dims].map(([name, size]) => `${name}=${size}`).join();
    const known = this.#programs.get(key);
    if (known) return known;
    if (this.#programs.size >= KEPT_PROGRAMS) {
      const [oldest] = this.#programs.keys();
      if (oldest !== undefined) this.#drop(oldest);
    }
    const program = this.#create(key, dims);
    this.#programs.set(key, program);
    program.catch(() => this.#programs.delete(key));
    return program;
  }

  async #create(key: string, dims: ReadonlyMap<string, number>): Promise<Program> {
    const program = await Program.create(this.device, this.planFor(dims));
    if (this.#disposed) {
      program.dispose();
      throw new DisposedError("session: disposed while it was compiled. Compile the model again.");
    }
    this.#ready.set(key, program);
    return program;
  }

  /** The dispatches for known sizes, as data: print it with `printPlan`. */
  planFor(dims: ReadonlyMap<string, number>): Plan {
    return lower(bindShapes(this.graph, dims));
  }

  #drop(key: string): void {
    this.#ready.get(key)?.dispose();
    this.#ready.delete(key);
    this.#programs.delete(key);
  }

  /** Free the session's GPU memory. */
  dispose(): void {
    this.#disposed = true;
    for (const key of [...this.#programs.keys()]) this.#drop(key);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

function checkDtype(name: string, dtype: string, input: Tensor | undefined): void {
  if (input === undefined || input.dtype === dtype) return;
  throw new InputError(
    `input "${name}": dtype must be ${dtype}; got ${input.dtype}. Convert the data before the run.`,
  );
}
