// Shaders without a GPU: Dawn's null back end type-checks every shader with every set of overrides
// that a plan can ask for, in both forms of the dot product. The generated descriptors are up to date,
// and files keep the rules of docs/architecture.md.

import { readFileSync } from "node:fs";
import { create, globals } from "webgpu";
import { beforeAll, describe, expect, it } from "vitest";
import { Device } from "../../src/gpu/device.ts";
import type { Shader } from "../../src/gpu/shader.ts";
import { shaders } from "../../src/gpu/shaders.gen.ts";
import { bindShapes } from "../../src/graph/bind.ts";
import { prepare } from "../../src/prepare.ts";
import { Model } from "../../src/model.ts";
import { lower } from "../../src/plan/lower.ts";
import type { ShaderName } from "../../src/plan/plan.ts";
import { attentions } from "../support/families/attention.ts";
import { convGrads } from "../support/families/convGrads.ts";
import { convolutions, largeConvolutions } from "../support/families/convolution.ts";
import { elementwise } from "../support/families/elementwise.ts";
import { dynamicProducts } from "../support/families/dynamic.ts";
import { gradients } from "../support/families/gradients.ts";
import { integerOps } from "../support/families/integers.ts";
import { engines } from "../support/families/engines.ts";
import { learning, recurrentGradients } from "../support/families/learning.ts";
import { products } from "../support/families/matmul.ts";
import { movements } from "../support/families/movement.ts";
import { norms } from "../support/families/norms.ts";
import { pools } from "../support/families/pools.ts";
import { words } from "../support/families/words.ts";
import { embeddings, weightOnly } from "../support/families/weightOnly.ts";
import { computedRecurrent, dynamicRecurrent, recurrent } from "../support/families/recurrent.ts";
import { residualGraph } from "../support/models.ts";

const script = new URL("../../scripts/reflectShaders.mjs", import.meta.url).href;
const { generate } = (await import(script)) as { generate(): string };

type Overrides = Readonly<Record<string, number>>;
/** What an override may be; undefined where plans may leave it out. */
type Values = readonly (number | undefined)[];

const FLAG = [0, 1];
/** Declared by a file that the shader shares with others; it has no use for it. */
const NEVER = [undefined];
/** Register tiles of a device that nobody knows, and of quads; test/null/plan/tiles.test.ts compiles all
 *  that the tuner may choose. */
