// Which pictures: folders, files and lists → picture files sorted by name, and the part of them that a
// command asked for. The same words pick the same pictures on every machine.

import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { InputError, PictureError } from "../errors.ts";
import type { PictureSource } from "../pictures.ts";
import { fileProblem, statOf } from "../storage/nodeFiles.ts";
import { isStdin, readWhole } from "../storage/nodeRead.ts";
import { readInput } from "./files.ts";

export interface PictureFile extends PictureSource {
  /** Relative to its folder, with "/" on every system; a file given by itself has its base name. */
  readonly name: string;
  readonly path: string;
}

/** Which of the pictures, counted from 0 in the order of their names. */
export interface Selection {
  /** Pictures 0, N, 2N, … */
  readonly every?: number;
  /** All but pictures 0, N, 2N, … */
  readonly exceptEvery?: number;
  /** At most so many, spread evenly over what is left. */
  readonly limit?: number;
}

const PICTURE = /\.(jpe?g|png|webp)$/i;

function pictureFile(name: string, path: string, signal?: AbortSignal): PictureFile {
  let kept: Uint8Array | undefined; // what a FIFO gave: it gives it once
  return {
    name,
    path,
    async bytes() {
      if (kept) return kept;
      try {
        const bytes = await readWhole(path, signal);
        if (!(await statOf(path))?.isFile()) kept = bytes;
        return bytes;
      } catch (error) {
        signal?.throwIfAborted();
        throw new PictureError(name, `cannot be read: ${fileProblem(error)}`, "Check the file.");
      }
    },
  };
}

/** The pictures that `sources` name, sorted by name (code units), none twice. A source is a folder
 *  (with its subfolders, hidden files left out), a picture, or a .txt file with one path a line,
 *  relative to itself. Throws InputError naming the source that holds none. */
export async function listPictures(
  sources: readonly string[],
  signal?: AbortSignal,
): Promise<PictureFile[]> {
  const files = (await Promise.all(sources.map((source) => expand(source, signal)))).flat();
  const unique = new Map(files.map((file) => [resolve(file.path), file]));
  const key = ({ name, path }: PictureFile) => `${name}\0${path}`;
  return [...unique.values()].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

async function expand(source: string, signal?: AbortSignal): Promise<PictureFile[]> {
  if (isStdin(source)) return [pictureFile("stdin", source, signal)];
  const kind = await stat(source).catch((error: unknown) => {
    throw new InputError(`--data "${source}": ${fileProblem(error)}. Check the path.`);
  });
  if (kind.isDirectory()) return await inFolder(source, signal);
  if (source.toLowerCase().endsWith(".txt")) return await inList(source, signal);
  return [pictureFile(basename(source), source, signal)];
}

async function inFolder(folder: string, signal?: AbortSignal): Promise<PictureFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => (entry.isFile() || entry.isSymbolicLink()) && PICTURE.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => pictureFile(relative(folder, path).replaceAll("\\", "/"), path, signal))
    .filter(({ name }) => !name.split("/").some((part) => part.startsWith(".")));
  if (files.length > 0) return files;
  throw new InputError(
    `--data "${folder}": the folder holds no picture (.jpg, .jpeg, .png, .webp); got ` +
      `${entries.length} other entries. Name a folder with pictures.`,
  );
}

async function inList(list: string, signal?: AbortSignal): Promise<PictureFile[]> {
  const text = new TextDecoder().decode(await readInput("--data", list, signal));
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const files = lines
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => pictureFile(basename(line), resolve(dirname(list), line), signal));
  if (files.length > 0) return files;
  throw new InputError(
    `--data "${list}": the list names no picture. Write one path a line, relative to the list.`,
  );
}

/** The selected part of `items`, in order. Throws InputError where nothing is left. */
export function select<T>(items: readonly T[], selection: Selection): T[] {
  const { every, exceptEvery, limit } = selection;
  const part = items.filter(
    (_, index) =>
      (every === undefined || index % every === 0) &&
      (exceptEvery === undefined || index % exceptEvery !== 0),
  );
  if (part.length === 0) {
    throw new InputError(
      `--data: the selection leaves none of ${items.length} picture(s). Change --every or --except-every.`,
    );
  }
  return spread(part, limit ?? part.length);
}

/** At most `count` of `items`, at even distances, the first among them. */
export function spread<T>(items: readonly T[], count: number): T[] {
  if (count >= items.length) return [...items];
  return Array.from(
    { length: count },
    (_, index) => items[Math.floor((index * items.length) / count)] as T,
  );
}
