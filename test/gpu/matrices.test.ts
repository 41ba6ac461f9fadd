// Matrices of subgroups on a device that has none: conv_matrix_i8.wgsl joined with the emulation, which
// has the meaning of the builtins, equals the reference over random shapes, for the sizes of matrices that
// adapters are known to offer. The builtins themselves are only type-checked (test/null/gpu): no device
// here runs them.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../src/gpu/device.ts";
import { bindShapes } from "../../src/graph/bind.ts";
import { lower } from "../../src/plan/lower.ts";
import { fitsUnit } from "../../src/plan/matrixUnit.ts";
import { candidates, tileName } from "../../src/plan/tiles.ts";
import { checkCase, sums } from "../support/cases.ts";
import { variantDevice } from "../support/device.ts";
import { convolutions, largeConvolutions } from "../support/families/convolution.ts";
import { products } from "../support/families/matmul.ts";
import { forcedMatrix, matrixUnits } from "../support/forced.ts";
import { deepProduct, residualSum } from "../support/products.ts";

let packed: Device;
let unpacked: Device;
beforeAll(async () => {
  packed = await variantDevice({ packedDot: true });
  unpacked = await variantDevice({ packedDot: false });
});
afterAll(() => {
  packed.dispose();
  unpacked.dispose();
});

const tiles = candidates.filter((tile) => tile.family === "matrix");
const integers = [...convolutions, ...largeConvolutions, ...products].filter(({ title }) =>
  /integers|accumulators|past one tile/.test(title),
);

const isLarge = (tile: (typeof tiles)[number]) => tile.rows * tile.columns > 4;

/** Large tiles take long to compile here: one size of matrices and no random shapes. */
const cut = matrixUnits.flatMap((unit, index) =>
  tiles
    .filter((tile) => fitsUnit(tile, unit) && (index === 0 || !isLarge(tile)))
    .map((tile) => ({ unit, tile, name: `${tileName(tile)}, ${unit.m}×${unit.n}×${unit.k}` })),
);

describe.each(cut)("$name", ({ unit, tile }) => {
  const target = forcedMatrix(tile, unit);

  it.each(isLarge(tile) ? [] : integers)("$title", ({ check }) => check(packed, 3, target));

  it("adds a residual of other parameters", async () => {
    const given = residualSum(true);
    const { steps } = lower(bindShapes(given.graph, new Map()), target);
    expect(steps.map(({ shader, overrides }) => [shader, overrides["RESIDUAL"]])).toContainEqual([
      "convMatrixI8",
      1,
    ]);
    await checkCase(packed, given, sums, target);
  });

  it("sums past many chunks and 128 outputs: 1,200 inputs of one sign, where only int32 holds the sum", async () => {
    const given = deepProduct();
    const { steps } = lower(bindShapes(given.graph, new Map()), target);
    expect(steps.map(({ shader }) => shader)).toContain("convMatrixI8");
    await checkCase(packed, given, undefined, target);
  });
});

it("results are packed the same where there is no packed dot product", async () => {
  const { unit, tile } = cut.at(-1)!;
  const target = forcedMatrix(tile, unit, false);
  await checkCase(unpacked, deepProduct(), undefined, target);
  await checkCase(unpacked, residualSum(true), sums, target);
});

it("every size of matrices has a tile that fits it, and every tile a size", () => {
  expect(new Set(cut.map(({ unit }) => unit)).size).toBe(matrixUnits.length);
  expect(new Set(cut.map(({ tile }) => tile)).size).toBe(tiles.length);
});
