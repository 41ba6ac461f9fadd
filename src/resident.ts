// What a session with bounds holds on its device: the kernels, constants and memory of every size up to
// them. One idea: all is there once it is made, and a program for a size only binds it.

import { inTurns } from "./flow/turns.ts";
import type { Graph } from "./graph/graph.ts";
import type { Device } from "./gpu/device.ts";
import { compileKernels, type Watch } from "./gpu/loadedPlan.ts";
import { Program } from "./gpu/program.ts";
import { SharedMemory, type ConstantStore, type Hold } from "./gpu/shared.ts";
import { packUniforms } from "./gpu/uniforms.ts";
import { PlanFamily, type Dims } from "./plan/family.ts";
import type { Target } from "./plan/target.ts";

export class Resident implements Disposable {
  readonly family: PlanFamily;
  readonly #device: Device;
  readonly #constants: ConstantStore;
  readonly #memory: SharedMemory;

  private constructor(
    family: PlanFamily,
    device: Device,
    constants: ConstantStore,
    memory: SharedMemory,
  ) {
    this.family = family;
    this.#device = device;
    this.#constants = constants;
    this.#memory = memory;
  }

  /** Lower for the ends of the range, compile, allocate and upload; `constants` go there. On failure, and where the
   *  signal aborts, nothing stays allocated. */
  static async create(
    graph: Graph,
    device: Device,
    target: Target,
    bounds: Dims,
    constants: ConstantStore,
    watch: Watch = {},
  ): Promise<Resident> {
    const { signal } = watch;
    const family = await inTurns(PlanFamily.steps(graph, target, bounds), signal);
    const sizes: number[] = [];
    for (const plan of family.ends) {
      const kernels = await compileKernels(device, plan, watch);
      sizes.push(packUniforms(plan, kernels).bytes.byteLength);
    }
    const holds: Hold[] = [];
    try {
      for (const plan of family.ends) holds.push(await constants.load(plan, signal));
      const memory = await device.scoped("compile", () => {
        signal?.throwIfAborted();
        return new SharedMemory(device, family.greatest, Math.max(...sizes));
      });
      for (const hold of holds) hold.keep();
      return new Resident(family, device, constants, memory);
    } catch (error) {
      for (const hold of holds) hold.release();
      throw error;
    }
  }

  /** A program for `dims`. Where its plan does not lie in the memory of the bounds, it has its own. */
  async program(dims: Dims, watch: Watch = {}): Promise<Program> {
    const { plan, isShared } = await inTurns(this.family.planSteps(dims), watch.signal);
    const shared = { constants: this.#constants, ...(isShared ? { memory: this.#memory } : {}) };
    return await Program.create(this.#device, plan, shared, watch);
  }

  dispose(): void {
    this.#memory.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
