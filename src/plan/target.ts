// What a plan may assume of the device it will run on, as plain data: which form of the dot product it
// has, and which kernel family cuts up a dense product of which size. Every choice gives the same
// integers, so a plan lowered for another target is slower at worst.

import type { AdapterFacts } from "../gpu/device.ts";
import { fitsUnit, matrixUnit, type MatrixUnit } from "./matrixUnit.ts";
import {
  candidates,
  isSoftware,
  plainRules,
  registerTile,
  rulesFor,
  type ProductTile,
  type Rule,
} from "./tiles.ts";

/** Sizes of a dense product: convolutions are products of pixels by output channels over taps × inputs. */
export interface ProductSizes {
  readonly dtype: "f32" | "i8";
  /** Output pixels, or rows. */
  readonly m: number;
  /** Output words (of four channels) of one group. */
  readonly n: number;
  /** Terms of a sum, in words: taps × input words of one group. */
  readonly k: number;
  readonly groups: number;
}

export interface Target {
  /** dot4I8Packed is native; else lanes are unpacked and multiplied in float. A tile may say otherwise. */
  readonly packedDot: boolean;
  /** A software adapter: a core or two a workgroup, its invocations one after another. */
  readonly software: boolean;
  /** The matrices that subgroups multiply; without them no tile of the matrix family is used. */
  readonly matrix?: MatrixUnit;
  /** The first rule that a product meets gives its tile. */
  readonly rules: readonly Rule[];
  /** Shape class → tile, measured: before the rules. */
  readonly tuned: ReadonlyMap<string, ProductTile>;
}

/** For plans that no device is known for. */
export const defaultTarget: Target = {
  packedDot: true,
  software: false,
  rules: plainRules,
  tuned: new Map(),
};

/** The target of an adapter; `tuned` holds what was measured on it. */
export function targetOf(
  facts: AdapterFacts,
  tuned: ReadonlyMap<string, ProductTile> = new Map(),
): Target {
  const matrix = matrixUnit(facts);
  const { packedDot } = facts;
  const software = isSoftware(facts);
  return { packedDot, software, rules: rulesFor(facts), tuned, ...(matrix ? { matrix } : {}) };
}

/** Products that one measurement stands for: rows up to the next power of two, the rest alike. */
export function shapeClass({ dtype, m, n, k, groups }: ProductSizes): string {
  return `${dtype} m${2 ** Math.ceil(Math.log2(Math.max(1, m)))} n${n} k${k} g${groups}`;
}

/** Whether `target` has what `tile` needs for a product. */
export function isUsable(tile: ProductTile, target: Target, { dtype, k }: ProductSizes): boolean {
  if (tile.family === "workgroup")
    return tile.splits === undefined || (dtype === "i8" && k > 4 * tile.chunk);
  if (tile.family !== "matrix") return true;
  return dtype === "i8" && target.matrix !== undefined && fitsUnit(tile, target.matrix);
}

/** How `target` cuts a product of these sizes. */
export function tileFor(target: Target, sizes: ProductSizes): ProductTile {
  const tuned = target.tuned.get(shapeClass(sizes));
  if (tuned && isUsable(tuned, target, sizes)) return tuned;
  const axes = ["m", "n", "k"] as const;
  const meets = ({ least = {}, most = {} }: Rule) =>
    axes.every((axis) => sizes[axis] >= (least[axis] ?? 0)) &&
    axes.every((axis) => sizes[axis] <= (most[axis] ?? Infinity));
  const rule = target.rules.find((each) => meets(each) && isUsable(each.tile, target, sizes));
  return rule?.tile ?? registerTile;
}

/** `target` with one family alone, for tests and benches: by its own rules where it has any for that, else
 *  by the family's smallest tile. Products that the family cannot do are cut by registers. */
export function onlyFamily(target: Target, family: ProductTile["family"]): Target {
  const isOf = ({ tile }: Rule) => tile.family === family;
  const rest = candidates.map((tile): Rule => ({ tile })).toReversed();
  return { ...target, rules: [...target.rules.filter(isOf), ...rest.filter(isOf)] };
}

/** Whether four consecutive invocations of a workgroup are a quad that swaps, and pay: only rules of devices where both
 *  hold ask for them. */
export function hasQuads({ rules }: Target): boolean {
  return rules.some(({ tile }) => tile.family === "register" && tile.quads === true);
}