const TILE = { PIXELS: [1, 8], WORDS: [1, 2] };
const QUAD = { QUARTER: [4, 8], WORDS: [1, 2] };
/** Fewer sizes: what several steps expand to is long. */
const STEPPED = { QUARTER: [4], WORDS: [1, 2], STEPS: [1, 4] };
/** Words side by side: with 4 invocations on software adapters, 64 on others. */
const ROWS = { WORKGROUP: [64], WIDE: [1, 2, 4, 8, 16] };
/** Absent for most plans: kernels then read one bound for all channels. */
const BOUNDS = { CHANNEL_BOUNDS: [undefined, 1] };
/** Absent unless weights have zero points of their own. */
const OFFSETS = { OFFSETS: [undefined, 1] };
const WEIGHTS = { BITS: [4, 8, 16], ZEROS: FLAG };
/** Every value that lowering gives each override; all their combinations are compiled. */
const values: Readonly<Partial<Record<ShaderName, Readonly<Record<string, Values>>>>> = {
  adamUpdateF32: { DECOUPLED: FLAG, ACCUMULATED: FLAG },
  sgdUpdateF32: { MOMENTUM: FLAG, NESTEROV: FLAG, ACCUMULATED: FLAG },
  squaresF32: { WORKGROUP: [4, 64] },
  clipFactorF32: { WORKGROUP: [4, 64] },
  argF32: { LAST: FLAG, LEAST: FLAG, SELECT_LAST: FLAG, WORKGROUP: [4, 8, 16, 32, 64] },
  batchNormMomentsF32: ROWS,
  batchNormStatisticsF32: ROWS,
  batchNormSumsF32: ROWS,
  batchNormParametersGradF32: ROWS,
  binaryF32: { OP: [0, 1, 2, 3, 4, 5, 6] },
  binaryI8: { MULTIPLY: FLAG },
  binaryI32: { OP: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] },
  cast32: { FROM_FLOAT: FLAG, TO: [0, 1, 2] },
  comparisonF32: { OP: [0, 1, 2] },
  narrowI8: { SATURATE: FLAG, SIGNED: FLAG },
  convI32: { SPLIT: FLAG },
  convDynamicI8: { POINTWISE: [1], PER_ROW: FLAG, CHUNKED: FLAG, WIDE: FLAG, ...TILE },
  convQuadDynamicI8: { POINTWISE: [1], PER_ROW: FLAG, CHUNKED: FLAG, WIDE: FLAG, ...STEPPED },
  convTiledDynamicI8: { VECTOR: FLAG, PER_ROW: FLAG, CHUNKED: FLAG, WIDE: FLAG },
  convMatrixDynamicI8: { VECTOR: FLAG, PER_ROW: FLAG, WIDE: FLAG, CHUNKED: NEVER },
  gemvDynamicI8: { PER_ROW: FLAG, CHUNKED: FLAG, WIDE: FLAG },
  quantizeDynamicF32: { TORCH: FLAG, WORKGROUP: [4, 64] },
  quantizeRowsF32: { TORCH: FLAG, WORKGROUP: [4, 64] },
  convF32: { ...BOUNDS, POINTWISE: FLAG, RESIDUAL: FLAG, ...TILE },
  convObservedF32: { ...BOUNDS, POINTWISE: FLAG, RESIDUAL: FLAG, ...TILE },
  convI8: {
    ...BOUNDS,
    ...OFFSETS,
    POINTWISE: FLAG,
    RESIDUAL: FLAG,
    CHUNKED: FLAG,
    WIDE: FLAG,
    FLOAT_BIAS: FLAG,
    ...TILE,
  },
  convQuadF32: { ...BOUNDS, POINTWISE: FLAG, ...STEPPED },
  convQuadObservedF32: { ...BOUNDS, POINTWISE: FLAG, ...STEPPED },
  convQuadI8: {
    ...BOUNDS,
    ...OFFSETS,
    POINTWISE: FLAG,
    CHUNKED: FLAG,
    WIDE: FLAG,
    FLOAT_BIAS: FLAG,
    ...STEPPED,
  },
  convGradFilterQuadF32: { POINTWISE: FLAG, COLUMNS: [4, 9] },
  convGradFilterF32: { POINTWISE: FLAG, OUTS: [1, 2], COLUMNS: [2, 4] },
  copy32: { KEEP: FLAG },
  spreadF32: { ZERO: FLAG },
  sumPartsF32: { LANES: FLAG },
  copyI8: { KEEP: FLAG },
  depthwiseF32: BOUNDS,
  depthwiseTileF32: BOUNDS,
  depthwiseTileObservedF32: BOUNDS,
  depthwiseI8: { ...BOUNDS, ...OFFSETS, WIDE: FLAG, FLOAT_BIAS: FLAG },
  depthwiseTileI8: { ...BOUNDS, ...OFFSETS, WIDE: FLAG, FLOAT_BIAS: FLAG },
  convMatrixI8: {
    ...BOUNDS,
    ...OFFSETS,
    RESIDUAL: FLAG,
    VECTOR: FLAG,
    WIDE: FLAG,
    FLOAT_BIAS: FLAG,
    CHUNKED: NEVER,
  },
  convTiledF32: { ...BOUNDS, RESIDUAL: FLAG },
  convTiledPartsI8: { VECTOR: FLAG, CHUNKED: FLAG },
  joinDynamicI8: { PER_ROW: FLAG, WIDE: FLAG, CHUNKED: NEVER },
  joinI8: { ...BOUNDS, ...OFFSETS, RESIDUAL: FLAG, WIDE: FLAG, FLOAT_BIAS: FLAG, CHUNKED: NEVER },
  convTiledI8: {
    ...BOUNDS,
    ...OFFSETS,
    RESIDUAL: FLAG,
    VECTOR: FLAG,
    CHUNKED: FLAG,
    WIDE: FLAG,
    FLOAT_BIAS: FLAG,
  },
  gemvF32: { ...BOUNDS, RESIDUAL: FLAG },
  gatherWeights: { BITS: [4, 8, 16] },
  gemvWeights: WEIGHTS,
  matmulWeights: { ...WEIGHTS, ROWS: [1, 8], WORDS: [1, 2] },
  matmulQuadWeights: { ...WEIGHTS, ...QUAD },
  matmulTiledWeights: WEIGHTS,
  // Batch elements of a workgroup and its room for states: what fits into 16 KiB.
  gruDynamicI8: { TORCH: FLAG, WIDE: FLAG, ANY: FLAG, ROOM: [16] },
  lstmDynamicI8: { TORCH: FLAG, WIDE: FLAG, ANY: FLAG, ROOM: [16] },
  gruF32: { LINEAR_BEFORE_RESET: FLAG, ANY: FLAG, ROOM: [16], BATCH: [1, 2, 4] },
  gruGradF32: { ROOM: [16], BATCH: [1, 2, 4] },
  lstmGradF32: { ROOM: [16], BATCH: [1, 2, 4] },
  lstmF32: { ANY: FLAG, ROOM: [16], BATCH: [1, 2, 4] },
  gemvI8: { ...BOUNDS, ...OFFSETS, RESIDUAL: FLAG, CHUNKED: FLAG, WIDE: FLAG, FLOAT_BIAS: FLAG },
  layerNormF32: { WORKGROUP: [32, 64, 128, 256], RANGE: FLAG },
  layerNormRowsF32: { RANGE: FLAG },
  observeHistogramF32: { BINS: [2, 2048, 4096], PADDED: FLAG },
  observeHistogramPrivateF32: { BINS: [2, 2048, 4092], PAIRS: [1, 1024, 2046], PADDED: FLAG },
  fakeQuantizeF32: { AXIS: [0, 1, 2] },
  fakeQuantizeGradF32: { AXIS: [0, 1, 2] },
  fakeQuantizeLearnF32: { LAST: FLAG, WORKGROUP: [4, 64] },
  observeAverageF32: {
    LAST: FLAG,
    PARTS: FLAG,
    AVERAGE: FLAG,
    SYMMETRIC: FLAG,
    FUSED: FLAG,
    WORKGROUP: [4, 64],
  },
  observeMinmaxF32: { PADDED: FLAG },
  packFilterF32: { BY_OUTPUT: FLAG },
  poolF32: { MAX: FLAG },
  poolI8: { MAX: FLAG },
  rangeF32: { ZERO: FLAG, WORKGROUP: [4, 64] },
  reduceF32: { LAST: FLAG, OP: [0, 1, 2, 3, 4, 5, 6], WORKGROUP: [4, 8, 16, 32, 64] },
  reduceI8: { LAST: FLAG, WORKGROUP: [4, 8, 16, 32, 64] },
  softmaxF32: { LAST: FLAG, LOG: FLAG },
  softmaxRowsF32: { MASKED: FLAG },
  batchedF32: { MASKED: FLAG },
  batchedQuadF32: { MASKED: FLAG },
  sumRowsF32: ROWS,
  unaryF32: { OP: Array.from({ length: 22 }, (_, op) => op) },
  unaryGradF32: { OP: Array.from({ length: 21 }, (_, op) => op) },
  unaryRangeF32: { OP: Array.from({ length: 22 }, (_, op) => op), WORKGROUP: [4, 64] },
};

