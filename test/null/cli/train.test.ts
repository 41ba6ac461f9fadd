// What `train` asks of its pictures and options: one picture at a time, whatever batch the model is of.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { parseArguments } from "../../../src/cli/arguments.ts";
import { DATA_OPTIONS, readData } from "../../../src/cli/data.ts";
import { Progress } from "../../../src/cli/progress.ts";
import type { BoundGraph } from "../../../src/graph/bind.ts";
import { GraphBuilder } from "../../../src/graph/builder.ts";
import { Model } from "../../../src/model.ts";
import { fileOf } from "../pictures/fixtures.ts";
import { Capture, runCli } from "./terminal.ts";

it("decodes single pictures for a model of a fixed batch, and names one that is broken", async () => {
  const builder = new GraphBuilder();
  builder.input("x", { dtype: "float32", shape: [4, 3, 8, 8] });
  builder.add({ op: "Relu", name: "relu", inputs: ["x"], outputs: ["y"] });
  const model = new Model("float", builder.build("four", ["x"], ["y"]) as BoundGraph, {});
  const folder = mkdtempSync(join(tmpdir(), "webgpu-quant-train-"));
  try {
    const file = fileOf("420.jpg");
    writeFileSync(join(folder, "a.jpg"), file);
    writeFileSync(join(folder, "b.jpg"), file.subarray(0, 600));
    const grammar = { name: "train", positionals: [], options: DATA_OPTIONS };
    const args = parseArguments(grammar, ["--data", folder, "--preprocess", "tf", "--batch", "4"]);
    const { signal } = new AbortController();
    const progress = new Progress(new Capture());
    const data = await readData(args, model, { progress, stdout: new Capture(), signal });
    const [good, broken] = data.pictures;
    expect((await data.one(good!)).x?.shape).toEqual([1, 3, 8, 8]);
    await expect(data.one(broken!)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[PictureError: picture "b.jpg": broken JPEG file: it ends before its end-of-image marker. Replace or remove the file.]`,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it("learns scales only of presets whose weights have a scale from the start", async () => {
  const given = ["train", "m.onnx", "--data", "d", "--preprocess", "tf", "--labels", "l.json"];
  const rest = ["--epochs", "1", "--out", "o.onnx", "--qat", "--learn-scales"];
  const { status, stderr } = await runCli(...given, ...rest, "--qconfig", "fbgemm");
  expect(status).toBe(2);
  expect(stderr.split("\n")[0]).toMatchInlineSnapshot(
    `"train: --learn-scales takes --qconfig int8, int4, int4Weights; got fbgemm. Try: webgpu-quant train --help"`,
  );
});
