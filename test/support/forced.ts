// Targets that cut every dense product by one tile, whatever its size: all families meet all shapes.

import { emulatedForm } from "../../src/gpu/matrices.ts";
import type { MatrixUnit } from "../../src/plan/matrixUnit.ts";
import type { Target } from "../../src/plan/target.ts";
import type { ProductTile } from "../../src/plan/tiles.ts";

/** A target with one rule. */
export function forced(tile: ProductTile, packedDot = true): Target {
  return { packedDot, software: false, rules: [{ tile }], tuned: new Map() };
}

/** Matrices that adapters are known to offer (m, n, k, invocations of a subgroup), emulated. */
export const matrixUnits: readonly MatrixUnit[] = [
  { m: 16, n: 16, k: 32, lanes: 32, widest: 32, form: emulatedForm }, // NVIDIA
  { m: 16, n: 8, k: 32, lanes: 32, widest: 32, form: emulatedForm }, // NVIDIA too
  { m: 8, n: 16, k: 32, lanes: 16, widest: 32, form: emulatedForm }, // Intel
  { m: 16, n: 16, k: 16, lanes: 64, widest: 64, form: emulatedForm }, // AMD
];

/** As `forced`, on a device with `matrix`; products that the tile cannot do are cut by registers. */
export function forcedMatrix(tile: ProductTile, matrix: MatrixUnit, packedDot = true): Target {
  return { ...forced(tile, packedDot), matrix };
}
