// Files in and out. One idea: an output file appears complete or not at all, by a rename; and what
// cannot be written is found before the work, not after it.

import { readFileSync } from "node:fs";
import { access, constants, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { InputError } from "../errors.ts";
import { load, type LoadOptions } from "../load.ts";
import type { Model } from "../model.ts";

/** What went wrong with a file, in words. */
export function fileProblem(error: unknown): string {
  const code = (error as { code?: string }).code;
  switch (code) {
    case "ENOENT":
      return "no such file or folder";
    case "EISDIR":
      return "it is a folder, not a file";
    case "ENOTDIR":
      return "a part of the path is no folder";
    case "EACCES":
    case "EPERM":
      return "permission denied";
    default:
      return error instanceof Error ? error.message : String(error);
  }
}

/** A file's bytes; `what` is how the error calls it. Throws InputError. */
export async function readInput(what: string, path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new InputError(`${what} "${path}": ${fileProblem(error)}. Check the path.`);
  }
}

/** Weights in files beside the model, read when the model asks for them. The importer has refused
 *  locations outside the folder. */
class FilesBeside extends Map<string, Uint8Array> {
  readonly #folder: string;

  constructor(folder: string) {
    super();
    this.#folder = folder;
  }

  override get(location: string): Uint8Array | undefined {
    const known = super.get(location);
    if (known) return known;
    const path = join(this.#folder, location);
    try {
      const bytes = readFileSync(path);
      this.set(location, bytes);
      return bytes;
    } catch (error) {
      throw new InputError(
        `model data "${path}": ${fileProblem(error)}. Put the file beside the model.`,
      );
    }
  }
}

export interface LoadedModel {
  readonly path: string;
  /** Of the file, its external data included. */
  readonly bytes: number;
  readonly model: Model<"float" | "quantized">;
}

/** Read a file of any kind that `load` knows, and the data files beside it. Throws InputError, FormatError, UnsupportedError. */
export async function loadModel(path: string, options: LoadOptions = {}): Promise<LoadedModel> {
  const file = await readInput("model", path);
  const externalData = new FilesBeside(dirname(path));
  const model = await load(file, { ...options, externalData });
  const beside = [...externalData.values()].reduce((sum, { length }) => sum + length, 0);
  return { path, bytes: file.length + beside, model };
}

/** Refuse early what `writeOutput` would refuse after the work: a missing or read-only folder, a folder
 *  in the file's place, one of the `inputs`. Throws InputError. */
export async function checkOutput(
  option: string,
  path: string,
  inputs: readonly string[],
): Promise<void> {
  const refuse = (problem: string, wayOut: string): never => {
    throw new InputError(`${option} "${path}": ${problem}. ${wayOut}`);
  };
  if (inputs.some((input) => resolve(input) === resolve(path)))
    refuse("would overwrite an input", "Choose another name.");
  const folder = dirname(resolve(path));
  try {
    await access(folder, constants.W_OK);
  } catch (error) {
    refuse(`cannot write into "${folder}": ${fileProblem(error)}`, "Make the folder first.");
  }
  const existing = await stat(path).catch(() => undefined);
  if (existing?.isDirectory()) refuse("it is a folder, not a file", "Name a file in it.");
}

/** Write a file so that it is complete or not there: a temporary name in the same folder, then a
 *  rename. An abort before the rename leaves nothing. */
export async function writeOutput(
  path: string,
  bytes: Uint8Array,
  signal?: AbortSignal,
): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  try {
    await writeFile(temporary, bytes, signal ? { signal } : {});
    signal?.throwIfAborted();
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    signal?.throwIfAborted();
    throw new InputError(
      `output "${path}": ${fileProblem(error)}. Check the folder and the disk's free space.`,
    );
  }
}
