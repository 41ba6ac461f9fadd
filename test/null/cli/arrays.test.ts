// evaluate on arrays and texts, as far as no device is needed: how samples and time are cut, what labels of
// the next token are, and what every mistake is told.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { arrayBatches, nextTokens, type ArraySource } from "../../../src/cli/arrayData.ts";
import { slice, take } from "../../../src/cli/arrays.ts";
import { Model } from "../../../src/model.ts";
import { importOnnx } from "../../../src/formats/onnx/index.ts";
import { exactly } from "../../../src/tensor/exact.ts";
import { formatNpy } from "../../../src/tensor/npy.ts";
import { float32, tensor, toNumbers, type Tensor } from "../../../src/tensor/tensor.ts";
import { floats, messageOf, node, tiny } from "../formats/onnxModels.ts";
import { zipOf } from "../formats/torch/support.ts";
import { runCli } from "./terminal.ts";

let folder: string;
const path = (name: string) => join(folder, name);
const npy = (name: string, array: Tensor) => writeFileSync(path(name), formatNpy(array));
const ints = (shape: number[], ...values: number[]) =>
  tensor("int32", shape, Int32Array.from(values));

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "webgpu-quant-arrays-"));
  const nodes = [node("Add", ["x", "m"], ["y"])];
  const inputs = { x: ["batch", 4], m: ["batch", 4] };
  writeFileSync(path("two.onnx"), tiny({ nodes, inputs }));
  writeFileSync(
    path("one.onnx"),
    tiny({ nodes: [node("Relu", ["x"])], inputs: { x: ["batch", 4] } }),
  );
  npy("x.npy", floats([3, 4]));
  npy("wide.npy", floats([3, 5]));
  npy("labels.npy", ints([3], 0, 1, 3));
  npy("beyond.npy", ints([3], 0, 4, -100));
  npy(
    "half.npy",
    floats([3], (index) => index / 4),
  );
  const array = formatNpy(floats([3, 4]));
  const entry = (name: string) => ({ name: `${name}.npy`, data: array });
  writeFileSync(path("xm.npz"), zipOf([entry("x"), entry("m"), entry("extra")]));
  writeFileSync(path("other.npz"), zipOf([entry("a"), entry("b")]));
  writeFileSync(path("cut.npz"), zipOf([entry("x"), entry("m")]).subarray(0, 300));
  writeFileSync(path("text.txt"), "abcab");
  writeFileSync(path("vocab.json"), '{"a": 0, "b": 1, "<unk>": 2}');
  writeFileSync(path("words.json"), '{"a": 0, "the": 1}');
  writeFileSync(path("list.json"), '{"characters": ["a", 3]}');
});
afterAll(() => rmSync(folder, { recursive: true }));

/** stderr of evaluate, with names for the test's folder. */
async function failing(...argv: string[]): Promise<string> {
  const { status, stdout, stderr } = await runCli(
    "evaluate",
    ...argv.map((each) => each.replace(/(^|=)(?=[\w.]+\.(onnx|np[yz]|txt|json)$)/, `$1${folder}/`)),
  );
  expect([status > 0, stdout]).toEqual([true, ""]);
  return stderr.replaceAll(`${folder}/`, "").trimEnd();
}

it("mistakes in the options are told before anything is read", async () => {
  const one = ["one.onnx", "--inputs", "x.npy"];
  const labels = ["--labels", "labels.npy"];
  expect(await failing("one.onnx")).toMatchInlineSnapshot(
    `"evaluate: --labels FILE is missing. Try: webgpu-quant evaluate --help"`,
  );
  expect(await failing("one.onnx", "--task", "detection")).toMatchInlineSnapshot(
    `"evaluate: --task must be one of classification, language-model, binary; got "detection". Try: webgpu-quant evaluate --help"`,
  );
  expect(await failing("one.onnx", "--task", "binary")).toMatchInlineSnapshot(
    `"evaluate: --task binary takes --inputs. Try: webgpu-quant evaluate --help"`,
  );
  expect(await failing(...one)).toMatchInlineSnapshot(
    `"evaluate: --labels FILE is missing. Try: webgpu-quant evaluate --help"`,
  );
  expect(await failing(...one, "--data", "d")).toMatchInlineSnapshot(
    `"evaluate: --data is for pictures, --inputs for arrays or a text: choose one. Try: webgpu-quant evaluate --help"`,
  );
  expect(await failing(...one, ...labels, "--chunk", "3")).toMatchInlineSnapshot(
    `"evaluate: --chunk is for --task language-model. Try: webgpu-quant evaluate --help"`,
  );
  expect(await failing(...one, ...labels, "--logits")).toMatchInlineSnapshot(
    `"evaluate: --logits is for --task binary. Try: webgpu-quant evaluate --help"`,
  );
  expect(await failing(...one, ...labels, "--state", "h")).toMatchInlineSnapshot(
    `"evaluate: --state must be INPUT=OUTPUT,…; got "h". Try: webgpu-quant evaluate --help"`,
  );
  expect(await failing(...one, ...labels, "--constant", "sr")).toMatchInlineSnapshot(
    `"evaluate: --constant must be NAME=VALUE; got "sr". Try: webgpu-quant evaluate --help"`,
  );
  const text = ["one.onnx", "--task", "language-model", "--text", "text.txt"];
  expect(await failing(...text)).toMatchInlineSnapshot(
    `"evaluate: --vocab FILE.json is missing. Try: webgpu-quant evaluate --help"`,
  );
  expect(await failing(...text, ...labels)).toMatchInlineSnapshot(
    `"evaluate: --text has its own labels; leave --labels out. Try: webgpu-quant evaluate --help"`,
  );
});

