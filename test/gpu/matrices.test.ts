// Matrices of subgroups on a device that has none: conv_matrix_i8.wgsl joined with the emulation, which
// has the meaning of the builtins, equals the reference over random shapes, for the sizes of matrices that
// adapters are known to offer. The builtins themselves are only type-checked (test/null/gpu): no device
// here runs them.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compile } from "../../src/compile.ts";
import type { AdapterFacts, Device } from "../../src/gpu/device.ts";
import {
  admitMatrices,
  askMatrices,
  emulatedForm,
  matrixQuestion,
  probeCode,
  type MatrixForm,
} from "../../src/gpu/matrices.ts";
import { bindShapes } from "../../src/graph/bind.ts";
import { Model } from "../../src/model.ts";
import { lower } from "../../src/plan/lower.ts";
import { fitsUnit } from "../../src/plan/matrixUnit.ts";
import { candidates, tileName } from "../../src/plan/tiles.ts";
import { annotate } from "../../src/quantize/annotate.ts";
import { convertGraph } from "../../src/quantize/convert.ts";
import { fuse } from "../../src/quantize/fuse.ts";
import { insertObservers } from "../../src/quantize/prepare.ts";
import { qconfigs } from "../../src/quantize/presets.ts";
import { selfTest } from "../../src/selfTest.ts";
import { calibrateOnHost } from "../support/calibrate.ts";
import { checkCase, sums } from "../support/cases.ts";
import { variantDevice } from "../support/device.ts";
import { convolutions, largeConvolutions } from "../support/families/convolution.ts";
import { products } from "../support/families/matmul.ts";
import { forcedMatrix, matrixUnits } from "../support/forced.ts";
import { pictures, residualGraph } from "../support/models.ts";
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

const tiles = candidates.filter((tile) => tile.family === "matrix");
const integers = [...convolutions, ...largeConvolutions, ...products].filter(({ title }) =>
  /integers|accumulators|past one tile/.test(title),
);

const isLarge = (tile: (typeof tiles)[number]) => tile.rows * tile.columns > 4;

/** Large tiles take long to compile here: one size of matrices and no random shapes. */
const cut = matrixUnits.flatMap((unit, index) =>
  tiles
    .filter((tile) => fitsUnit(tile, unit) && (index === 0 || !isLarge(tile)))
    .map((tile) => ({ unit, tile, name: `${tileName(tile)}, ${unit.m}×${unit.n}×${unit.k}` })),
);

describe.each(cut)("$name", ({ unit, tile }) => {
  const target = forcedMatrix(tile, unit);

  it.each(isLarge(tile) ? [] : integers)("$title", ({ check }) => check(packed, 3, target));

  it("adds a residual of other parameters", async () => {
    const given = residualSum(true);
    const { steps } = lower(bindShapes(given.graph, new Map()), target);
    expect(steps.map(({ shader, overrides }) => [shader, overrides["RESIDUAL"]])).toContainEqual([
      "convMatrixI8",
      1,
    ]);
    await checkCase(packed, given, sums, target);
  });

  it("sums past many chunks and 128 outputs: 1,200 inputs of one sign, where only int32 holds the sum", async () => {
    const given = deepProduct();
    const { steps } = lower(bindShapes(given.graph, new Map()), target);
    expect(steps.map(({ shader }) => shader)).toContain("convMatrixI8");
    await checkCase(packed, given, undefined, target);
  });
});

it("results are packed the same where there is no packed dot product", async () => {
  const { unit, tile } = cut.at(-1)!;
  const target = forcedMatrix(tile, unit, false);
  await checkCase(unpacked, deepProduct(), undefined, target);
  await checkCase(unpacked, residualSum(true), sums, target);
});

it("every size of matrices has a tile that fits it, and every tile a size", () => {
  expect(new Set(cut.map(({ unit }) => unit)).size).toBe(matrixUnits.length);
  expect(new Set(cut.map(({ tile }) => tile)).size).toBe(tiles.length);
});

