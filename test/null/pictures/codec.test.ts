// A decoder that cannot be loaded is the caller's set-up, not a broken picture: batches must not
// skip thousands of good pictures for it.

import { expect, it, vi } from "vitest";
import { batches, presets } from "../../../src/pictures.ts";
import { fileOf } from "./fixtures.ts";

vi.mock("@jsquash/webp/codec/dec/webp_dec.js", () => ({
  default: () => Promise.reject(new Error("no such file")),
}));

it("a decoder that cannot be loaded stops the batches with the way out", async () => {
  const skipped: string[] = [];
  const stream = batches([{ name: "a.webp", bytes: () => Promise.resolve(fileOf("lossy.webp")) }], {
    input: "x",
    spec: presets.tf,
    height: 8,
    width: 8,
    batch: 1,
    onSkip: ({ picture }) => void skipped.push(picture),
  });
  await expect(stream.next()).rejects.toThrowErrorMatchingInlineSnapshot(
    `[InputError: pictures: the WebP decoder could not be loaded; got "Error: no such file". Install @jsquash/webp, and allow 'wasm-unsafe-eval' in the page's content security policy.]`,
  );
  expect(skipped).toEqual([]);
});