/** Expanded for a window's sizes, or for one of two forms: too many sets to list. */
const expandedByGeometry = new Set<ShaderName>([
  "batchedF32",
  "softmaxRowsF32",
  "depthwiseGradFilterF32",
  "depthwiseTransposeF32",
  "depthwiseTileF32",
  "depthwiseTileObservedF32",
  "depthwiseTileI8",
  "depthwiseTileI32",
  "gruF32",
  "lstmF32",
  "gruGradF32",
  "lstmGradF32",
  "gruDynamicI8",
  "lstmDynamicI8",
]);

/** The product of `lists`: { a: [0, 1], b: [2] } is [{ a: 0, b: 2 }, { a: 1, b: 2 }]. */
function combinations(lists: Readonly<Record<string, Values>>): Overrides[] {
  return Object.entries(lists).reduce<Overrides[]>(
    (sets, [name, each]) =>
      sets.flatMap((set) =>
        each.map((value) => (value === undefined ? set : { ...set, [name]: value })),
      ),
    [{}],
  );
}

const names = Object.keys(shaders) as ShaderName[];
const usesDot4 = (name: ShaderName) =>
  shaders[name].parts.some((part) => part.includes("fn dot4("));
const variants = names.flatMap((name) =>
  (usesDot4(name) ? [true, false] : [true]).map((packedDot) => ({ name, packedDot })),
);

