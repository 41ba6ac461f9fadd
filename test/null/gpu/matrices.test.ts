// Matrices of subgroups without a GPU. Dawn's null back end has the feature and type-checks the builtins,
// their uniformity and the bytes between rows, but reports no sizes and calculates nothing: so every tile
// compiles in both syntaxes, and a device whose sums are wrong is refused the family and works on.

import { create, globals } from "webgpu";
import { beforeAll, describe, expect, it } from "vitest";
import { Device, type AdapterFacts } from "../../../src/gpu/device.ts";
import { requestDeviceFrom } from "../../../src/gpu/request.ts";
import {
  admitMatrices,
  matrixForms,
  matrixQuestion,
  matrixSizes,
  probeCode,
  type MatrixFacts,
} from "../../../src/gpu/matrices.ts";
import { bindShapes } from "../../../src/graph/bind.ts";
import { lower } from "../../../src/plan/lower.ts";
import { fitsUnit, matrixUnit } from "../../../src/plan/matrixUnit.ts";
import type { Step } from "../../../src/plan/plan.ts";
import { targetOf, tileFor, type ProductSizes } from "../../../src/plan/target.ts";
import { candidates, tileName } from "../../../src/plan/tiles.ts";
import { tuningKey } from "../../../src/tuning/table.ts";
import { convolutions } from "../../support/families/convolution.ts";
import { forcedMatrix, matrixUnits } from "../../support/forced.ts";
import { residualSum } from "../../support/products.ts";

const FEATURES = [
  "subgroups",
  "subgroup-size-control",
  "chromium-experimental-subgroup-matrix",
] as GPUFeatureName[];

const facts: AdapterFacts = {
  vendor: "nvidia",
  architecture: "",
  device: "",
  description: "",
  isFallback: false,
  packedDot: true,
};

const keep = globalThis as { nullInstance?: GPU };
let gpu: GPU;
let device: Device;
beforeAll(async () => {
  Object.assign(globalThis, globals);
  // What create() returned must stay reachable, or the process dies when it is collected.
  gpu = keep.nullInstance = create(["backend=null", "enable-dawn-features=allow_unsafe_apis"]);
  const adapter = await gpu.requestAdapter();
  device = new Device(await adapter!.requestDevice({ requiredFeatures: FEATURES }), facts, true);
});

const tiles = candidates.filter((tile) => tile.family === "matrix");
/** What Dawn of the installed version counts strides of i8 in: words with a template, bytes with a flag. */
const [newest, , older] = matrixForms;

/** Steps of the matrix family for random convolutions and a residual. */
function steps(...given: Parameters<typeof forcedMatrix>): Step[] {
  return [...convolutions.flatMap((family) => family.sample(30)), residualSum(true)]
    .flatMap(({ graph }) => lower(bindShapes(graph, new Map()), forcedMatrix(...given)).steps)
    .filter(({ shader }) => shader === "convMatrixI8");
}

describe("the type checker accepts", () => {
  // The null back end's subgroups have up to 128 invocations: it takes no workgroup narrower than that.
  const narrow = matrixUnits.map((unit) => ({ ...unit, widest: 128 }));
  const cases = tiles.flatMap((tile) =>
    narrow
      .filter((unit) => fitsUnit(tile, unit))
      .map((unit) => ({ tile, unit, name: `${tileName(tile)}, ${unit.m}×${unit.n}×${unit.k}` })),
  );

  it.each(cases)("$name in both syntaxes, with every set of overrides", async ({ tile, unit }) => {
    for (const form of [newest!, older!]) {
      const distinct = new Map<string, Step>();
      for (const step of steps(tile, { ...unit, form }))
        distinct.set(JSON.stringify(step.overrides), step);
      expect(distinct.size).toBeGreaterThan(2);
      for (const { shader, overrides } of distinct.values()) await device.kernel(shader, overrides);
    }
  });

  it("the probe in both", async () => {
    for (const unit of matrixUnits) {
      const question = matrixQuestion({ ...unit, widest: 128 });
      for (const form of [newest!, older!]) {
        device.gpu.pushErrorScope("validation");
        const module = device.gpu.createShaderModule({ code: probeCode(question, form) });
        await device.gpu.createComputePipelineAsync({ layout: "auto", compute: { module } });
        expect(await device.gpu.popErrorScope()).toBeNull();
      }
    }
  });

  it("no stride in words where this Dawn counts bytes: it checks more than types", async () => {
    const question = matrixQuestion({ ...matrixUnits[0]!, widest: 128 });
    device.gpu.pushErrorScope("validation");
    const module = device.gpu.createShaderModule({ code: probeCode(question, matrixForms[3]!) });
    const made = device.gpu.createComputePipelineAsync({ layout: "auto", compute: { module } });
    await expect(made).rejects.toThrow(/stride \(8 bytes\) must be greater or equal to 32 bytes/);
    await device.gpu.popErrorScope();
  });
});

/** `gpu`, whose adapters report these sizes; `onDevice` sees every device they give. */
function reporting(
  configs: readonly object[],
  onDevice: (device: GPUDevice, asked: GPUDeviceDescriptor) => void = () => undefined,
): GPU {
  const withInfo = (adapter: GPUAdapter): GPUAdapter =>
    ({
      features: adapter.features,
      limits: adapter.limits,
      info: {
        ...{ vendor: "nvidia", architecture: "", device: "", description: "" },
        ...{ isFallbackAdapter: false, subgroupMinSize: 32, subgroupMaxSize: 128 },
        subgroupMatrixConfigs: configs,
      },
      requestDevice: async (asked: GPUDeviceDescriptor) => {
        const made = await adapter.requestDevice(asked);
        onDevice(made, asked);
        return made;
      },
    }) as unknown as GPUAdapter;
  return {
    wgslLanguageFeatures: gpu.wgslLanguageFeatures,
    requestAdapter: async () => withInfo((await gpu.requestAdapter())!),
  } as unknown as GPU;
}

