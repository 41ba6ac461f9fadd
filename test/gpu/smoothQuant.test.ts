// smoothQuant on a device: an encoder block whose normalization has outlier channels, as large language models
// have them, and what the report says of it.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../src/gpu/device.ts";
import { load } from "../../src/load.ts";
import type { Model } from "../../src/model.ts";
import { smoothQuant, type SmoothQuantOptions } from "../../src/smoothQuant.ts";
import { formatNpy } from "../../src/tensor/npy.ts";
import { float32, type Tensors } from "../../src/tensor/tensor.ts";
import { runCli } from "../null/cli/terminal.ts";
import { node, tiny } from "../null/formats/onnxModels.ts";
import { testDevice } from "../support/device.ts";
import { generator } from "../support/seeded.ts";

/** About normal, mean 0 and deviation 1: the sum of twelve uniform numbers. */
function normals(seed: number): () => number {
  const next = generator(seed);
  return () => Array.from({ length: 12 }, next).reduce((sum, value) => sum + value, -6);
}

const [WIDTH, HIDDEN] = [64, 128];

/** x → LayerNormalization → q, k → product → LayerNormalization → feed-forward, all with outliers. */
function encoder(): Uint8Array {
  const outlying = (channel: number) => ([3, 17, 40].includes(channel) ? 60 : 1);
  const random = normals(20261126);
  const matrix = (rows: number, columns: number) =>
    float32(
      [rows, columns],
      Array.from({ length: rows * columns }, () => random() / Math.sqrt(rows)),
    );
  const row = (size: number, of: (index: number) => number) =>
    float32(
      [size],
      Array.from({ length: size }, (_, index) => of(index)),
    );
  const initializers = {
    scale: row(WIDTH, outlying),
    shift: row(WIDTH, (channel) => 0.1 * outlying(channel)),
    wq: matrix(WIDTH, WIDTH),
    wk: matrix(WIDTH, WIDTH),
    bq: row(WIDTH, () => random()),
    w1: matrix(WIDTH, HIDDEN),
    b1: row(HIDDEN, () => random()),
    w2: matrix(HIDDEN, WIDTH),
  };
  const nodes = [
    node("LayerNormalization", ["x", "scale", "shift"], ["n"], { axis: -1 }, { name: "norm" }),
    node("MatMul", ["n", "wq"], ["q0"], {}, { name: "q" }),
    node("Add", ["q0", "bq"], ["q"], {}, { name: "q_bias" }),
    node("MatMul", ["n", "wk"], ["k"], {}, { name: "k" }),
    node("Mul", ["q", "k"], ["a"], {}, { name: "gate" }),
    node("Add", ["a", "x"], ["r"], {}, { name: "residual" }),
    node("LayerNormalization", ["r", "scale"], ["m"], { axis: -1 }, { name: "norm2" }),
    node("MatMul", ["m", "w1"], ["h0"], {}, { name: "up" }),
    node("Add", ["h0", "b1"], ["h1"], {}, { name: "up_bias" }),
    node("Relu", ["h1"], ["h"], {}, { name: "relu" }),
    node("MatMul", ["h", "w2"], ["y"], {}, { name: "down" }),
  ];
  return tiny({ nodes, inputs: { x: ["batch", 8, WIDTH] }, initializers });
}

function samples(count: number): Tensors[] {
  const random = normals(7);
  return Array.from({ length: count }, () => ({
    x: float32([2, 8, WIDTH], Array.from({ length: 2 * 8 * WIDTH }, random)),
  }));
}

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

const smoothed = async (options: Partial<SmoothQuantOptions> = {}) => {
  const model = (await load(encoder())) as Model<"float">;
  return await smoothQuant(model, samples(4), { device, ...options });
};

describe("smoothQuant", () => {
  it("wins several dB where channels are outliers, and the float outputs stay", async () => {
    const { model, report } = await smoothed();
    const [before, after, float] = [report.beforeDb, report.afterDb, report.floatDb].map((db) =>
      db!.toFixed(1),
    );
    console.log(`SmoothQuant: ${before} → ${after} dB, smoothed float ${float} dB`);
    expect(report.afterDb! - report.beforeDb!).toBeGreaterThan(6);
    expect(report.floatDb).toBeGreaterThan(100); // f32 roundings of the factors
    expect(report.groups.map(({ layers, into }) => [layers.join(), into])).toEqual([
      ["q,k", 'LayerNormalization "norm"'],
      ["up", 'LayerNormalization "norm2"'],
      ["down", 'MatMul "up"'],
    ]);
    const [first] = report.groups;
    expect(first!.outliers.before).toBeGreaterThan(20);
    expect(first!.outliers.after).toBeLessThan(first!.outliers.before / 3);
    expect(report).toMatchObject({ alpha: 0.5, samples: 8, left: [] });
    expect(model.graph.nodes.map(({ op }) => op)).toEqual(
      ((await load(encoder())) as Model<"float">).graph.nodes.map(({ op }) => op),
    );
  });

  it("measures nothing where nothing is asked, and tells its progress", async () => {
    const seen: number[] = [];
    const onProgress = ({ samples: count }: { samples: number }) => seen.push(count);
    const { report } = await smoothed({ measured: 0, total: 8, onProgress });
    expect(report).not.toHaveProperty("afterDb");
    expect(seen).toEqual([2, 4, 6, 8]);
  });

  it("refuses an alpha beyond 1, no samples, samples that are no numbers; stops when told", async () => {
    const messageOf = async (run: () => Promise<unknown>) =>
      await run().then(
        () => "nothing was thrown",
        (error: unknown) => `${(error as Error).name}: ${(error as Error).message}`,
      );
    expect(await messageOf(() => smoothed({ alpha: 2 }))).toMatchInlineSnapshot(
      `"InputError: smoothQuant: alpha must be from 0 to 1; got 2. 0.5 suits most models."`,
    );
    const model = (await load(encoder())) as Model<"float">;
    expect(await messageOf(() => smoothQuant(model, [], { device }))).toMatchInlineSnapshot(
      `"InputError: smoothQuant: data must hold at least one batch; got none. Check the data source."`,
    );
    const [broken] = samples(1);
    (broken!["x"]!.data as Float32Array)[5] = NaN;
    expect(await messageOf(() => smoothQuant(model, [broken!], { device }))).toMatchInlineSnapshot(
      `"NonFiniteError: smoothQuant: batch 0, input "x": must be finite; got NaN at index 5. Check the preprocessing of that batch, or pass { nonFinite: "allow" } (on the command line: --allow-non-finite)."`,
    );
    expect(await messageOf(() => smoothed({ signal: AbortSignal.abort() }))).toContain("Abort");
  });
});

