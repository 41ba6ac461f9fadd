// Tuning tables as data: what they are valid for, and what is refused.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { AdapterFacts } from "../../src/gpu/device.ts";
import { tileFor, type ProductSizes } from "../../src/plan/target.ts";
import { candidates, registerTile } from "../../src/plan/tiles.ts";
import { saveTuning } from "../../src/tuning/store.ts";
import { parseTuning, tunedTarget, tuningKey } from "../../src/tuning/table.ts";
import { libraryVersion } from "../../src/tuning/version.ts";

const facts: AdapterFacts = {
  vendor: "nvidia",
  architecture: "hopper",
  device: "",
  description: "",
  isFallback: false,
  packedDot: true,
};
const sizes: ProductSizes = { dtype: "i8", m: 12544, n: 32, k: 288, groups: 1 };
const shape = "i8 m16384 n32 k288 g1";
const entry = { tile: { ...registerTile, packedDot: false }, ms: 0.5, defaultMs: 0.75 };
const table = { key: tuningKey(facts), entries: { [shape]: entry } };

it("the version that tables are bound to is the package's", () => {
  const file = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  expect((JSON.parse(file) as { version: string }).version).toBe(libraryVersion);
});

it("a table survives JSON, whatever the order of a tile's fields, and decides its class alone", () => {
  const { family, ...rest } = entry.tile;
  const turned = { ...table, entries: { [shape]: { ...entry, tile: { ...rest, family } } } };
  const target = tunedTarget(facts, parseTuning(JSON.parse(JSON.stringify(turned))));
  expect(tileFor(target, sizes)).toEqual(entry.tile);
  expect(tileFor(target, { ...sizes, k: 289 })).toBe(
    tileFor(tunedTarget(facts, undefined), { ...sizes, k: 289 }),
  );
});

it.each(candidates)("a table may name tile %j", (tile) => {
  const given = { ...table, entries: { [shape]: { ...entry, tile } } };
  expect(parseTuning(given).entries[shape]?.tile).toEqual(tile);
});

describe("refused, with the way out:", () => {
  const problem = (work: () => unknown) => {
    try {
      work();
    } catch (error) {
      return `${(error as Error).name}: ${(error as Error).message}`;
    }
    throw new Error("not refused");
  };

  it("another adapter's table", () => {
    expect(problem(() => tunedTarget({ ...facts, vendor: "amd" }, table))).toMatchInlineSnapshot(
      `"InputError: tuning table: must be of "amd | hopper |  |  | packed | 0.1.0"; got one of "nvidia | hopper |  |  | packed | 0.1.0". Tune again on this device, or leave tuning out."`,
    );
    const emulated = { ...facts, packedDot: false };
    expect(problem(() => tunedTarget(emulated, table))).toContain("unpacked");
  });

  it("what is no table", () => {
    expect(problem(() => parseTuning(null))).toMatchInlineSnapshot(
      `"InputError: tuning table: must be an object; got null. Tune again on this device."`,
    );
    expect(problem(() => parseTuning({ entries: {} }))).toMatchInlineSnapshot(
      `"InputError: tuning table: "key" must be a string; got undefined. Tune again on this device."`,
    );
    expect(problem(() => parseTuning({ key: "a", entries: 3 }))).toMatchInlineSnapshot(
      `"InputError: tuning table: "entries" must be an object; got 3. Tune again on this device."`,
    );
    expect(problem(() => parseTuning({ key: "a", entries: { b: null } }))).toMatchInlineSnapshot(
      `"InputError: tuning table: "b" must have a tile of this version; got undefined. Tune again on this device."`,
    );
  });

  it("a tile that the kernels do not come in, and a time that is none", () => {
    const tile = { ...registerTile, pixels: 1e9 };
    const given = (changes: object) => ({ key: "a", entries: { b: { ...entry, ...changes } } });
    expect(problem(() => parseTuning(given({ tile })))).toMatchInlineSnapshot(
      `"InputError: tuning table: "b" must have a tile of this version; got {"family":"register","pixels":1000000000,"words":2}. Tune again on this device."`,
    );
    expect(problem(() => parseTuning(given({ ms: "fast" })))).toMatchInlineSnapshot(
      `"InputError: tuning table: "b" must have times in ms; got fast and 0.75. Tune again on this device."`,
    );
  });

  it("saveTuning where there is no IndexedDB", async () => {
    const error = await saveTuning(table).catch((reason: unknown) => reason);
    expect(String(error)).toMatchInlineSnapshot(
      `"InputError: saveTuning: this runtime has no IndexedDB. Keep the table yourself: it is plain JSON."`,
    );
  });
});
