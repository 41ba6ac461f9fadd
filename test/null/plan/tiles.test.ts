// How dense products are cut up: every tile that rules and the tuner may choose compiles within the
// limits of every device, and each device's rules give the tile that they say.

import { create, globals } from "webgpu";
import { beforeAll, describe, expect, it } from "vitest";
import { Device, type AdapterFacts } from "../../../src/gpu/device.ts";
import { shaders } from "../../../src/gpu/shaders.gen.ts";
import { bindShapes } from "../../../src/graph/bind.ts";
import { lower } from "../../../src/plan/lower.ts";
import type { Step } from "../../../src/plan/plan.ts";
import {
  isUsable,
  shapeClass,
  targetOf,
  tileFor,
  type ProductSizes,
} from "../../../src/plan/target.ts";
import { candidates, registerTile, tileName, type ProductTile } from "../../../src/plan/tiles.ts";
import { packTiledByteFilter, packTiledFloatFilter } from "../../../src/plan/lower/filters.ts";
import { forced, forcedMatrix, matrixUnits } from "../../support/forced.ts";
import { convolutions } from "../../support/families/convolution.ts";

const facts: AdapterFacts = {
  vendor: "",
  architecture: "",
  device: "",
  description: "",
  isFallback: false,
  packedDot: true,
};

const keep = globalThis as { nullInstance?: GPU };
let device: Device;
beforeAll(async () => {
  Object.assign(globalThis, globals);
  // What create() returned must stay reachable, or the process dies when it is collected.
  keep.nullInstance = create(["backend=null"]);
  const adapter = await keep.nullInstance.requestAdapter();
  const gpu = await adapter!.requestDevice({ requiredFeatures: ["subgroups"] });
  device = new Device(gpu, facts, true);
});

const tiles = [...new Set(candidates)].map((tile) => ({ tile, name: tileName(tile) }));
const dense = new Set([
  ...["convTiledI8", "convTiledF32", "gemvI8", "gemvF32", "convI8", "convF32"],
  ...["convMatrixI8", "convTiledPartsI8", "convQuadI8", "convQuadF32"],
]);
const [unit] = matrixUnits;

/** The kernel of a tile that does int8 products alone; others are cut by registers. */
function integersBy(tile: ProductTile): string | undefined {
  if (tile.family === "matrix") return "convMatrixI8";
  return tile.family === "workgroup" && tile.splits ? "convTiledPartsI8" : undefined;
}

/** Whether `tile` is for adapters that run invocations in quads; products of several groups are cut without. */
const isQuads = (tile: ProductTile) => tile.family === "register" && tile.quads === true;

/** The products of random convolutions, cut by `tile`: quads as software adapters run them. */
function steps(tile: ProductTile): Step[] {
  const plain = tile.family === "matrix" ? forcedMatrix(tile, unit!) : forced(tile);
  const target = { ...plain, software: isQuads(tile) };
  return convolutions
    .flatMap((family) => family.sample(30))
    .flatMap(({ graph }) => lower(bindShapes(graph, new Map()), target).steps)
    .filter(({ shader }) => dense.has(shader))
    .filter(({ shader }) => !isQuads(tile) || shader.startsWith("convQuad"))
    .filter(({ shader }) => !integersBy(tile) || shader === integersBy(tile));
}

describe("every tile", () => {
  it.each(tiles)("$name compiles, both dot products, within the default limits", async (each) => {
    const distinct = new Map<string, Step>();
    for (const packedDot of [true, false])
      for (const step of steps({ ...each.tile, packedDot }))
        distinct.set(`${step.shader} ${JSON.stringify(step.overrides)}`, step);
    const kinds = new Set([...distinct.values()].map(({ shader }) => shader));
    expect(kinds.size).toBe(integersBy(each.tile) ? 1 : 2);
    for (const { shader, overrides } of distinct.values()) await device.kernel(shader, overrides);
  });

  it.each(tiles)("$name covers each output once: grid × tile ≥ pixels × words", ({ tile }) => {
    for (const { shader, overrides: o, uniforms: u, grid } of steps(tile)) {
      const [pixels = 0, words = 0] =
        tile.family === "workgroup"
          ? [tile.down * tile.rows, tile.across * tile.words]
          : tile.family === "gemv"
            ? [tile.pixels, tile.columns]
            : tile.family === "matrix"
              ? [tile.down * tile.rows * unit!.m, (tile.across * tile.columns * unit!.n) / 4]
              : isQuads(tile) // four invocations share 4 · QUARTER pixels and 4 · WORDS words
                ? [((o["WORKGROUP"] ?? 0) / 4) * 4 * (o["QUARTER"] ?? 0), 4 * (o["WORDS"] ?? 0)]
                : [(o["PIXELS"] ?? 0) * 64, o["WORDS"]];
      const covered = grid[0] * grid[1] * pixels * words;
      const parts = u["parts"] ?? 1;
      expect([shader, covered >= (u["pixels"] ?? 0) * (u["outWords"] ?? 0) * parts]).toEqual([
        shader,
        true,
      ]);
    }
  });

  it("that stages operands loads whole rounds of them", () => {
    for (const { tile } of tiles) {
      if (tile.family !== "workgroup") continue;
      const { down, across, rows, words, chunk } = tile;
      expect([(rows * chunk) % across, (4 * words * chunk) % down]).toEqual([0, 0]);
      expect([(down * across) % chunk, 8 % chunk]).toEqual([0, 0]);
    }
  });

  it("more workgroup memory than every device has is refused, so that compiling means something", async () => {
    const { tile } = shaders.convTiledI8;
    const overrides = { ...tile, VECTOR: 1, ROWS: 64, X_LOADS: 32 };
    await expect(device.kernel("convTiledI8", overrides)).rejects.toMatchObject({
      name: "GpuError",
    });
  });
});

