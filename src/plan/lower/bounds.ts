// The bounds of a product's results as its kernel reads them: two uniforms, or, where they differ by channel,
// lows and then highs behind the constants that it reads a word of anyway (lib/bounds_*.wgsl).

import { channelClamp, uniformClamp } from "../../graph/clamp.ts";
import type { ChannelClamp, Clamp } from "../../graph/node.ts";
import type { QParams } from "../../graph/value.ts";
import { floatBounds, storedBounds } from "./context.ts";
import { padWords } from "./filters.ts";

/** Overrides of a kernel with bounds that differ; none otherwise, so that others stay as they are. */
export type BoundsOverrides = { readonly CHANNEL_BOUNDS?: 1 };

export interface ProductBounds {
  readonly uniforms: { readonly low: number; readonly high: number };
  readonly overrides: BoundsOverrides;
  /** (2, output words · 4), f32: lows and highs; empty where the uniforms hold for all channels. */
  readonly words: Float32Array;
}

function productBounds(
  clamp: ChannelClamp,
  outs: number,
  boundsOf: (clamp: Clamp) => { low: number; high: number },
  offset: number,
): ProductBounds {
  const uniform = uniformClamp(clamp);
  if (uniform) return { uniforms: boundsOf(uniform), overrides: {}, words: new Float32Array() };
  const channels = Array.from({ length: outs }, (_, channel) => {
    return boundsOf(channelClamp(clamp, channel));
  });
  const rows = [channels.map(({ low }) => low), channels.map(({ high }) => high)];
  const words = rows.flatMap((row) => [
    ...padWords(
      row.map((bound) => bound - offset),
      (length) => new Float32Array(length),
    ),
  ]);
  return {
    uniforms: { low: 0, high: 0 },
    overrides: { CHANNEL_BOUNDS: 1 },
    words: Float32Array.from(words),
  };
}

/** Bounds of a float product of `outs` channels. */
export function floatProductBounds(clamp: ChannelClamp, outs: number): ProductBounds {
  return productBounds(clamp, outs, floatBounds, 0);
}

/** Bounds of an integer product, those of channels less the stored zero point. */
export function storedProductBounds(
  clamp: ChannelClamp,
  outs: number,
  quant: QParams,
  zeroPoint: number,
): ProductBounds {
  return productBounds(clamp, outs, (bounds) => storedBounds(bounds, quant), zeroPoint);
}

/** `constants`, with the words of `bounds` behind them. */
export function withBounds(constants: Float32Array, { words }: ProductBounds): Float32Array {
  return words.length === 0 ? constants : Float32Array.from([...constants, ...words]);
}
