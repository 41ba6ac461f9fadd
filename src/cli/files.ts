// Files that commands read: whatever a user names, and beside a model only what belongs to it.

import { closeSync, constants, fstatSync, openSync, readFileSync, realpathSync } from "node:fs";
import { dirname, isAbsolute, join, relative, sep } from "node:path";
import { InputError } from "../errors.ts";
import { isSafetensors } from "../formats/safetensors/index.ts";
import { isTorch } from "../formats/torch/index.ts";
import { load, type LoadOptions } from "../load.ts";
import type { Model } from "../model.ts";
import { fileProblem } from "../storage/nodeFiles.ts";
import { readWhole } from "../storage/nodeRead.ts";

/** A file's bytes; `what` is how the error calls it. `-` is stdin. Throws InputError, the signal's reason. */
export async function readInput(
  what: string,
  path: string,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  try {
    return await readWhole(path, signal);
  } catch (error) {
    signal?.throwIfAborted();
    throw new InputError(`${what} "${path}": ${fileProblem(error)}. Check the path.`);
  }
}

/** A file of JSON. Throws InputError, which ends with `form`: how to write it. */
export async function readJson(
  what: string,
  path: string,
  form: string,
  signal?: AbortSignal,
): Promise<unknown> {
  const text = new TextDecoder().decode(await readInput(what, path, signal));
  try {
    return JSON.parse(text);
  } catch {
    throw new InputError(
      `${what} "${path}": must be JSON; got ${JSON.stringify(text.slice(0, 30))}. ${form}`,
    );
  }
}

const realFolder = (path: string): string | undefined => {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
};

/** Weights in files beside the model, read when the model asks for them. The importer has refused
 *  locations outside the folder; links that lead outside and what is no regular file are refused here.
 *  A model that is itself a link has two folders: its own and that of the file it leads to, since
 *  download caches keep all files of a model as links. */
class FilesBeside extends Map<string, Uint8Array> {
  readonly #folder: string;
  readonly #roots: readonly string[];
  /** The paths of the files that were read. */
  readonly paths: string[] = [];

  constructor(model: string) {
    super();
    this.#folder = dirname(model);
    const target = realFolder(model);
    this.#roots = [
      realFolder(this.#folder),
      target === undefined ? undefined : dirname(target),
    ].filter((root) => root !== undefined);
  }

  override get(location: string): Uint8Array | undefined {
    const known = super.get(location);
    if (known) return known;
    const path = join(this.#folder, location);
    const bytes = this.#read(path);
    this.set(location, bytes);
    this.paths.push(path);
    return bytes;
  }

  #read(path: string): Uint8Array {
    const refuse = (problem: string, wayOut: string): never => {
      throw new InputError(`model data "${path}": ${problem}. ${wayOut}`);
    };
    const isInside = (real: string) =>
      this.#roots.some((root) => {
        const way = relative(root, real);
        return way !== "" && way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
      });
    try {
      const real = realpathSync(path);
      if (!isInside(real)) {
        refuse(
          `must be a file in the model's folder; got a link to "${real}"`,
          "If you trust the model, copy the file there.",
        );
      }
      // A FIFO or a device would block when it is opened, deaf to signals.
      const descriptor = openSync(real, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
      try {
        const stats = fstatSync(descriptor);
        if (!stats.isFile() && !stats.isDirectory()) {
          const kind = stats.isFIFO() ? "a FIFO" : stats.isSocket() ? "a socket" : "a device";
          refuse(
            `must be a regular file; got ${kind}`,
            "Put the file that belongs to the model there.",
          );
        }
        return readFileSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
    } catch (error) {
      if (error instanceof InputError) throw error;
      return refuse(fileProblem(error), "Put the file beside the model.");
    }
  }
}

export interface LoadedModel {
  readonly path: string;
  /** The paths of the model's file and of the data files that it names. */
  readonly files: readonly string[];
  /** Of the file, its external data included. */
  readonly bytes: number;
  readonly model: Model<"float" | "quantized">;
}

/** Neither a zip archive (PyTorch) nor safetensors, which state no open sizes. */
const isOnnx = (file: Uint8Array): boolean => !isTorch(file) && !isSafetensors(file);

/** Read a file of any kind that `load` knows, and the data files beside it. `sizes` gives those that must be known
 *  and are not given. Throws InputError, FormatError,
 *  UnsupportedError, the signal's reason. */
export async function loadModel(
  path: string,
  options: LoadOptions = {},
  signal?: AbortSignal,
  sizes?: (file: Uint8Array) => LoadOptions["dims"],
): Promise<LoadedModel> {
  const file = await readInput("model", path, signal);
  const externalData = new FilesBeside(path);
  const model = await load(file, { ...options, externalData }).catch((error: unknown) => {
    const dims = error instanceof InputError && isOnnx(file) ? sizes?.(file) : undefined;
    if (dims === undefined) throw error;
    return load(file, { ...options, dims, externalData });
  });
  const beside = [...externalData.values()].reduce((sum, { length }) => sum + length, 0);
  return {
    path,
    files: [path, ...externalData.paths],
    bytes: file.length + beside,
    model,
  };
}
