// evaluate on arrays, as people type it, with a device: figures that can be counted by hand.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { formatNpy } from "../../src/tensor/npy.ts";
import { float32, tensor, type Tensor } from "../../src/tensor/tensor.ts";
import { runCli } from "../null/cli/terminal.ts";
import { floats, node, tiny } from "../null/formats/onnxModels.ts";
import { zipOf } from "../null/formats/torch/support.ts";

let folder: string;
const path = (name: string) => join(folder, name);
const npy = (name: string, array: Tensor) => writeFileSync(path(name), formatNpy(array));

async function evaluate(model: string, ...argv: string[]) {
  const words = argv.map((each) => each.replace(/\w+\.(np[yz]|onnx|txt|json)$/, path));
  const { status, stdout, stderr } = await runCli("evaluate", path(model), ...words, "--json");
  return { status, stderr, json: JSON.parse(stdout) as Record<string, unknown> };
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "webgpu-quant-evaluate-"));
  const inputs = { x: ["batch", 3] };
  const identity = tiny({ nodes: [node("Relu", ["x"])], inputs });
  writeFileSync(path("classes.onnx"), identity);
  const doubled = [node("Mul", ["x", "two"], ["y"])];
  writeFileSync(
    path("doubled.onnx"),
    tiny({ nodes: doubled, inputs, initializers: { two: float32([3], [1, 1, 3]) } }),
  );
  const running = [node("Add", ["x", "s"], ["s_out"]), node("Sigmoid", ["s_out"], ["p"])];
  writeFileSync(
    path("running.onnx"),
    tiny({
      nodes: running,
      inputs: { x: ["batch", 1], s: ["batch", 1] },
      outputs: ["p", "s_out"],
    }),
  );
  // Bigrams of two characters, [time, batch, 2]; a state that shifts all logits alike.
  const table = [0.25, 0.75, 0.5, 0.5].map(Math.log);
  const bigrams = [
    node("Gather", ["table", "ids"], ["rows"]),
    node("Add", ["rows", "h"], ["logits"]),
    node("Add", ["h", "one"], ["h_out"]),
  ];
  writeFileSync(
    path("bigrams.onnx"),
    tiny({
      nodes: bigrams,
      inputs: { ids: ["time", "batch"], h: [1, "batch", 1] },
      outputs: ["logits", "h_out"],
      initializers: { table: float32([2, 2], table), one: float32([], [1]) },
      types: { ids: 7 },
    }),
  );
  writeFileSync(path("text.txt"), "abba");
  writeFileSync(path("vocab.json"), '{"a": 0, "b": 1}');
  npy("ids.npy", tensor("int8", [4, 1], Int8Array.of(0, 1, 1, 0)));
  npy("masked.npy", tensor("int8", [4, 1], Int8Array.of(1, -100, -100, 1)));
  // The greatest of the rows: 0, 1, 2, 2; three times the last column: 2, 1, 2, 2.
  const rows = float32([4, 3], [5, 1, 2, 0, 9, 1, 1, 2, 3, 2, 1, 4]);
  npy("x.npy", rows);
  npy("labels.npy", tensor("int8", [4], Int8Array.of(0, 1, 2, 1)));
  npy("nan.npy", float32([1, 3], [Infinity, 1, 2]));
  npy("one.npy", tensor("int64", [1], BigInt64Array.of(0n)));
  writeFileSync(path("data.npz"), zipOf([{ name: "x.npy", data: formatNpy(rows) }]));
  npy("steps.npy", float32([4, 1], [-1, 2, -3, 4]));
  npy("speech.npy", tensor("bool", [4], Uint8Array.of(0, 1, 0, 1)));
  const sigmoid = (value: number) => 1 / (1 + Math.exp(-value));
  npy("soft.npy", float32([4, 1], [-1, 1, -2, 2].map(sigmoid)));
});
afterAll(() => rmSync(folder, { recursive: true }));

it.each([1, 3])("a classifier of arrays, %i at a time, against another model", async (batch) => {
  const labels = ["--labels", "labels.npy", "--batch", String(batch)];
  const { status, json, stderr } = await evaluate(
    "classes.onnx",
    ...["--inputs", "data.npz", ...labels, "--reference", "doubled.onnx"],
  );
  expect([status, stderr]).toEqual([0, ""]);
  expect(json).toMatchObject({
    task: "classification",
    count: 4,
    top1: 75,
    top5: 100,
    agreement: 75,
    referenceTop1: 50,
  });
  const signal = 25 + 1 + 36 + 81 + 9 + 1 + 4 + 81 + 4 + 1 + 144;
  expect(json["sqnrDb"]).toBeCloseTo(10 * Math.log10(signal / (16 + 4 + 36 + 64)), 6); // integers
});

