// A training step on a device: one plan that goes forward, backward and updates, replayed for every batch. What
// is trained stays on the device between steps, and is read when somebody asks.

import { recompute } from "./autodiff/recompute.ts";
import type { BoundGraph } from "./graph/bind.ts";
import type { Device } from "./gpu/device.ts";
import { Program } from "./gpu/program.ts";
import { layoutOf, unpackLayout } from "./plan/layout.ts";
import { lower } from "./plan/lower.ts";
import { bytesOf, type Plan } from "./plan/plan.ts";
import { targetOf } from "./plan/target.ts";
import { tensor, type Tensor, type Tensors } from "./tensor/tensor.ts";

export class Trainer implements Disposable {
  readonly #program: Program;

  private constructor(program: Program) {
    this.#program = program;
  }

  /** Lower, allocate and compile. With a budget, the values between nodes take no more bytes than that. On failure
   *  nothing stays allocated. Throws MemoryBudgetError where it cannot be met. */
  static async create(
    graph: BoundGraph,
    device: Device,
    budget?: { readonly loss: string; readonly bytes: number },
  ): Promise<Trainer> {
    const target = targetOf(device.facts);
    const measure = (graph: BoundGraph) => bytesOf(lower(graph, target), "arena");
    const fitting = budget
      ? recompute(graph, { loss: budget.loss, budget: budget.bytes, measure }).graph
      : graph;
    return new Trainer(await Program.create(device, lower(fitting, target)));
  }

  get plan(): Plan {
    return this.#program.plan;
  }

  /** Run once; the outputs of the graph. Runs whole or not at all: half a step would leave statistics of a
   *  batch that changed no parameter. */
  async step(inputs: Tensors): Promise<Tensors> {
    return Object.fromEntries(await this.#program.run(new Map(Object.entries(inputs))));
  }

  /** Every variable as the last step left it. */
  async variables(): Promise<Map<string, Tensor>> {
    const bytes = await this.#program.readVariables();
    return new Map(
      this.plan.variables.map(({ name, dtype, shape }, index) => {
        const layout = layoutOf(shape);
        const stored = bytes[index] ?? new ArrayBuffer(0);
        const isReal = dtype === "float32";
        const data = isReal
          ? unpackLayout(layout, new Float32Array(stored, 0, layout.words * 4))
          : unpackLayout(layout, new Int32Array(stored, 0, layout.words * 4));
        const value = isReal
          ? tensor("float32", shape, data as Float32Array)
          : tensor("int32", shape, data as Int32Array);
        return [name, value] as const;
      }),
    );
  }

  /** Free the GPU memory. A step in flight rejects. */
  dispose(): void {
    this.#program.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
