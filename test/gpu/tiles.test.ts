// The kernel families that share work within a workgroup, forced on every product whatever its size:
// each equals the reference over random shapes, in both forms of the dot product, with residuals, and
// past one tile in every direction. Software adapters prove values, not speed, and not that barriers
// are where they must be.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../src/gpu/device.ts";
import { bindShapes } from "../../src/graph/bind.ts";
import { lower } from "../../src/plan/lower.ts";
import { candidates, tileName } from "../../src/plan/tiles.ts";
import { checkCase, sums } from "../support/cases.ts";
import { variantDevice } from "../support/device.ts";
import { attentions } from "../support/families/attention.ts";
import { convolutions, largeConvolutions } from "../support/families/convolution.ts";
import { engines } from "../support/families/engines.ts";
import { products } from "../support/families/matmul.ts";
import { forced } from "../support/forced.ts";
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

const shared = candidates.filter(({ family }) => family === "workgroup" || family === "gemv");
const rowProducts = products.filter(({ title }) => /Gemm/.test(title));
const floatBiases = engines.filter(({ title }) => /float bias/.test(title));
const families = [...convolutions, ...largeConvolutions, ...rowProducts, ...floatBiases];

describe.each(shared.map((tile) => ({ tile, name: tileName(tile) })))("$name", ({ tile }) => {
  it.each(families)("$title, packed", ({ check }) => check(packed, 3, forced(tile)));

  it.each(families)("$title, unpacked", ({ check }) => check(unpacked, 3, forced(tile, false)));

  it.each([true, false])("adds a residual of other parameters, integers %s", async (integer) => {
    const given = residualSum(integer);
    const { steps } = lower(bindShapes(given.graph, new Map()), forced(tile));
    const flags = steps.map(({ overrides }) => overrides["RESIDUAL"]).filter(Boolean);
    expect(flags).toEqual([1]);
    await checkCase(packed, given, sums, forced(tile));
    await checkCase(unpacked, given, sums, forced(tile, false));
  });

  it("sums past one chunk and 128 outputs: 1,200 inputs of one sign, where only int32 holds the sum", async () => {
    const given = deepProduct();
    await checkCase(packed, given, undefined, forced(tile));
    await checkCase(unpacked, given, undefined, forced(tile, false));
  });
});

it.each(attentions)("$title, its rows shared by a workgroup", async ({ check }) => {
  await check(packed, 20, forced(shared[0]!));
});

it("a tile that asks for the other dot product gets it, and gives the same integers", async () => {
  const [tile] = shared;
  const given = deepProduct();
  for (const [device, packedDot] of [
    [packed, true],
    [unpacked, false],
  ] as const) {
    const target = forced({ ...tile!, packedDot: !packedDot }, packedDot);
    const { steps } = lower(bindShapes(given.graph, new Map()), target);
    expect(steps.some(({ overrides }) => overrides["PACKED_DOT"] === (packedDot ? 0 : 1))).toBe(
      true,
    );
    await checkCase(device, given, undefined, target);
  }
});
