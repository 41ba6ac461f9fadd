// The kernel families that share work within a workgroup, forced on every product whatever its size:
// each equals the reference over random shapes, in both forms of the dot product, with residuals, and
// past one tile in every direction. Software adapters prove values, not speed, and not that barriers
// are where they must be.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../src/gpu/device.ts";
import { bindShapes } from "../../src/graph/bind.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import type { QParams } from "../../src/graph/value.ts";
import { lower } from "../../src/plan/lower.ts";
import { candidates, tileName } from "../../src/plan/tiles.ts";
import { tensor } from "../../src/tensor/tensor.ts";
import { checkCase, sums, type Case } from "../support/cases.ts";
import { variantDevice } from "../support/device.ts";
import {
  biasOperand,
  convolutions,
  largeConvolutions,
  weightQuant,
} from "../support/families/convolution.ts";
import { engines } from "../support/families/engines.ts";
import { products } from "../support/families/matmul.ts";
import { forced } from "../support/forced.ts";
import { codes, floats } from "../support/seeded.ts";

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

const shared = candidates.filter(({ family }) => family !== "register");
const rowProducts = products.filter(({ title }) => /Gemm/.test(title));
const floatBiases = engines.filter(({ title }) => /float bias/.test(title));
const families = [...convolutions, ...largeConvolutions, ...rowProducts, ...floatBiases];

describe.each(shared.map((tile) => ({ tile, name: tileName(tile) })))("$name", ({ tile }) => {
  it.each(families)("$title, packed", ({ check }) => check(packed, 4, forced(tile)));

  it.each(families)("$title, unpacked", ({ check }) => check(unpacked, 4, forced(tile, false)));

  it.each([true, false])("adds a residual of other parameters, integers %s", async (integer) => {
    const given = residual(integer);
    const { steps } = lower(bindShapes(given.graph, new Map()), forced(tile));
    const flags = steps.map(({ overrides }) => overrides["RESIDUAL"]).filter(Boolean);
    expect(flags).toEqual([1]);
    await checkCase(packed, given, sums, forced(tile));
    await checkCase(unpacked, given, sums, forced(tile, false));
  });

  it("sums past one chunk and 128 outputs: 1,200 inputs of one sign, where only int32 holds the sum", async () => {
    const given = deep();
    await checkCase(packed, given, undefined, forced(tile));
    await checkCase(unpacked, given, undefined, forced(tile, false));
  });
});

it("a tile that asks for the other dot product gets it, and gives the same integers", async () => {
  const [tile] = shared;
  const given = deep();
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

const quant = (scale: number, zeroPoint: number): QParams => ({
  dtype: "uint8",
  scale: Float32Array.of(scale),
  zeroPoint: Int32Array.of(zeroPoint),
});

const plain = { op: "Conv", name: "node", group: 1, dilations: [1, 1] } as const;

/** x0 (1, 20, 9, 11) → conv 3 × 3 → + x1. */
function residual(integer: boolean): Case {
  const builder = new GraphBuilder();
  const shape = [1, 20, 9, 11];
  const real = (from: number) => floats(shape, from);
  const code = (from: number) => codes("uint8", shape, from);
  const window = { kernel: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1] } as const;
  const feeds = integer ? { x0: code(1), x1: code(2) } : { x0: real(1), x1: real(2) };
  const types = integer ? { x0: quant(0.5, 131), x1: quant(0.7, 12) } : undefined;
  for (const name of ["x0", "x1"] as const) {
    const { dtype } = feeds[name];
    builder.input(name, { dtype, shape, ...(types ? { quant: types[name] } : {}) });
  }
  const filter = [20, 20, 3, 3];
  if (integer) builder.constant("filter", codes("int8", filter, 3), weightQuant(0, 20, 4));
  else builder.constant("filter", floats(filter, 3));
  builder.add(
    { ...plain, ...window, inputs: ["x0", "filter"], outputs: ["y"] },
    integer ? { quant: quant(40, 100) } : {},
  );
  builder.add(
    { op: "Add", name: "add", inputs: ["y", "x1"], outputs: ["sum"], low: 0 },
    integer ? { quant: quant(30, 90) } : {},
  );
  return { graph: builder.build("residual", ["x0", "x1"], ["sum"]), feeds };
}

/** 1,200 inputs near the greatest byte, weights near 127: sums beyond 2²⁴ after 1,024 terms. */
function deep(): Case {
  const builder = new GraphBuilder();
  const [inputs, outs] = [1200, 140];
  const x = tensor(
    "uint8",
    [1, inputs, 1, 3],
    Uint8Array.from({ length: inputs * 3 }, (_, i) => 255 - (i % 7)),
  );
  builder.input("x0", { dtype: "uint8", shape: x.shape, quant: quant(0.03, 0) });
  const weights = Int8Array.from({ length: outs * inputs }, (_, i) => 127 - (i % 5));
  builder.constant(
    "filter",
    tensor("int8", [outs, inputs, 1, 1], weights),
    weightQuant(0, outs, 5),
  );
  const { tensor: bias, quant: biasQuant } = biasOperand(outs, 6, 12345);
  builder.constant("bias", bias, biasQuant);
  builder.add(
    {
      ...plain,
      kernel: [1, 1],
      strides: [1, 1],
      pads: [0, 0, 0, 0],
      inputs: ["x0", "filter", "bias"],
      outputs: ["y0"],
    },
    { quant: quant(9000, 3) },
  );
  return { graph: builder.build("deep", ["x0"], ["y0"]), feeds: { x0: x } };
}
