// A recurrent model's state between runs. One idea: the outputs of one run are the inputs of the next, zeros
// at the start of a sequence, so a text of any length is a row of short runs.

import { InputError } from "./errors.ts";
import { valueOf } from "./graph/graph.ts";
import type { Session } from "./session.ts";
import { allocate } from "./tensor/dtype.ts";
import { sizeOf, tensor, type Tensor, type Tensors } from "./tensor/tensor.ts";

/** Which output feeds which input of the next run: { h0: "h0_out" }. */
export type StatePairs = Readonly<Record<string, string>>;

export class CarriedState {
  readonly #session: Session;
  readonly #pairs: StatePairs;
  #kept: Tensors = {};

  /** Throws InputError where the model lacks a name. */
  constructor(session: Session, pairs: StatePairs) {
    const { inputs, outputs } = session.graph;
    for (const [input, output] of Object.entries(pairs)) {
      for (const [kind, name, names] of [
        ["input", input, inputs],
        ["output", output, outputs],
      ] as const) {
        if (names.includes(name)) continue;
        throw new InputError(
          `evaluate: state ${input}=${output}: the model has no ${kind} "${name}"; got ${kind}s ` +
            `${names.join(", ")}. Name an input and the output that feeds it.`,
        );
      }
    }
    this.#session = session;
    this.#pairs = pairs;
  }

  /** `tensors` with the state; zeros where a sequence `starts`. */
  before(tensors: Tensors, starts: boolean): Tensors {
    const state = Object.keys(this.#pairs).map((input) => {
      const kept = starts ? undefined : this.#kept[input];
      return [input, kept ?? this.#zeros(input, tensors)] as const;
    });
    return { ...tensors, ...Object.fromEntries(state) };
  }

  /** Keep the state that a run gave. */
  after(outputs: Tensors): void {
    const kept: Record<string, Tensor> = {};
    for (const [input, output] of Object.entries(this.#pairs)) {
      const value = outputs[output];
      if (value) kept[input] = value;
    }
    this.#kept = kept;
  }

  /** Zeros for input `name`; sizes that the model leaves open are those of `tensors`. */
  #zeros(name: string, tensors: Tensors): Tensor {
    const { graph } = this.#session;
    const sizes = new Map<string, number>();
    for (const [input, { shape }] of Object.entries(tensors)) {
      if (!graph.inputs.includes(input)) continue;
      valueOf(graph, input).shape.forEach((dim, axis) => {
        if (typeof dim === "string") sizes.set(dim, shape[axis] ?? 0);
      });
    }
    const value = valueOf(graph, name);
    const shape = value.shape.map((dim) => {
      const size = typeof dim === "number" ? dim : sizes.get(dim);
      if (size !== undefined) return size;
      throw new InputError(
        `evaluate: state "${name}": its size "${dim}" is the size of no other input. ` +
          `Give it when loading: load(bytes, { dims: { ${dim}: 1 } }).`,
      );
    });
    return tensor(value.dtype, shape, allocate(value.dtype, sizeOf(shape)));
  }
}
