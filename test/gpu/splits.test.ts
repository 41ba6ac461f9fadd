// Split-K: several workgroups share the sum of a tile, and another dispatch adds up what they leave. It equals the
// reference bit for bit where the sum has chunks to share, in both forms of the dot product.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../src/gpu/device.ts";
import { bindShapes } from "../../src/graph/bind.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { lower } from "../../src/plan/lower.ts";
import { candidates } from "../../src/plan/tiles.ts";
import { checkCase } from "../support/cases.ts";
import { variantDevice } from "../support/device.ts";
import { dynamicProducts } from "../support/families/dynamic.ts";
import { largeConvolutions } from "../support/families/convolution.ts";
import { forced } from "../support/forced.ts";
import { deepProduct, residualSum } from "../support/products.ts";

const [tile] = candidates.filter(
  ({ family, ...rest }) => family === "workgroup" && "splits" in rest,
);
const families = [
  ...dynamicProducts.filter(({ title }) => title.includes("only int32")),
  ...largeConvolutions,
];
if (!tile) throw new Error("no tile shares its sum");

describe.each([true, false])("packed %s", (packedDot) => {
  const target = forced(tile, packedDot);
  let device: Device;
  beforeAll(async () => {
    device = await variantDevice({ packedDot });
  });
  afterAll(() => device.dispose());

  const partsOf = (graph: Graph) =>
    lower(bindShapes(graph, new Map()), target).steps.flatMap(({ shader, uniforms }) =>
      shader === "convTiledPartsI8" ? [uniforms["parts"]] : [],
    );

  it("a sum of 1,200 inputs in four parts, beyond 2²⁴", async () => {
    const given = deepProduct();
    expect(partsOf(given.graph)).toEqual([4]);
    await checkCase(device, given, undefined, target);
  });

  it.each([
    { title: "groups", group: 2, floatBias: false },
    { title: "a float bias", group: 1, floatBias: true },
  ])("$title", async (form) => {
    const given = deepProduct(form);
    expect(partsOf(given.graph)).toEqual([4]);
    await checkCase(device, given, undefined, target);
  });

  it("a padded window whose parts begin inside a tap, with a residual", async () => {
    const given = residualSum(true);
    expect(partsOf(given.graph)).toEqual([3]); // 45 words are three chunks
    await checkCase(device, given, undefined, target);
  });

  it.each(families)("$title", async ({ check, sample }) => {
    const parts = sample(6).flatMap(({ graph }) => partsOf(graph));
    expect(parts.some((count = 1) => count > 1)).toBe(true);
    await check(device, 6, target);
  });
});