describe("quantize --mode dynamic", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "webgpu-quant-dynamic-"));
    writeFileSync(join(folder, "m.onnx"), encoder());
    const [{ x } = { x: undefined }] = samples(1);
    writeFileSync(join(folder, "x.npy"), formatNpy(x!));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const quantize = async (...argv: string[]) => {
    const words = argv.map((each) => each.replace(/^[\w-]+\.(npy|onnx)$/, `${folder}/$&`));
    const { status, stdout, stderr } = await runCli(
      "quantize",
      ...[join(folder, "m.onnx"), "--mode", "dynamic", ...words],
    );
    return { status, stdout: stdout.replaceAll(`${folder}/`, ""), stderr };
  };

  it("needs no data, and says what became integers and what stayed float", async () => {
    const { status, stdout, stderr } = await quantize("--out", "q.onnx", "--exclude", "down");
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatchInlineSnapshot(`
      "quantized  3 nodes: 3 MatMulIntegerToFloat
      size       100.1 kB → 52.8 kB (0.528)
      weights    uint8: exact on every CPU (--int8-weights: faster with VNNI, inexact without)
      written    q.onnx
      "
    `);
    const { stage, graph } = await load(readFileSync(join(folder, "q.onnx")));
    expect(stage).toBe("quantized");
    expect(graph.nodes.filter(({ op }) => op === "MatMul")).toHaveLength(1);
  });

  it("counts weights of float16 too, and takes a group's size", async () => {
    const half = await quantize("--out", "h.onnx", "--dtype", "float16");
    expect(half.stdout).toContain("quantized  4 nodes: 4 MatMul");
    const group = ["--dtype", "int4-weight-only", "--group-size", "12"];
    expect((await quantize("--out", "g.onnx", ...group)).stderr).toContain(
      "groupSize must be a multiple of 8; got 12",
    );
  });

  it("evens activations out first where samples are given, and says what it gained", async () => {
    const { status, stdout, stderr } = await quantize("--out", "s.onnx", "--smooth", "x.npy");
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/dynamic int8 +\d+\.\d dB → \d+\.\d dB to float/);
    expect(stdout.replaceAll(/\d+\.\d+/g, "0")).toMatchInlineSnapshot(`
      "smoothed activation  layers  into                        greatest / median
      ──────────────────────────────────────────────────────────────────────────
      n                         2  LayerNormalization "norm"   0 → 0
      m                         1  LayerNormalization "norm2"  0 → 0
      h                         1  MatMul "up"                 0 → 0

      dynamic int8    0 dB → 0 dB to float
      smoothed float  0 dB to float

      quantized  4 nodes: 4 MatMulIntegerToFloat
      size       0 kB → 0 kB (0)
      weights    uint8: exact on every CPU (--int8-weights: faster with VNNI, inexact without)
      written    s.onnx
      "
    `);
  });

  it("options of the other mode, and words that are not known, are refused", async () => {
    const failing = async (...argv: string[]) =>
      (await quantize("--out", "f.onnx", ...argv)).stderr;
    expect(await failing("--qconfig", "int8")).toMatchInlineSnapshot(`
      "quantize: --qconfig is for --mode static. Try: webgpu-quant quantize --help
      "
    `);
    expect(await failing("--preset", "int3")).toMatchInlineSnapshot(`
      "quantizeDynamic: preset must be "default" or "qnnpack" or "fbgemm" or "x86"; got "int3". Choose one of them.
      "
    `);
    expect(await failing("--ops", "Lin")).toMatchInlineSnapshot(`
      "ops: "Lin" must name a kind of layer (Linear, LSTM, GRU, Embedding), an op, a node or a pattern of names; got nodes "norm", "q", "q_bias", …. Print the model to see them.
      "
    `);
    expect(await failing("--alpha", "0.3")).toMatchInlineSnapshot(`
      "quantize: --alpha is for --smooth. Try: webgpu-quant quantize --help
      "
    `);
    expect(await failing("--smooth", "x.npy", "--alpha", "3")).toMatchInlineSnapshot(`
      "quantize: --alpha must be from 0 to 1; got "3". Try: webgpu-quant quantize --help
      "
    `);
    expect(await failing("--smooth", "z=x.npy")).toMatchInlineSnapshot(`
      "--smooth "z=x.npy": no such file or folder. Check the path.
      "
    `);
  });
});
