// Fused activations as data. A bound is one number, or one for each output channel, as cross-layer
// equalization makes them; a list of equal numbers is that number, so there is one spelling of each clamp.

import type { Bound, ChannelClamp, Clamp, Node } from "./node.ts";
import { nodeError } from "./nodeError.ts";

/** Whether `clamp` has a bound that differs by channel. */
export function isPerChannel({ low, high }: ChannelClamp): boolean {
  return typeof low === "object" || typeof high === "object";
}

/** `clamp` where it holds for all channels, else undefined. */
export function uniformClamp(clamp: ChannelClamp): Clamp | undefined {
  return isPerChannel(clamp) ? undefined : clampOf(clamp as Clamp);
}

/** Bounds as ONNX and PyTorch take them: with low > high everything becomes high. Clamps of a graph have theirs in
 *  order. */
export function orderedClamp(low: number, high: number): Required<Clamp> {
  return { low: Math.min(low, high), high };
}

/** The bounds alone, absent where there are none. */
export function clampOf<C extends ChannelClamp>({ low, high }: C): Pick<C, "low" | "high"> {
  const bounds = {
    ...(low === undefined ? {} : { low }),
    ...(high === undefined ? {} : { high }),
  };
  return bounds as Pick<C, "low" | "high">;
}

/** Throws InputError where a lower bound of `node` is above the upper one, or one is NaN: ONNX gives the upper bound then
 *  and WGSL leaves it open, so whoever reads a file decides, and no kernel sees one. */
export function checkClamp(node: Node): void {
  if (!("low" in node || "high" in node)) return;
  const { low = -Infinity, high = Infinity } = node as ChannelClamp;
  if (typeof low === "number" && typeof high === "number" && low <= high) return;
  const lengths = [low, high].flatMap((bound) => (typeof bound === "object" ? [bound.length] : []));
  const channels = lengths[0] ?? 1;
  for (let channel = 0; channel < channels; channel++) {
    const [least = NaN, greatest = NaN] = [boundAt(low, channel), boundAt(high, channel)];
    if (least <= greatest) continue;
    const place = channels > 1 ? ` in channel ${channel}` : "";
    const got = `low=${least}, high=${greatest}${place}`;
    throw nodeError(node, "low must be at most high", got, "Swap them, or leave one out.");
  }
}

/** The bound of one channel. */
export function boundAt(bound: Bound | undefined, channel: number): number | undefined {
  if (typeof bound !== "object") return bound;
  const own = bound[channel];
  if (own === undefined)
    throw new Error(`clamp: no bound for channel ${channel} of ${bound.length}; please report.`);
  return own;
}

/** The clamp of one channel. */
export function channelClamp({ low, high }: ChannelClamp, channel: number): Clamp {
  const [least, greatest] = [boundAt(low, channel), boundAt(high, channel)];
  return {
    ...(least === undefined ? {} : { low: least }),
    ...(greatest === undefined ? {} : { high: greatest }),
  };
}

/** `bounds` in their one spelling: absent where all are open. */
function spelled(bounds: readonly number[]): Bound | undefined {
  const [first = 0] = bounds;
  if (bounds.some((bound) => bound !== first)) return bounds;
  return Number.isFinite(first) ? first : undefined;
}

/** A clamp from the bounds of each of `channels` channels. */
export function clampPerChannel(
  channels: number,
  boundsOf: (channel: number) => readonly [low: number, high: number],
): ChannelClamp {
  const pairs = Array.from({ length: channels }, (_, channel) => boundsOf(channel));
  const low = spelled(pairs.map(([least]) => least));
  const high = spelled(pairs.map(([, greatest]) => greatest));
  return clampOf({
    ...(low === undefined ? {} : { low }),
    ...(high === undefined ? {} : { high }),
  });
}

/** Both clamps, one after the other: clamp(clamp(x, first), second). */
export function joinClamps(first: ChannelClamp, second: ChannelClamp): ChannelClamp {
  const bounds = [first.low, first.high, second.low, second.high];
  const channels = bounds.find((bound) => typeof bound === "object")?.length ?? 1;
  return clampPerChannel(channels, (channel) => {
    const bound = (x: number) =>
      Math.min(
        boundAt(second.high, channel) ?? Infinity,
        Math.max(boundAt(second.low, channel) ?? -Infinity, x),
      );
    return [
      bound(boundAt(first.low, channel) ?? -Infinity),
      bound(boundAt(first.high, channel) ?? Infinity),
    ];
  });
}
