// The kernel families of a dense product and the tiles they come in, as data: what rules choose by
// default and what the tuner measures. None but the software adapter's has been measured: the others
// follow what kernels of other projects do on such devices (docs/tuning.md).

import type { AdapterFacts } from "../gpu/device.ts";
import { matrixUnit } from "./matrixUnit.ts";

/** int8 only: this form of the dot product and not the target's. */
interface DotChoice {
  readonly packedDot?: boolean;
}

/** conv_*.wgsl: an invocation keeps a tile in registers and shares nothing. */
export interface RegisterTile extends DotChoice {
  readonly family: "register";
  /** Consecutive output pixels of an invocation. */
  readonly pixels: number;
  /** Output words of an invocation. */
  readonly words: number;
  /** conv_quad_*.wgsl: four invocations of a subgroup share a tile. */
  readonly quads?: boolean;
  /** Quads only: words of a sum between one load and one store of it, where they divide a group's; 1 where left out. */
  readonly steps?: number;
}

/** conv_tiled_*.wgsl: a workgroup stages its operands in workgroup memory. */
export interface WorkgroupTile extends DotChoice {
  readonly family: "workgroup";
  /** Invocations along pixels. */
  readonly down: number;
  /** Invocations along output words. */
  readonly across: number;
  /** Pixels of an invocation. */
  readonly rows: number;
  /** Output words of an invocation. */
  readonly words: number;
  /** Units of 16 bytes of x that are staged at once, a pixel: four words of int8, one of float. */
  readonly chunk: number;
  /** int8 only: workgroups that share the sum of a tile (split-K), at most; another dispatch adds up what they leave. */
  readonly splits?: number;
}

/** gemv_*.wgsl: the invocations of a workgroup split the sum. */
export interface GemvTile extends DotChoice {
  readonly family: "gemv";
  /** Invocations that share a sum. */
  readonly lanes: number;
  /** Output words of a workgroup. */
  readonly columns: number;
  /** Pixels of a workgroup. */
  readonly pixels: number;
}

/** conv_matrix_i8.wgsl, int8 only: the subgroups of a workgroup multiply matrices whose sizes the device
 *  decides (matrixTile.ts). Lengths are in matrices. */
export interface MatrixTile extends DotChoice {
  readonly family: "matrix";
  /** Subgroups along pixels. */
  readonly down: number;
  /** Subgroups along output channels. */
  readonly across: number;
  /** Results of a subgroup along pixels. */
  readonly rows: number;
  /** Results of a subgroup along output channels. */
  readonly columns: number;
  /** Matrices along the sum that are staged at once. */
  readonly steps: number;
}

export type ProductTile = RegisterTile | WorkgroupTile | GemvTile | MatrixTile;

/** A tile, and the products it is for. Sizes as in ProductSizes. */
export interface Rule {
  readonly least?: Readonly<Partial<Record<"m" | "n" | "k", number>>>;
  readonly most?: Readonly<Partial<Record<"m" | "n" | "k", number>>>;
  readonly tile: ProductTile;
}

const workgroup = (
  down: number,
  across: number,
  rows: number,
  words: number,
  chunk = 4,
): WorkgroupTile => ({ family: "workgroup", down, across, rows, words, chunk });

const matrix = (
  down: number,
  across: number,
  rows: number,
  columns: number,
  steps = 2,
): MatrixTile => ({ family: "matrix", down, across, rows, columns, steps });

const gemv = (lanes: number, columns: number, pixels: number): GemvTile => ({
  family: "gemv",
  lanes,
  columns,
  pixels,
});

const quads = (pixels: number, words: number, steps = 1): RegisterTile => ({
  family: "register",
  pixels,
  words,
  quads: true,
  ...(steps > 1 ? { steps } : {}),
});

export const registerTile: RegisterTile = { family: "register", pixels: 8, words: 2 };

/** Named by pixels × output channels. All stay within 256 invocations and 16 KiB of workgroup memory. */
const tiles = {
  "128x128": workgroup(16, 16, 8, 2, 2),
  "128x64": workgroup(16, 8, 8, 2),
  "128x32": workgroup(16, 8, 8, 1),
  "64x64": workgroup(8, 8, 8, 2),
  "64x64 of 256": workgroup(16, 16, 4, 1),
  "32x32": workgroup(8, 8, 4, 1),
} as const;

/** Named by pixels × output channels where matrices are 16 × 16. */
const matrices = {
  "128x128": matrix(2, 4, 4, 2),
  "128x64": matrix(2, 2, 4, 2),
  "64x64": matrix(2, 2, 2, 2),
  "32x32": matrix(2, 2, 1, 1),
} as const;

const gemvs = { one: gemv(64, 1, 1), four: gemv(64, 1, 4), eight: gemv(32, 2, 8) } as const;

/** Every tile the tuner may choose, and the only ones a tuning table may name. */
export const candidates: readonly ProductTile[] = [
  registerTile,
  { family: "register", pixels: 4, words: 1 },
  { family: "register", pixels: 16, words: 4 },
  quads(16, 1),
  quads(16, 2),
  quads(32, 1),
  quads(32, 2),
  quads(32, 2, 2),
  quads(32, 2, 4),
  { ...tiles["32x32"], splits: 4 },
  ...Object.values(tiles),
  ...Object.values(gemvs),
  ...Object.values(matrices),
];

