// From a picture to a model's input: resize the short side, crop the centre, normalise in f32.
// The rules are torchvision's (Resize, CenterCrop), except that crop offsets are rounded down.

import { InputError } from "../errors.ts";
import { fl } from "../tensor/rounding.ts";
import { tensor, type Tensor } from "../tensor/tensor.ts";
import type { Picture } from "./picture.ts";
import type { Preprocess } from "./preprocessSpec.ts";
import { resizeRegion } from "./resize.ts";

/** The model's input: its height and width in px, its channels and their axis. */
export interface InputSize {
  readonly height: number;
  readonly width: number;
  /** 3 colors, or 1: brightness. Default: 3. */
  readonly channels?: 1 | 3;
  /** Where the channels are: before height and width, or behind them. Default: "nchw". */
  readonly layout?: "nchw" | "nhwc";
}

/** The shape of `count` pictures. */
export function pictureShape(size: InputSize, count: number): number[] {
  const { height, width, channels = 3, layout = "nchw" } = size;
  return layout === "nchw" ? [count, channels, height, width] : [count, height, width, channels];
}

/**
 * A picture as a model's input: [1, channels, height, width], or with "nhwc" [1, height, width, channels].
 *
 * The short side becomes `spec.resize`, by default round(256/224 · max(height, width)), and the long
 * side is truncated to an integer; a picture whose short side has that size already keeps its pixels.
 * Then the centre is cropped, left = floor((w − width) / 2), top likewise, and each byte x becomes
 * fl(fl(fl(x / scale) − mean[c]) / std[c]), fl being one rounding to f32 and all constants f32. One channel
 * is the brightness of ITU-R BT.601 as PIL rounds it, (19595 R + 38470 G + 7471 B + 32768) >> 16.
 *
 * @throws InputError where the size is no positive integer, `spec.resize` does not cover it, or mean and std
 *   of three colors are given for one channel
 */
export function preprocess(picture: Picture, spec: Preprocess, size: InputSize): Tensor<"float32"> {
  const { height, width, channels = 3, layout = "nchw" } = size;
  const short = shortSide(spec, { height, width });
  const least = Math.min(picture.width, picture.height);
  // short · side < 2^53 and exact, so the floor is that of the true quotient.
  const scaled = (side: number): number =>
    least === short ? side : Math.floor((short * side) / least);
  const [w, h] = [scaled(picture.width), scaled(picture.height)];
  const left = Math.floor((w - width) / 2);
  const top = Math.floor((h - height) / 2);
  const crop = resizeRegion(picture, w, h, { left, top, width, height });

  const plane = height * width;
  const [pixel, step] = layout === "nchw" ? [1, plane] : [channels, 1];
  const bytes = channels === 1 ? brightness(crop.data) : crop.data;
  const data = new Float32Array(channels * plane);
  for (let channel = 0; channel < channels; channel++) {
    const color = spec.order === "rgb" || channels === 1 ? channel : 2 - channel;
    const table = tableOf(spec, channel, channels);
    for (let i = 0; i < plane; i++) {
      data[channel * step + i * pixel] = table[bytes[i * channels + color] ?? 0] ?? 0;
    }
  }
  return tensor("float32", pictureShape(size, 1), data);
}

/** One byte a pixel of RGB. */
function brightness(rgb: Uint8Array | Uint8ClampedArray): Uint8Array {
  return Uint8Array.from({ length: rgb.length / 3 }, (_, i) => {
    const [r, g, b] = [rgb[3 * i] ?? 0, rgb[3 * i + 1] ?? 0, rgb[3 * i + 2] ?? 0];
    return (19595 * r + 38470 * g + 7471 * b + 32768) >> 16;
  });
}

/** The short side before the crop, in px; throws InputError as `preprocess` does. */
export function shortSide(spec: Preprocess, { height, width }: InputSize): number {
  if (![height, width].every((size) => Number.isInteger(size) && size > 0)) {
    throw new InputError(
      `preprocess: height and width must be positive integers; got ${height}×${width} ` +
        "(height×width). Pass the model's input size in pixels.",
    );
  }
  const most = Math.max(height, width);
  const short = spec.resize ?? Math.floor((most * 256) / 224 + 0.5); // sevenths: no ties
  if (short < most) {
    throw new InputError(
      `preprocess: "resize" must cover the crop of ${height}×${width} (height×width); got ` +
        `${short}. Use at least ${most}, or leave it out.`,
    );
  }
  return short;
}

/** The tensor's value of each byte in a channel. */
function tableOf(spec: Preprocess, channel: number, channels: number): Float32Array {
  const of = (field: "mean" | "std"): number => {
    const values = spec[field];
    if (channels === 1 && values.some((value) => value !== values[0])) {
      throw new InputError(
        `preprocess: "${field}" must be one number for a model of one channel; got ` +
          `[${values.join(", ")}], of three colors. Write JSON such as ` +
          '{"scale": 255, "mean": [0.5], "std": [0.5]}, or use the preset tf.',
      );
    }
    return fl(values[channel] ?? values[0]);
  };
  const [m, s, scale] = [of("mean"), of("std"), spec.scale];
  return Float32Array.from({ length: 256 }, (_, x) => fl(fl(fl(x / fl(scale)) - m) / s));
}
