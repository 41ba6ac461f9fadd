// A job's pictures → batches that fit its model. Pictures are decoded when their turn comes, and a broken one is
// left out and counted, so memory is that of one batch.

import type { LabelledBatch } from "./evaluate.ts";
import { InputError, PictureError } from "./errors.ts";
import type { Model } from "./model.ts";
import {
  decodePicture,
  pictureShape,
  preprocess,
  type InputSize,
  type Picture,
  type Preprocess,
} from "./pictures.ts";

import type { Dim } from "./graph/value.ts";
import { tensor } from "./tensor/tensor.ts";

export interface JobPicture {
  readonly name: string;
  /** A JPEG, PNG or WebP file, or its pixels. */
  readonly source: Blob | Picture;
  /** Its class, from 0 on. */
  readonly label?: number;
}

/** A picture that was left out. */
export interface Skipped {
  readonly picture: string;
  readonly reason: string;
}

/** The picture input of a model. */
export interface PictureInput extends Required<InputSize> {
  readonly input: string;
  /** Pictures that the model takes at a time, where it is fixed. */
  readonly fixedBatch: number | undefined;
  /** Sizes that the model leaves open, and `height` and `width` chose: their names. */
  readonly open: readonly string[];
}

/** What a picture's row must fit. */
export interface RowInput extends InputSize {
  readonly preprocess: Preprocess;
}

/** Makes of a picture what its model takes, without the batch axis. Throws PictureError, and the signal's reason. */
export type RowMaker = (
  picture: JobPicture,
  input: RowInput,
  signal?: AbortSignal,
) => Promise<Float32Array>;

export interface StreamOptions extends PictureInput {
  readonly job: { readonly preprocess: Preprocess; readonly batch?: number };
  /** Default `rowOf`, in this thread. */
  readonly rowOf?: RowMaker;
  /** Where pictures that were left out are kept, by name. */
  readonly skipped: Map<string, Skipped>;
  readonly signal?: AbortSignal;
}

/** Height and width where a model leaves both open, px: `resize` of the spec, or ImageNet's size. */
const openSide = ({ resize }: Partial<Preprocess>): number => resize ?? 224;

type PictureForm = Required<InputSize> & Pick<PictureInput, "open">;

/** How pictures lie in an input of this shape; undefined where they cannot. */
export function pictureForm(
  shape: readonly Dim[],
  spec: Partial<Preprocess> = {},
): PictureForm | undefined {
  const [, second, third, last] = shape;
  // A size of 1 or 3 on both is a very small picture: then channels come first, as in ONNX.
  const isFirst = isChannels(second);
  const channels = isFirst ? second : last;
  if (shape.length !== 4 || !isChannels(channels)) return undefined;
  const [height, width] = isFirst ? [third, last] : [second, third];
  const side = [height, width].find((dim) => typeof dim === "number") ?? openSide(spec);
  return {
    height: typeof height === "number" ? height : side,
    width: typeof width === "number" ? width : side,
    channels,
    layout: isFirst ? "nchw" : "nhwc",
    open: [height, width].filter((dim) => typeof dim === "string"),
  };
}

const isChannels = (dim: Dim | undefined): dim is 1 | 3 => dim === 1 || dim === 3;

/** The one picture input of `model`: float32, of four axes, with 1 or 3 channels on the second (NCHW) or the
 *  last (NHWC). Throws InputError where it has none. */
export function pictureInput(model: Model, spec: Partial<Preprocess> = {}): PictureInput {
  const [port, ...more] = Object.entries(model.inputs);
  const form = port?.[1].dtype === "float32" ? pictureForm(port[1].shape, spec) : undefined;
  if (!port || !form || more.length > 0) {
    const got = Object.entries(model.inputs)
      .map(([name, { dtype, shape: dims }]) => `"${name}" ${dtype} [${dims.join(", ")}]`)
      .join(", ");
    throw new InputError(
      "model: pictures need one float32 input of shape [batch, channels, height, width] or [batch, height, " +
        `width, channels] with 1 or 3 channels; got ${got}. Give arrays instead (--inputs on the command ` +
        "line, your own tensors in prepare and calibrate), or re-export the model.",
    );
  }
  const [batch] = port[1].shape;
  return {
    ...form,
    input: port[0],
    fixedBatch: typeof batch === "number" ? batch : undefined,
  };
}

