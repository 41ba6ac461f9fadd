// Seeded mutations of valid files: cut, joined with another, bits turned, bytes changed. What reads them must
// end in a result or a typed error, each within a second and in little memory.

import { expect } from "vitest";
import { FormatError, UnsupportedError, WebGpuQuantError } from "../../../src/errors.ts";

const OUTCOMES = ["graph", "format", "unsupported"] as const;

/** Read `rounds` mutations of `seeds`; how many ended in each way. Throws where an error is not typed, and where
 *  one of `expected` came up too seldom. */
export function readMutations(
  seeds: readonly Uint8Array[],
  rounds: number,
  seed: number,
  read: (bytes: Uint8Array) => unknown,
  expected: readonly ("graph" | "format" | "unsupported" | "other")[] = OUTCOMES,
) {
  let state = seed;
  const random = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const outcomes = { graph: 0, format: 0, unsupported: 0, other: 0 };
  let [slowest, greatest] = [0, 0];
  const held = () => {
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  for (let round = 0; round < rounds; round++) {
    let bytes = seeds[random(seeds.length)]!.slice();
    const kind = random(4);
    if (kind === 0) bytes = bytes.slice(0, random(bytes.length));
    else if (kind === 1) {
      const other = seeds[random(seeds.length)]!;
      const [cut, from] = [random(bytes.length), random(other.length)];
      bytes = Uint8Array.from([...bytes.subarray(0, cut), ...other.subarray(from)]);
    } else {
      for (let flips = 1 + random(4); flips > 0; flips--) {
        const at = random(bytes.length);
        bytes[at] = kind === 2 ? bytes[at]! ^ (1 << random(8)) : random(256);
      }
    }
    const [start, before] = [process.cpuUsage(), held()];
    try {
      read(bytes);
      outcomes.graph++;
    } catch (error) {
      if (!(error instanceof WebGpuQuantError))
        throw new Error(`round ${round} of seed ${seed}`, { cause: error });
      if (error instanceof FormatError) outcomes.format++;
      else if (error instanceof UnsupportedError) outcomes.unsupported++;
      else outcomes.other++;
    }
    // Of the processor, so that a machine that is busy elsewhere does not count.
    const { user, system } = process.cpuUsage(start);
    slowest = Math.max(slowest, (user + system) / 1000);
    // What one reading leaves behind before a collection: all it took, as a bound from above.
    const grown = held() - before;
    greatest = Math.max(greatest, grown);
    if (grown > 4 * bytes.length + 64 * 2 ** 20)
      throw new Error(`round ${round} of seed ${seed}: ${grown} bytes for ${bytes.length}`);
  }
  console.log(
    `seed ${seed}: ${JSON.stringify(outcomes)}, slowest ${slowest.toFixed(0)} ms, most memory ${(greatest / 2 ** 20).toFixed(1)} MiB`,
  );
  expect(slowest).toBeLessThan(1000); // ms of CPU time
  // Mutations that never reach the importer, or never break it, would test nothing.
  expect(Math.min(...expected.map((outcome) => outcomes[outcome]))).toBeGreaterThan(50);
}
