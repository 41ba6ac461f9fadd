// What `train` learns from and is tested on: labelled pictures, or arrays with an array of labels.

import { InputError } from "../errors.ts";
import type { LabelledBatches } from "../evaluate.ts";
import { filledInput } from "../filledInput.ts";
import type { Model } from "../model.ts";
import { pictureShape } from "../pictures.ts";
import type { Batches } from "../samples.ts";
import { exactly } from "../tensor/exact.ts";
import { formatShape, tensor, toNumbers, type Tensor } from "../tensor/tensor.ts";
import type { IndexedData } from "../training/samples.ts";
import type { Arguments } from "./arguments.ts";
import { arrayBatches } from "./arrayData.ts";
import { onlyArray, readArrays, take } from "./arrays.ts";
import type { Context } from "./context.ts";
import { readData, tensorsOf, type PictureData } from "./data.ts";
import { labelled } from "./evaluatePictures.ts";
import { readInput } from "./files.ts";
import { checkLabels, labelOf, readLabels, type Labels } from "./labels.ts";
import { listPictures, spread, type PictureFile } from "./pictureFiles.ts";
import { readArraySamples, readFilled, takesArrays } from "./samples.ts";

export interface TrainingSet {
  readonly noun: "pictures" | "samples";
  readonly indexed: IndexedData;
  /** The input whose samples are pictures, channels first: what --augment changes. */
  readonly augmented: string | undefined;
  /** Samples that a model of a fixed batch takes at a time; else 1. */
  readonly step: number;
  /** About so many of the samples, in batches. */
  some(count: number): { readonly total: number; readonly batches: Batches };
  /** What accuracy is measured on. */
  readonly test: { readonly total: number; open(): LabelledBatches } | undefined;
}

/** Decoded pictures that are kept, bytes. */
const CACHE = 512 * 2 ** 20;

/** What the options say. `classes` is undefined where the model leaves it open. Throws UsageError, InputError. */
export async function readTrainingSet(
  args: Arguments,
  model: Model,
  classes: number | undefined,
  context: Context,
): Promise<TrainingSet> {
  if (takesArrays(args)) return await fromArrays(args, model, classes, context);
  if (!args.has("data")) args.fail("--data DIR|FILES, or --inputs [NAME=]FILE, is missing");
  if (args.has("test-labels"))
    args.fail("--test-labels is for --inputs; --labels are of --test too");
  const data = await readData(args, model, context);
  const labelOffset = args.integer("label-offset", -Infinity) ?? 0;
  const labels = await readLabels(args.required("labels"), context.signal);
  const tested = args.has("test") ? await listPictures(args.list("test"), context.signal) : [];
  for (const pictures of [data.pictures, tested])
    checkLabels(labels, args.required("labels"), pictures, labelOffset, classes);
  if (args.has("augment") && data.port.layout === "nhwc")
    args.fail(
      "--augment needs pictures with channels first; the model takes them last. Leave it out, or export the " +
        "model with channels first",
    );
  return {
    noun: "pictures",
    indexed: pictureData(data, labels, labelOffset),
    augmented: data.port.input,
    step: data.step,
    some(count) {
      const some = spread(data.pictures, Math.ceil(count / data.step) * data.step);
      return { total: some.length, batches: tensorsOf(data.stream(some)) };
    },
    test:
      tested.length === 0
        ? undefined
        : { total: tested.length, open: () => labelled(data.stream(tested), labels) },
  };
}

/** Pictures as samples, decoded when they are asked for and kept while there is room. */
function pictureData(data: PictureData, labels: Labels, labelOffset: number): IndexedData {
  const { input } = data.port;
  const shape = pictureShape(data.port, 1).slice(1);
  const room = Math.floor(CACHE / (4 * shape.reduce((product, size) => product * size, 1)));
  const kept = new Map<string, Float32Array>();
  const pixelsOf = async (picture: PictureFile): Promise<Float32Array> => {
    const known = kept.get(picture.name);
    if (known) return known;
    const pixels = (await data.one(picture))[input]?.data;
    if (!pixels) throw new Error(`train: picture "${picture.name}" is empty; please report.`);
    if (kept.size < room) kept.set(picture.name, pixels);
    return pixels;
  };
  return {
    length: data.pictures.length,
    async get(index) {
      const picture = data.pictures[index];
      if (!picture) throw new Error(`train: no picture ${index}; please report.`);
      const pixels = await pixelsOf(picture);
      const label = (labelOf(labels, picture.name) ?? 0) + labelOffset;
      return { tensors: { [input]: tensor("float32", shape, pixels) }, label };
    },
  };
}