it("a tile whose sum is shared is for int8 sums that have chunks to share", () => {
  const shared = candidates.find((tile) => tile.family === "workgroup" && tile.splits);
  const sizes: ProductSizes = { dtype: "i8", m: 49, n: 64, k: 288, groups: 1 };
  const usable = (changes: Partial<ProductSizes>) =>
    isUsable(shared!, forced(shared!), { ...sizes, ...changes });
  expect([usable({}), usable({ dtype: "f32" }), usable({ k: 16 }), usable({ k: 17 })]).toEqual([
    true,
    false,
    false,
    true,
  ]);
});

describe("rules", () => {
  const big: ProductSizes = { dtype: "i8", m: 12544, n: 32, k: 288, groups: 1 };
  const row: ProductSizes = { dtype: "i8", m: 1, n: 250, k: 320, groups: 1 };

  it("give software adapters register tiles, whatever the product", () => {
    for (const software of [
      { ...facts, isFallback: true },
      { ...facts, architecture: "swiftshader" },
      { ...facts, vendor: "mesa", architecture: "llvmpipe" },
    ])
      for (const sizes of [big, row])
        expect(tileFor(targetOf(software), sizes).family).toBe("register");
  });

  it.each(["nvidia", "amd", "intel", "apple", "qualcomm", ""])(
    "give %j workgroup tiles for large products, gemv for one row, registers for tiny ones",
    (vendor) => {
      const target = targetOf({ ...facts, vendor });
      const tiny = { ...big, m: 9, n: 2, k: 1 };
      expect([big, row, tiny].map((sizes) => tileFor(target, sizes).family)).toEqual([
        "workgroup",
        "gemv",
        "register",
      ]);
    },
  );

  it("name only tiles that the tuner knows, so that all of them are compiled above", () => {
    const known = new Set(candidates.map((tile) => JSON.stringify(tile)));
    for (const vendor of ["nvidia", "amd", "intel", "apple", ""]) {
      for (const { tile } of targetOf({ ...facts, vendor }).rules) {
        const { packedDot: _, ...plain } = tile;
        expect(known).toContain(JSON.stringify(plain));
      }
    }
  });

  it("come after what was measured for the product's class", () => {
    const tile: ProductTile = { ...registerTile, packedDot: false };
    const target = targetOf(facts, new Map([[shapeClass(big), tile]]));
    expect(tileFor(target, big)).toBe(tile);
    expect(tileFor(target, { ...big, m: 9000 })).toBe(tile); // same power of two
    expect(tileFor(target, { ...big, m: 8192 })).not.toBe(tile);
    expect(tileFor(target, { ...big, dtype: "f32" })).not.toBe(tile);
  });
});

describe("a filter for tiles", () => {
  // Two groups of six outputs by four inputs and two taps, tiles of one word: 2 tiles a group.
  const shape = { outs: 16, perGroup: 4, taps: 2, group: 2 };
  const data = Float32Array.from({ length: 16 * 8 }, (_, index) => (index % 100) + 1);
  const order = { words: 1, groupTiles: 2, steps: 4 };

  it("holds every weight once, and 0 where a chunk is not full", () => {
    const floats = packTiledFloatFilter(shape, data, order);
    const bytes = packTiledByteFilter(shape, data, order);
    expect(floats).toHaveLength(2 * 2 * 4 * 16);
    for (const packed of [floats, bytes]) {
      expect([...packed].filter((value) => value !== 0).sort()).toEqual([...data].sort());
      // Steps 2 and 3 of every tile lie past the two taps.
      for (let at = 0; at < packed.length; at += 4 * 16)
        expect(packed.subarray(at + 2 * 16, at + 4 * 16).every((value) => value === 0)).toBe(true);
    }
  });

  it("puts out 9, in 2, tap 1 of group 1 into tile 2, step 1", () => {
    const weight = data[(9 * 4 + 2) * 2 + 1];
    const floats = packTiledFloatFilter(shape, data, order);
    const bytes = packTiledByteFilter(shape, data, order);
    const step = 2 * 4 + 1;
    expect(floats[(step * 4 + 2) * 4 + 1]).toBe(weight); // column = input lane, number = output lane
    expect(bytes[step * 16 + 1 * 4 + 2]).toBe(weight); // word = output lane, byte = input lane
  });
});
