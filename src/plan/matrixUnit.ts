// The matrices that a device's subgroups multiply, and how a tile of them fills a workgroup. One idea: a
// tile counts matrices, and only here do their sizes come in, so a tile suits every device or is
// found not to fit it.

import type { AdapterFacts } from "../gpu/device.ts";
import type { MatrixFacts, MatrixForm } from "../gpu/matrices.ts";
import type { MatrixTile } from "./tiles.ts";

/** Sizes that passed the device's test. */
export interface MatrixUnit extends MatrixFacts {
  readonly form: MatrixForm;
}

const isUnit = (facts: MatrixFacts): facts is MatrixUnit => facts.form !== undefined;

/** The largest matrices that passed; undefined where none did. */
export function matrixUnit({ matrices = [] }: AdapterFacts): MatrixUnit | undefined {
  return matrices
    .filter(isUnit)
    .toSorted((a, b) => b.m * b.n * b.k - a.m * a.n * a.k)
    .at(0);
}

/** Default limits of every device. */
const MOST_INVOCATIONS = 256;
const MOST_WORDS = 4096;

/** A tile in numbers, as conv_matrix_i8.wgsl has them. */
export function measureTile(tile: MatrixTile, { m, n, k, lanes }: MatrixUnit) {
  const { down, across, rows, columns, steps } = tile;
  const threads = down * across * lanes;
  const pixels = down * rows * m;
  const channels = across * columns * n;
  const chunkWords = (steps * k) / 4;
  const line = chunkWords + 4;
  return {
    threads,
    pixels,
    channels,
    chunkWords,
    /** Words of workgroup memory: lines of x while it sums, then a row of results. */
    staged: Math.max(pixels * line, down * m * channels),
    loads: Math.ceil((pixels * chunkWords) / 4 / threads),
  };
}

/** Whether `tile` runs on a device with these matrices, within the limits that every device has. */
export function fitsUnit(tile: MatrixTile, unit: MatrixUnit): boolean {
  const { threads, staged, channels, chunkWords } = measureTile(tile, unit);
  const isWhole = threads % unit.widest === 0 && threads % (chunkWords / 4) === 0;
  const stores = threads % (channels / 4) === 0;
  return isWhole && stores && threads <= MOST_INVOCATIONS && staged <= MOST_WORDS;
}
