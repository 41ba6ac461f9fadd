// Batches: stacking, skipping, aborting, and nothing swallowed that is not a picture's fault.

import { expect, it } from "vitest";
import { InputError, type PictureError } from "../../../src/errors.ts";
import {
  batches,
  decodePicture,
  preprocess,
  presets,
  type BatchOptions,
  type PictureBatch,
  type PictureSource,
} from "../../../src/pictures.ts";
import { fileOf } from "./fixtures.ts";

const source = (name: string, bytes = fileOf(name)): PictureSource => ({
  name,
  bytes: () => Promise.resolve(bytes),
});

const good = ["rgb.png", "420.jpg", "lossy.webp", "grey.png", "grey.jpg"];
const options: BatchOptions = { input: "x", spec: presets.tf, height: 8, width: 8, batch: 2 };

async function collect(stream: AsyncIterable<PictureBatch>): Promise<PictureBatch[]> {
  const all: PictureBatch[] = [];
  for await (const batch of stream) all.push(batch);
  return all;
}

const messageOf = async (attempt: () => Promise<unknown>): Promise<string> => {
  const error: unknown = await Promise.resolve()
    .then(attempt)
    .catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(InputError);
  return (error as InputError).message;
};

it("stacks pictures in order, the last batch shorter", async () => {
  const all = await collect(
    batches(
      good.map((name) => source(name)),
      options,
    ),
  );
  expect(all.map(({ names }) => names)).toEqual([
    good.slice(0, 2),
    good.slice(2, 4),
    good.slice(4),
  ]);
  expect(all.map(({ tensors }) => tensors["x"]!.shape)).toEqual([
    [2, 3, 8, 8],
    [2, 3, 8, 8],
    [1, 3, 8, 8],
  ]);
  const second = preprocess(await decodePicture(fileOf("420.jpg"), ""), presets.tf, options);
  expect(all[0]!.tensors["x"]!.data.subarray(192)).toEqual(second.data);
});

it("skips broken pictures and unreadable files, tells each, and fills the batch from the next", async () => {
  const skipped: PictureError[] = [];
  async function* pictures(): AsyncGenerator<PictureSource> {
    yield source("rgb.png");
    yield source("cut.jpg", fileOf("420.jpg").subarray(0, 600));
    yield { name: "gone.png", bytes: () => Promise.reject(new Error("no such file")) };
    yield source("grey.png");
  }
  const onSkip = (error: PictureError): void => void skipped.push(error);
  const all = await collect(batches(pictures(), { ...options, onSkip }));
  expect(all.map(({ names }) => names)).toEqual([["rgb.png", "grey.png"]]);
  expect(skipped.map(({ message }) => message)).toMatchInlineSnapshot(`
    [
      "picture "cut.jpg": broken JPEG file: it ends before its end-of-image marker. Replace or remove the file.",
      "picture "gone.png": cannot be read: no such file. Check the file.",
    ]
  `);
});

it("reads a picture only when its turn comes", async () => {
  const read: string[] = [];
  const pictures = good.map((name) => ({
    name,
    bytes: () => {
      read.push(name);
      return Promise.resolve(fileOf(name));
    },
  }));
  const stream = batches(pictures, options);
  expect(read).toEqual([]);
  await stream.next();
  expect(read).toEqual(good.slice(0, 2));
  await stream.return();
  expect(read).toEqual(good.slice(0, 2));
});

it("an abort is thrown before the next picture, with the signal's reason", async () => {
  const controller = new AbortController();
  const stream = batches(
    good.map((name) => source(name)),
    { ...options, batch: 1, signal: controller.signal },
  );
  expect((await stream.next()).done).toBe(false);
  controller.abort(new Error("enough"));
  await expect(stream.next()).rejects.toThrow("enough");
});

it("a read that fails since the caller aborted is no broken picture", async () => {
  const controller = new AbortController();
  const skipped: PictureError[] = [];
  const pictures = [
    {
      name: "a",
      bytes: () => {
        controller.abort(new Error("enough"));
        return Promise.reject(new Error("fetch failed"));
      },
    },
  ];
  const stream = batches(pictures, {
    ...options,
    signal: controller.signal,
    onSkip: (error) => void skipped.push(error),
  });
  await expect(stream.next()).rejects.toThrow("enough");
  expect(skipped).toEqual([]);
});

it("no picture at all is an InputError that says why", async () => {
  expect(await messageOf(() => collect(batches([], options)))).toMatchInlineSnapshot(
    `"batches: there must be at least one picture; got none. Check the list of files."`,
  );
  const broken = [source("a.png", new Uint8Array(0)), source("b.png", Uint8Array.of(1, 2, 3, 4))];
  expect(await messageOf(() => collect(batches(broken, options)))).toMatchInlineSnapshot(
    `"batches: no picture could be read; got 2 broken one(s), the first is picture "a.png": the file is empty. Replace or remove the file."`,
  );
});

it("wrong options are refused at once, before a picture is read", async () => {
  const attempt = (change: Partial<BatchOptions>) => () =>
    Promise.resolve(batches([], { ...options, ...change }));
  expect(await messageOf(attempt({ batch: 0 }))).toMatchInlineSnapshot(
    `"batches: batch must be a positive integer; got 0. Use 1 or more pictures."`,
  );
  expect(await messageOf(attempt({ width: 0.5 }))).toMatchInlineSnapshot(
    `"preprocess: height and width must be positive integers; got 8×0.5 (height×width). Pass the model's input size in pixels."`,
  );
});