it("arrays that do not fit the model are told before a device is asked for", async () => {
  const labels = ["--labels", "labels.npy"];
  const fails = (model: string, inputs: string, ...more: string[]) =>
    failing(model, "--inputs", inputs, ...(more.length ? more : labels));
  expect(await fails("one.onnx", "none.npy")).toMatchInlineSnapshot(
    `"--inputs "none.npy": no such file or folder. Check the path."`,
  );
  expect(await fails("one.onnx", "wide.npy")).toMatchInlineSnapshot(
    `"input "x": the array must be [3, 4] for 3 sample(s) of labels and the model's [batch, 4]; got [3, 5]. Reshape the data."`,
  );
  expect(await fails("two.onnx", "x.npy")).toMatchInlineSnapshot(
    `"evaluate: --inputs must be NAME=FILE, the model has "x", "m"; got "x.npy". Try: webgpu-quant evaluate --help"`,
  );
  expect(await fails("two.onnx", "x=x.npy")).toMatchInlineSnapshot(
    `"evaluate: input "m" float32 [batch, 4] has no data; got x. Give --inputs m=FILE.npy, or say what it is: --ones m, --zeros m, --constant m=VALUE, --state m=OUTPUT."`,
  );
  expect(await fails("two.onnx", "other.npz")).toMatchInlineSnapshot(
    `"--inputs "other.npz": one array must have an input's name, x or m; got a, b. Save it with numpy.savez("other.npz", x=…)."`,
  );
  expect(await fails("two.onnx", "cut.npz")).toMatchInlineSnapshot(
    `"npz: the zip directory is missing: the file is cut off. Write it with numpy.savez or numpy.savez_compressed."`,
  );
  expect(await fails("one.onnx", "x.npy", "--labels", "beyond.npy")).toMatchInlineSnapshot(
    `"--labels: label 1 of [3] must be a class from 0 to 3, or −100 to be ignored; got 4. Check the labels and --label-offset."`,
  );
  expect(await fails("one.onnx", "x.npy", "--labels", "other.npz")).toMatchInlineSnapshot(
    `"--labels "other.npz": must hold an array "labels" or one alone; got a, b. Rename it, or save it by itself."`,
  );
  expect(
    await fails("one.onnx", "x.npy", "--labels", "x.npy", "--task", "binary"),
  ).toMatchInlineSnapshot(
    `"--labels: label 2 of [3, 4] must be 0, 1 or a probability between, or −100 to be ignored; got 2. Check the labels and --label-offset."`,
  );
  expect(await fails("one.onnx", "x.npy", ...labels, "--output", "z")).toMatchInlineSnapshot(
    `"evaluate: --output must be one of y; got "z". Try: webgpu-quant evaluate --help"`,
  );
  expect(await fails("one.onnx", "x.npy", ...labels, "--ones", "mask")).toMatchInlineSnapshot(
    `"evaluate: --ones and --zeros name inputs of the model, x; it has no "mask". Try: webgpu-quant evaluate --help"`,
  );
  expect(await fails("one.onnx", "x.npy", ...labels, "--constant", "sr=1")).toMatchInlineSnapshot(
    `"constants: the model has no input "sr"; got inputs x. Leave it out."`,
  );
  expect(await fails("one.onnx", "x.npy", ...labels, "--constant", "x=1")).toMatchInlineSnapshot(
    `"constants: "x" has a size that the file leaves open; got the number 1. Give a tensor."`,
  );
});

