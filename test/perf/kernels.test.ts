// A large matrix product against what the adapter can do at all, measured by the bench's own loops in
// the same rounds.

import { beforeAll, expect, it } from "vitest";
import type { Bench } from "../../bench/core/rows.ts";
import { figureOf, runBench } from "./support.ts";

let bench: Bench;

beforeAll(async () => {
  bench = await runBench("kernels", "--kernel", "1024×1024×1024", "--rounds", "5");
});

it.each(["float32", "int8"])(
  "a 1024³ product in %s reaches three fifths of the ceiling",
  (dtype) => {
    const row = bench.kernels.find((row) => row.dtype === dtype);
    figureOf(`matmul ${dtype}`, row?.outcome);
    expect(row?.bound).toBe("compute");
    expect(row?.share).toBeGreaterThanOrEqual(0.6);
  },
);
