// From a picture to a model's input: resize the short side, crop the centre, normalise in f32.
// The rules are torchvision's (Resize, CenterCrop), except that crop offsets are rounded down.

import { InputError } from "../errors.ts";
import { fl } from "../tensor/rounding.ts";
import { tensor, type Tensor } from "../tensor/tensor.ts";
import type { Picture } from "./picture.ts";
import type { Preprocess } from "./preprocessSpec.ts";
import { resizeRegion } from "./resize.ts";

/** Height and width of the model's input, in px. */
export interface InputSize {
  readonly height: number;
  readonly width: number;
}

/**
 * A picture as a model's input, [1, 3, height, width] (NCHW).
 *
 * The short side becomes `spec.resize`, by default round(256/224 · max(height, width)), and the long
 * side is truncated to an integer; a picture whose short side has that size already keeps its pixels.
 * Then the centre is cropped, left = floor((w − width) / 2), top likewise, and each byte x becomes
 * fl(fl(fl(x / scale) − mean[c]) / std[c]), fl being one rounding to f32 and all constants f32.
 *
 * @throws InputError where the size is no positive integer or `spec.resize` does not cover it
 */
export function preprocess(
  picture: Picture,
  spec: Preprocess,
  { height, width }: InputSize,
): Tensor<"float32"> {
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
  const data = new Float32Array(3 * plane); // (3, height, width)
  for (let channel = 0; channel < 3; channel++) {
    const color = spec.order === "rgb" ? channel : 2 - channel;
    const table = tableOf(spec, channel);
    for (let i = 0; i < plane; i++) {
      data[channel * plane + i] = table[crop.data[i * 3 + color] ?? 0] ?? 0;
    }
  }
  return tensor("float32", [1, 3, height, width], data);
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
function tableOf({ scale, mean, std }: Preprocess, channel: number): Float32Array {
  const [m, s] = [fl(mean[channel] ?? 0), fl(std[channel] ?? 1)];
  return Float32Array.from({ length: 256 }, (_, x) => fl(fl(fl(x / fl(scale)) - m) / s));
}
