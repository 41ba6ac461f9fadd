// Arrays of samples → batches that fit a model. Two axes are cut, the samples' and, of a language model, time's;
// which of an input's axes they are is read off the names of the model's own sizes.

import { InputError } from "../errors.ts";
import type { LabelledBatch } from "../evaluate.ts";
import { filledInput } from "../filledInput.ts";
import type { Model, PortType } from "../model.ts";
import { exactly } from "../tensor/exact.ts";
import { formatShape, toNumbers, type Tensor } from "../tensor/tensor.ts";
import { slice, take } from "./arrays.ts";
import { spread } from "./pictureFiles.ts";

export interface ArraySource {
  readonly model: Model;
  readonly arrays: ReadonlyMap<string, Tensor>;
  /** Of the samples' axis, or of samples and time in the ids' arrangement. */
  readonly labels: Tensor;
  /** Inputs that hold one number everywhere. */
  readonly filled: ReadonlyMap<string, 0 | 1>;
  /** Of a language model: the axis along which time runs, and the positions of one run. */
  readonly time?: { readonly axis: number; readonly chunk: number | undefined };
  readonly batch: number | undefined;
  readonly limit: number | undefined;
  /** The samples are one sequence, so a limit takes the first of them. */
  readonly sequential: boolean;
  readonly onNote: (note: string) => void;
}

export interface ArrayBatches {
  /** Rows with or without a label. */
  readonly total: number;
  /** Samples that run at a time. */
  readonly step: number;
  /** The labels, cut to what is run. */
  readonly labels: Tensor;
  open(): Generator<LabelledBatch, void, undefined>;
}

/** Where an array is cut. */
interface Cut {
  readonly array: Tensor;
  /** undefined: every run takes the whole. */
  readonly sample: number | undefined;
  readonly time: number | undefined;
}

/** Cut arrays and labels into batches. Throws InputError for arrays that do not fit the model. */
export function arrayBatches(source: ArraySource): ArrayBatches {
  const { model, labels, time, limit, sequential, onNote } = source;
  const sampleAxis = time ? 1 - time.axis : 0;
  const samples = labels.shape[sampleAxis] ?? 0;
  const steps = time ? (labels.shape[time.axis] ?? 0) : 1;
  const axes = axesOf(source, sampleAxis);
  const cuts = new Map<string, Cut>();
  for (const [name, array] of source.arrays) {
    const port = portOf(model, name);
    const cut = cutOf(port, axes, { samples, steps }, array);
    check(name, port, array, cut, { samples, steps });
    const where = `input "${name}"`;
    cuts.set(name, { ...cut, array: exactly(array, port.dtype, where) });
  }
  const step = fixedSize(model, cuts, "sample") ?? source.batch ?? 1;
  const width = time ? (fixedSize(model, cuts, "time") ?? time.chunk ?? steps) : 1;
  refuseOther("--batch", source.batch, step, "sample(s)");
  if (time) refuseOther("--chunk", time.chunk, width, "position(s)");
  const all = Array.from({ length: samples }, (_, index) => index);
  const chosen = sequential ? all.slice(0, limit) : spread(all, limit ?? samples);
  const whole = (count: number, size: number, isFixed: boolean, what: string): number => {
    if (!isFixed || count % size === 0) return count;
    const used = count - (count % size);
    const problem = `the model takes ${size} ${what} at a time; the last ${count - used}`;
    if (used === 0)
      throw new InputError(`evaluate: ${problem} are too few. Give at least ${size}.`);
    onNote(`note: ${problem} are left out.`);
    return used;
  };
  const isFixed = (of: "sample" | "time") => fixedSize(model, cuts, of) !== undefined;
  const rows = chosen.slice(0, whole(chosen.length, step, isFixed("sample"), "sample(s)"));
  const length = whole(steps, width, isFixed("time"), "position(s)");
  const cutLabels = time ? slice(labels, time.axis, 0, length) : labels;
  const used = take(cutLabels, sampleAxis, rows);
  return {
    total: used.data.length,
    step,
    labels: used,
    *open() {
      for (let at = 0; at < rows.length; at += step) {
        const indices = rows.slice(at, at + step);
        const part = (array: Tensor, axis: number | undefined) =>
          axis === undefined ? array : take(array, axis, indices);
        for (let from = 0; from < length; from += width) {
          const to = Math.min(from + width, length);
          const within = (array: Tensor, axis: number | undefined) =>
            axis === undefined ? array : slice(array, axis, from, to);
          const tensors = Object.create(null) as Record<string, Tensor>; // "__proto__" may be a name
          for (const [name, cut] of cuts)
            tensors[name] = within(part(cut.array, cut.sample), cut.time);
          for (const [name, value] of source.filled)
            tensors[name] = filledInput(model.graph, name, value, tensors);
          const own = within(part(cutLabels, sampleAxis), time?.axis);
          // Without time's axis the rows are one sequence, for a model that carries state.
          yield { tensors, labels: toNumbers(own), starts: time ? from === 0 : at === 0 };
        }
      }
    },
  };
}

