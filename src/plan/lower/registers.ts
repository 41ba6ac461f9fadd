// The register family of a dense product: what tile an invocation, or a quad, gets, and how many there are.

import { fit, type RegisterTile } from "../tiles.ts";
import { workgroups } from "./context.ts";
import type { FilterShape } from "./filters.ts";
import type { sizesOf } from "./product.ts";

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

/** Workgroups of a dense product, and the sizes its shader is expanded for. */
export function tileSteps(
  { pixels, words, quads, steps = 1 }: RegisterTile,
  { pixels: rows, outWords }: Sizes,
) {
  const lanes = quads ? 4 : 1;
  const tiles = Math.ceil(rows / pixels) * Math.ceil(outWords / (words * lanes));
  return {
    groups: workgroups(tiles * lanes),
    sizes: quads
      ? { QUARTER: pixels / 4, WORDS: words, STEPS: steps }
      : { PIXELS: pixels, WORDS: words },
  };
}
