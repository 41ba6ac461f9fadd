// From a PNG's inflated bytes to RGB: undo the row filters, spread the interlace passes, expand every
// color type. One idea: a picture is a list of passes; one that is not interlaced has a single pass.

import { broken, overWhite, type Picture } from "./picture.ts";

/** The IHDR chunk, and PLTE and tRNS where the file has them. */
export interface PngHeader {
  readonly width: number; // px
  readonly height: number; // px
  readonly depth: number; // bits per sample
  readonly colorType: number; // 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA
  readonly interlaced: boolean;
  readonly palette?: Uint8Array; // (entries, 3)
  readonly transparency?: Uint8Array; // alpha per palette entry, or the transparent 16-bit samples
}

/** Pixels (x0 + i · dx, y0 + j · dy) of the picture, i < width, j < height. */
export interface Pass {
  readonly x0: number;
  readonly y0: number;
  readonly dx: number;
  readonly dy: number;
  readonly width: number;
  readonly height: number;
  readonly rowBytes: number; // without the filter byte in front
}

// x0, y0, dx, dy of the seven passes of Adam7.
const adam7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/** Samples per pixel. */
function channelsOf(colorType: number): number {
  return colorType === 2 ? 3 : colorType === 4 ? 2 : colorType === 6 ? 4 : 1;
}

/** The passes in file order; empty ones are left out. */
export function layoutOf(header: PngHeader): Pass[] {
  const bits = header.depth * channelsOf(header.colorType);
  const grids = header.interlaced ? adam7 : [[0, 0, 1, 1] as const];
  return grids
    .map(([x0, y0, dx, dy]) => {
      const width = Math.ceil((header.width - x0) / dx);
      const height = Math.ceil((header.height - y0) / dy);
      return { x0, y0, dx, dy, width, height, rowBytes: Math.ceil((width * bits) / 8) };
    })
    .filter(({ width, height }) => width > 0 && height > 0);
}

/** RGB of all passes; `bytes` are their rows, a filter byte in front of each, unfiltered in place. */
export function toPixels(
  bytes: Uint8Array,
  header: PngHeader,
  passes: readonly Pass[],
  name: string,
): Picture {
  const { width, height, depth, colorType } = header;
  const data = new Uint8Array(width * height * 3);
  const pixelBytes = Math.max(1, (depth * channelsOf(colorType)) / 8);
  let at = 0;
  for (const pass of passes) {
    let above: Uint8Array = new Uint8Array(pass.rowBytes);
    for (let j = 0; j < pass.height; j++) {
      const row = bytes.subarray(at + 1, at + 1 + pass.rowBytes);
      unfilter(bytes[at] ?? 0, row, above, pixelBytes, name);
      const start = (pass.y0 + j * pass.dy) * width + pass.x0;
      for (let i = 0; i < pass.width; i++) {
        readPixel(row, i, header, data, (start + i * pass.dx) * 3, name);
      }
      above = row;
      at += 1 + pass.rowBytes;
    }
  }
  return { width, height, data };
}

/** Undo one row's filter in place (section 9.2): a is the byte to the left, b above, c above left. */
function unfilter(
  filter: number,
  row: Uint8Array,
  above: Uint8Array,
  pixelBytes: number,
  name: string,
): void {
  if (filter > 4) throw broken(name, "PNG", `unknown row filter ${filter}`);
  if (filter === 0) return;
  for (let i = 0; i < row.length; i++) {
    const a = i < pixelBytes ? 0 : (row[i - pixelBytes] ?? 0);
    const b = above[i] ?? 0;
    const c = i < pixelBytes ? 0 : (above[i - pixelBytes] ?? 0);
    const guess =
      filter === 1 ? a : filter === 2 ? b : filter === 3 ? (a + b) >> 1 : paeth(a, b, c);
    row[i] = (row[i] ?? 0) + guess;
  }
}

/** Whichever of a, b, c is nearest to a + b − c; the order decides ties. */
function paeth(a: number, b: number, c: number): number {
  const toA = Math.abs(b - c);
  const toB = Math.abs(a - c);
  const toC = Math.abs(a + b - 2 * c);
  return toA <= toB && toA <= toC ? a : toB <= toC ? b : c;
}

/** Pixel `i` of a row to rgb[at …], 8 bits, over white; of 16-bit samples the high byte counts. */
function readPixel(
  row: Uint8Array,
  i: number,
  header: PngHeader,
  rgb: Uint8Array,
  at: number,
  name: string,
): void {
  const { depth, colorType, palette, transparency } = header;
  const channels = channelsOf(colorType);
  if (colorType === 3) {
    const entry = sample(row, i, depth);
    if (palette === undefined || entry * 3 + 2 >= palette.length) {
      throw broken(name, "PNG", `palette has no entry ${entry}`);
    }
    const alpha = transparency?.[entry] ?? 255;
    for (let k = 0; k < 3; k++) rgb[at + k] = overWhite(palette[entry * 3 + k] ?? 0, alpha);
    return;
  }
  const first = i * channels;
  let alpha = 255;
  if (colorType === 4 || colorType === 6) alpha = byteAt(row, first + channels - 1, depth);
  else if (transparency && isTransparent(row, first, channels, depth, transparency)) alpha = 0;
  for (let k = 0; k < 3; k++) {
    const color = byteAt(row, channels < 3 ? first : first + k, depth);
    rgb[at + k] = alpha === 255 ? color : overWhite(color, alpha);
  }
}

/** Sample `index` as 0 … 255: the high byte of 16 bits; 1, 2 and 4 bits scale exactly. */
function byteAt(row: Uint8Array, index: number, depth: number): number {
  if (depth === 8) return row[index] ?? 0;
  if (depth === 16) return row[index * 2] ?? 0;
  return sample(row, index, depth) * (255 / ((1 << depth) - 1));
}

/** Whether every sample equals tRNS's 16-bit one. */
function isTransparent(
  row: Uint8Array,
  first: number,
  channels: number,
  depth: number,
  transparency: Uint8Array,
): boolean {
  for (let k = 0; k < channels; k++) {
    if (sample(row, first + k, depth) !== sample(transparency, k, 16)) return false;
  }
  return true;
}

/** Sample `index` of bytes that hold `depth` bits each, the first in the highest bits. */
function sample(bytes: Uint8Array, index: number, depth: number): number {
  if (depth === 8) return bytes[index] ?? 0;
  if (depth === 16) return (bytes[index * 2] ?? 0) * 256 + (bytes[index * 2 + 1] ?? 0);
  const bit = index * depth;
  return ((bytes[bit >> 3] ?? 0) >> (8 - depth - (bit & 7))) & ((1 << depth) - 1);
}