interface Axes {
  readonly sample: number;
  readonly time: number | undefined;
  /** What the model calls the two sizes, or their numbers. */
  readonly sampleDim: PortType["shape"][number] | undefined;
  readonly timeDim: PortType["shape"][number] | undefined;
}

/** The two axes, by the first input that is given. */
function axesOf({ model, arrays, time }: ArraySource, sample: number): Axes {
  const [first = ""] = arrays.keys();
  const { shape } = portOf(model, first);
  const timeDim = time ? shape[time.axis] : undefined;
  return { sample, time: time?.axis, sampleDim: shape[sample], timeDim };
}

interface Counts {
  readonly samples: number;
  readonly steps: number;
}

function cutOf(port: PortType, axes: Axes, counts: Counts, array: Tensor): Cut {
  const { shape } = port;
  const named = typeof axes.sampleDim === "string" ? shape.indexOf(axes.sampleDim) : -1;
  const sample = named >= 0 ? named : axes.sample;
  const isWhole =
    shape.length <= sample ||
    (array.shape[sample] !== counts.samples &&
      shape.length === array.shape.length &&
      shape.every((dim, axis) => dim === array.shape[axis]));
  if (isWhole) return { array, sample: undefined, time: undefined };
  const { time } = axes;
  const runs = time !== undefined && time !== sample && shape[time] === axes.timeDim;
  return { array, sample, time: runs ? time : undefined };
}

/** Every size that is not cut must be the model's; the cut ones those of the labels. */
function check(name: string, { shape }: PortType, array: Tensor, cut: Cut, counts: Counts): void {
  const want = shape.map((dim, axis) => {
    if (axis === cut.sample) return counts.samples;
    return axis === cut.time ? counts.steps : dim;
  });
  const fits =
    want.length === array.shape.length &&
    want.every((dim, axis) => typeof dim === "string" || dim === array.shape[axis]);
  if (fits) return;
  throw new InputError(
    `input "${name}": the array must be ${formatShape(want)} for ${counts.samples} sample(s) of labels ` +
      `and the model's ${formatShape(shape)}; got ${formatShape(array.shape)}. Reshape the data.`,
  );
}

/** The size that the model fixes of an axis that is cut. */
function fixedSize(
  model: Model,
  cuts: ReadonlyMap<string, Cut>,
  which: "sample" | "time",
): number | undefined {
  for (const [name, cut] of cuts) {
    const size = cut[which] === undefined ? undefined : portOf(model, name).shape[cut[which]];
    if (typeof size === "number") return size;
  }
  return undefined;
}

function refuseOther(option: string, asked: number | undefined, size: number, what: string): void {
  if (asked === undefined || asked === size) return;
  throw new InputError(
    `${option} ${asked}: the model takes ${size} ${what} at a time. Leave the option out.`,
  );
}

function portOf(model: Model, name: string): PortType {
  return model.inputs[name] ?? { dtype: "float32", shape: [] };
}

/** The labels of next-token prediction: at every position the id of the next one; the last has none. */
export function nextTokens(ids: Tensor, axis: number): Tensor {
  const count = ids.shape[axis] ?? 0;
  const shifted = take(
    ids,
    axis,
    [...Array(Math.max(0, count - 1)).keys()].map((at) => at + 1),
  );
  const wide = exactly(shifted, "int64", "ids").data;
  const inner = ids.shape.slice(axis + 1).reduce((product, size) => product * size, 1);
  const data = new BigInt64Array(ids.data.length).fill(-100n);
  for (let index = 0; index < wide.length; index++) {
    const row = Math.floor(index / ((count - 1) * inner));
    data[index + row * inner] = BigInt(wide[index] ?? 0);
  }
  return { dtype: "int64", shape: ids.shape, data } as Tensor;
}
