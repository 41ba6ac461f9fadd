// What a decoded picture is, and the two rules every format shares: a size limit that is checked
// before any pixel buffer exists, and alpha composited over white.

import { PictureError } from "../errors.ts";

/** A decoded picture: 8-bit RGB, row-major, `data.length` = height · width · 3. */
export interface Picture {
  readonly width: number; // px
  readonly height: number; // px
  readonly data: Uint8Array; // (height, width, 3)
}

/** The largest picture that is decoded: 64 megapixels, 192 MiB of RGB. */
export const MAX_PIXELS = 64 * 1024 * 1024;

/** Refuse sizes of zero and sizes over MAX_PIXELS; `name` is the picture's, sizes are in px. */
export function checkSize(name: string, width: number, height: number): void {
  if (width < 1 || height < 1) {
    throw new PictureError(
      name,
      `width and height must be at least 1 px; got ${width}×${height}`,
      "Check the file.",
    );
  }
  if (width * height > MAX_PIXELS) {
    throw new PictureError(
      name,
      `a picture may have at most ${MAX_PIXELS} pixels; got ${width}×${height}`,
      "Scale it down first.",
    );
  }
}

/** The error for a file that ends early or whose bytes are wrong. */
export function broken(name: string, format: string, problem: string): PictureError {
  return new PictureError(name, `broken ${format} file: ${problem}`, "Replace or remove the file.");
}

/** out = nearest(color · alpha + 255 · (255 − alpha)) / 255, all 0 … 255: alpha over white. */
export function overWhite(color: number, alpha: number): number {
  return Math.floor((color * alpha + 255 * (255 - alpha) + 127) / 255); // 255 is odd: no ties
}

/** RGBA pixels, (height, width, 4), to a Picture, composited over white. */
export function fromRgba(
  width: number,
  height: number,
  rgba: Uint8Array | Uint8ClampedArray,
): Picture {
  const data = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; to < data.length; from += 4, to += 3) {
    const alpha = rgba[from + 3] ?? 255;
    for (let channel = 0; channel < 3; channel++) {
      const color = rgba[from + channel] ?? 0;
      data[to + channel] = alpha === 255 ? color : overWhite(color, alpha);
    }
  }
  return { width, height, data };
}
