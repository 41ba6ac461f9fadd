// State slots, as the kernels leave them, read into batch statistics. The slot's words are described
// in plan/lower/observe.ts.

import type { Observe } from "./graph/node.ts";
import { SLOT_HEAD } from "./plan/lower/observe.ts";
import type { BatchStatistics } from "./quantize/observers.ts";

/** The f32 whose bits the kernels mapped to an ordered u32, and back (shaders/lib/ordered.wgsl). */
const word = new Uint32Array(1);
const real = new Float32Array(word.buffer);

export function fromOrdered(ordered: number): number {
  word[0] = ordered ^ (ordered >>> 31 === 1 ? 0x80000000 : 0xffffffff);
  return real[0] ?? 0;
}

export function toOrdered(value: number): number {
  real[0] = value + 0; // −0 is 0
  const bits = value === 0 ? 0 : (word[0] ?? 0);
  return (bits ^ (bits >>> 31 === 1 ? 0xffffffff : 0x80000000)) >>> 0;
}

/** What one batch left in the slot of `node`: undefined for an empty tensor, "non-finite" where a value was
 *  NaN or infinite. `shape` is that of the observed value in this batch. */
export function readSlot(
  node: Observe,
  shape: readonly number[],
  bytes: ArrayBuffer,
): BatchStatistics | "non-finite" | undefined {
  const slot = new Uint32Array(bytes);
  const [greatest = 0, least = 0, nonFinite = 0, , high = 0, low = 0] = slot;
  if (nonFinite > 0) return "non-finite";
  const { observer } = node;
  if (observer.kind === "perChannelMinMax" || observer.kind === "movingAveragePerChannelMinMax") {
    const channels = shape[observer.axis] ?? 0;
    const column = (part: 0 | 1) =>
      Float32Array.from({ length: channels }, (_, c) =>
        fromOrdered(slot[SLOT_HEAD + 2 * c + part] ?? 0),
      );
    return shape.includes(0) ? undefined : { min: column(0), max: column(1) };
  }
  if (greatest === 0) return undefined; // nothing seen: no finite value is that
  const [min, max] = [fromOrdered(~least), fromOrdered(greatest)];
  if (observer.kind !== "histogram")
    return { min: Float32Array.of(min), max: Float32Array.of(max) };
  const bins = observer.bins ?? 2048;
  return {
    min,
    max,
    low: fromOrdered(~low),
    high: fromOrdered(high),
    counts: slot.slice(SLOT_HEAD, SLOT_HEAD + bins),
  };
}

/** Bytes offset and words of the slot's running range, to carry it from one program to another. */
export function runningRange(min: number, max: number): { offset: number; data: Uint32Array } {
  return { offset: 4 * 4, data: Uint32Array.of(toOrdered(max), ~toOrdered(min)) };
}
