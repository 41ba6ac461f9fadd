// What commands calibrate on, compare, learn from and are measured by: pictures of every form that a model takes, and
// arrays of several inputs.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { load } from "../../src/load.ts";
import { formatNpy } from "../../src/tensor/npy.ts";
import { float32, tensor, type Tensor } from "../../src/tensor/tensor.ts";
import { runCli } from "../null/cli/terminal.ts";
import { floats, node, tiny } from "../null/formats/onnxModels.ts";
import { zipOf } from "../null/formats/torch/support.ts";
import { fileOf } from "../null/pictures/fixtures.ts";

let folder: string;
const path = (name: string) => join(folder, name);
const npy = (name: string, array: Tensor) => writeFileSync(path(name), formatNpy(array));

async function json(...argv: string[]) {
  const words = argv.map((each) => each.replace(/[\w-]+\.(np[yz]|onnx|json)$/, path));
  const { status, stdout, stderr } = await runCli(...words, "--json");
  return { status, stderr, json: JSON.parse(stdout) as Record<string, unknown> };
}

/** Pictures of any size → two numbers, by a convolution of `channels`. */
const classifier = (input: (string | number)[], channels: 1 | 3) => {
  const isLast = input[3] === channels;
  return tiny({
    nodes: [
      ...(isLast ? [node("Transpose", ["x"], ["t"], { perm: [0, 3, 1, 2] })] : []),
      node("Conv", [isLast ? "t" : "x", "w"], ["c"], { kernel_shape: [3, 3] }),
      node("GlobalAveragePool", ["c"], ["p"]),
      node("Flatten", ["p"], ["y"]),
    ],
    inputs: { x: input },
    outputs: ["y"],
    initializers: { w: floats([2, channels, 3, 3], (index) => ((index * 7) % 11) / 11 - 0.4) },
  });
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "webgpu-quant-samples-"));
  mkdirSync(path("pictures"));
  for (const name of ["a.jpg", "b.jpg"]) writeFileSync(path(`pictures/${name}`), fileOf("420.jpg"));
  writeFileSync(path("last.onnx"), classifier(["batch", 8, 8, 3], 3));
  writeFileSync(path("gray.onnx"), classifier(["batch", 1, 8, 8], 1));
  writeFileSync(path("open.onnx"), classifier(["batch", 3, "h", "w"], 3));
  writeFileSync(
    path("two.onnx"),
    tiny({
      nodes: [
        node("MatMul", ["a", "w"], ["m"]),
        node("Relu", ["m"], ["r"]),
        node("Add", ["r", "b"], ["y"]),
      ],
      inputs: { a: ["batch", 4], b: ["batch", 3] },
      outputs: ["y"],
      initializers: { w: floats([4, 3], (index) => ((index * 5) % 7) / 7 - 0.4) },
    }),
  );
  const a = floats([12, 4], (index) => ((index * 13) % 17) / 8 - 1);
  const b = floats([12, 3], (index) => ((index * 3) % 5) / 5);
  const arrays = { "a.npy": formatNpy(a), "b.npy": formatNpy(b) };
  writeFileSync(
    path("two.npz"),
    zipOf(Object.entries(arrays).map(([name, data]) => ({ name, data }))),
  );
  npy(
    "labels.npy",
    tensor(
      "int32",
      [12],
      Int32Array.from({ length: 12 }, (_, index) => index % 3),
    ),
  );
  writeFileSync(
    path("classes.onnx"),
    tiny({ nodes: [node("Relu", ["x"])], inputs: { x: ["batch", 4] } }),
  );
  npy(
    "onehot.npy",
    float32(
      [8, 4],
      Float32Array.from({ length: 32 }, (_, i) => +(i % 4 === (i >> 2) % 3)),
    ),
  );
  npy(
    "shifted.npy",
    tensor(
      "int32",
      [8],
      Int32Array.from({ length: 8 }, (_, i) => (i % 3) + 1),
    ),
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

const pictures = () => ["--data", path("pictures"), "--preprocess", "tf"];

describe("pictures", () => {
  it.each(["last.onnx", "gray.onnx", "open.onnx"])("fit the input of %s", async (model) => {
    const quantized = await json("quantize", model, ...pictures(), "--out", "q.onnx");
    expect([quantized.status, quantized.json]).toMatchObject([0, { count: 2, integerMacShare: 1 }]);
    const { graph } = await load(await readFile(path("q.onnx")));
    if (model === "open.onnx") {
      expect(quantized.stderr).toMatch(
        /^note: the model leaves h and w open; pictures are 224×224/,
      );
      expect(graph.values.get("x")?.shape).toEqual(["batch", 3, "h", "w"]); // still of any size
    }
    // Without labels, a reference is all that is needed.
    const found = await json("evaluate", "q.onnx", ...pictures(), "--reference", model);
    expect(found.json).toMatchObject({ count: 2, agreement: 100, top1: null });
  });

  it("have the size that --dims gives", async () => {
    const dims = ["--dims", "h=16", "--dims", "w=12"];
    await json("quantize", "open.onnx", ...pictures(), ...dims, "--out", "q.onnx");
    const { graph } = await load(await readFile(path("q.onnx")));
    expect(graph.values.get("x")?.shape).toEqual(["batch", 3, 16, 12]);
    // The written model has no open size any more; its reference has.
    const found = await json("compare", "open.onnx", "q.onnx", ...pictures(), ...dims);
    expect([found.status, found.json]).toMatchObject([0, { count: 2 }]);
  });

  it("of one channel need one mean", async () => {
    const imagenet = ["--data", path("pictures"), "--preprocess", "imagenet"];
    const { json: error } = await json("quantize", "gray.onnx", ...imagenet, "--out", "q.onnx");
    expect(JSON.stringify(error)).toContain("must be one number for a model of one channel");
  });
});

describe("arrays", () => {
  it("calibrate, compare and evaluate a model of several inputs", async () => {
    const quantized = await json("quantize", "two.onnx", "--inputs", "two.npz", "--out", "t.onnx");
    expect([quantized.status, quantized.json]).toMatchObject([0, { count: 12, skipped: 0 }]);
    const compared = await json(
      "compare",
      "two.onnx",
      "t.onnx",
      "--inputs",
      "two.npz",
      "--limit",
      "5",
    );
    expect(compared.json).toMatchObject({ count: 5 });
    const beside = ["--reference", "two.onnx", "--batch", "5"];
    const found = await json("evaluate", "t.onnx", "--inputs", "two.npz", ...beside);
    expect(found.json).toMatchObject({ count: 12, top1: null, top5: null });
    expect(found.json["agreement"]).toBeGreaterThan(90);
  });

  it("train a model, and test it", async () => {
    const data = ["--inputs", "two.npz", "--labels", "labels.npy"];
    const test = ["--test", "two.npz", "--test-labels", "labels.npy"];
    const options = ["--epochs", "30", "--batch", "4", "--learning-rate", "0.1", "--out", "t.onnx"];
    const { status, json: found } = await json("train", "two.onnx", ...data, ...test, ...options);
    expect([status, found]).toMatchObject([0, { steps: 90 }]);
    const epochs = found["epochs"] as { loss: number }[];
    expect(epochs.at(-1)?.loss).toBeLessThan(epochs[0]!.loss);
    expect(typeof found["top1After"]).toBe("number");
  });

  it("that do not fit are refused before a device is asked for", async () => {
    const words = async (...argv: string[]) => JSON.stringify((await json(...argv)).json);
    const out = ["--out", "t.onnx"];
    const one = await words("quantize", "two.onnx", "--inputs", "a=labels.npy", ...out);
    expect(one).toContain("--inputs b=FILE is missing");
    const wrong = await words("quantize", "two.onnx", "--inputs", "c=labels.npy", ...out);
    expect(wrong).toMatch(/"usage"|"input"/);
    const mixed = await words("quantize", "two.onnx", "--inputs", "two.npz", ...pictures(), ...out);
    expect(mixed).toContain("--data is for pictures, --inputs for arrays: choose one");
    const none = await words("quantize", "two.onnx", ...out);
    expect(none).toContain("--data DIR|FILES, or --inputs [NAME=]FILE, is missing");
  });
});

it("labels that count from another class are told", async () => {
  const argv = ["classes.onnx", "--inputs", "onehot.npy", "--labels", "shifted.npy"];
  const words = argv.map((each) => path(each)).map((each) => each.replace(/^.*--/, "--"));
  const { stdout } = await runCli("evaluate", ...words);
  expect(stdout).toContain("warning: with --label-offset -1 top-1 would be 100.00 %");
  const mended = await runCli("evaluate", ...words, "--label-offset", "-1");
  expect(mended.stdout).not.toContain("warning");
});
