// Errors per layer, for people and for JSON.

import type { LayerError } from "../compare.ts";
import { formatDecibels, table } from "./table.ts";

/** Layers as --json gives them; `sqnrDb` is null where nothing differs. */
export function layersJson(layers: readonly LayerError[]) {
  return layers.map(({ node, op, dtype, sqnrDb }) => ({
    name: node,
    op,
    dtype,
    sqnrDb: Number.isFinite(sqnrDb) ? sqnrDb : null,
  }));
}

/** A table of the first `count` layers. */
export function layersTable(layers: readonly LayerError[], count: number): string {
  const rows = layers
    .slice(0, count)
    .map(({ node, op, dtype, sqnrDb }) => [node, op, dtype, formatDecibels(sqnrDb)]);
  return table([["layer", "op", "dtype", "SQNR"], ...rows]);
}
