// Preprocessing: f32 arithmetic, the resize rule, the crop, and the JSON that describes them.

import { describe, expect, it } from "vitest";
import { InputError } from "../../../src/errors.ts";
import {
  parsePreprocess,
  preprocess,
  presets,
  resize,
  type Picture,
} from "../../../src/pictures.ts";

const f = Math.fround;

/** Pixel (x, y) is [x, y, x + y], so a crop can be read from its values. */
const ramp = (width: number, height: number): Picture => ({
  width,
  height,
  data: Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    return [x, y, x + y][i % 3]!;
  }),
});

/** Bytes as they are: value = x / 1. */
const bytes = { scale: 1, mean: [0, 0, 0], std: [1, 1, 1], order: "rgb" } as const;

it("imagenet is fl(fl(fl(x / 255) − mean) / std) for every byte and channel", () => {
  const data = Uint8Array.from({ length: 256 * 3 }, (_, i) => Math.floor(i / 3));
  const picture = { width: 16, height: 16, data };
  const out = preprocess(picture, { ...presets.imagenet, resize: 16 }, { height: 16, width: 16 });
  expect(out.shape).toEqual([1, 3, 16, 16]);
  const [mean, std] = [
    [0.485, 0.456, 0.406],
    [0.229, 0.224, 0.225],
  ];
  const expected = Array.from({ length: 768 }, (_, i) => {
    const c = Math.floor(i / 256);
    return f(f(f((i % 256) / 255) - f(mean[c]!)) / f(std[c]!));
  });
  expect(Array.from(out.data)).toEqual(expected);
  // numpy, float32: (np.float32(x) / 255 - mean) / std for x = 0, 255 in channel 0.
  expect([out.data[0], out.data[255]]).toEqual([f(-2.117904), f(2.2489083)]);
});

it("tf is fl(fl(x / 127.5) − 1): 0 is −1, 255 is 1", () => {
  const data = Uint8Array.from({ length: 768 }, (_, i) => Math.floor(i / 3));
  const picture = { width: 16, height: 16, data };
  const out = preprocess(picture, { ...presets.tf, resize: 16 }, { height: 16, width: 16 });
  const row = Array.from({ length: 256 }, (_, x) => f(f(x / 127.5) - 1));
  expect(Array.from(out.data)).toEqual([...row, ...row, ...row]);
  expect([out.data[0], out.data[255]]).toEqual([-1, 1]);
});

it("bgr swaps the channels; mean and std stay with the tensor's channel", () => {
  const picture = { width: 1, height: 1, data: Uint8Array.of(10, 20, 30) };
  const spec = { ...bytes, mean: [1, 2, 3], std: [1, 2, 1], order: "bgr", resize: 1 } as const;
  expect(Array.from(preprocess(picture, spec, { height: 1, width: 1 }).data)).toEqual([29, 9, 7]);
});

