// Seeded mutations of valid files: cut, joined with another, bits turned, bytes changed. What reads them must
// end in a result or a typed error, each within a second.

import { expect } from "vitest";
import { FormatError, UnsupportedError, WebGpuQuantError } from "../../../src/errors.ts";

/** Read `rounds` mutations of `seeds`; how many ended in each way. Throws where an error is not typed. */
export function readMutations(
  seeds: readonly Uint8Array[],
  rounds: number,
  seed: number,
  read: (bytes: Uint8Array) => unknown,
) {
  let state = seed;
  const random = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const outcomes = { graph: 0, format: 0, unsupported: 0, other: 0 };
  let slowest = 0;
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
    const start = performance.now();
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
    slowest = Math.max(slowest, performance.now() - start);
  }
  expect(slowest).toBeLessThan(1000); // ms
  // Mutations that never reach the importer, or never break it, would test nothing.
  expect(Math.min(outcomes.graph, outcomes.format, outcomes.unsupported)).toBeGreaterThan(50);
}
