// export: files of every kind become ONNX files, whole or not at all.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { tensorsOfStateDict, writeSafetensors } from "../../../src/formats/safetensors/index.ts";
import { load, models } from "../../../src/index.ts";
import { hasSharedData, sharedData } from "../../support/sharedData.ts";
import { quantizedState, torchResults } from "../../support/torchModels.ts";
import { runCli } from "./terminal.ts";

const folder = mkdtempSync(join(tmpdir(), "webgpu-quant-export-"));
afterAll(() => rmSync(folder, { recursive: true }));

const at = (name: string) => join(folder, name);
const here = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const sample = here("../demo/sample/model.onnx");
const traced = here("fixtures/torch/quantized.traced.pt");

function written(name: string, bytes: Uint8Array | string): string {
  writeFileSync(at(name), bytes);
  return at(name);
}

/** Export with --json, and what load makes of the file. */
async function exported(model: string, ...options: string[]) {
  const out = at(`${Math.random()}.onnx`);
  const { status, stdout, stderr } = await runCli(
    "export",
    model,
    "--out",
    out,
    "--json",
    ...options,
  );
  expect([status, stderr]).toEqual([0, ""]);
  const file = readFileSync(out);
  const json = JSON.parse(stdout) as { nodes: object; bytes: number; bytesWritten: number };
  expect(json).toMatchObject({ model, out, bytesWritten: file.length });
  expect(json.bytes).toBe(readFileSync(model).length);
  return { json, file, model: await load(file) };
}

describe("export", () => {
  it("writes a float ONNX model", async () => {
    const { json, model } = await exported(sample, "--opset", "17");
    expect(json).toMatchObject({ stage: "float", nodes: { integer: 0 } });
    const before = await load(readFileSync(sample));
    expect(model.inputs).toEqual(before.inputs);
    expect(model.graph.nodes.map(({ op }) => op)).toEqual(before.graph.nodes.map(({ op }) => op));
  });

  it("writes a quantized TorchScript archive as QDQ", async () => {
    const { json, model } = await exported(traced);
    expect(json).toMatchObject({ stage: "quantized" });
    const before = await load(readFileSync(traced));
    expect(model.stage).toBe("quantized");
    expect(model.outputs).toEqual(before.outputs);
  });

  it("writes bare weights of a known architecture, in words too", async () => {
    const state = quantizedState(
      "shufflenet_v2_x0_5",
      torchResults("shufflenet_v2_x0_5"),
      "fbgemm",
    );
    const bytes = writeSafetensors(tensorsOfStateDict(state));
    const path = written("shuffle.safetensors", bytes);
    const { json, model } = await exported(path, "--opset", "21");
    expect(json.nodes).toEqual({ integer: expect.any(Number) as number, float: 0 });
    const made = await models.shufflenetV2({ width: 0.5, weights: bytes });
    const convs = (of: typeof model) => of.graph.nodes.filter(({ op }) => op === "Conv").length;
    expect(convs(model)).toBe(convs(made));
    const { stdout } = await runCli("export", path, "--out", at("shuffle.onnx"));
    expect(stdout.replaceAll(folder, "")).toMatchInlineSnapshot(`
      "model    /shuffle.safetensors (quantized)
      nodes    162 in integers, 0 in float
      size     430.6 kB → 467.0 kB
      weights  uint8: exact on every CPU (--int8-weights: faster with VNNI, inexact without)
      written  /shuffle.onnx
      "
    `);
  });

  it.each([
    [[], "uint8: exact on every CPU"],
    [["--int8-weights"], "int8: inexact in ONNX Runtime on x86 without VNNI"],
    [["--s8s8"], "int8: inexact in ONNX Runtime on x86 without VNNI"],
    [["--reduce-range"], "within ±64: no sum of two saturates, on any CPU"],
  ])("%j says what the weights mean", async (options, words) => {
    const { stdout } = await runCli("export", traced, "--out", at("said.onnx"), ...options);
    expect(stdout).toContain(words);
  });

  it("--s8s8 and --reduce-range change types and weights", async () => {
    const plain = await exported(traced);
    const types = async (...options: string[]) => {
      const { model, file } = await exported(traced, ...options);
      const quants = [...model.graph.values.values()].flatMap(({ quant }) => quant?.dtype ?? []);
      return { file, dtypes: new Set(quants) };
    };
    expect((await types()).dtypes).toContain("uint8");
    expect((await types("--s8s8")).dtypes).not.toContain("uint8");
    expect((await types("--reduce-range")).file).not.toEqual(plain.file);
  });

  it.runIf(hasSharedData("models/mobilenetv2-torchvision-qnnpack.pt", "export of real files"))(
    "writes torchvision's quantized MobileNetV2 and a CIFAR ResNet",
    async () => {
      const path = (name: string) => join(sharedData, "models", name);
      const mobile = await exported(path("mobilenetv2-torchvision-qnnpack.pt"));
      expect(mobile.json).toMatchObject({ stage: "quantized", nodes: { float: 0 } });
      const cifar = await exported(path("cifar10-resnet20.th"));
      expect(cifar.json).toMatchObject({ stage: "float", nodes: { integer: 0 } });
    },
  );
});

describe("export refuses", () => {
  const evil = readFileSync(here("fixtures/torch/evil.pickle.pt"));
  it.each<[string, () => string]>([
    ["a text file", () => written("notes.pth", "These are notes, not weights.\n")],
    ["a truncated archive", () => written("cut.pt", readFileSync(traced).subarray(0, 9000))],
    ["a pickle that calls os.system", () => written("evil.pth", evil)],
    ["a file that is not there", () => at("none.pt")],
  ])("%s, and writes nothing", async (_, path) => {
    const before = path();
    const { status, stdout, stderr } = await runCli("export", before, "--out", at("never.onnx"));
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr.replaceAll(folder, "")).toMatchSnapshot();
    expect(readdirSync(folder).filter((name) => name.includes("never"))).toEqual([]);
  });

  it("an opset that it cannot write, as wrong usage", async () => {
    const { status, stderr } = await runCli(
      "export",
      sample,
      "--out",
      at("o.onnx"),
      "--opset",
      "9",
    );
    expect([status, stderr]).toMatchInlineSnapshot(`
      [
        2,
        "export: --opset must be one of 13, 17, 21; got "9". Try: webgpu-quant export --help
      ",
      ]
    `);
  });

  it("the input as output", async () => {
    const path = written("same.onnx", readFileSync(sample));
    const { status, stderr } = await runCli("export", path, "--out", path);
    expect([status, stderr.replaceAll(folder, "")]).toMatchInlineSnapshot(`
      [
        1,
        "--out "/same.onnx": would overwrite an input. Choose another name.
      ",
      ]
    `);
  });
});
