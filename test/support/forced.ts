// Targets that cut every dense product by one tile, whatever its size: all families meet all shapes.

import type { Target } from "../../src/plan/target.ts";
import type { ProductTile } from "../../src/plan/tiles.ts";

/** A target with one rule. */
export function forced(tile: ProductTile, packedDot = true): Target {
  return { packedDot, software: false, rules: [{ tile }], tuned: new Map() };
}
