// Files that commands write. What cannot be written is found before the work, not after it; `-` is stdout.

import { access, constants } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { InputError } from "../errors.ts";
import { fileProblem, statOf, targetOf, writeWhole } from "../storage/nodeFiles.ts";
import { isStdin } from "../storage/nodeRead.ts";
import type { Context } from "./context.ts";

const STDOUT = ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];

/** True for the ways to name this process's stdout. */
export const isStdout = (path: string): boolean => STDOUT.includes(path);

/** True where an `--out` among the arguments is stdout: what is for people goes to stderr then. */
export function writesStdout(argv: readonly string[]): boolean {
  return argv.some((word, index) => {
    const value = word.startsWith("--out=") ? word.slice("--out=".length) : word;
    if (value === word && argv[index - 1] !== "--out") return false;
    return STDOUT.some((name) => value === name || value.endsWith(`=${name}`));
  });
}

export interface OutputCheck {
  /** Paths that are read: none may be written over. */
  readonly inputs: readonly string[];
  /** What is written is for people, so a terminal may have it. */
  readonly isText?: boolean;
}

/** Refuse early what `writeOutput` would refuse after the work: a missing or read-only folder, a folder or
 *  a protected file in the file's place, one of the inputs by whatever name. Throws InputError. */
export async function checkOutput(
  option: string,
  path: string,
  { inputs, isText = false }: OutputCheck,
  { stdout }: Pick<Context, "stdout">,
): Promise<void> {
  const refuse = (problem: string, wayOut: string): never => {
    throw new InputError(`${option} "${path}": ${problem}. ${wayOut}`);
  };
  if (isStdout(path)) {
    if (stdout.isTTY && !isText)
      refuse("a terminal cannot show the file", "Redirect it: > FILE, or name a file.");
    return;
  }
  if (path === "" || /[\\/]$/.test(path)) refuse("it names a folder", "Name a file in it.");
  try {
    const existing = await statOf(path);
    if (existing?.isDirectory()) refuse("it is a folder, not a file", "Name a file in it.");
    if (existing?.isSocket()) refuse("it is a socket, not a file", "Name a file.");
    if (existing && !existing.isFile()) {
      await access(path, constants.W_OK);
      return;
    }
    const target = (
      await targetOf(path).catch((error: unknown) => {
        if (existing) throw error;
        return refuse(
          `cannot write into "${dirname(resolve(path))}": ${fileProblem(error)}`,
          wayOutOf(error),
        );
      })
    ).path;
    for (const input of inputs.filter((each) => !isStdin(each))) {
      const other = await statOf(input).catch(() => undefined);
      const isSame =
        existing && other
          ? existing.dev === other.dev && existing.ino === other.ino
          : target === (await targetOf(input).catch(() => undefined))?.path;
      if (isSame) refuse("would overwrite an input", "Choose another name.");
    }
    if (existing) await access(target, constants.W_OK);
    const folder = dirname(target);
    await access(folder, constants.W_OK).catch((error: unknown) =>
      refuse(`cannot write into "${folder}": ${fileProblem(error)}`, wayOutOf(error)),
    );
  } catch (error) {
    if (error instanceof InputError) throw error;
    refuse(fileProblem(error), wayOutOf(error));
  }
}

function wayOutOf(error: unknown): string {
  switch ((error as { code?: string }).code) {
    case "ENOENT":
      return "Make the folder first.";
    case "ENOSPC":
    case "EDQUOT":
      return "Free some of it, or name a file on another disk.";
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return "Name a file where you may write.";
    default:
      return "Choose another name.";
  }
}

/** Write a file so that it is complete or not there; into a device, FIFO or stdout as it comes. An abort
 *  before the end leaves what was there. Throws InputError, the signal's reason. */
export async function writeOutput(
  path: string,
  bytes: Uint8Array,
  { stdout, signal }: Pick<Context, "stdout" | "signal">,
): Promise<void> {
  try {
    if (isStdout(path)) await writeStream(stdout, bytes);
    else await writeWhole(path, bytes, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw new InputError(`output "${path}": ${fileProblem(error)}. ${wayOutOf(error)}`);
  }
}

function writeStream(stdout: Context["stdout"], bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stdout.write(bytes, (error) => {
      if (!error) return resolve();
      process.exitCode = 1; // process.ts ends the process for a reader that has gone
      reject(error);
    });
  });
}
