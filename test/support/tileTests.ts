// The kernel families that share work within a workgroup, forced on every product whatever its size:
// each equals the reference over random shapes, with residuals, and past one tile in every direction. Software
// adapters prove values, not speed, and not that barriers are where they must be.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../src/gpu/device.ts";
import { bindShapes } from "../../src/graph/bind.ts";
import { lower } from "../../src/plan/lower.ts";
import { candidates, tileName } from "../../src/plan/tiles.ts";
import { checkCase, sums } from "./cases.ts";
import { variantDevice } from "./device.ts";
import { attentions } from "./families/attention.ts";
import { convolutions, largeConvolutions } from "./families/convolution.ts";
import { engines } from "./families/engines.ts";
import { products } from "./families/matmul.ts";
import { forced } from "./forced.ts";
import { deepProduct, residualSum } from "./products.ts";

// Tiles whose sums several workgroups share have a file of their own: test/gpu/splits.test.ts.
const shared = candidates.filter(
  (tile) => tile.family === "gemv" || (tile.family === "workgroup" && !tile.splits),
);
const plainTile = shared[0]!;
const rowProducts = products.filter(({ title }) => /Gemm/.test(title));
const floatBiases = engines.filter(({ title }) => /float bias/.test(title));
// One deep product below stands for those with great accumulators.
const shallow = convolutions.filter(({ title }) => !/accumulators/.test(title));
const families = [...shallow, ...largeConvolutions, ...rowProducts, ...floatBiases];

const isFloat = ({ title }: { readonly title: string }) => /in float/.test(title);

/** Test every shared tile in one form of the dot product: a file each, which run side by side. Float products
 *  have no such forms: they are tested with the packed one. */
export function testTiles(packedDot: boolean): void {
  const tested = packedDot ? families : families.filter((family) => !isFloat(family));
  let device: Device;
  beforeAll(async () => {
    device = await variantDevice({ packedDot });
  });
  afterAll(() => device.dispose());

  describe.each(shared.map((tile) => ({ tile, name: tileName(tile) })))("$name", ({ tile }) => {
    it.each(tested)("$title", ({ check }) => check(device, 3, forced(tile, packedDot)));

    it.each(packedDot ? [true, false] : [true])(
      "adds a residual of other parameters, integers %s",
      async (integer) => {
        const given = residualSum(integer);
        const { steps } = lower(bindShapes(given.graph, new Map()), forced(tile));
        const flags = steps.map(({ overrides }) => overrides["RESIDUAL"]).filter(Boolean);
        expect(flags).toEqual([1]);
        await checkCase(device, given, sums, forced(tile, packedDot));
      },
    );

    it("sums past one chunk and 128 outputs: 1,200 inputs of one sign, where only int32 holds the sum", async () => {
      await checkCase(device, deepProduct(), undefined, forced(tile, packedDot));
    });
  });

  // Attention multiplies in float: once is enough.
  it.runIf(packedDot).each(attentions)(
    "$title, its rows shared by a workgroup",
    async ({ check }) => {
      await check(device, 20, forced(plainTile));
    },
  );

  it("a tile that asks for the other dot product gets it, and gives the same integers", async () => {
    const target = forced({ ...plainTile, packedDot: !packedDot }, packedDot);
    const given = deepProduct();
    const { steps } = lower(bindShapes(given.graph, new Map()), target);
    const form = packedDot ? 0 : 1;
    expect(steps.some(({ overrides }) => overrides["PACKED_DOT"] === form)).toBe(true);
    await checkCase(device, given, undefined, target);
  });
}