/** For plans that no device is known for. */
export const plainRules: readonly Rule[] = [{ tile: registerTile }];

/** Measured on SwiftShader (bench/RESULTS.md): a load costs as much as twenty multiply-adds there, so
 *  quads share them, with more sums an invocation where the sum is long enough to pay for them. One large tile and no more:
 *  each takes seconds to compile. */
export const softwareRules: readonly Rule[] = [
  { least: { m: 49, n: 8, k: 16 }, tile: quads(32, 2, 4) },
  { least: { m: 2, n: 3 }, tile: quads(16, 1) },
  { tile: registerTile },
];

/** The same without quads. */
const softwareAlone: readonly Rule[] = [
  { least: { m: 16, n: 4 }, tile: { family: "register", pixels: 16, words: 4 } },
  { tile: registerTile },
];

/** Few rows: nothing to tile. Then sums that few tiles would compute, split likewise. */
const few: readonly Rule[] = [
  { most: { m: 1 }, least: { k: 32 }, tile: gemvs.one },
  { most: { m: 4 }, least: { k: 32 }, tile: gemvs.four },
  { most: { m: 64, n: 128 }, least: { k: 128 }, tile: gemvs.eight },
];
const small: Rule = { least: { m: 32, n: 4, k: 4 }, tile: tiles["32x32"] };
const narrow: Rule = { least: { m: 4096, n: 4, k: 4 }, most: { n: 8 }, tile: tiles["128x32"] };
const medium: Rule = { least: { m: 1024, n: 12, k: 8 }, tile: tiles["64x64"] };
const large: Rule = { least: { m: 4096, n: 32, k: 16 }, tile: tiles["128x128"] };
const tall: Rule = { least: { m: 4096, n: 12, k: 16 }, tile: tiles["128x64"] };

/** For int8 products where the device multiplies matrices: before the vendor's, after `few`. */
const byMatrices: readonly Rule[] = [
  { least: { m: 4096, n: 32, k: 16 }, tile: matrices["128x128"] },
  { least: { m: 4096, n: 12, k: 16 }, tile: matrices["128x64"] },
  { least: { m: 1024, n: 12, k: 8 }, tile: matrices["64x64"] },
  { least: { m: 64, n: 4, k: 8 }, tile: matrices["32x32"] },
];

const unmeasured: readonly Rule[] = [...few, narrow, medium, small];

/** `rules` with another form of the dot product. */
const unpacked = (rules: readonly Rule[]): readonly Rule[] =>
  [...rules, { tile: registerTile }].map((rule) => ({
    ...rule,
    tile: { ...rule.tile, packedDot: false },
  }));

/** By vendor, as adapters report it; the rest get `unmeasured`. */
const vendors: Readonly<Record<string, readonly Rule[]>> = {
  nvidia: [...few, large, tall, narrow, medium, small],
  amd: [...few, tall, narrow, medium, small],
  intel: [...few, narrow, small],
  // Metal has no such instruction: the packed form is emulated on every Apple GPU.
  apple: unpacked([...few, narrow, medium, small]),
};

/** True for adapters that have no workgroup memory to gain from. */
export function isSoftware({ architecture, isFallback }: AdapterFacts): boolean {
  return isFallback || architecture === "swiftshader" || architecture === "llvmpipe";
}

/** The rules of an adapter. */
export function rulesFor(facts: AdapterFacts): readonly Rule[] {
  if (isSoftware(facts)) return facts.quads ? softwareRules : softwareAlone;
  const rules = vendors[facts.vendor.toLowerCase()] ?? unmeasured;
  return matrixUnit(facts) ? [...few, ...byMatrices, ...rules] : rules;
}

/** `wanted`, or 1 where one is all there is or `wanted` does not divide `count`: few different kernels. */
export function fit(wanted: number, most: number, count = wanted): number {
  return most <= 1 || count % wanted !== 0 ? 1 : wanted;
}

function quadsName({ quads, steps = 1 }: RegisterTile): string {
  return quads ? ` in quads${steps > 1 ? ` by ${steps}` : ""}` : "";
}

/** A tile in a few words: its pixels × output channels, and the invocations that share it. */
export function tileName(tile: ProductTile): string {
  const dot = tile.packedDot === undefined ? "" : tile.packedDot ? ", packed" : ", unpacked";
  switch (tile.family) {
    case "register":
      return `register ${tile.pixels}×${tile.words * 4}${quadsName(tile)}${dot}`;
    case "workgroup": {
      const { down, across, rows, words, splits } = tile;
      const parts = splits === undefined ? "" : `, ${splits} a sum`;
      return `workgroup ${down * rows}×${across * words * 4} of ${down * across}${parts}${dot}`;
    }
    case "gemv":
      return `gemv ${tile.pixels}×${tile.columns * 4} of ${tile.lanes * tile.columns}${dot}`;
    case "matrix": {
      const { down, across, rows, columns } = tile;
      return `matrix ${down * rows}×${across * columns} of ${down * across}`;
    }
    default:
      return tile satisfies never;
  }
}