describe("the test that admits matrices", () => {
  const wrong: MatrixForm = { name: "emulated, bytes", index: 0, bytes: 4 };

  it("finds the one reading that is right, for every size, and says what was wrong before", async () => {
    for (const { m, n, k, lanes, widest } of matrixUnits) {
      const range = { least: lanes, greatest: widest };
      const forms = [wrong, emulatedForm];
      const [found] = await admitMatrices(packed.gpu, [{ m, n, k }], range, forms);
      expect(found).toMatchObject({ m, n, k, widest, form: emulatedForm });
    }
    const range = { least: 32, greatest: 32 };
    const [none] = await admitMatrices(packed.gpu, [{ m: 16, n: 16, k: 32 }], range, [wrong]);
    expect(none?.form).toBeUndefined();
    expect(none?.refused).toEqual({
      "emulated, bytes, 32 lanes": expect.stringMatching(/^\d+ of 512 sums are wrong$/) as string,
    });
  });

  const question = matrixQuestion(matrixUnits[0]!);
  const code = probeCode(question, emulatedForm);

  it("asks what the host adds up itself", async () => {
    expect(await askMatrices(packed.gpu, code, question)).toEqual(question.sums);
    expect(new Set(question.x).size).toBe(256);
    expect(question.sums.every((sum) => sum !== 0)).toBe(true);
  });

  // One thing at a time that a device, or a browser of another age, may see otherwise.
  it.each([
    ["a line's gap is not seen", "element / 16u * (LINE * 1u)", "element / 16u * CHUNK"],
    ["rows and columns change places", "element % 16u * (32u / 4u)", "element / 16u * (32u / 4u)"],
    [
      "the second matrix of a sum is the first",
      "loadRight((2u + subgroup) * RIGHT)",
      "loadRight(0u)",
    ],
    ["a sum begins anew", "var sum = next[share];", "var sum = 0;"],
    [
      "bytes are unsigned",
      "lanes(u32(filters[column + k]))",
      "(lanes(u32(filters[column + k])) & vec4i(255))",
    ],
    ["results lie close", "element / 16u * WIDTH", "element / 16u * 16u"],
    ["every subgroup is the first", "return subgroup.invocation.x / 32u;", "return 0u;"],
    ["sums saturate at 16 bits", "next[share] = sum;", "next[share] = clamp(sum, -32768, 32767);"],
  ])("fails where %s", async (_, from, to) => {
    expect(code.split(from)).toHaveLength(2);
    const got = await askMatrices(packed.gpu, code.replace(from, to), question);
    expect(got).not.toEqual(question.sums);
  });
});

it("a device that passes runs a whole model by matrices, bit for bit as by registers", async () => {
  const fused = fuse(residualGraph(32));
  const assignment = annotate(fused, qconfigs.int8);
  const statistics = calibrateOnHost(insertObservers(fused, assignment), [pictures(2, 1)]);
  const model = new Model("quantized", convertGraph(fused, assignment, statistics), {});
  const sizes = [{ m: 16, n: 16, k: 32 }];
  const range = { least: 32, greatest: 32 };
  const matrices = await admitMatrices(packed.gpu, sizes, range, [emulatedForm]);
  const real = { vendor: "nvidia", architecture: "", isFallback: false, quads: false } as const;
  const inputs = pictures(8, 5);
  const run = async (changes: Partial<AdapterFacts>) => {
    using device = await variantDevice({ packedDot: true, ...changes });
    using session = await compile(model, device);
    const { steps } = session.planFor(new Map([["batch", 8]]));
    const kernels = steps.map(({ shader }) => shader).filter((name) => /^conv|^gemv/.test(name));
    const { mismatches } = await selfTest(device);
    return { kernels, mismatches, scores: (await session.run(inputs))["scores"]?.data };
  };
  const registers = await run({});
  const byMatrices = await run({ ...real, matrices });
  expect(registers.kernels).not.toContain("convMatrixI8");
  expect(byMatrices.kernels).toEqual(["convMatrixI8", "convMatrixI8", expect.any(String)]);
  expect(byMatrices.scores).toEqual(registers.scores);
  // The whole kernel is in the self-test too, where the device has it.
  expect(registers.mismatches).not.toHaveProperty("convolution by matrices");
  expect(byMatrices.mismatches).toMatchObject({ convolution: 0, "convolution by matrices": 0 });
});