it("texts and vocabularies that do not fit are told", async () => {
  const text = ["one.onnx", "--task", "language-model", "--text", "text.txt", "--vocab"];
  expect(await failing(...text, "vocab.json")).toMatchInlineSnapshot(
    `"--text "text.txt": character 2, "c", is not in the vocabulary of 2. Replace it in the text, or use the model's own vocabulary."`,
  );
  expect(await failing(...text, "words.json")).toMatchInlineSnapshot(
    `"--vocab "words.json": must be a vocabulary of characters; got the token "the". Tokenize the text beforehand, and give its ids: --inputs ids.npy --next-token."`,
  );
  expect(await failing(...text, "list.json")).toMatchInlineSnapshot(
    `"--vocab "list.json": every character must have a whole number from 0 on; got 3: 1. Write JSON such as {"a": 0, "b": 1}, ["a", "b"] or {"characters": ["a", "b"]}, an id a character."`,
  );
  expect(await failing(...text, "text.txt")).toMatchInlineSnapshot(
    `"--vocab "text.txt": must be JSON; got "abcab". Write JSON such as {"a": 0, "b": 1}, ["a", "b"] or {"characters": ["a", "b"]}, an id a character."`,
  );
  expect(await failing("two.onnx", ...text.slice(1), "vocab.json")).toMatchInlineSnapshot(
    `"evaluate: --text is for a model whose one input is ids; got x, m. Say what the others are: --state, --ones, --zeros or --constant. Try: webgpu-quant evaluate --help"`,
  );
});

it("integers are converted where they keep their value, and refused where not", () => {
  const bytes = tensor("int8", [2], Int8Array.of(-100, 7));
  expect(exactly(bytes, "int64", "x").data).toEqual(BigInt64Array.of(-100n, 7n));
  expect(exactly(bytes, "float32", "x").data).toEqual(Float32Array.of(-100, 7));
  const large = tensor("int64", [2], BigInt64Array.of(1n, 2n ** 24n + 1n));
  expect(messageOf(() => exactly(large, "float32", "x"))).toMatchInlineSnapshot(
    `"InputError: x: element 1 must be a number of float32; got 16777217 of int64. Convert the data."`,
  );
  expect(messageOf(() => exactly(large, "int8", "x"))).toMatchInlineSnapshot(
    `"InputError: x: element 1 must be a number of int8; got 16777217 of int64. Convert the data."`,
  );
  expect(messageOf(() => exactly(bytes, "bool", "x"))).toMatchInlineSnapshot(
    `"InputError: x: element 0 must be a number of bool; got -100 of int8. Convert the data."`,
  );
  expect(messageOf(() => exactly(float32([1], [0.5]), "int64", "x"))).toMatchInlineSnapshot(
    `"InputError: x: element 0 must be a number of int64; got 0.5 of float32. Convert the data."`,
  );
  expect(messageOf(() => exactly(float32([1], [NaN]), "int32", "x"))).toMatchInlineSnapshot(
    `"InputError: x: element 0 must be a number of int32; got NaN of float32. Convert the data."`,
  );
});

it("slice and take cut any axis, for random shapes", () => {
  const array = ints([2, 3, 2], ...Array(12).keys());
  expect(slice(array, 1, 1, 3)).toEqual(ints([2, 2, 2], 2, 3, 4, 5, 8, 9, 10, 11));
  expect(take(array, 2, [1])).toEqual(ints([2, 3, 1], 1, 3, 5, 7, 9, 11));
  expect(take(array, 0, [1, 0])).toEqual(ints([2, 3, 2], 6, 7, 8, 9, 10, 11, 0, 1, 2, 3, 4, 5));
});

it("the label of a position is the id at the next one, along either axis", () => {
  const ids = ints([2, 3], 1, 2, 3, 4, 5, 6);
  expect(toNumbers(nextTokens(ids, 1))).toEqual([2, 3, -100, 5, 6, -100]);
  expect(toNumbers(nextTokens(ids, 0))).toEqual([4, 5, 6, -100, -100, -100]);
  expect(toNumbers(nextTokens(ints([1, 1], 7), 1))).toEqual([-100]);
});

/** A model that only has inputs and outputs. */
function ports(inputs: Record<string, (number | string)[]>): Model {
  const names = Object.keys(inputs);
  const nodes = names.map((name) => node("Relu", [name], [`${name}_out`]));
  const outputs = names.map((name) => `${name}_out`);
  return new Model("float", importOnnx(tiny({ nodes, inputs, outputs })), {});
}

function cut(model: Model, arrays: Record<string, Tensor>, more: Partial<ArraySource> = {}) {
  const notes: string[] = [];
  const [first] = Object.values(arrays);
  const { shape } = first!;
  const data = new Int32Array(shape.slice(0, 2).reduce((a, b) => a * b)).map((_, at) => at);
  const source: ArraySource = {
    model,
    arrays: new Map(Object.entries(arrays)),
    labels: tensor("int32", shape.slice(0, 2), data),
    filled: new Map(),
    batch: undefined,
    limit: undefined,
    sequential: false,
    onNote: (note) => notes.push(note),
    ...more,
  };
  const { total, open } = arrayBatches(source);
  const runs = [...open()].map(({ tensors, labels, starts }) => ({
    ...Object.fromEntries(
      Object.entries(tensors).map(([name, { shape: size, data: values }]) => [
        name,
        [size, Array.from(values as Float32Array)],
      ]),
    ),
    labels,
    starts,
  }));
  return { total, runs, notes };
}

