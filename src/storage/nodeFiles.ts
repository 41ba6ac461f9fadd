// Files in Node, written whole or not at all: the bytes lie in a temporary file beside the target, are
// forced to the disk and take the target's name. What is no regular file (a device, a FIFO) is written
// through, and symbolic links are followed, so that nothing but the content of a file is replaced.

import { createHash, randomBytes } from "node:crypto";
import { constants, rmSync, type Stats } from "node:fs";
import {
  access,
  open,
  readdir,
  readlink,
  realpath,
  rename,
  rm,
  stat,
  type FileHandle,
} from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

const { O_CREAT, O_EXCL, O_NONBLOCK, O_TRUNC, O_WRONLY, W_OK } = constants;

/** Wait between two looks whether a FIFO has a reader, ms. */
const POLL = 20;
/** Bytes that are written at a time, so that an abort is seen. */
const CHUNK = 2 ** 16;

/** An error with the code that the file system would give. */
export function fileError(code: string, message: string): NodeJS.ErrnoException {
  return Object.assign(new Error(message), { code });
}

export const codeOf = (error: unknown): string | undefined => (error as { code?: string }).code;

/** What went wrong with a file, in words. */
export function fileProblem(error: unknown): string {
  switch (codeOf(error)) {
    case "ENOENT":
      return "no such file or folder";
    case "EISDIR":
      return "it is a folder, not a file";
    case "ENOTDIR":
      return "a part of the path is no folder";
    case "EACCES":
    case "EPERM":
      return "permission denied";
    case "EROFS":
      return "the file system is read-only";
    case "ENOSPC":
      return "no space is left on the disk";
    case "EDQUOT":
      return "the disk quota is used up";
    case "ENAMETOOLONG":
      return "the name is too long";
    case "ELOOP":
      return "its symbolic links go round in a circle";
    case "EMFILE":
    case "ENFILE":
      return "too many files are open";
    case "EPIPE":
      return "the reader closed the pipe";
    case "ERR_FS_FILE_TOO_LARGE":
      return "it is larger than 2 GiB";
    default:
      return error instanceof Error ? error.message : String(error);
  }
}

export interface Target {
  /** With every symbolic link followed; of a file that may not be there yet. */
  readonly path: string;
  /** An open descriptor of a process, such as /dev/fd/3: its path must not be replaced. */
  readonly isDescriptor: boolean;
}

/** Where writing to `path` ends up. A link to nothing leads to the file that would be made. */
export async function targetOf(path: string): Promise<Target> {
  let at = resolve(path);
  for (let links = 0; links <= 40; links++) {
    if (/^\/(dev|proc\/[^/]+)\/fd\/\d+$/.test(at)) return { path: at, isDescriptor: true };
    at = join(await realpath(dirname(at)), basename(at));
    const link = await readlink(at).catch(() => undefined);
    if (link === undefined) return { path: at, isDescriptor: false };
    at = resolve(dirname(at), link);
  }
  throw fileError("ELOOP", `too many symbolic links: ${path}`);
}

/** The file at `path`, links followed; undefined where there is none. */
export async function statOf(path: string): Promise<Stats | undefined> {
  return await stat(path).catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  });
}

/** Temporary files of this process that are being written. */
const pending = new Set<string>();
let cleansUp = false;

/** A process that ends in the midst of a write takes its temporary file along. */
function cleanUpAtExit(): void {
  if (cleansUp) return;
  cleansUp = true;
  process.on("exit", () => {
    for (const path of pending) rmSync(path, { force: true });
  });
}

const host = (): string => createHash("sha256").update(hostname()).digest("hex").slice(0, 8);
const temporaryName = (): string =>
  `.webgpu-quant-${host()}-${process.pid}-${randomBytes(6).toString("hex")}.tmp`;
const TEMPORARY = /^\.webgpu-quant-([0-9a-f]{8})-(\d+)-[0-9a-f]{12}\.tmp$/;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) !== "ESRCH";
  }
}

