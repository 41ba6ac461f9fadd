// Products by weights of few bits: each kernel family against the reference on random shapes, and the weights
// themselves, which a row with a single 1 reads out, bit for bit.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../src/gpu/device.ts";
import { bindShapes } from "../../src/graph/bind.ts";
import { floatWeight } from "../../src/graph/weightOnly.ts";
import { bytesOf } from "../../src/plan/plan.ts";
import { lower } from "../../src/plan/lower.ts";
import { candidates, tileName } from "../../src/plan/tiles.ts";
import { Session } from "../../src/session.ts";
import { tensor } from "../../src/tensor/tensor.ts";
import { single } from "../support/cases.ts";
import { testDevice } from "../support/device.ts";
import { embeddings, storages, weightOnly, weightOperand } from "../support/families/weightOnly.ts";
import { forced } from "../support/forced.ts";
import { floats } from "../support/seeded.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});
afterAll(() => device.dispose());

describe("as the adapter's rules cut it", () => {
  it.each([...weightOnly, ...embeddings])("$title", ({ check }) => check(device, 30));
});

/** Of each family the least tile and, where it stages other chunks or splits otherwise, the greatest: a tile is six
 *  kernels to compile here. */
const names = ["register 4×4", "register 16×4 in quads", "workgroup 128×128 of 256"];
const tiles = candidates
  .map((tile) => ({ tile, name: tileName(tile) }))
  .filter(({ name }) => [...names, "workgroup 32×32 of 64", "gemv 8×8 of 64"].includes(name));

it("the tiles below are tiles", () => expect(tiles).toHaveLength(names.length + 2));

describe.each(tiles)("cut as $name", ({ tile }) => {
  it.each(weightOnly)("$title", ({ check }) => check(device, 5, forced(tile)));
});

describe.each(tiles)("$name", ({ tile }) => {
  it.each(storages)("unpacks %s exactly: rows of the identity give the weight", async (storage) => {
    const [k, n] = [37, 13];
    const weight = weightOperand(storage, [k, n], 0, 16, 5, true);
    const eye = tensor("float32", [k, k]);
    for (let at = 0; at < k; at++) eye.data[at * k + at] = 1;
    const { graph, feeds } = single({ op: "MatMul" }, [{ tensor: eye }, weight]);
    using session = new Session(graph, device, forced(tile));
    const { y0 } = await session.run(feeds);
    expect(y0?.data).toEqual(floatWeight(weight.tensor, weight.quant).data);
  });
});

it("every half is what unpack2x16float says: subnormal and greatest ones too", async () => {
  const bits = Uint16Array.from({ length: 63488 }, (_, at) => (at < 31744 ? at : at + 1024));
  const weight = tensor("float16", [1, bits.length], bits); // all but ±∞ and NaN
  const one = tensor("float32", [1, 1], Float32Array.of(1));
  const given = single({ op: "MatMul" }, [{ tensor: one }, { tensor: weight, constant: true }]);
  using session = new Session(given.graph, device);
  const { y0 } = await session.run(given.feeds);
  // −0 · 1 + 0 is 0.
  expect(y0?.data).toEqual(floatWeight(weight, undefined).data.map((value) => value + 0));
});

it("the device holds the weight in its own bits, not in float", () => {
  const [k, n] = [512, 256];
  const sizes = storages.map((storage) => {
    const operands = [{ tensor: floats([1, k], 1) }, weightOperand(storage, [k, n], 0, 32, 2)];
    const { graph } = single({ op: "MatMul" }, operands);
    return [storage, bytesOf(lower(bindShapes(graph, new Map())), "constants") / (k * n * 4)];
  });
  // Scales of blocks of 32 are 1/32 of the float weight; the bias of n floats 1/512.
  expect(Object.fromEntries(sizes)).toMatchInlineSnapshot(`
    {
      "float16": 0.50390625,
      "int4": 0.158203125,
      "int8": 0.283203125,
      "uint4": 0.158203125,
      "uint8": 0.283203125,
    }
  `);
});
