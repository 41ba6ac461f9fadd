// --data, --preprocess and friends → a stream of batches that fit a model. Pictures are decoded when their turn
// comes, so memory does not grow with the folder.

import { InputError, type PictureError } from "../errors.ts";
import { pictureInput, type PictureInput, type Skipped } from "../jobPictures.ts";
import type { Model } from "../model.ts";
import {
  batches,
  parsePreprocess,
  presets,
  type PictureBatch,
  type Preprocess,
} from "../pictures.ts";
import type { Arguments, OptionSpec } from "./arguments.ts";
import type { Context } from "./context.ts";
import { readInput } from "./files.ts";
import { listPictures, select, type PictureFile, type Selection } from "./pictureFiles.ts";

/** The options that choose pictures and prepare them. */
export const DATA_OPTIONS: readonly OptionSpec[] = [
  {
    name: "data",
    value: "DIR|FILES",
    required: true,
    multiple: true,
    help: "Pictures (JPEG, PNG, WebP): a folder, files, or a .txt file with one path a line.",
  },
  {
    name: "preprocess",
    value: "P",
    required: true,
    help: "imagenet (mean and std), tf (x/127.5 - 1), or a JSON file.",
  },
  {
    name: "every",
    value: "N",
    help: "Only every N-th picture, sorted by name, from the first on.",
  },
  { name: "except-every", value: "N", help: "All but those that --every N takes." },
  { name: "batch", value: "N", help: "Pictures that run at a time. Default: 1." },
];

/** The same options for a command that does without pictures, too; `readData` asks for them. */
export function optional(options: readonly OptionSpec[]): OptionSpec[] {
  return options.map((option) => ({ ...option, required: false }));
}

/** Pictures, and how a model wants them. */
export interface PictureData {
  readonly port: PictureInput;
  readonly pictures: readonly PictureFile[];
  /** Pictures that the model takes at a time, where it is fixed; else 1. */
  readonly step: number;
  /** Pictures left out so far, over all streams. */
  readonly skipped: readonly Skipped[];
  /** Decode, preprocess and stack `pictures`, by default all. */
  stream(pictures?: readonly PictureFile[]): AsyncGenerator<PictureBatch, void, undefined>;
  /** One picture as a batch of one, whatever batch the model takes. Throws PictureError where it cannot be read. */
  one(picture: PictureFile): Promise<PictureBatch["tensors"]>;
}

/** A preset's name or a JSON file. Throws InputError. */
export async function readPreprocess(text: string, signal?: AbortSignal): Promise<Preprocess> {
  if (Object.hasOwn(presets, text)) return parsePreprocess(text);
  const known = Object.keys(presets).join(", ");
  const file = await readInput(
    `--preprocess must be one of ${known} or a JSON file;`,
    text,
    signal,
  );
  return parsePreprocess(new TextDecoder().decode(file));
}

/** What a user should know of pictures whose size a model leaves open. */
export function openNote({
  open,
  height,
  width,
}: Pick<PictureInput, "open" | "height" | "width">): string {
  const names = [...new Set(open)];
  const fixed = names.map((name) => `--dims ${name}=N`).join(" ");
  return (
    `note: the model leaves ${names.join(" and ")} open; pictures are ${height}×${width} (height×width). ` +
    `Other sizes: ${fixed}, or "resize" of --preprocess.`
  );
}

/** What the data options of `args` say, for `model`. Throws UsageError, InputError. */
export async function readData(
  args: Arguments,
  model: Model,
  context: Context,
  limit?: number,
): Promise<PictureData> {
  args.needed("data");
  const preprocess = args.needed("preprocess");
  const selection = readSelection(args, limit);
  const spec = await readPreprocess(preprocess, context.signal);
  const port = pictureInput(model, spec);
  const { fixedBatch } = port;
  if (port.open.length > 0) context.progress.note(openNote(port));
  const batch = args.integer("batch", 1) ?? fixedBatch ?? 1;
  if (fixedBatch !== undefined && batch !== fixedBatch)
    args.fail(`the model takes ${fixedBatch} picture(s) at a time; got --batch ${batch}`);
  const pictures = select(await listPictures(args.list("data"), context.signal), selection);
  const skipped = new Map<string, Skipped>();
  const onSkip = (error: PictureError): void => {
    if (skipped.has(error.picture)) return;
    skipped.set(error.picture, { picture: error.picture, reason: error.message });
    context.progress.note(`skipped: ${error.message}`);
  };
  const options = { ...port, spec, batch, signal: context.signal, onSkip };
  return {
    port,
    step: fixedBatch ?? 1,
    pictures,
    get skipped() {
      return [...skipped.values()];
    },
    stream: (chosen = pictures) => {
      const all = batches(chosen, options);
      return fixedBatch === undefined ? all : wholeBatches(all, fixedBatch, context);
    },
    async one(picture) {
      const refuse = (error: PictureError) => {
        throw error;
      };
      const single = { ...options, batch: 1, onSkip: refuse };
      for await (const { tensors } of batches([picture], single)) return tensors;
      throw new Error(`data: picture "${picture.name}" gave no batch; please report.`);
    },
  };
}

function readSelection(args: Arguments, limit: number | undefined): Selection {
  const every = args.integer("every", 1);
  const exceptEvery = args.integer("except-every", 2);
  if (every !== undefined && exceptEvery !== undefined)
    args.fail("--every and --except-every exclude each other");
  return {
    ...(every === undefined ? {} : { every }),
    ...(exceptEvery === undefined ? {} : { exceptEvery }),
    ...(limit === undefined ? {} : { limit }),
  };
}

/** A model of a fixed batch size cannot take the pictures of a last, smaller batch. */
async function* wholeBatches(
  stream: AsyncIterable<PictureBatch>,
  size: number,
  context: Context,
): AsyncGenerator<PictureBatch, void, undefined> {
  let whole = 0;
  for await (const batch of stream) {
    const { length } = batch.names;
    if (length === size) {
      whole++;
      yield batch;
      continue;
    }
    const problem = `the model takes ${size} pictures at a time; the last ${length}`;
    if (whole === 0) throw new InputError(`--data: ${problem} are too few. Give at least ${size}.`);
    context.progress.note(`note: ${problem} picture(s) are left out.`);
  }
}

/** Only the tensors of a stream of pictures. */
export async function* tensorsOf(
  stream: AsyncIterable<PictureBatch>,
): AsyncGenerator<PictureBatch["tensors"], void, undefined> {
  for await (const { tensors } of stream) yield tensors;
}
