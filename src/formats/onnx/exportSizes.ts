// Sizes that are known only at run time → ONNX: a name of a size is read from the Shape of an input that has it,
// and sums and products of names are Add and Mul of int64. Each name is read once.

import { termsOf } from "../../graph/dims.ts";
import { valueOf, type Graph } from "../../graph/graph.ts";
import type { Dim } from "../../graph/value.ts";
import type { Draft } from "./draft.ts";

export class Sizes {
  readonly #draft: Draft;
  readonly #graph: Graph;
  /** What holds a size already, as int64[1], and the shape of an input. */
  readonly #known = new Map<Dim, string>();
  readonly #shapes = new Map<string, string>();

  constructor(draft: Draft, graph: Graph) {
    this.#draft = draft;
    this.#graph = graph;
  }

  /** The int64 list `sizes`; undefined where a name is the size of no input. */
  list(wanted: string, sizes: readonly Dim[]): string | undefined {
    const numbers = sizes.filter((size) => typeof size === "number");
    if (numbers.length === sizes.length) return this.#draft.integers(wanted, numbers);
    const parts: string[] = [];
    for (const size of sizes) {
      const part = this.#one(size);
      if (part === undefined) return undefined;
      parts.push(part);
    }
    const [only] = parts;
    if (parts.length === 1) return only;
    const list = this.#draft.names.fresh(wanted);
    this.#node("Concat", parts, list, { axis: { kind: "int", value: 0n } });
    return list;
  }

  /** `size` as int64[1]. */
  #one(size: Dim): string | undefined {
    if (typeof size === "number") return this.#draft.integers("size", [size]);
    const known = this.#known.get(size);
    if (known !== undefined) return known;
    const made = this.#read(size) ?? this.#computed(size);
    if (made !== undefined) this.#known.set(size, made);
    return made;
  }

  /** `size` from the shape of an input that has it as it is. */
  #read(size: Dim): string | undefined {
    for (const input of this.#graph.inputs) {
      const axis = valueOf(this.#graph, input).shape.indexOf(size);
      if (axis < 0) continue;
      const name = this.#draft.names.fresh(`${size}_size`);
      const at = this.#draft.integers(`axis_${axis}`, [axis]);
      this.#node("Gather", [this.#shape(input), at], name);
      return name;
    }
    return undefined;
  }

  #shape(input: string): string {
    const known = this.#shapes.get(input);
    if (known !== undefined) return known;
    const name = this.#draft.names.fresh(`${input}_shape`);
    this.#node("Shape", [input], name);
    this.#shapes.set(input, name);
    return name;
  }

  /** A polynomial of names that inputs have. */
  #computed(size: string): string | undefined {
    const terms = termsOf(size);
    const [first] = terms;
    const isName = terms.length === 1 && first?.coefficient === 1 && first.names.length === 1;
    if (isName) return this.#solved(size);
    let sum: string | undefined;
    for (const { coefficient, names } of terms) {
      let product: string | undefined;
      for (const factor of [
        ...(coefficient === 1 && names.length > 0 ? [] : [coefficient]),
        ...names,
      ]) {
        const part = this.#one(factor);
        if (part === undefined) return undefined;
        product = product === undefined ? part : this.#binary("Mul", product, part);
      }
      if (product === undefined) return undefined;
      sum = sum === undefined ? product : this.#binary("Add", sum, product);
    }
    return sum;
  }

  /** A name that occurs only in a size such as `2*frames + 1`: that less what is known, divided. */
  #solved(name: string): string | undefined {
    for (const input of this.#graph.inputs) {
      for (const dim of valueOf(this.#graph, input).shape) {
        const terms = typeof dim === "string" ? termsOf(dim) : [];
        const own = terms.find(({ names }) => names.length === 1 && names[0] === name);
        const others = terms.filter((term) => term !== own);
        if (!own || others.some(({ names }) => names.length > 0)) continue;
        let value = this.#read(dim);
        const [constant] = others;
        if (value === undefined) continue;
        if (constant)
          value = this.#binary("Sub", value, this.#draft.integers("size", [constant.coefficient]));
        if (own.coefficient === 1) return value;
        return this.#binary("Div", value, this.#draft.integers("size", [own.coefficient]));
      }
    }
    return undefined;
  }

  #binary(op: "Add" | "Sub" | "Mul" | "Div", a: string, b: string): string {
    const name = this.#draft.names.fresh("size");
    this.#node(op, [a, b], name);
    return name;
  }

  #node(
    op: string,
    inputs: readonly string[],
    output: string,
    attributes: Parameters<Draft["node"]>[4] = {},
  ): void {
    this.#draft.node(op, "", inputs, [output], attributes);
  }
}
