// What a plan may assume of the device it will run on, as plain data: which form of the dot product it
// has, and how much of a product one invocation should hold. Every choice gives the same integers, so a
// plan lowered for another target is slower at worst.

/** How much of a convolution one invocation computes. */
export interface ConvTile {
  /** Consecutive output pixels. */
  readonly pixels: number;
  /** Output words (of four channels). */
  readonly words: number;
}

export interface Target {
  /** dot4I8Packed is native; else lanes are unpacked and multiplied in float. */
  readonly packedDot: boolean;
  readonly conv: { readonly f32: ConvTile; readonly i8: ConvTile };
}

/** Tiles for devices that nobody has measured. */
export const defaultTarget: Target = {
  packedDot: true,
  conv: { f32: { pixels: 8, words: 2 }, i8: { pixels: 8, words: 2 } },
};

/** `wanted`, or 1 where one is all there is or `wanted` does not divide `count`: few different kernels. */
export function fit(wanted: number, most: number, count = wanted): number {
  return most <= 1 || count % wanted !== 0 ? 1 : wanted;
}
