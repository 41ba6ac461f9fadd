// From the GPU to the host with the least wait. Some browsers look for finished work only every few
// milliseconds, unless they are asked something: popping an empty error scope while the map is pending
// makes them look (Chrome on Linux: 2.6 ms → 0.2 ms). Each device is measured once, and asked only if it
// pays.

import type { Device } from "./device.ts";

// GPUMapMode and GPUBufferUsage by value: the globals are missing in Node.
const READ = 0x1;
const MAP_READ = 0x1;
const COPY_SRC = 0x4;
const COPY_DST = 0x8;

/** Asking stops after this, ms: it keeps a thread busy, and longer work does not miss the gain. */
export const LONGEST_KICK = 25;
/** Maps that come sooner than this, ms, need no help. */
const QUICK = 0.5;
const ROUNDS = 3;

/** A range of the mapped buffer, bytes; the offset a multiple of 8, the size of 4. */
export interface Range {
  readonly offset: number;
  readonly size: number;
}

/** Copies of consecutive `ranges` of `buffer`, which has MAP_READ; `kick` asks all the while. */
export async function readBack(
  device: Device,
  buffer: GPUBuffer,
  ranges: readonly Range[],
  kick: boolean,
): Promise<ArrayBuffer[]> {
  const first = ranges[0]?.offset ?? 0;
  const size = ranges.reduce((_, range) => range.offset + range.size, first) - first;
  let isPending = true;
  const mapped = device.race(buffer.mapAsync(READ, first, size)).finally(() => {
    isPending = false;
  });
  // Not waited for: after a loss its promises may never settle.
  if (kick) void keepAsking(device.gpu, () => isPending);
  await mapped;
  try {
    const bytes = buffer.getMappedRange(first, size);
    return ranges.map((range) =>
      bytes.slice(range.offset - first, range.offset - first + range.size),
    );
  } finally {
    buffer.unmap();
  }
}

async function keepAsking(gpu: GPUDevice, isPending: () => boolean): Promise<void> {
  const end = performance.now() + LONGEST_KICK;
  while (isPending() && performance.now() < end) {
    gpu.pushErrorScope("validation");
    try {
      await gpu.popErrorScope();
    } catch {
      return; // the device is lost, and the map says so
    }
  }
}

const measured = new WeakMap<Device, Promise<boolean>>();

/** True where asking makes a read-back come at least twice as fast: measured once a device, on a map of
 *  four bytes. Never where waiting itself is paced: there it would take the time it is to save. */
export function kickPays(device: Device): Promise<boolean> {
  if (device.pacer) return Promise.resolve(false);
  let result = measured.get(device);
  if (!result) {
    result = measureKick(device);
    measured.set(device, result);
    result.catch(() => measured.delete(device)); // the caller is told, and may try again
  }
  return result;
}

async function measureKick(device: Device): Promise<boolean> {
  const create = (usage: number) => device.createBuffer({ label: "latency", size: 4, usage });
  const buffers = await device.scoped("latency", () => [
    create(COPY_SRC),
    create(MAP_READ | COPY_DST),
  ]);
  const [source, target] = buffers as [GPUBuffer, GPUBuffer];
  const time = async (kick: boolean): Promise<number> => {
    const encoder = device.gpu.createCommandEncoder();
    encoder.copyBufferToBuffer(source, 0, target, 0, 4);
    device.gpu.queue.submit([encoder.finish()]);
    const start = performance.now();
    await readBack(device, target, [{ offset: 0, size: 4 }], kick);
    return performance.now() - start;
  };
  try {
    await time(false); // the first one pays for what is made lazily
    const plain = await medianOf(ROUNDS, () => time(false));
    if (plain < QUICK) return false;
    return 2 * (await medianOf(ROUNDS, () => time(true))) <= plain;
  } finally {
    for (const buffer of buffers) device.free(buffer);
  }
}

async function medianOf(rounds: number, take: () => Promise<number>): Promise<number> {
  const values: number[] = [];
  for (let round = 0; round < rounds; round++) values.push(await take());
  return values.sort((a, b) => a - b)[rounds >> 1] ?? 0;
}
