// What a session with bounds holds on its device: the kernels, constants and memory of every size up to
// them. One idea: all is there once it is made, and a program for a size only binds it.

import type { Graph } from "./graph/graph.ts";
import type { Device } from "./gpu/device.ts";
import { compileKernels } from "./gpu/loadedPlan.ts";
import { Program } from "./gpu/program.ts";
import { SharedMemory, type ConstantStore } from "./gpu/shared.ts";
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

  /** Lower for the ends of the range, compile, allocate and upload; `constants` go there. On failure
   *  nothing stays allocated. */
  static async create(
    graph: Graph,
    device: Device,
    target: Target,
    bounds: Dims,
    constants: ConstantStore,
  ): Promise<Resident> {
    const family = new PlanFamily(graph, target, bounds);
    const kernels = await Promise.all(family.ends.map((plan) => compileKernels(device, plan)));
    const sizes = family.ends.map(
      (plan, index) => packUniforms(plan, kernels[index] ?? []).bytes.byteLength,
    );
    const undo: (() => void)[] = [];
    try {
      return await device.scoped("compile", () => {
        const memory = new SharedMemory(device, family.greatest, Math.max(...sizes));
        undo.push(() => memory.dispose());
        for (const plan of family.ends) undo.push(constants.load(plan));
        return new Resident(family, device, constants, memory);
      });
    } catch (error) {
      for (const each of undo.toReversed()) each();
      throw error;
    }
  }

  /** A program for `dims`. Where its plan does not lie in the memory of the bounds, it has its own. */
  async program(dims: Dims): Promise<Program> {
    const { plan, isShared } = this.family.planFor(dims);
    const shared = { constants: this.#constants, ...(isShared ? { memory: this.#memory } : {}) };
    return await Program.create(this.#device, plan, shared);
  }

  dispose(): void {
    this.#memory.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
