// A recurrent model's state between runs. One idea: the outputs of one run are the inputs of the next, zeros
// at the start of a sequence, so a text of any length is a row of short runs.

import { checkNames } from "./text/names.ts";
import { filledInput } from "./filledInput.ts";
import type { Session } from "./session.ts";
import type { Tensor, Tensors } from "./tensor/tensor.ts";

/** Which output feeds which input of the next run: { h0: "h0_out" }. */
export type StatePairs = Readonly<Record<string, string>>;

export class CarriedState {
  readonly #session: Session;
  readonly #pairs: StatePairs;
  #kept: ReadonlyMap<string, Tensor> = new Map();

  /** Throws InputError where the model lacks a name. */
  constructor(session: Session, pairs: StatePairs) {
    const { inputs, outputs } = session.graph;
    const wayOut = "Name an input and the output that feeds it.";
    checkNames("evaluate: state", "input", Object.keys(pairs), inputs, wayOut);
    checkNames("evaluate: state", "output", Object.values(pairs), outputs, wayOut);
    this.#session = session;
    this.#pairs = pairs;
  }

  /** `tensors` with the state; zeros where a sequence `starts`. */
  before(tensors: Tensors, starts: boolean): Tensors {
    const state = Object.keys(this.#pairs).map((input) => {
      const kept = starts ? undefined : this.#kept.get(input);
      return [input, kept ?? filledInput(this.#session.graph, input, 0, tensors)] as const;
    });
    return { ...tensors, ...Object.fromEntries(state) };
  }

  /** Keep the state that a run gave. */
  after(outputs: Tensors): void {
    const kept = new Map<string, Tensor>();
    for (const [input, output] of Object.entries(this.#pairs)) {
      const value = outputs[output];
      if (value) kept.set(input, value);
    }
    this.#kept = kept;
  }
}