it("a binary model carries its state through the samples, in their order", async () => {
  const options = ["--task", "binary", "--inputs", "x=steps.npy", "--state", "s=s_out"];
  const model = "running.onnx"; // running sums −1, 1, −2, 2
  const hard = await evaluate(model, ...options, "--labels", "speech.npy");
  expect(hard.json).toMatchObject({ task: "binary", count: 4, accuracy: 100, auc: 1 });
  const soft = await evaluate(model, ...options, "--labels", "soft.npy");
  expect(soft.json).toMatchObject({ accuracy: 100, auc: 1 });
  expect(soft.json["largestError"]).toBeLessThan(1e-6); // two sigmoids in f32
  const path = ["--output", "s_out", "--logits", "--zeros", "s"];
  const logits = await evaluate(
    model,
    ...[...options.slice(0, 4), ...path, "--labels", "speech.npy"],
  );
  expect(logits.json).toMatchObject({ accuracy: 100, auc: 1 }); // the steps have the labels' signs
});

it.each([
  [
    "a text, 3 positions at a time",
    ["--text", "text.txt", "--vocab", "vocab.json", "--chunk", "3"],
  ],
  ["a text in one run", ["--text", "text.txt", "--vocab", "vocab.json"]],
  ["ids of int8 for an input of int64", ["--inputs", "ids.npy", "--next-token"]],
])("the perplexity of a language model: %s", async (_, data) => {
  const options = ["--task", "language-model", ...data, "--state", "h=h_out"];
  const { status, json, stderr } = await evaluate("bigrams.onnx", ...options);
  expect([status, stderr]).toEqual([0, ""]);
  expect(json).toMatchObject({ task: "language-model", count: 3 });
  const nats = -(Math.log(0.75) + 2 * Math.log(0.5)) / 3;
  expect(json["crossEntropy"]).toBeCloseTo(nats, 5); // of f32 logits around 1
  expect(json["perplexity"]).toBeCloseTo(Math.exp(nats), 5);
});

it("labels of −100 are not counted, those of other positions are", async () => {
  const options = ["--task", "language-model", "--inputs", "ids.npy", "--labels", "masked.npy"];
  const { json } = await evaluate("bigrams.onnx", ...options, "--state", "h=h_out");
  expect(json).toMatchObject({ count: 2, top1: 100 });
  expect(json["perplexity"]).toBeCloseTo(4 / 3, 5); // 0.75 twice
});

it("data that are no numbers end the evaluation", async () => {
  const { status, json } = await evaluate(
    "classes.onnx",
    ...["--inputs", "nan.npy", "--labels", "one.npy"],
  );
  expect(status).toBe(1);
  expect(json).toMatchInlineSnapshot(`
    {
      "error": {
        "code": "non-finite",
        "message": "evaluate: batch 0, input "x": must be finite; got Infinity at index 0. Check the preprocessing of that batch, or pass { nonFinite: "allow" } (on the command line: --allow-non-finite).",
      },
    }
  `);
});

it("labels of another rank than the output's rows are refused", async () => {
  npy("flat.npy", floats([3]));
  const nodes = [node("Relu", ["x"])];
  writeFileSync(path("tokens.onnx"), tiny({ nodes, inputs: { x: ["batch", 2, 3] } }));
  npy("tokens.npy", floats([3, 2, 3]));
  const options = ["--inputs", "tokens.npy", "--labels", "flat.npy"];
  expect((await evaluate("tokens.onnx", ...options)).json).toMatchInlineSnapshot(`
    {
      "error": {
        "code": "input",
        "message": "--labels: must have one label a row of output "y" [batch, 2, 3]; got [3]. Reshape the labels, or name another --output.",
      },
    }
  `);
  const binary = await evaluate("tokens.onnx", ...options, "--task", "binary");
  expect(binary.json).toMatchInlineSnapshot(`
    {
      "error": {
        "code": "input",
        "message": "--labels: must have one label a value of output "y" [batch, 2, 3]; got [3]. Evaluate it as a classification, or name another --output.",
      },
    }
  `);
});

it("for people, the figures are a table", async () => {
  const labels = ["--labels", path("labels.npy"), "--reference", path("doubled.onnx")];
  const { stdout } = await runCli(
    "evaluate",
    ...[path("classes.onnx"), "--inputs", path("x.npy"), ...labels],
  );
  const plain = stdout.replaceAll(`${folder}/`, "").replace(/\d+\.\d+ ms/g, "0 ms");
  expect(plain.split("\n\n")[0]?.replace(/ +/g, " ")).toMatchInlineSnapshot(`
    "model top-1 top-5 agreement logit SQNR latency
    ─────────────────────────────────────────────────────────────────────────────────────────────────
    classes.onnx 75.00 % 100.00 % 75.00 % 5.1 dB 0 ms
    doubled.onnx 50.00 % - - - 0 ms"
  `);
});
