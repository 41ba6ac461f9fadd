// Whole files in Node, from whatever a user may name: a file, a FIFO such as a shell's <(command), a
// terminal, stdin. Nothing that blocks is waited for outside the event loop, so an abort is always heard.

import { constants } from "node:fs";
import { open, readFile } from "node:fs/promises";
import { Socket } from "node:net";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { codeOf, fileError, statOf } from "./nodeFiles.ts";

/** As much as Node reads of a regular file, bytes. */
const MOST = 2 ** 31 - 1;
/** A device that has given so many bytes has no end, as /dev/zero. */
const MOST_OF_DEVICE = 2 ** 26;
const CHUNK = 2 ** 16;

const STDIN = ["-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"];

/** True for the ways to name this process's stdin. */
export const isStdin = (path: string): boolean => STDIN.includes(path);

function join(chunks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** All that a stream of the event loop gives. */
async function drain(stream: Readable, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const stop = () => stream.destroy();
  signal?.addEventListener("abort", stop);
  if (signal?.aborted) stop(); // while the stream was opened
  try {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > MOST) throw fileError("ERR_FS_FILE_TOO_LARGE", "too large");
    }
    signal?.throwIfAborted();
    return join(chunks);
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener("abort", stop);
    stream.destroy();
  }
}

/** What a character device gives until its end. */
async function readDevice(path: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const chunks: Uint8Array[] = [];
    for (let size = 0; size < MOST_OF_DEVICE;) {
      signal?.throwIfAborted();
      try {
        const { bytesRead, buffer } = await file.read(new Uint8Array(CHUNK), 0, CHUNK);
        if (bytesRead === 0) return join(chunks);
        chunks.push(buffer.subarray(0, bytesRead));
        size += bytesRead;
      } catch (error) {
        if (codeOf(error) !== "EAGAIN") throw error;
        await delay(20, undefined, signal ? { signal } : {});
      }
    }
    throw fileError("EFBIG", "it is a device that has no end");
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    await file.close();
  }
}

async function readFifo(path: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  // Opened without O_NONBLOCK it would wait for a writer in a thread that nothing can interrupt.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const socket = new Socket({ fd: file.fd, readable: true, writable: false });
  try {
    return await drain(socket, signal);
  } finally {
    await file.close().catch(() => undefined); // the socket has closed the descriptor
  }
}

/**
 * The bytes of a file that a user named; `-` is stdin.
 * @throws the file system's error (`fileProblem` words it); the signal's reason where it aborts
 */
export async function readWhole(path: string, signal?: AbortSignal): Promise<Uint8Array> {
  signal?.throwIfAborted();
  if (isStdin(path)) return await drain(process.stdin, signal);
  const stats = await statOf(path);
  if (stats?.isFIFO()) return await readFifo(path, signal);
  if (stats?.isCharacterDevice()) return await readDevice(path, signal);
  if (stats?.isBlockDevice()) throw fileError("ENXIO", "it is a device, not a file");
  if (stats?.isSocket()) throw fileError("ENXIO", "it is a socket, not a file");
  return await readFile(path, signal ? { signal } : {});
}
