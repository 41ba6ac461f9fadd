// A job's pictures → batches that fit its model. One idea: pictures are decoded when their turn comes,
// and a broken one is left out and counted, so memory is that of one batch.

import type { LabelledBatch } from "./evaluate.ts";
import { InputError, PictureError } from "./errors.ts";
import type { Model } from "./model.ts";
import { decodePicture, preprocess, type Picture, type Preprocess } from "./pictures.ts";
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
export interface PictureInput {
  readonly input: string;
  readonly height: number; // px
  readonly width: number; // px
  /** Pictures that the model takes at a time, where it is fixed. */
  readonly fixedBatch: number | undefined;
}

/** What a picture's row must fit. */
export interface RowInput {
  readonly preprocess: Preprocess;
  readonly height: number; // px
  readonly width: number; // px
}

/** Makes of a picture what its model takes, (3, height, width). Throws PictureError, and the signal's reason. */
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

/** The one picture input of `model`. Throws InputError where it has none. */
export function pictureInput(model: Model): PictureInput {
  const [port, ...more] = Object.entries(model.inputs);
  const [batch, channels, height, width] = port?.[1].shape ?? [];
  const fits = port?.[1].dtype === "float32" && port[1].shape.length === 4 && channels === 3;
  if (
    !port ||
    !fits ||
    more.length > 0 ||
    typeof height !== "number" ||
    typeof width !== "number"
  ) {
    const got = Object.entries(model.inputs)
      .map(([name, { dtype, shape }]) => `"${name}" ${dtype} [${shape.join(", ")}]`)
      .join(", ");
    throw new InputError(
      "model: pictures need one float32 input of shape [batch, 3, height, width] with known height " +
        `and width; got ${got}. Re-export the model, or call prepare and calibrate on your own tensors.`,
    );
  }
  return {
    input: port[0],
    height,
    width,
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
    const { job, height, width, fixedBatch, skipped, signal } = this.#options;
    const { rowOf: make = rowOf } = this.#options;
    const input = { preprocess: job.preprocess, height, width };
    const size = fixedBatch ?? job.batch ?? 1;
    let rows: Float32Array[] = []; // (3, height, width) each
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
    const { input, height, width } = this.#options;
    const size = 3 * height * width;
    const data = new Float32Array(rows.length * size);
    rows.forEach((row, index) => data.set(row, index * size));
    return {
      tensors: { [input]: tensor("float32", [rows.length, 3, height, width], data) },
      labels,
    };
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
