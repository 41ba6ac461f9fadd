// The graph under construction while a `forward` runs: names, operands and nodes. Every op adds typed
// nodes: a quantized tensor of the program is a quantized value of the graph from the start.

import { InputError, UnsupportedError } from "../../../errors.ts";
import { GraphBuilder } from "../../../graph/builder.ts";
import type { Engine, Node } from "../../../graph/node.ts";
import type { QParams, Value } from "../../../graph/value.ts";
import { dequantizeTensor } from "../../../graph/arithmetic.ts";
import { float32, type Tensor } from "../../../tensor/tensor.ts";
import type { Storage, StridedTensor } from "../pickled.ts";
import type { StateEntry, TensorReader } from "../tensors.ts";
import { Traced } from "./values.ts";

/** Nodes of one graph; the largest vision models have some thousand. */
const MOST_NODES = 20_000;
const MOST_OUTPUTS = 100_000;

/** A node without its name and outputs, which the translator gives it. */
export type Draft = Node extends infer N
  ? N extends Node
    ? Omit<N, "name" | "outputs">
    : never
  : never;

export class Translator {
  readonly builder = new GraphBuilder();
  /** Of each storage: the file's data.pkl and constants.pkl have storages of their own. */
  readonly #readers: ReadonlyMap<Storage, TensorReader>;
  readonly #fallback: TensorReader;
  readonly #constants = new Map<StridedTensor, string>();
  #outputs = 0;

  /** PyTorch's engine that the model was quantized for: told, or what its first layer shows. */
  #engine: Engine | undefined;

  constructor(
    tensors: TensorReader,
    readers: ReadonlyMap<Storage, TensorReader>,
    engine: Engine | undefined,
  ) {
    this.#fallback = tensors;
    this.#readers = readers;
    this.#engine = engine;
  }

  /** The engine for a layer with this weight: qnnpack's preset has one scale a tensor, fbgemm's and x86's one
   *  a channel. */
  engineOf(weight: QParams): Engine {
    return (this.#engine ??= weight.axis === undefined ? "qnnpack" : "fbgemm");
  }

  /** For nodes whose own types do not show it. */
  get rounded(): { readonly engine?: Engine } {
    return this.#engine ? { engine: this.#engine } : {};
  }

  /** The data of a tensor of the archive. */
  entry(source: StridedTensor, name: string): StateEntry {
    return (this.#readers.get(source.storage) ?? this.#fallback).read(source, name);
  }

  /** The data of a float tensor of the archive; quantized ones are dequantized. */
  reals(source: StridedTensor, name: string): Tensor<"float32"> {
    const { tensor, quant } = this.entry(source, name);
    if (quant) return dequantizeTensor(tensor as Tensor<QParams["dtype"]>, quant);
    if (tensor.dtype === "float32") return tensor as Tensor<"float32">;
    if (tensor.data instanceof BigInt64Array) {
      return float32(tensor.shape, Array.from(tensor.data, Number));
    }
    return float32(tensor.shape, tensor.data);
  }

  /** The type of a tensor of the program. Throws UnsupportedError where an in-place op has changed the
   *  memory it lies in. */
  type(tensor: Traced): Value {
    return this.builder.value(this.name(tensor));
  }

  name(tensor: Traced): string {
    if (tensor.stale === undefined) return tensor.value;
    throw new UnsupportedError(
      "load",
      [{ op: tensor.stale, node: tensor.value, problem: "it changes a tensor that is read later" }],
      "Use the op's out-of-place form in the model (inplace=False).",
    );
  }

  /** A constant value of the graph for a tensor of the archive, made once. */
  constant(source: StridedTensor, name: string): string {
    const known = this.#constants.get(source);
    if (known !== undefined) return known;
    const made = this.builder.constant(this.builder.fresh(name), this.reals(source, name));
    this.#constants.set(source, made);
    return made;
  }

  scalar(value: number, name: string): string {
    return this.builder.constant(this.builder.fresh(name), float32([], [value]));
  }

  /** Add a node with one output; `quant` makes the output quantized. */
  add(draft: Draft, name: string, quant?: QParams): Traced {
    return this.addMany(draft, name, 1, quant)[0] as Traced; // one was asked for
  }

  addMany(draft: Draft, wanted: string, count: number, quant?: QParams): Traced[] {
    const { builder } = this;
    this.#outputs += count;
    if (builder.nodes.length >= MOST_NODES || this.#outputs > MOST_OUTPUTS) {
      throw new InputError(
        `load: a model may have ${MOST_NODES} nodes with ${MOST_OUTPUTS} outputs; got more. Check the archive: it may be hostile.`,
      );
    }
    const name = builder.fresh(wanted);
    const outputs = Array.from({ length: count }, (_, index) =>
      builder.fresh(count === 1 ? `${name}.out` : `${name}.out${index}`),
    );
    const node = { ...draft, name, outputs } as Node;
    builder.add(node, quant ? { quant } : { dtype: "float32" });
    return outputs.map((output) => new Traced(output));
  }
}
