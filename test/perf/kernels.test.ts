// A large matrix product against what the adapter can do at all, measured by the bench's own loops in the same run: three
// fifths of the loops of matrices (float) and of unpacked words (int8). The share that the bench prints is of the best
// loop, which on a software adapter has no loads at all (docs/decisions/0024).

import { beforeAll, expect, it } from "vitest";
import type { Bench } from "../../bench/core/rows.ts";
import { figureOf, runBench } from "./support.ts";

let bench: Bench;

beforeAll(async () => {
  bench = await runBench("kernels", "--kernel", "1024×1024×1024", "--rounds", "5");
});

it.each([
  ["float32", ["float 4 vectors", "float 8 vectors", "float matrices"]],
  ["int8", ["float matrices", "dot4I8Packed", "unpack + float"]],
] as const)(
  "a 1024³ product in %s reaches three fifths of the ceiling of %s",
  (dtype, names: readonly string[]) => {
    const row = bench.kernels.find((row) => row.dtype === dtype);
    const ms = figureOf(`matmul ${dtype}`, row?.outcome);
    const rates = bench.ceilings?.loops.filter(({ name }) => names.includes(name)) ?? [];
    // dot4I8Packed may be missing.
    expect(rates.length).toBeGreaterThanOrEqual(names.length - 1);
    const ceiling = Math.max(...rates.map(({ rate }) => rate));
    const rate = (row?.ops ?? NaN) / ms / 1e6;
    console.log(
      `${dtype}: ${rate.toFixed(1)} of ${ceiling.toFixed(1)} GOP/s (${((100 * rate) / ceiling).toFixed(1)} %); ` +
        `${(100 * (row?.share ?? NaN)).toFixed(1)} % of the best loop`,
    );
    expect(row?.bound).toBe("compute");
    expect(rate / ceiling).toBeGreaterThanOrEqual(0.6);
  },
);