it("a text of [time, 1] is cut into chunks of one sequence", () => {
  const model = ports({ ids: ["time", "batch"] });
  const found = cut(
    model,
    { ids: ints([5, 1], 0, 1, 2, 3, 4) },
    { time: { axis: 0, chunk: 2 }, batch: undefined },
  );
  expect(found).toEqual({
    total: 5,
    notes: [],
    runs: [
      {
        ids: [
          [2, 1],
          [0, 1],
        ],
        labels: [0, 1],
        starts: true,
      },
      {
        ids: [
          [2, 1],
          [2, 3],
        ],
        labels: [2, 3],
        starts: false,
      },
      { ids: [[1, 1], [4]], labels: [4], starts: false },
    ],
  });
});

it("sequences run in groups, each from its start, and a mask of ones has their size", () => {
  const model = ports({ ids: ["batch", "time"], mask: ["batch", "time"], w: [1, "batch"] });
  const ids = ints([3, 4], ...Array(12).keys());
  const found = cut(
    model,
    { ids, w: ints([1, 3], 7, 8, 9) },
    { time: { axis: 1, chunk: 2 }, batch: 2, filled: new Map([["mask", 1]]) },
  );
  expect(found.runs).toEqual([
    {
      ids: [
        [2, 2],
        [0, 1, 4, 5],
      ],
      w: [
        [1, 2],
        [7, 8],
      ],
      mask: [
        [2, 2],
        [1, 1, 1, 1],
      ],
      labels: [0, 1, 4, 5],
      starts: true,
    },
    {
      ids: [
        [2, 2],
        [2, 3, 6, 7],
      ],
      w: [
        [1, 2],
        [7, 8],
      ],
      mask: [
        [2, 2],
        [1, 1, 1, 1],
      ],
      labels: [2, 3, 6, 7],
      starts: false,
    },
    {
      ids: [
        [1, 2],
        [8, 9],
      ],
      w: [[1, 1], [9]],
      mask: [
        [1, 2],
        [1, 1],
      ],
      labels: [8, 9],
      starts: true,
    },
    {
      ids: [
        [1, 2],
        [10, 11],
      ],
      w: [[1, 1], [9]],
      mask: [
        [1, 2],
        [1, 1],
      ],
      labels: [10, 11],
      starts: false,
    },
  ]);
});

it("a model of fixed sizes leaves a rest out, and says so; a limit takes samples evenly", () => {
  const model = ports({ ids: [2, 3] });
  const time = { axis: 1, chunk: undefined };
  const found = cut(model, { ids: ints([5, 4], ...Array(20).keys()) }, { time, limit: 3 });
  expect(found.notes).toEqual([
    "note: the model takes 2 sample(s) at a time; the last 1 are left out.",
    "note: the model takes 3 position(s) at a time; the last 1 are left out.",
  ]);
  expect(found.runs).toEqual([
    {
      ids: [
        [2, 3],
        [0, 1, 2, 4, 5, 6],
      ],
      labels: [0, 1, 2, 4, 5, 6],
      starts: true,
    },
  ]);
  const few = () => cut(model, { ids: ints([1, 4], 1, 2, 3, 4) }, { time });
  expect(messageOf(few)).toMatchInlineSnapshot(
    `"InputError: evaluate: the model takes 2 sample(s) at a time; the last 1 are too few. Give at least 2."`,
  );
  const other = () => cut(model, { ids: ints([2, 3], 1, 2, 3, 4, 5, 6) }, { time, batch: 4 });
  expect(messageOf(other)).toMatchInlineSnapshot(
    `"InputError: --batch 4: the model takes 2 sample(s) at a time. Leave the option out."`,
  );
});

it("samples that carry state are the first ones, and start once", () => {
  const model = ports({ x: ["batch", 1], rate: [1] });
  const labels = ints([3], 0, 0, 1);
  const x = floats([3, 1]);
  const found = cut(model, { x, rate: floats([1]) }, { labels, sequential: true, limit: 2 });
  expect(found.runs).toEqual([
    { x: [[1, 1], [0]], rate: [[1], [0]], labels: [0], starts: true },
    { x: [[1, 1], [1]], rate: [[1], [0]], labels: [0], starts: false },
  ]);
});