const keep = globalThis as { nullInstance?: GPU };
let packed: Device;
let unpacked: Device;
beforeAll(async () => {
  Object.assign(globalThis, globals);
  // What create() returned must stay reachable, or the process dies when it is collected.
  keep.nullInstance = create(["backend=null"]);
  const facts = { vendor: "", architecture: "", device: "", description: "", isFallback: false };
  const open = async (packedDot: boolean) => {
    const adapter = await keep.nullInstance!.requestAdapter();
    const gpu = await adapter!.requestDevice({ requiredFeatures: ["subgroups"] });
    return new Device(gpu, { ...facts, packedDot }, true);
  };
  [packed, unpacked] = [await open(true), await open(false)];
});

it("src/gpu/shaders.gen.ts is what the shaders declare: run `npm run shaders` after editing one", () => {
  const committed = readFileSync(new URL("../../src/gpu/shaders.gen.ts", import.meta.url), "utf8");
  expect(committed).toBe(generate());
});

describe("the type checker", () => {
  it.each(variants)(
    "accepts $name with every set of overrides, packed dot $packedDot",
    async ({ name, packedDot }) => {
      const device = packedDot ? packed : unpacked;
      for (const overrides of combinations(values[name] ?? {})) {
        // Bounds are the same code in both forms of the dot product, and offsets with and without them.
        const hasBounds = overrides["CHANNEL_BOUNDS"] !== undefined;
        const hasOffsets = overrides["OFFSETS"] !== undefined;
        if (hasOffsets ? !hasBounds : packedDot || !hasBounds) await device.kernel(name, overrides);
      }
    },
  );

  it("refuses a wrong type, so that a pass means something", async () => {
    packed.gpu.pushErrorScope("validation");
    const module = packed.gpu.createShaderModule({
      code: "@compute @workgroup_size(1) fn main() { let x: u32 = 1.5; }",
    });
    const { messages } = await module.getCompilationInfo();
    expect(messages.map(({ type }) => type)).toEqual(["error"]);
    expect((await packed.gpu.popErrorScope())?.message).toContain("abstract-float");
  });

  it("refuses more workgroup memory than every device has", async () => {
    await expect(packed.kernel("observeHistogramF32", { BINS: 4097 })).rejects.toMatchObject({
      name: "GpuError",
    });
  });
});

