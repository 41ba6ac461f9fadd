// Antialiased bilinear resizing, integer for integer as Pillow's BILINEAR does it
// (src/libImaging/Resample.c): a triangle filter, widened when the picture shrinks, along x first and
// then along y, with 22-bit weights and an 8-bit picture in between.
// One idea: output pixels do not depend on each other, so a crop of the result costs only the crop.

import { InputError } from "../errors.ts";
import { MAX_PIXELS, type Picture } from "./picture.ts";

const PRECISION_BITS = 22; // 32 bits less 8 of the pixel and 2 of headroom

/** A window of the resized picture, in px of the result. */
export interface Region {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * The whole picture at `width` × `height` px; equal to Pillow's `resize((width, height), BILINEAR)`.
 * @throws InputError where a size is not a positive integer or the result exceeds MAX_PIXELS
 */
export function resize(picture: Picture, width: number, height: number): Picture {
  const sound = [width, height].every((size) => Number.isInteger(size) && size > 0);
  if (!sound || width * height > MAX_PIXELS) {
    throw new InputError(
      `resize: width and height must be positive integers, at most ${MAX_PIXELS} pixels together; ` +
        `got ${width}×${height}. Pass sizes in pixels.`,
    );
  }
  return resizeRegion(picture, width, height, { left: 0, top: 0, width, height });
}

/** The part `region` of `resize(picture, width, height)`, without computing the rest. */
export function resizeRegion(
  picture: Picture,
  width: number,
  height: number,
  region: Region,
): Picture {
  const across = tapsOf(picture.width, width, region.left, region.width);
  const down = tapsOf(picture.height, height, region.top, region.height);
  // `first` and the end of a tap both grow with the output pixel.
  const topRow = down[0]?.first ?? 0;
  const last = down.at(-1);
  const rows = last ? last.first + last.weights.length - topRow : 0;

  const middle = new Uint8Array(rows * region.width * 3); // (rows, region.width, 3)
  for (let y = 0; y < rows; y++) {
    const from = (topRow + y) * picture.width * 3;
    across.forEach((tap, x) =>
      blend(picture.data, from, 3, tap, middle, (y * region.width + x) * 3),
    );
  }
  const stride = region.width * 3;
  const data = new Uint8Array(region.height * stride); // (region.height, region.width, 3)
  down.forEach(({ first, weights }, y) => {
    const tap = { first: first - topRow, weights };
    for (let x = 0; x < region.width; x++) {
      blend(middle, x * 3, stride, tap, data, y * stride + x * 3);
    }
  });
  return { width: region.width, height: region.height, data };
}

/** The input pixels first … first + weights.length − 1 of one output pixel; weights sum to ≈ 2²². */
interface Tap {
  readonly first: number;
  readonly weights: Int32Array;
}

/**
 * center = (o + 0.5) · scale, scale = inputs / outputs; input i weighs
 * max(0, 1 − |i + 0.5 − center| / support), support = max(scale, 1), over the sum of all weights.
 */
function tapsOf(inputs: number, outputs: number, start: number, count: number): Tap[] {
  const scale = inputs / outputs;
  const support = Math.max(scale, 1);
  return Array.from({ length: count }, (_, index) => {
    const center = (start + index + 0.5) * scale;
    const first = Math.max(Math.trunc(center - support + 0.5), 0);
    const end = Math.min(Math.trunc(center + support + 0.5), inputs);
    const inverse = 1 / support; // Pillow multiplies by it, and a division would round differently
    const weights = Array.from({ length: end - first }, (_, i) =>
      Math.max(0, 1 - Math.abs((i + first - center + 0.5) * inverse)),
    );
    const sum = weights.reduce((total, weight) => total + weight, 0);
    const toFixed = (weight: number): number =>
      Math.trunc(0.5 + (sum === 0 ? weight : weight / sum) * 2 ** PRECISION_BITS);
    return { first, weights: Int32Array.from(weights, toFixed) };
  });
}

/** out = clamp((2²¹ + Σ weight · pixel) >> 22, 0, 255) for three channels; |Σ| < 2³¹, exact. */
function blend(
  pixels: Uint8Array,
  base: number,
  stride: number, // from one tap's pixel to the next, in bytes
  { first, weights }: Tap,
  out: Uint8Array,
  at: number,
): void {
  let red = 1 << (PRECISION_BITS - 1);
  let green = red;
  let blue = red;
  let from = base + first * stride;
  for (const weight of weights) {
    red += weight * (pixels[from] ?? 0);
    green += weight * (pixels[from + 1] ?? 0);
    blue += weight * (pixels[from + 2] ?? 0);
    from += stride;
  }
  out[at] = Math.min(red >> PRECISION_BITS, 255); // weights are not negative, so neither are sums
  out[at + 1] = Math.min(green >> PRECISION_BITS, 255);
  out[at + 2] = Math.min(blue >> PRECISION_BITS, 255);
}
