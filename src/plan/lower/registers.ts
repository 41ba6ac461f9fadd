// The register family of a dense product: what tile an invocation, or a quad, gets, and how many there are.

import type { Target } from "../target.ts";
import { fit, type RegisterTile } from "../tiles.ts";
import { workgroups } from "./context.ts";
import type { FilterShape } from "./filters.ts";
import type { sizesOf } from "./product.ts";
import { quadGroups } from "./quads.ts";

type Sizes = ReturnType<typeof sizesOf>;

/** The register tile of a dense product of `pixels` rows: quads where it has one group, else words that fit a group. */
export function fitTile(
  wanted: RegisterTile,
  pixels: number,
  { outWords, groupOuts, groupWords }: Sizes,
  shape: FilterShape,
): RegisterTile {
  if (wanted.quads && shape.group === 1 && pixels > 1) {
    const { steps = 1 } = wanted;
    return { ...wanted, steps: fit(steps, groupWords, groupWords) };
  }
  return {
    family: "register",
    pixels: fit(wanted.pixels, pixels),
    words: fit(wanted.words, outWords, shape.group > 1 ? groupOuts : undefined),
  };
}

/** Workgroups of a dense product, and what its shader is expanded for. */
export function tileSteps(
  target: Target,
  { pixels, words, quads, steps = 1 }: RegisterTile,
  { pixels: rows, outWords }: Sizes,
): { readonly groups: number; readonly overrides: Readonly<Record<string, number>> } {
  const tiles = Math.ceil(rows / pixels) * Math.ceil(outWords / (words * (quads ? 4 : 1)));
  if (!quads) return { groups: workgroups(tiles), overrides: { PIXELS: pixels, WORDS: words } };
  const { groups, overrides } = quadGroups(target, tiles);
  return { groups, overrides: { QUARTER: pixels / 4, WORDS: words, STEPS: steps, ...overrides } };
}
