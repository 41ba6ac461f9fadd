// Picture files to a stream of model inputs. A broken picture is reported and left out, so that one bad file
// among thousands does not stop a calibration; nothing else is swallowed.

import { InputError, PictureError } from "../errors.ts";
import { tensor, type Tensor } from "../tensor/tensor.ts";
import { decodePicture } from "./decode.ts";
import { pictureShape, preprocess, shortSide, type InputSize } from "./preprocess.ts";
import type { Preprocess } from "./preprocessSpec.ts";

/** A picture file, read when its turn comes. */
export interface PictureSource {
  readonly name: string;
  bytes(): Promise<Uint8Array>;
}

export interface BatchOptions extends InputSize {
  /** The name of the model's input. */
  readonly input: string;
  readonly spec: Preprocess;
  /** The most pictures in a batch; the last batch may have fewer. */
  readonly batch: number;
  /** Looked at before every picture; its reason is thrown. */
  readonly signal?: AbortSignal;
  /** Called for every picture that is left out. */
  readonly onSkip?: (error: PictureError) => void;
}

/** Pictures and their tensors, in the same order. */
export interface PictureBatch {
  readonly names: readonly string[]; // n names
  readonly tensors: Readonly<Record<string, Tensor<"float32">>>; // { [input]: (n, …) as the layout says }
}

/**
 * Decode, preprocess and stack pictures along axis 0, `batch` at a time.
 *
 * A picture that cannot be read or decoded is skipped and told to `onSkip`.
 *
 * @throws InputError at once for a wrong size, and at the end where no picture could be read;
 *   the signal's reason between two pictures
 */
export function batches(
  pictures: Iterable<PictureSource> | AsyncIterable<PictureSource>,
  options: BatchOptions,
): AsyncGenerator<PictureBatch, void, undefined> {
  if (!Number.isInteger(options.batch) || options.batch < 1) {
    throw new InputError(
      `batches: batch must be a positive integer; got ${options.batch}. Use 1 or more pictures.`,
    );
  }
  shortSide(options.spec, options);
  return run(pictures, options);
}

async function* run(
  pictures: Iterable<PictureSource> | AsyncIterable<PictureSource>,
  options: BatchOptions,
): AsyncGenerator<PictureBatch, void, undefined> {
  let names: string[] = [];
  let inputs: Float32Array[] = []; // a picture each
  let read = 0;
  let skipped = 0;
  let first: PictureError | undefined;
  for await (const picture of pictures) {
    options.signal?.throwIfAborted();
    try {
      const pixels = await decodePicture(await readBytes(picture, options.signal), picture.name);
      inputs.push(preprocess(pixels, options.spec, options).data);
      names.push(picture.name);
      read++;
    } catch (error) {
      if (!(error instanceof PictureError)) throw error;
      skipped++;
      first ??= error;
      options.onSkip?.(error);
    }
    if (names.length === options.batch) {
      yield stack(names, inputs, options);
      names = [];
      inputs = [];
    }
  }
  options.signal?.throwIfAborted();
  if (names.length > 0) yield stack(names, inputs, options);
  if (read === 0) {
    throw new InputError(
      first === undefined
        ? "batches: there must be at least one picture; got none. Check the list of files."
        : `batches: no picture could be read; got ${skipped} broken one(s), the first is ` +
            `${first.message}`,
      { cause: first },
    );
  }
}

/** A source that fails is a broken picture too, unless it failed because the caller aborted. */
async function readBytes(picture: PictureSource, signal?: AbortSignal): Promise<Uint8Array> {
  try {
    return await picture.bytes();
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof PictureError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new PictureError(picture.name, `cannot be read: ${reason}`, "Check the file.");
  }
}

function stack(
  names: readonly string[],
  inputs: readonly Float32Array[],
  options: BatchOptions,
): PictureBatch {
  const size = inputs[0]?.length ?? 0;
  const data = new Float32Array(inputs.length * size);
  inputs.forEach((values, index) => data.set(values, index * size));
  const shape = pictureShape(options, inputs.length);
  return { names, tensors: { [options.input]: tensor("float32", shape, data) } };
}
