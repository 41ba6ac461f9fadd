// The whole path against inputs that Pillow and numpy made from eight JPEGs of ImageNet. Those may
// not be published, so the test runs only where the data folder lies beside the project.

import { existsSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { batches, presets, type Preprocess } from "../../../src/pictures.ts";

const folder = new URL("../../../../shared/data/", import.meta.url);
const present = existsSync(new URL("refs/images.json", folder));
if (!present) console.log(`skipped: no reference data at ${folder.pathname}`);

/** The values of a little-endian float32 .npy file, version 1. */
function readNpy(name: string): Float32Array {
  const file = readFileSync(new URL(`refs/${name}`, folder));
  const start = 10 + file.readUInt16LE(8); // magic and version, header length, header
  return new Float32Array(
    file.buffer.slice(file.byteOffset + start, file.byteOffset + file.length),
  );
}

it.skipIf(!present).each<[string, Preprocess]>([
  ["mobilenetv2-float.input.npy", presets.tf],
  ["mobilenetv2-torchvision-qnnpack.input.npy", presets.imagenet],
])("eight ImageNet pictures equal %s", async (name, spec) => {
  const { images } = JSON.parse(readFileSync(new URL("refs/images.json", folder), "utf8")) as {
    images: string[];
  };
  const pictures = images.map((image) => ({
    name: image,
    bytes: () => Promise.resolve(readFileSync(new URL(`imagenet-sample/images/${image}`, folder))),
  }));
  const options = { input: "x", spec, height: 224, width: 224, batch: 8 };
  const stream = batches(pictures, options);
  const { value } = await stream.next();
  const { data } = value!.tensors["x"]!;
  const expected = readNpy(name);
  expect(data.length).toBe(expected.length);
  let most = 0;
  for (let i = 0; i < data.length; i++) most = Math.max(most, Math.abs(data[i]! - expected[i]!));
  // 0: the decoder is libjpeg-turbo as in Pillow, and the arithmetic is numpy's, float32 by step.
  expect(most).toBe(0);
});
