// Tuning from end to end on a small network: the table names this device's products, goes through JSON,
// and changes no bit of the results, whichever tiles it names.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { compile } from "../../src/compile.ts";
import { annotate } from "../../src/quantize/annotate.ts";
import { convertGraph } from "../../src/quantize/convert.ts";
import { fuse } from "../../src/quantize/fuse.ts";
import { insertObservers } from "../../src/quantize/prepare.ts";
import { qconfigs } from "../../src/quantize/presets.ts";
import type { Device } from "../../src/gpu/device.ts";
import { Model } from "../../src/model.ts";
import { candidates } from "../../src/plan/tiles.ts";
import { tune } from "../../src/tune.ts";
import { parseTuning, tuningKey, type TuningTable } from "../../src/tuning/table.ts";
import { calibrateOnHost } from "../support/calibrate.ts";
import { runCli } from "../null/cli/terminal.ts";
import { formatNpy, parseNpy } from "../../src/tensor/npy.ts";
import { testDevice } from "../support/device.ts";
import { pictures, residualGraph } from "../support/models.ts";
import { floats } from "../support/seeded.ts";

const fused = fuse(residualGraph());
const assignment = annotate(fused, qconfigs.int8);
const calibration = calibrateOnHost(insertObservers(fused, assignment), [pictures(2, 1)]);
const quantized = new Model("quantized", convertGraph(fused, assignment, calibration), {});

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});
afterAll(() => device.dispose());

async function results(tuning?: TuningTable) {
  using session = await compile(quantized, device, tuning ? { tuning } : {});
  return (await session.run(pictures(2, 5)))["scores"]?.data;
}

it("measures each product of the model once, within its budget, and frees what it made", async () => {
  await compile(quantized, device).then((session) => session.dispose());
  const before = device.memory;
  const seen: string[] = [];
  const table = await tune(quantized, device, {
    budgetMs: 20_000,
    dims: { batch: 2 },
    onProgress: ({ done, total }) => seen.push(`${done}/${total}`),
  });
  expect(device.memory).toEqual(before);
  expect(table.key).toBe(tuningKey(device.facts));
  // Stem 4 × 4 × 2 pixels, pointwise alike, and the classifier's two rows.
  const classes = ["i8 m32 n2 k9 g1", "i8 m32 n2 k2 g1", "i8 m2 n2 k2 g1"];
  expect(seen).toEqual(["0/3", "1/3", "2/3", "3/3"]);
  expect(Object.keys(table.entries).sort()).toEqual(classes.sort());
  for (const { tile, ms, defaultMs } of Object.values(table.entries)) {
    expect(ms).toBeGreaterThan(0);
    expect(ms).toBeLessThanOrEqual(defaultMs);
    const { packedDot: _, ...plain } = tile;
    expect(candidates).toContainEqual(plain);
  }
  const parsed = parseTuning(JSON.parse(JSON.stringify(table)));
  expect(parsed).toEqual(table);
  expect(await results(parsed)).toEqual(await results());

  const [workgroup] = candidates.filter(({ family }) => family === "workgroup").slice(-1);
  const entries = Object.fromEntries(
    classes.map((name) => [name, { tile: workgroup!, ms: 1, defaultMs: 2 }]),
  );
  const forced = { ...table, entries };
  using session = await compile(quantized, device, { tuning: forced });
  const { steps } = session.planFor(new Map([["batch", 2]]));
  expect(steps.filter(({ shader }) => shader === "convTiledI8")).toHaveLength(3);
  expect(await results(forced)).toEqual(await results());
});

it("stops at once when it is aborted, and frees what it made", async () => {
  const before = device.memory;
  const abort = new AbortController();
  const tuning = tune(quantized, device, {
    signal: abort.signal,
    onProgress: () => abort.abort(new Error("enough")),
  });
  await expect(tuning).rejects.toThrow("enough");
  expect(device.memory).toEqual(before);
});

it("refuses a budget of nothing", async () => {
  await expect(tune(quantized, device, { budgetMs: 0 })).rejects.toThrow(
    "tune: budgetMs must be more than 0; got 0. Leave it out for 20 s.",
  );
});

it("the command line writes a table, runs with it, and refuses another device's", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tune-"));
  try {
    const path = (name: string) => join(folder, name);
    const model = fileURLToPath(new URL("../../demo/sample/model.onnx", import.meta.url));
    writeFileSync(path("x.npy"), formatNpy(floats([1, 3, 48, 48], 3)));
    const tuned = await runCli("tune", model, "--out", path("t.json"), "--seconds", "1", "--json");
    expect([tuned.status, tuned.stderr]).toEqual([0, ""]);
    const table = parseTuning(JSON.parse(readFileSync(path("t.json"), "utf8")));
    expect(JSON.parse(tuned.stdout)).toMatchObject({ ...table, out: path("t.json") });
    expect(Object.keys(table.entries).length).toBeGreaterThan(0);

    const run = (out: string, ...more: string[]) =>
      runCli("run", model, "--input", path("x.npy"), "--out", path(out), ...more);
    expect(await run("plain.npy")).toMatchObject({ status: 0 });
    expect(await run("tuned.npy", "--tuning", path("t.json"))).toMatchObject({ status: 0 });
    const numbers = (name: string) => [...parseNpy(readFileSync(path(name))).data].map(Number);
    const [plain, same] = [numbers("plain.npy"), numbers("tuned.npy")];
    // A float network: another tile may add in another order.
    const greatest = Math.max(...plain.map(Math.abs));
    plain.forEach((value, index) =>
      expect(Math.abs(value - (same[index] ?? NaN))).toBeLessThanOrEqual(1e-5 * greatest),
    );

    writeFileSync(path("other.json"), JSON.stringify({ ...table, key: "another" }));
    const other = await run("y.npy", "--tuning", path("other.json"));
    expect(other.status).toBe(1);
    expect(other.stderr).toContain('got one of "another". Tune again on this device');
    writeFileSync(path("broken.json"), "{");
    const broken = await run("y.npy", "--tuning", path("broken.json"));
    expect([broken.status, broken.stderr]).toEqual([1, expect.stringContaining("must be JSON")]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
