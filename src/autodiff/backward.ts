// What a rule writes its part of the backward pass with: nodes with names of their own, appended to the graph
// that holds the forward pass.

import type { GraphBuilder } from "../graph/builder.ts";
import type { Node } from "../graph/node.ts";
import { float32, type Tensor } from "../tensor/tensor.ts";

type Unnamed<N> = N extends Node ? Omit<N, "name" | "outputs"> : never;

/** A node but for its own name and those of its outputs. */
export type Fields = Unnamed<Node>;

export class Backward {
  readonly builder: GraphBuilder;
  #of = "";

  constructor(builder: GraphBuilder) {
    this.builder = builder;
  }

  /** From here on nodes are named after forward node `name`. */
  enter(name: string): void {
    this.#of = name;
  }

  /** The shape of value `name`; the sizes of a training graph are all known. */
  shape(name: string): readonly number[] {
    return this.builder.value(name).shape.map((dim) => {
      if (typeof dim === "number") return dim;
      throw new Error(`autodiff: size "${dim}" of "${name}" is unbound; please report.`);
    });
  }

  /** Add a node with one output; its name. */
  add(fields: Fields): string {
    return this.addAll(fields, 1)[0] ?? "";
  }

  /** Add a node with `count` outputs; their names. */
  addAll(fields: Fields, count: number): string[] {
    const name = this.builder.fresh(`${this.#of}/gradient/${fields.op}`);
    const outputs = Array.from({ length: count }, (_, index) =>
      this.builder.fresh(count === 1 ? `${name}:y` : `${name}:y${index}`),
    );
    this.builder.add({ ...fields, name, outputs } as Node);
    return outputs;
  }

  constant(data: Tensor): string {
    return this.builder.constant(this.builder.fresh(`${this.#of}/gradient/constant`), data);
  }

  /** A float32 constant of shape []. */
  scalar(value: number): string {
    return this.constant(float32([], [value]));
  }

  /** The transpose of numpy broadcasting: `name` summed over the axes that were repeated to make its shape
   *  of `shape`. */
  sumTo(name: string, shape: readonly number[]): string {
    const from = this.shape(name);
    if (from.join() === shape.join()) return name;
    const extra = from.length - shape.length;
    const axes = from.flatMap((size, axis) =>
      axis < extra || (shape[axis - extra] === 1 && size !== 1) ? [axis] : [],
    );
    const summed =
      axes.length === 0
        ? name
        : this.add({ op: "ReduceSum", inputs: [name], axes, keepdims: false });
    if (this.shape(summed).join() === shape.join()) return summed;
    return this.add({ op: "Reshape", inputs: [summed], shape });
  }
}