describe("the resize rule", () => {
  it("leaves a picture whose short side is 256 as it is for a 224×224 input", () => {
    // left = floor((259 − 224) / 2) = 17, top = 16
    const out = preprocess(ramp(259, 256), bytes, { height: 224, width: 224 });
    expect([out.data[0], out.data[224 * 224]]).toEqual([17, 16]);
  });

  it("truncates the long side and rounds crop offsets down", () => {
    // 32·256/224 = 36.57 → 37; 100 × 60 → long = floor(37·100/60) = 61; left 14, top 2.
    const picture = ramp(100, 60);
    const resized = resize(picture, 61, 37);
    const out = preprocess(picture, bytes, { height: 32, width: 32 });
    const expected = Array.from({ length: 32 * 32 }, (_, i) => {
      const [x, y] = [(i % 32) + 14, Math.floor(i / 32) + 2];
      return resized.data[(y * 61 + x) * 3]!;
    });
    expect(Array.from(out.data.subarray(0, 1024))).toEqual(expected);
  });

  it("takes the short side from the spec, upright pictures too", () => {
    const picture = ramp(8, 12);
    const out = preprocess(picture, { ...bytes, resize: 8 }, { height: 8, width: 8 });
    expect([out.data[0], out.data[64]]).toEqual([0, 2]); // top = (12 − 8) / 2
  });

  it("covers inputs that are not square", () => {
    const out = preprocess(ramp(16, 16), { ...bytes, resize: 16 }, { height: 4, width: 16 });
    expect(out.shape).toEqual([1, 3, 4, 16]);
    expect([out.data[0], out.data[64]]).toEqual([0, 6]); // left 0, top (16 − 4) / 2
  });

  it("resizes a very long picture without computing what is cropped away", () => {
    // Whole, the result would have 37 × 3,700,000 pixels.
    const picture = { width: 100_000, height: 1, data: new Uint8Array(300_000).fill(7) };
    const out = preprocess(picture, bytes, { height: 32, width: 32 });
    expect(new Set(out.data)).toEqual(new Set([7]));
  });

  it("refuses a short side below the crop, and sizes that are none", () => {
    const attempt = (resizeTo: number, height: number) => () =>
      preprocess(ramp(8, 8), { ...bytes, resize: resizeTo }, { height, width: 4 });
    expect(attempt(7, 8)).toThrow(InputError);
    expect(attempt(7, 8)).toThrowErrorMatchingInlineSnapshot(
      `[InputError: preprocess: "resize" must cover the crop of 8×4 (height×width); got 7. Use at least 8, or leave it out.]`,
    );
    expect(attempt(8, 0)).toThrowErrorMatchingInlineSnapshot(
      `[InputError: preprocess: height and width must be positive integers; got 0×4 (height×width). Pass the model's input size in pixels.]`,
    );
  });
});

describe("parsePreprocess", () => {
  it("knows the presets by name", () => {
    expect(parsePreprocess("imagenet")).toEqual(presets.imagenet);
    expect(parsePreprocess(" tf\n")).toEqual(presets.tf);
  });

  it("reads JSON, and a preset's JSON is the preset", () => {
    expect(parsePreprocess('{"resize": 40, "order": "bgr"}')).toEqual({
      resize: 40,
      scale: 255,
      mean: [0, 0, 0],
      std: [1, 1, 1],
      order: "bgr",
    });
    expect(parsePreprocess("{}")).not.toHaveProperty("resize");
    expect(parsePreprocess(JSON.stringify(presets.imagenet))).toEqual(presets.imagenet);
  });

  const example =
    'Write JSON such as {"resize": 256, "scale": 255, "mean": [0, 0, 0], "std": [1, 1, 1], "order": "rgb"}, or name a preset: imagenet, tf.';

  it.each([
    ["imagnet", 'preprocess: neither a preset nor JSON; got "imagnet".'],
    ["[1]", "preprocess: must be a JSON object; got [1]."],
    ["null", "preprocess: must be a JSON object; got null."],
    [
      '{"resize": 0}',
      'preprocess: "resize" must be a positive integer, the short side in px; got 0.',
    ],
    [
      '{"scale": 0.0039}',
      'preprocess: "scale" must be at least 1: it divides the bytes, so 255 maps them to 0 … 1; got 0.0039.',
    ],
    ['{"mean": [1, 2]}', 'preprocess: "mean" must be three finite numbers; got [1,2].'],
    ['{"mean": [1, 2, "3"]}', 'preprocess: "mean" must be three finite numbers; got [1,2,"3"].'],
    ['{"std": [1, 0, 1]}', 'preprocess: "std" must be three positive numbers; got [1,0,1].'],
    ['{"std": 1}', 'preprocess: "std" must be three positive numbers; got 1.'],
    ['{"order": "RGB"}', 'preprocess: "order" must be "rgb" or "bgr"; got "RGB".'],
    [
      '{"__proto__": 1}',
      'preprocess: unknown field "__proto__"; known are resize, scale, mean, std, order.',
    ],
    [
      '{"means": []}',
      'preprocess: unknown field "means"; known are resize, scale, mean, std, order.',
    ],
  ])("refuses %s and names the field", (text, message) => {
    expect(() => parsePreprocess(text)).toThrow(InputError);
    expect(() => parsePreprocess(text)).toThrow(`${message} ${example}`);
  });
});