/** From so many pictures on, one half calibrates and the other one is evaluated. */
const ENOUGH = 16;

/** Which pictures do what: those of the job, and its default where it names none to calibrate on. */
export function splitPictures(
  job: { readonly calibration?: readonly JobPicture[]; readonly evaluation: readonly JobPicture[] },
  stage: "float" | "quantized",
): { readonly calibration: readonly JobPicture[]; readonly evaluation: readonly JobPicture[] } {
  const { calibration, evaluation } = job;
  if (stage === "quantized") return { calibration: [], evaluation };
  if (calibration) return { calibration, evaluation };
  if (evaluation.length < ENOUGH) return { calibration: evaluation, evaluation };
  return {
    calibration: evaluation.filter((_, index) => index % 2 === 0),
    evaluation: evaluation.filter((_, index) => index % 2 === 1),
  };
}

/** Batches of `pictures`; can be read several times. */
export class PictureStream implements AsyncIterable<LabelledBatch> {
  readonly #pictures: readonly JobPicture[];
  readonly #options: StreamOptions;
  /** Pictures that the last reading gave, and their names in order. */
  read = 0;
  names: string[] = [];

  constructor(pictures: readonly JobPicture[], options: StreamOptions) {
    this.#pictures = pictures;
    this.#options = options;
  }

  get length(): number {
    return this.#pictures.length;
  }

  /** Throws InputError at the end where no picture could be used, the signal's reason between two. */
  async *[Symbol.asyncIterator](): AsyncGenerator<LabelledBatch, void, undefined> {
    const { job, fixedBatch, skipped, signal } = this.#options;
    const { height, width, channels, layout, rowOf: make = rowOf } = this.#options;
    const input = { preprocess: job.preprocess, height, width, channels, layout };
    const size = fixedBatch ?? job.batch ?? 1;
    let rows: Float32Array[] = []; // a picture each
    let labels: number[] = [];
    this.read = 0;
    this.names = [];
    let first: PictureError | undefined;
    for (const picture of this.#pictures) {
      signal?.throwIfAborted();
      try {
        rows.push(await make(picture, input, signal));
        labels.push(picture.label ?? -1); // no label: never right
        this.names.push(picture.name);
      } catch (error) {
        if (!(error instanceof PictureError)) throw error;
        first ??= error;
        skipped.set(picture.name, { picture: picture.name, reason: error.message });
      }
      if (rows.length < size) continue;
      this.read += size;
      yield this.#batch(rows, labels);
      [rows, labels] = [[], []];
    }
    signal?.throwIfAborted();
    if (rows.length > 0 && fixedBatch === undefined) {
      this.read += rows.length;
      yield this.#batch(rows, labels);
    }
    if (this.read === 0) throw nothingRead(this.#pictures.length, rows.length, size, first);
  }

  #batch(rows: readonly Float32Array[], labels: readonly number[]): LabelledBatch {
    const { input } = this.#options;
    const size = rows[0]?.length ?? 0;
    const data = new Float32Array(rows.length * size);
    rows.forEach((row, index) => data.set(row, index * size));
    const shape = pictureShape(this.#options, rows.length);
    return { tensors: { [input]: tensor("float32", shape, data) }, labels };
  }
}

/** The RowMaker of this thread; its signal is looked at before and after, since a decoder does not stop. */
export const rowOf: RowMaker = async ({ name, source }, { preprocess: spec, ...size }, signal) => {
  signal?.throwIfAborted();
  const pixels =
    source instanceof Blob ? await decodePicture(await bytesOf(source, name), name) : source;
  signal?.throwIfAborted();
  return preprocess(pixels, spec, size).data;
};

/** A file may be gone by the time it is read: that is a broken picture too. */
async function bytesOf(file: Blob, name: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new PictureError(name, `cannot be read: ${reason}`, "Choose the file again.");
  }
}

function nothingRead(
  given: number,
  left: number,
  size: number,
  first: PictureError | undefined,
): InputError {
  if (left > 0) {
    return new InputError(
      `pictures: the model takes ${size} pictures at a time; got ${left}. Give at least ${size}.`,
    );
  }
  if (!first)
    return new InputError(
      "pictures: a float model is calibrated and measured on some; got none. Choose pictures like those it will see.",
    );
  return new InputError(
    `pictures: no picture could be read; got ${given} broken one(s), the first is ${first.message}`,
    { cause: first },
  );
}
