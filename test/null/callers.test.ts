// What callers from JavaScript get wrong or forget is a typed error that says what to pass; a URL is fetched.
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { calibrate } from "../../src/calibrate.ts";
import { compare } from "../../src/compare.ts";
import { compile } from "../../src/compile.ts";
import { convert } from "../../src/convert.ts";
import { InputError } from "../../src/errors.ts";
import { evaluate } from "../../src/evaluate.ts";
import { matchDims } from "../../src/graph/bind.ts";
import { inspect } from "../../src/inspect.ts";
import { load } from "../../src/load.ts";
import type { Model } from "../../src/model.ts";
import { prepare } from "../../src/prepare.ts";
import { profile } from "../../src/profile.ts";
import { quantizeDynamic } from "../../src/quantizeDynamic.ts";
import { run } from "../../src/run.ts";
import { save } from "../../src/save.ts";
import { smoothQuant } from "../../src/smoothQuant.ts";
import { train } from "../../src/train.ts";
import { tune } from "../../src/tune.ts";

const sample = new URL("../../demo/sample/model.onnx", import.meta.url);
const never = undefined as never;
let model: Model<"float">;
let server: Server;
let address: string;

beforeAll(async () => {
  model = (await load(await readFile(sample))) as Model<"float">;
  const bytes = await readFile(sample);
  server = createServer((request, response) => {
    response.statusCode = request.url === "/model.onnx" ? 200 : 404;
    response.setHeader("content-length", response.statusCode === 200 ? bytes.length : 0);
    response.end(response.statusCode === 200 ? bytes : "");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

const problem = async (work: () => unknown): Promise<string> => {
  try {
    await work();
  } catch (error) {
    return error instanceof InputError ? error.message : `not typed: ${String(error)}`;
  }
  return "no error";
};

describe("load", () => {
  it("takes a URL, as text or not, with progress", async () => {
    const seen: number[] = [];
    const onProgress = ({ loaded, total }: { loaded: number; total?: number }) =>
      seen.push(loaded / (total ?? NaN));
    const found = await load(`${address}/model.onnx`, { onProgress });
    expect(found.inputs).toEqual(model.inputs);
    expect(seen.at(-1)).toBe(1);
    expect((await load(new URL("/model.onnx", address))).inputs).toEqual(model.inputs);
    await expect(load(`${address}/none`)).rejects.toMatchObject({ code: "download" });
    const signal = AbortSignal.abort(new Error("stop"));
    await expect(load(`${address}/model.onnx`, { signal })).rejects.toThrow("stop");
  });

  it("takes every form of bytes", async () => {
    const bytes = new Uint8Array(await readFile(sample));
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
    shared.set(bytes);
    for (const source of [
      new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
      shared.buffer,
      new Blob([bytes]),
      new Blob([bytes]).stream(),
      new Response(bytes),
    ])
      expect((await load(source)).inputs).toEqual(model.inputs);
  });

  it.each([
    [undefined, "got undefined. Read the file first."],
    [null, "got null"],
    [[8, 1], "got an object Array"],
    [{}, "got a plain object"],
    [readFile(sample), "got a Promise (await it)"],
    [5, "got a number"],
    [
      "model.onnx",
      'must be a URL; got "model.onnx". In Node read a file first: load(await readFile(path))',
    ],
    ["C:\\model.onnx", "a file. Read it first"],
    [sample, "a file. Read it first"],
  ])("refuses %s", async (source, words) => {
    expect(await problem(() => load(source as never))).toContain(words);
  });
});

it.each<[string, (nothing: never) => unknown]>([
  ["compile", (x) => compile(x, x)],
  ["prepare", (x) => prepare(x)],
  ["calibrate", (x) => calibrate(x, x, x)],
  ["convert", (x) => convert(x)],
  ["save", (x) => save(x)],
  ["inspect", (x) => inspect(x)],
  ["compare", (x) => compare(x, x, x, x)],
  ["quantizeDynamic", (x) => quantizeDynamic(x)],
  ["smoothQuant", (x) => smoothQuant(x, x, x)],
  ["train", (x) => train(x, x, x)],
  ["tune", (x) => tune(x, x)],
])("%s without a model, or with a promise of one, says so", async (verb, call) => {
  const words = "the model must be one of load or of another verb; got";
  expect(await problem(() => call(never))).toContain(`${verb}: ${words} undefined`);
  const promise = Promise.resolve(model) as never;
  expect(await problem(() => call(promise))).toContain(`${verb}: ${words} a Promise (await it)`);
});

it("a device, options, data and sessions that are missing are told", async () => {
  const words = "must be one of requestDevice; got undefined";
  expect(await problem(() => compile(model, never))).toContain(`compile: the device ${words}`);
  expect(await problem(() => tune(model, never))).toContain(`tune: the device ${words}`);
  const prepared = prepare(model);
  const options = "calibrate: options must be an object with a device; got undefined";
  expect(await problem(() => calibrate(prepared, [], never))).toContain(options);
  expect(await problem(() => calibrate(prepared, [], {} as never))).toContain(words);
  expect(await problem(() => calibrate(prepared, never, {} as never))).toContain(
    "calibrate: data must be batches, an array or an (async) iterable of inputs by name; got undefined",
  );
  expect(await problem(() => train(model, [], never))).toContain("train: options must be");
  for (const call of [run, profile, evaluate] as ((x: never, y: never) => unknown)[])
    expect(await problem(() => call(never, never))).toContain("the session must be one of compile");
});

it("inputs of a run that are no tensors by name are told", async () => {
  const of = (inputs: unknown) => problem(() => matchDims(model.graph, inputs as never));
  expect(await of(undefined)).toMatchInlineSnapshot(
    `"run: inputs must be an object of tensors by name; got undefined. Pass { images: tensor(dtype, shape, data) }."`,
  );
  expect(await of([1, 2])).toContain("got an object Array");
  expect(await of({ images: new Float32Array(3) })).toMatchInlineSnapshot(
    `"input "images": must be a tensor, { dtype, shape, data }; got an object Float32Array. Make it with tensor(dtype, shape, data)."`,
  );
  expect(await of({ images: null })).toContain("got null");
});
