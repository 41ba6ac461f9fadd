// What training is fed: samples, and batches of them. A sample has no batch axis; a batch is samples stacked along a
// new first axis.

import { InputError } from "../errors.ts";
import { allocate, type TypedArray } from "../tensor/dtype.ts";
import { formatShape, sizeOf, tensor, type Tensor, type Tensors } from "../tensor/tensor.ts";

export interface TrainingSample {
  /** By the names of the model's inputs, without the batch axis. */
  readonly tensors: Tensors;
  /** A class, or one a position; −100 counts for nothing. Absent where the loss needs none. */
  readonly label?: number | readonly number[];
  /** What the output is to be, without the batch axis, where the loss is of real numbers. */
  readonly target?: Tensor;
}

export interface TrainingBatch {
  /** (B, …) each. */
  readonly tensors: Tensors;
  /** int32 (B), or (B, positions). */
  readonly labels: Tensor<"int32"> | undefined;
  /** (B, …), where every sample has a target. */
  readonly targets: Tensor | undefined;
}

/** Samples that can be had in any order. */
export interface IndexedData {
  readonly length: number;
  get(index: number): TrainingSample | Promise<TrainingSample>;
}

type Stream = Iterable<TrainingSample> | AsyncIterable<TrainingSample>;

/** Samples by number, or in the order in which they come: then every epoch goes through them anew, so a generator
 *  is passed as a function that starts one. */
export type TrainingData = IndexedData | Stream | (() => Stream);

function stackTensors(name: string, parts: readonly Tensor[]): Tensor {
  const [first] = parts;
  if (first === undefined) throw new Error("stack: no samples; please report.");
  const { dtype, shape } = first;
  parts.forEach((part, at) => {
    if (part.dtype === dtype && formatShape(part.shape) === formatShape(shape)) return;
    throw new InputError(
      `data: "${name}" must have one type in all samples of a batch; got ${dtype}${formatShape(shape)} and, ` +
        `${at} samples later, ${part.dtype}${formatShape(part.shape)}. Resize or convert the samples.`,
    );
  });
  const size = sizeOf(shape);
  const data = allocate(dtype, size * parts.length);
  parts.forEach((part, at) => {
    (data as { set(values: TypedArray, offset: number): void }).set(part.data, at * size);
  });
  return tensor(dtype, [parts.length, ...shape], data);
}

/** A label as a tensor without batch axis. */
function labelOf({ label }: TrainingSample): Tensor<"int32"> | undefined {
  if (label === undefined) return undefined;
  const values = typeof label === "number" ? [label] : label;
  const wrong = values.find((value) => !Number.isInteger(value));
  if (wrong !== undefined)
    throw new InputError(
      `data: a label must be a whole number; got ${wrong}. Map names to numbers.`,
    );
  const shape = typeof label === "number" ? [] : [values.length];
  return tensor("int32", shape, Int32Array.from(values));
}

/** `samples` as one batch. Throws InputError where they have other inputs, types or labels than the first. */
export function stackSamples(samples: readonly TrainingSample[]): TrainingBatch {
  const [first] = samples;
  if (first === undefined) throw new Error("stack: no samples; please report.");
  const namesOf = ({ tensors }: TrainingSample) => Object.keys(tensors).sort().join(", ");
  const odd = samples.find((sample) => namesOf(sample) !== namesOf(first));
  if (odd) {
    throw new InputError(
      `data: samples must have the same inputs; got ${namesOf(first)} and ${namesOf(odd) || "none"}. ` +
        "Give every sample all of them.",
    );
  }
  const labels = samples.map(labelOf).filter((label) => label !== undefined);
  if (labels.length > 0 && labels.length < samples.length) {
    throw new InputError(
      `data: all samples must have a label, or none; got ${labels.length} of ${samples.length}. ` +
        "Label the others −100 to leave them out.",
    );
  }
  const targets = samples.map(({ target }) => target).filter((target) => target !== undefined);
  if (targets.length > 0 && targets.length < samples.length) {
    throw new InputError(
      `data: all samples must have a target, or none; got ${targets.length} of ${samples.length}. ` +
        "Give one to the others.",
    );
  }
  const tensors = Object.keys(first.tensors).map((name) => {
    return [
      name,
      stackTensors(
        name,
        samples.map((each) => each.tensors[name] as Tensor),
      ),
    ] as const;
  });
  return {
    tensors: Object.fromEntries(tensors),
    labels: labels.length > 0 ? (stackTensors("label", labels) as Tensor<"int32">) : undefined,
    targets: targets.length > 0 ? stackTensors("target", targets) : undefined,
  };
}
