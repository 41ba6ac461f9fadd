// Few samples out of many, kept fairly: each batch of a stream of unknown length has the same chance,
// and the choice depends on nothing but its order. Memory is bounded by the number kept.

import { valueOf, type Graph } from "./graph/graph.ts";
import { allocate, type TypedArray } from "./tensor/dtype.ts";
import { sizeOf, tensor, type Tensor, type Tensors } from "./tensor/tensor.ts";

/** Batches in order, from any source. */
export type Batches = Iterable<Tensors> | AsyncIterable<Tensors>;

/** Vitter's algorithm R with a small generator of its own. */
export class Reservoir {
  readonly kept: Tensors[] = [];
  readonly #capacity: number;
  #seen = 0;
  #state = 0x9e3779b9;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  add(batch: Tensors): void {
    this.#seen++;
    if (this.kept.length < this.#capacity) {
      this.kept.push(batch);
      return;
    }
    const at = this.#below(this.#seen);
    if (at < this.#capacity) this.kept[at] = batch;
  }

  /** A whole number in 0 … bound − 1 (xorshift32). */
  #below(bound: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return (x >>> 0) % bound;
  }
}

/** Number of samples in a batch: the first axis of the first input. */
export function batchSize(graph: Graph, batch: Tensors): number {
  return batch[graph.inputs[0] ?? ""]?.shape[0] ?? 1;
}

/** True where every input of `graph` has the same open size on its first axis, and nowhere else. */
export function hasOpenBatch(graph: Graph): boolean {
  const shapes = graph.inputs.map((name) => valueOf(graph, name).shape);
  const batch = shapes[0]?.[0];
  return (
    typeof batch === "string" &&
    shapes.every(([first, ...rest]) => first === batch && !rest.includes(batch))
  );
}

/** Batches joined along the first axis. */
export function joinBatches(batches: readonly Tensors[]): Tensors {
  const names = Object.keys(batches[0] ?? {});
  return Object.fromEntries(
    names.map((name) => [name, joinTensors(batches.map((batch) => batch[name] as Tensor))]),
  );
}

function joinTensors(parts: readonly Tensor[]): Tensor {
  const [first] = parts;
  const rows = parts.reduce((sum, { shape }) => sum + (shape[0] ?? 1), 0);
  const shape = [rows, ...(first?.shape.slice(1) ?? [])];
  const data = allocate(first?.dtype ?? "float32", sizeOf(shape));
  let at = 0;
  for (const part of parts) {
    (data as { set(values: TypedArray, offset: number): void }).set(part.data, at);
    at += part.data.length;
  }
  return tensor(first?.dtype ?? "float32", shape, data);
}
