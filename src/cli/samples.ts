// The samples of a command that calibrates, compares or smooths: pictures, or arrays of any inputs.

import { InputError } from "../errors.ts";
import type { Skipped } from "../jobPictures.ts";
import type { Model } from "../model.ts";
import type { Batches } from "../samples.ts";
import { formatShape, tensor, type Tensor } from "../tensor/tensor.ts";
import type { Arguments, OptionSpec } from "./arguments.ts";
import { arrayBatches, type ArrayBatches } from "./arrayData.ts";
import { readArrays } from "./arrays.ts";
import type { Context } from "./context.ts";
import { DATA_OPTIONS, optional, readData, tensorsOf } from "./data.ts";
import { spread } from "./pictureFiles.ts";

/** Inputs that hold one number everywhere. */
export const FILL_OPTIONS: readonly OptionSpec[] = [
  { name: "ones", value: "NAME", multiple: true, help: "An input of ones: attention_mask." },
  { name: "zeros", value: "NAME", multiple: true, help: "An input of zeros: token_type_ids." },
];

export const INPUTS_OPTION: OptionSpec = {
  name: "inputs",
  value: "[NAME=]FILE",
  multiple: true,
  help: "Instead of pictures: an array (.npy) of an input, or arrays by input (.npz); a sample a row.",
};

export const SAMPLE_OPTIONS: readonly OptionSpec[] = [
  ...optional(DATA_OPTIONS),
  INPUTS_OPTION,
  ...FILL_OPTIONS,
];

/** Options that say nothing about arrays, and those that say nothing about pictures. */
const OF_PICTURES = ["data", "preprocess", "every", "except-every"];
const OF_ARRAYS = ["inputs", "ones", "zeros"];

export interface Samples {
  readonly noun: "pictures" | "samples";
  /** Samples, those that turn out broken included. */
  readonly total: number;
  /** Pictures left out so far. */
  readonly skipped: readonly Skipped[];
  /** All of them, or about `count` at even distances, in batches; may be called again. */
  open(count?: number): Batches;
}

/** Whether the data are arrays. Throws UsageError where they are both or neither. */
export function takesArrays(args: Arguments): boolean {
  const array = OF_ARRAYS.find((name) => args.has(name));
  const picture = OF_PICTURES.find((name) => args.has(name));
  if (array !== undefined && picture !== undefined)
    args.fail(`--${picture} is for pictures, --${array} for arrays: choose one`);
  if (array !== undefined && !args.has("inputs")) args.fail(`--${array} is for --inputs`);
  return array !== undefined;
}

/** What the options say, for `model`. Throws UsageError, InputError. */
export async function readSamples(
  args: Arguments,
  model: Model,
  context: Context,
  limit?: number,
): Promise<Samples> {
  if (takesArrays(args)) return await readArraySamples(args, "inputs", model, context, limit);
  if (!args.has("data")) args.fail("--data DIR|FILES, or --inputs [NAME=]FILE, is missing");
  const data = await readData(args, model, context, limit);
  const readable = () => {
    const broken = new Set(data.skipped.map(({ picture }) => picture));
    return data.pictures.filter(({ name }) => !broken.has(name));
  };
  return {
    noun: "pictures",
    total: data.pictures.length,
    get skipped() {
      return data.skipped;
    },
    open: (count) => {
      // A model of a fixed batch size takes whole batches only.
      const whole = Math.ceil((count ?? 0) / data.step) * data.step;
      return tensorsOf(
        data.stream(count === undefined ? data.pictures : spread(readable(), whole)),
      );
    },
  };
}

/** Inputs that `--ones` and `--zeros` name. Throws UsageError. */
export function readFilled(args: Arguments, model: Model): ReadonlyMap<string, 0 | 1> {
  const filled = new Map<string, 0 | 1>();
  for (const [option, value] of [["ones", 1] as const, ["zeros", 0] as const]) {
    for (const name of args.list(option).flatMap((text) => text.split(","))) {
      if (!Object.hasOwn(model.inputs, name)) {
        const known = Object.keys(model.inputs).join(", ");
        args.fail(`--ones and --zeros name inputs of the model, ${known}; it has no "${name}"`);
      }
      filled.set(name, value);
    }
  }
  return filled;
}

/** The samples that `--inputs` or `--smooth` give. Throws UsageError, InputError. */
export async function readArraySamples(
  args: Arguments,
  option: "inputs" | "smooth",
  model: Model,
  context: Context,
  limit?: number,
): Promise<Samples> {
  const filled = readFilled(args, model);
  const names = Object.keys(model.inputs).filter((name) => !filled.has(name));
  const arrays = await readArrays(args, option, names, context);
  const missing = names.find((name) => !arrays.has(name));
  if (missing !== undefined) {
    const { dtype = "", shape = [] } = model.inputs[missing] ?? {};
    args.fail(
      `--${option} ${missing}=FILE is missing, for input "${missing}" ${dtype} ${formatShape(shape)}; ` +
        `or --ones ${missing}, or --zeros ${missing}`,
    );
  }
  if (arrays.size === 0) args.fail(`--${option} must give an array of an input of the model`);
  const count = countOf(model, arrays);
  if (count === 0)
    throw new InputError(`--${option}: the arrays must hold a sample; got none. Check the files.`);
  const notes = new Set<string>();
  const batchesOf = (most?: number): ArrayBatches =>
    arrayBatches({
      model,
      arrays,
      labels: tensor("int8", [count], new Int8Array(count)),
      filled,
      batch: args.integer("batch", 1),
      limit: most,
      sequential: false,
      onNote: (note) => {
        if (!notes.has(note)) context.progress.note(note);
        notes.add(note);
      },
    });
  const all = batchesOf(limit); // refuses what does not fit, before any device is asked for
  return {
    noun: "samples",
    total: all.total,
    skipped: [],
    open(most) {
      if (most === undefined) return tensorsOnly(all.open());
      const whole = Math.ceil(most / all.step) * all.step; // a fixed batch takes whole ones only
      return tensorsOnly(batchesOf(Math.min(whole, limit ?? count)).open());
    },
  };
}

/** Samples along the first axis: of an input that leaves that size open, or whose array has another there. */
export function countOf(model: Model, arrays: ReadonlyMap<string, Tensor>): number {
  const rows = [...arrays].map(([name, { shape }]) => ({
    size: shape[0] ?? 1,
    dim: model.inputs[name]?.shape[0],
  }));
  const telling =
    rows.find(({ dim }) => typeof dim === "string") ??
    rows.find(({ dim, size }) => dim !== undefined && dim !== size) ??
    rows[0];
  return telling?.size ?? 0;
}

function* tensorsOnly(batches: ReturnType<ArrayBatches["open"]>) {
  for (const { tensors } of batches) yield tensors;
}
