// Resizing equals Pillow's bit for bit: both compute in integers.

import { expect, it } from "vitest";
import { InputError } from "../../../src/errors.ts";
import { resize, type Picture } from "../../../src/pictures.ts";
import { resizeRegion } from "../../../src/pictures/resize.ts";
import { fromBase64, readJson } from "./fixtures.ts";

/** The input picture of test/fixtures/make_resize.py. */
const pattern: Picture = {
  width: 25,
  height: 16,
  data: Uint8Array.from({ length: 25 * 16 * 3 }, (_, i) => {
    const [c, x, y] = [i % 3, Math.floor(i / 3) % 25, Math.floor(i / 75)];
    return (x * x * 31 + y * y * 17 + x * y * 7 + c * 101) % 256;
  }),
};

const expected = readJson<{ width: number; height: number; rgb: string }[]>("resize.json");

it.each(expected)("25×16 to $width×$height equals Pillow's BILINEAR", ({ width, height, rgb }) => {
  const resized = resize(pattern, width, height);
  expect([resized.width, resized.height]).toEqual([width, height]);
  expect(Array.from(resized.data)).toEqual(Array.from(fromBase64(rgb)));
});

it("a picture of one color keeps it at every size", () => {
  const white = { width: 5, height: 4, data: new Uint8Array(60).fill(255) };
  for (let size = 1; size < 20; size++) {
    expect(new Set(resize(white, size, 20 - size).data)).toEqual(new Set([255]));
  }
});

it("a region is that part of the whole", () => {
  const region = { left: 3, top: 2, width: 7, height: 5 };
  for (const [width, height] of [
    [12, 9],
    [25, 16],
    [40, 33],
  ] as const) {
    const whole = resize(pattern, width, height);
    const cropped = Array.from({ length: 5 }, (_, y) => {
      const start = ((y + 2) * width + 3) * 3;
      return Array.from(whole.data.subarray(start, start + 21));
    }).flat();
    expect(Array.from(resizeRegion(pattern, width, height, region).data)).toEqual(cropped);
  }
});

it.each([
  [0, 4],
  [4, 1.5],
  [8193, 8192],
])("a size of %d×%d is refused", (width, height) => {
  const attempt = (): Picture => resize(pattern, width, height);
  expect(attempt).toThrow(InputError);
  expect(attempt).toThrow(
    `resize: width and height must be positive integers, at most 67108864 pixels together; got ${width}×${height}. Pass sizes in pixels.`,
  );
});