async function fromArrays(
  args: Arguments,
  model: Model,
  classes: number | undefined,
  context: Context,
): Promise<TrainingSet> {
  const filled = readFilled(args, model);
  const names = Object.keys(model.inputs).filter((name) => !filled.has(name));
  const samples = await readArraySamples(args, "inputs", model, context);
  const labels = await readLabelArray(args, "labels", classes, context);
  const arrays = await rowsOf(args, "inputs", model, names, labels, context);
  if (args.has("test-labels") && !args.has("test")) args.fail("--test-labels is for --test");
  const testLabels = args.has("test")
    ? await readLabelArray(args, "test-labels", classes, context)
    : undefined;
  const test =
    testLabels &&
    arrayBatches({
      model,
      arrays: await rowsOf(args, "test", model, names, testLabels, context),
      labels: testLabels,
      filled,
      batch: args.integer("batch", 1),
      limit: undefined,
      sequential: false,
      onNote: (note) => context.progress.note(note),
    });
  const numbers = toNumbers(labels);
  const perRow = numbers.length / (labels.shape[0] ?? 1);
  const offset = args.integer("label-offset", -Infinity) ?? 0;
  const port = names.length === 1 ? model.inputs[names[0] ?? ""] : undefined;
  const isPicture = port?.shape.length === 4 && port.dtype === "float32";
  if (args.has("augment") && !isPicture)
    args.fail("--augment is for pictures: one input of shape [batch, channels, height, width]");
  const fixed = port?.shape[0];
  return {
    noun: "samples",
    augmented: isPicture ? names[0] : undefined,
    step: typeof fixed === "number" ? fixed : 1,
    indexed: {
      length: labels.shape[0] ?? 0,
      get(index) {
        const row = Object.create(null) as Record<string, Tensor>; // "__proto__" may be a name
        for (const [name, array] of arrays) row[name] = take(array, 0, [index]);
        for (const [name, value] of filled) row[name] = filledInput(model.graph, name, value, row);
        const own = numbers
          .slice(index * perRow, (index + 1) * perRow)
          .map((label) => (label === -100 ? label : label + offset));
        return {
          tensors: Object.fromEntries(
            Object.entries(row).map(([name, array]) => [name, withoutBatch(array)]),
          ),
          label: labels.shape.length > 1 ? own : (own[0] ?? -100),
        };
      },
    },
    some: (count) => ({ total: Math.min(count, samples.total), batches: samples.open(count) }),
    test: test && { total: test.total, open: () => test.open() },
  };
}

const withoutBatch = (array: Tensor): Tensor =>
  ({ ...array, shape: array.shape.slice(1) }) as Tensor;

/** Arrays with a row a label. */
async function rowsOf(
  args: Arguments,
  option: "inputs" | "test",
  model: Model,
  names: readonly string[],
  labels: Tensor,
  context: Context,
): Promise<Map<string, Tensor>> {
  const arrays = await readArrays(args, option, names, context);
  const missing = names.find((name) => !arrays.has(name));
  if (missing !== undefined) args.fail(`--${option} ${missing}=FILE is missing`);
  for (const [name, array] of arrays) {
    const { dtype = "float32", shape = [] } = model.inputs[name] ?? {};
    if (shape.length === 0 || array.shape[0] !== labels.shape[0]) {
      throw new InputError(
        `--${option}: input "${name}" ${dtype} ${formatShape(shape)} must have a row for each of ` +
          `${labels.shape[0]} label(s); got ${formatShape(array.shape)}. Give as many, or make it known with ` +
          `--constant ${name}=VALUE.`,
      );
    }
    arrays.set(name, exactly(array, dtype, `input "${name}"`));
  }
  return arrays;
}

async function readLabelArray(
  args: Arguments,
  option: "labels" | "test-labels",
  classes: number | undefined,
  { signal }: Context,
): Promise<Tensor> {
  const path = args.needed(option);
  const found = onlyArray(
    `--${option}`,
    path,
    await readInput(`--${option}`, path, signal),
    "labels",
  );
  const offset = args.integer("label-offset", -Infinity) ?? 0;
  const values = toNumbers(found);
  const most = classes ?? Infinity;
  const wrong = values.findIndex((label) => {
    const index = label + offset;
    return label !== -100 && !(Number.isInteger(index) && index >= 0 && index < most);
  });
  if (wrong < 0) return found;
  throw new InputError(
    `--${option} "${path}": label ${wrong} of ${formatShape(found.shape)} must be a class from 0 to ` +
      `${classes === undefined ? "the model's last" : most - 1}, or −100 to be ignored; got ${values[wrong]}` +
      `${offset === 0 ? "" : ` + ${offset}`}. Check the labels and --label-offset.`,
  );
}