describe("plans", () => {
  const listed = new Map(
    names.map((name) => [name, new Set(combinations(values[name] ?? {}).map(keyOf))]),
  );

  it("ask for no set of overrides that is not compiled above, or compiles here", async () => {
    const families = [
      ...convolutions,
      ...largeConvolutions,
      ...convGrads,
      ...elementwise,
      ...engines,
      ...products,
      ...pools,
      ...attentions,
      ...norms,
      ...gradients,
      ...movements,
      ...integerOps,
      ...words,
      ...weightOnly,
      ...embeddings,
      ...recurrent,
      ...dynamicRecurrent,
      ...computedRecurrent,
      ...dynamicProducts,
      ...learning,
      ...recurrentGradients,
    ];
    const graphs = families.flatMap((each) => each.sample(40).map(({ graph }) => graph));
    const prepared = prepare(new Model("float", residualGraph(), {})).graph;
    const plans = [
      ...graphs.map((graph) => lower(bindShapes(graph, new Map()))),
      lower(bindShapes(prepared, new Map([["batch", 2]]))),
    ];
    const seen = new Set<ShaderName>();
    for (const { shader, overrides } of plans.flatMap(({ steps }) => steps)) {
      seen.add(shader);
      if (expandedByGeometry.has(shader)) {
        await packed.kernel(shader, overrides);
        await unpacked.kernel(shader, overrides);
      } else {
        expect(listed.get(shader)).toContain(keyOf(overrides));
      }
    }
    // Two have no overrides and no graph here: Compare, and observers per channel. Nor have those that change
    // variables, the probes, and the kernels that only a known adapter's rules choose.
    const unseen = names.filter(
      (name) => !seen.has(name) && !/Quad[A-Z]|Tiled|convMatrix|gemv|join/.test(name),
    );
    expect(unseen).toEqual([
      "accumulateF32",
      "adamUpdateF32",
      "clipFactorF32",
      "compareF32",
      "guardStepF32",
      "layerNormRowsF32",
      "observeChannelsF32",
      "observeHistogramPrivateF32",
      "probeMatrix",
      "probeQuads",
      "sgdUpdateF32",
      "squaresF32",
      "unaryRangeF32",
      "updateRunningF32",
    ]);
  }, 60_000);

  it("leave no override of a shader to chance: each is listed, or is the workgroup's size", () => {
    const unlisted = names.flatMap((name) =>
      Object.keys(shaders[name].overrides)
        .filter((override) => override !== "WORKGROUP" && !values[name]?.[override])
        .map((override) => `${name}.${override}`),
    );
    expect(unlisted).toEqual([]);
  });
});

function keyOf(overrides: Overrides): string {
  return JSON.stringify(Object.entries(overrides).sort());
}

describe("the style of", () => {
  const read = (name: ShaderName) =>
    readFileSync(new URL(`../../shaders/${shaders[name].label}.wgsl`, import.meta.url), "utf8");

  describe.each(names)("%s", (name) => {
    const code = read(name);
    const header = code.slice(0, `${code}\n\n`.indexOf("\n\n") + 1);

    it("opens with a comment that holds its formula", () => {
      expect(code.startsWith("// ")).toBe(true);
      const comment = code.split("\n").findIndex((line) => !line.startsWith("//"));
      const opening = code.split("\n").slice(0, comment).join("\n");
      expect(opening.replace(/^\/\/ use .*$/gm, "")).toMatch(/[=←]/);
      expect(header.length).toBeGreaterThan(0);
    });

    it("has a flat uniform struct, and writes only to its last bindings, named so", () => {
      const bindings = Object.entries(shaders[name].bindings).sort(
        ([, a], [, b]) => a.binding - b.binding,
      );
      const written = bindings.filter(([, { type }]) => type === "storage").map(([key]) => key);
      const allowed = [
        ["out"],
        ["slot"],
        ["out", "slot"],
        ["hOut", "out"],
        ["hOut", "cOut", "out"],
        ["slot", "out"],
        ["outScale", "outZero", "out"],
        ["outRange", "out"],
        ["outScale", "outZero"],
        ["outSums", "out"],
        ["outRange", "outScale", "outZero", "out"],
        ["outNorm", "out"],
        ["outMean", "outVariance", "out"],
        ["outScale", "outBias", "outDivisor", "out"],
        ["runningMean", "runningVariance"],
        ["summed"],
        ["summed", "velocity", "parameter"],
        ["summed", "first", "second", "parameter"],
      ];
      expect(allowed).toContainEqual(written);
      expect(bindings.slice(-written.length).map(([key]) => key)).toEqual(written);
      expect(bindings.map(([, { binding }]) => binding)).toEqual(bindings.map((_, index) => index));
      const { params }: Shader["bindings"] = shaders[name].bindings;
      const fields = params?.type === "uniform" ? Object.values(params.fields) : [];
      for (const { type } of fields) expect(["f32", "i32", "u32"]).toContain(type);
    });

    it("says what each barrier publishes", () => {
      const barriers = code.split("\n").filter((line) => line.includes("workgroupBarrier()"));
      for (const line of barriers) expect(line).toMatch(/workgroupBarrier\(\); \/\/ publishes \w+/);
    });
  });
});
