// A tuning table: what was measured on one adapter, as plain JSON. One idea: a table names its adapter
// and the library's version, and is refused elsewhere, so an old file can never slow a new device down.

import { InputError } from "../errors.ts";
import type { AdapterFacts } from "../gpu/device.ts";
import { matrixUnit } from "../plan/matrixUnit.ts";
import { targetOf, type Target } from "../plan/target.ts";
import { candidates, type ProductTile } from "../plan/tiles.ts";
import { libraryVersion } from "./version.ts";

/** The tile that was fastest for a class of products, and what it took. */
export interface TuningEntry {
  readonly tile: ProductTile;
  /** Median of one dispatch, ms. */
  readonly ms: number;
  /** The same for the tile that the adapter's rules give. */
  readonly defaultMs: number;
}

export interface TuningTable {
  /** `tuningKey` of the device that it was measured on. */
  readonly key: string;
  /** Shape class (src/plan/target.ts) → what is fastest there. */
  readonly entries: Readonly<Record<string, TuningEntry>>;
}

/** What a table is valid for: the adapter and this version of the library. */
export function tuningKey(facts: AdapterFacts): string {
  const { vendor, architecture, device, description, packedDot, quads } = facts;
  const dot = packedDot ? "packed" : "unpacked";
  const unit = matrixUnit(facts);
  const kinds = [
    dot,
    ...(quads ? ["quads"] : []),
    ...(unit ? [`matrices ${unit.m}×${unit.n}×${unit.k}`] : []),
  ];
  return [vendor, architecture, device, description, ...kinds, libraryVersion].join(" | ");
}

/** A tile but for its dot product, comparable. */
const plain = (tile: ProductTile): string =>
  JSON.stringify(
    Object.entries(tile)
      .filter(([name]) => name !== "packedDot")
      .sort(),
  );

const known = new Set(candidates.map(plain));

function isTile(value: unknown): value is ProductTile {
  if (typeof value !== "object" || value === null) return false;
  const tile = value as ProductTile;
  const dot: unknown = tile.packedDot;
  return known.has(plain(tile)) && (dot === undefined || typeof dot === "boolean");
}

/** The table in parsed JSON. Throws InputError for anything else. */
export function parseTuning(value: unknown): TuningTable {
  const refuse = (problem: string): never => {
    throw new InputError(`tuning table: ${problem}. Tune again on this device.`);
  };
  if (typeof value !== "object" || value === null) return refuse(`must be an object; got ${value}`);
  const { key, entries } = value as Partial<Record<keyof TuningTable, unknown>>;
  if (typeof key !== "string") return refuse(`"key" must be a string; got ${typeof key}`);
  if (typeof entries !== "object" || entries === null)
    return refuse(`"entries" must be an object; got ${entries}`);
  for (const [shape, entry] of Object.entries(entries as Record<string, Partial<TuningEntry>>)) {
    const tile: unknown = entry?.tile;
    if (!isTile(tile))
      refuse(`"${shape}" must have a tile of this version; got ${JSON.stringify(tile)}`);
    const isTime = (ms: unknown) => typeof ms === "number" && ms >= 0;
    if (!isTime(entry.ms) || !isTime(entry.defaultMs))
      refuse(`"${shape}" must have times in ms; got ${entry.ms} and ${entry.defaultMs}`);
  }
  return { key, entries: entries as TuningTable["entries"] };
}

/** The target of a device, with what was measured on it. Throws InputError for another device's table. */
export function tunedTarget(facts: AdapterFacts, table: TuningTable | undefined): Target {
  if (!table) return targetOf(facts);
  const { key, entries } = parseTuning(table);
  const want = tuningKey(facts);
  if (key !== want) {
    throw new InputError(
      `tuning table: must be of "${want}"; got one of "${key}". Tune again on this device, or leave ` +
        "tuning out.",
    );
  }
  return targetOf(
    facts,
    new Map(Object.entries(entries).map(([shape, { tile }]) => [shape, tile])),
  );
}
