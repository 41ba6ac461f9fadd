// A large matrix product against what the adapter can do at all, measured by the bench's own loops in the same rounds:
// three fifths of the loops of matrices (float) and of unpacked words (int8), as since the beginning. Of the loop of rows, which
// came later and is twice as fast on a software adapter, it is a third to a half: printed, not asked (docs/decisions/0024).

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
    const percent = (share = NaN) => `${(100 * share).toFixed(1)} %`;
    console.log(
      `${dtype}: ${percent(row?.productShare)} of the loops of products, ${percent(row?.share)} of the best loop`,
    );
    expect(row?.bound).toBe("compute");
    expect(row?.productShare).toBeGreaterThanOrEqual(0.6);
  },
);