const CONFIG = { componentType: "i8", resultComponentType: "i32", M: 16, N: 16, K: 32 };

describe("a device", () => {
  it("is not asked for the feature where no size of i8 is reported, and says so", async () => {
    const asked: (readonly string[])[] = [];
    const floats = { ...CONFIG, componentType: "f16", resultComponentType: "f16" };
    const unsigned = { ...CONFIG, componentType: "u8", resultComponentType: "u32" };
    const odd = { ...CONFIG, K: 8 };
    const source = reporting([floats, unsigned, odd], (_, descriptor) =>
      asked.push([...(descriptor.requiredFeatures ?? [])]),
    );
    using made = await requestDeviceFrom(source);
    expect(made.facts.matrices).toEqual([]);
    expect(asked).toHaveLength(1);
    expect(asked[0]).not.toContain("chromium-experimental-subgroup-matrix");
  });

  it("that adds up wrong is refused the family, reading by reading, and used without it", async () => {
    using made = await requestDeviceFrom(reporting([CONFIG]));
    const [found] = made.facts.matrices ?? [];
    expect(found).toMatchObject({ m: 16, n: 16, k: 32, lanes: 32, widest: 128 });
    expect(found?.form).toBeUndefined();
    expect(Object.keys(found?.refused ?? {})).toEqual([
      ...matrixForms.map(({ name }) => `${name}, 32 lanes`),
      ...matrixForms.map(({ name }) => `${name}, 128 lanes`),
    ]);
    expect(found?.refused?.["template, words, 32 lanes"]).toMatch(/^\d+ of 1024 sums are wrong$/);
    expect(found?.refused?.["flag, words, 32 lanes"]).toMatch(/^error: subgroupMatrixLoad/);
    expect(matrixUnit(made.facts)).toBeUndefined();
    expect(targetOf(made.facts).matrix).toBeUndefined();
    await made.kernel("convTiledI8", {});
  });

  it("that the test brings down is replaced by one without the feature", async () => {
    const asked: (readonly string[])[] = [];
    const source = reporting([CONFIG], (made, { requiredFeatures = [] }) => {
      asked.push([...requiredFeatures]);
      if (asked.length === 1) made.destroy();
    });
    using made = await requestDeviceFrom(source);
    expect(asked.map((names) => names.includes("chromium-experimental-subgroup-matrix"))).toEqual([
      true,
      false,
    ]);
    expect(made.facts.matrices?.[0]?.refused).toBeDefined();
    await made.kernel("convTiledI8", {});
  });

  it("of any vendor reports sizes under these names", () => {
    const info = { subgroupMatrixConfigs: [CONFIG, { ...CONFIG, N: 8 }] };
    expect(matrixSizes(info as unknown as GPUAdapterInfo)).toEqual([
      { m: 16, n: 16, k: 32 },
      { m: 16, n: 8, k: 32 },
    ]);
    expect(matrixSizes({} as GPUAdapterInfo)).toEqual([]);
  });

  it("with nothing to try is asked nothing", async () => {
    expect(await admitMatrices(device.gpu, [], { least: 32, greatest: 32 })).toEqual([]);
  });
});

describe("rules", () => {
  const big: ProductSizes = { dtype: "i8", m: 12544, n: 32, k: 288, groups: 1 };
  const row: ProductSizes = { dtype: "i8", m: 1, n: 250, k: 320, groups: 1 };
  const [passed, narrower] = matrixUnits;
  const refused: MatrixFacts = { m: 32, n: 32, k: 32, lanes: 32, widest: 32, refused: {} };
  const able = targetOf({ ...facts, matrices: [refused, narrower!, passed!] });

  it("give matrices to large int8 products where a size passed, and nothing else new", () => {
    expect(able.matrix).toBe(passed);
    const family = (changes: Partial<ProductSizes>) => tileFor(able, { ...big, ...changes }).family;
    expect(family({})).toBe("matrix");
    expect(family({ m: 100, n: 4 })).toBe("matrix");
    expect(family({ dtype: "f32" })).toBe("workgroup");
    expect(family({ m: 9, n: 2, k: 1 })).toBe("register");
    expect(tileFor(able, row).family).toBe("gemv");
    const without = targetOf({ ...facts, matrices: [refused] });
    expect(without).toEqual(targetOf(facts));
    expect(tileFor(without, big).family).toBe("workgroup");
  });

  it("pass over tiles that a device's subgroups are too wide for", () => {
    const wide = { ...passed!, lanes: 64, widest: 64 };
    const tile = tileFor(targetOf({ ...facts, matrices: [wide] }), big);
    expect(tileName(tile)).toBe("matrix 8×4 of 4");
    const wider = { ...passed!, lanes: 128, widest: 128 };
    expect(tileFor(targetOf({ ...facts, matrices: [wider] }), big).family).toBe("workgroup");
  });

  it("never reach software adapters", () => {
    const software = { ...facts, isFallback: true, matrices: [passed!] };
    expect(tileFor(targetOf(software), big).family).toBe("register");
  });

  it("a table measured with matrices is not one measured without", () => {
    expect(tuningKey({ ...facts, matrices: [passed!] })).toContain("matrices 16×16×32");
    expect(tuningKey({ ...facts, matrices: [refused] })).toBe(tuningKey(facts));
  });
});