/** Remove what processes of this machine that were killed have left in `folder`. */
async function sweep(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const [, machine, pid] = TEMPORARY.exec(name) ?? [];
    if (machine !== host() || isAlive(Number(pid))) continue;
    await rm(join(folder, name), { force: true }).catch(() => undefined);
  }
}

/** Force to the disk, where the file system can. */
async function sync(file: FileHandle): Promise<void> {
  await file.sync().catch((error: unknown) => {
    const cannot = ["EINVAL", "ENOSYS", "ENOTSUP", "EPERM", "EISDIR", "EBADF", "EROFS"];
    if (!cannot.includes(codeOf(error) ?? "")) throw error;
  });
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => undefined); // Windows opens no folders
  if (!handle) return;
  try {
    await sync(handle);
  } finally {
    await handle.close();
  }
}

/** The owner where this user may give files away, and the mode, of the file that is replaced. */
async function keepOwnerAndMode(file: FileHandle, { uid, gid, mode }: Stats): Promise<void> {
  const own = await file.stat();
  if (own.uid !== uid || own.gid !== gid)
    await file.chown(uid, gid).catch(() => file.chown(own.uid, gid).catch(() => undefined));
  await file.chmod(mode & 0o7777);
}

async function replace(
  target: string,
  bytes: Uint8Array,
  existing: Stats | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  const folder = dirname(target);
  // A rename would replace what its owner has protected.
  if (existing) await access(target, W_OK);
  await sweep(folder);
  cleanUpAtExit();
  const temporary = join(folder, temporaryName());
  pending.add(temporary);
  try {
    const flags = O_WRONLY | O_CREAT | O_EXCL;
    const file = await open(temporary, flags, existing ? 0o600 : 0o666);
    try {
      await file.writeFile(bytes, signal ? { signal } : {});
      if (existing) await keepOwnerAndMode(file, existing);
      await sync(file);
    } finally {
      await file.close();
    }
    signal?.throwIfAborted();
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  } finally {
    pending.delete(temporary);
  }
  await syncFolder(folder);
}

/** Write all of `bytes`, waiting where a device or FIFO takes no more for now. */
async function pour(
  file: FileHandle,
  bytes: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    signal?.throwIfAborted();
    const { bytesWritten } = await file
      .write(bytes.subarray(at, at + CHUNK))
      .catch(async (error: unknown) => {
        if (codeOf(error) !== "EAGAIN") throw error;
        await delay(1, undefined, signal ? { signal } : {});
        return { bytesWritten: 0 };
      });
    at += bytesWritten;
  }
}

/** Open what is no regular file. A FIFO waits for its reader, in a way that can be interrupted. */
async function openThrough(
  path: string,
  existing: Stats,
  signal: AbortSignal | undefined,
): Promise<FileHandle> {
  const truncate = existing.isFile() ? O_TRUNC : 0;
  for (;;) {
    signal?.throwIfAborted();
    try {
      return await open(path, O_WRONLY | O_NONBLOCK | truncate);
    } catch (error) {
      if (codeOf(error) !== "ENXIO" || !existing.isFIFO()) throw error;
      await delay(POLL, undefined, signal ? { signal } : {});
    }
  }
}

/**
 * Write `bytes` to `path`: a file appears complete or not at all, with the mode of the one that it replaces;
 * links are followed, and devices and FIFOs are written to.
 *
 * @throws the file system's error (`fileProblem` words it); the signal's reason where it aborts
 */
export async function writeWhole(
  path: string,
  bytes: Uint8Array,
  signal?: AbortSignal,
): Promise<void> {
  signal?.throwIfAborted();
  if (/[\\/]$/.test(path)) throw fileError("EISDIR", `a folder: ${path}`);
  const existing = await statOf(path);
  if (existing?.isDirectory()) throw fileError("EISDIR", `a folder: ${path}`);
  if (existing?.isSocket()) throw fileError("ENXIO", "it is a socket, not a file");
  try {
    const target = await targetOf(path);
    if (!existing || (existing.isFile() && !target.isDescriptor))
      return await replace(target.path, bytes, existing, signal);
    const file = await openThrough(path, existing, signal);
    try {
      await pour(file, bytes, signal);
      await sync(file);
    } finally {
      await file.close();
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
