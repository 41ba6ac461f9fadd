// Sink nodes: statistics stay on the GPU in slots of fixed size, however many batches run. A slot is
// a head of eight words, then bins or channels. Least and greatest are ordered u32 (shaders/lib/ordered.wgsl)
// or its complement, so that 0 is the start of every atomicMax:
//   0 greatest, 1 ~least of this batch · 2 1 where a value was not finite · 3 unused ·
//   4 greatest, 5 ~least of all batches · 6, 7 unused

import type { Compare, Observe } from "../../graph/node.ts";
import type { Ref } from "../builder.ts";
import type { Target } from "../target.ts";
import type { Lowering, Placed } from "./context.ts";

/** Words of a slot's head. */
export const SLOT_HEAD = 8;

/** Workgroups that stride through a tensor of `words`: enough to fill a GPU, each with enough to do to
 *  be worth its own bins (2,048 to clear and to add up). */
function stridingGroups(words: number): number {
  return Math.min(64, Math.ceil(words / 16384));
}

/** Of observe_histogram_private_f32.wgsl: invocations of a workgroup, words that one may look at, and the bins that
 *  its memory holds. */
const ALONE = { invocations: 4, words: 16383, bins: 4092 } as const;

/** The kernel that counts `bins` in a tensor of `words`, its overrides and its workgroups. Software adapters run two
 *  or so at a time, and an invocation's own bins cost as much as counting 3,000 words: as few workgroups as share the
 *  work evenly. */
function counting(words: number, bins: number, { software }: Target) {
  if (!software || bins > ALONE.bins)
    return { shader: "observeHistogramF32", overrides: {}, groups: stridingGroups(words) } as const;
  const least = words / (ALONE.invocations * ALONE.words);
  return {
    shader: "observeHistogramPrivateF32",
    overrides: { PAIRS: Math.ceil(bins / 2) },
    groups: words === 0 ? 0 : 2 ** Math.max(1, Math.ceil(Math.log2(least))),
  } as const;
}

export const HISTOGRAM_BINS = 2048;

function isPerChannel({ observer: { kind } }: Observe): boolean {
  return kind === "perChannelMinMax" || kind === "movingAveragePerChannelMinMax";
}

function binsOf({ observer }: Observe): number {
  return observer.kind === "histogram" ? (observer.bins ?? HISTOGRAM_BINS) : 0;
}

/** The slot of an observer of `x`. Every run starts it afresh, but for the range of all batches. */
function slotOf(lowering: Lowering, node: Observe, x: Placed): Ref {
  const bins = binsOf(node);
  const words = SLOT_HEAD + (isPerChannel(node) ? x.layout.lastWords * 8 : bins);
  const cleared = [
    [0, 16],
    [SLOT_HEAD * 4, bins * 4],
  ] as const;
  const slot = { node: node.name, value: x.name, shape: x.layout.logical, cleared };
  return lowering.plan.state(slot, new Uint32Array(words));
}

/** The slot in which the producer of `out` keeps its range, where a single observer of one range watches it:
 *  the observer then finds it there. */
export function takeRange(lowering: Lowering, out: Placed): Ref | undefined {
  const observers = lowering.readers(out.name).filter((node) => node.op === "Observe");
  const [observer] = observers;
  if (!observer || observers.length > 1 || isPerChannel(observer)) return undefined;
  const slot = slotOf(lowering, observer, out);
  lowering.ranges.set(observer, slot);
  return slot;
}

export function lowerObserve(lowering: Lowering, node: Observe): void {
  const x = lowering.input(node, 0);
  if (x.quant) throw lowering.unsupported(node, "only float values are observed");
  const { plan } = lowering;
  const { layout } = x;
  const taken = lowering.ranges.get(node);
  const slot = taken ?? slotOf(lowering, node, x);
  const buffers = { x: x.ref, slot };
  if (isPerChannel(node)) {
    const { observer } = node;
    if (!("axis" in observer) || layout.order.at(-1) !== observer.axis) {
      const axis = "axis" in observer ? observer.axis : undefined;
      throw lowering.unsupported(
        node,
        `per-channel observers watch the channel axis; got axis ${axis}`,
      );
    }
    plan.step("observeChannelsF32", {
      node: node.name,
      uniforms: { rows: layout.words / Math.max(1, layout.lastWords), words: layout.lastWords },
      buffers,
      groups: layout.words === 0 ? 0 : layout.lastWords,
    });
    return;
  }
  const uniforms = { count: layout.words, words: layout.lastWords, last: layout.last };
  const groups = stridingGroups(layout.words);
  const PADDED = layout.last % 4 === 0 ? 0 : 1;
  const common = { node: node.name, uniforms, buffers, groups };
  if (!taken) plan.step("observeMinmaxF32", { ...common, overrides: { PADDED } });
  const bins = binsOf(node);
  if (bins > 0) {
    const { shader, overrides, groups: own } = counting(layout.words, bins, lowering.target);
    const all = { PADDED, BINS: bins, ...overrides };
    plan.step(shader, { ...common, overrides: all, groups: own });
  }
}

export function lowerCompare(lowering: Lowering, node: Compare): void {
  const x = lowering.input(node, 0);
  const y = lowering.input(node, 1);
  if (x.quant || y.quant) throw lowering.unsupported(node, "only float values are compared");
  const { layout } = x;
  const groups = stridingGroups(layout.words);
  const slot = lowering.plan.state(
    { node: node.name, value: x.name, shape: layout.logical },
    new Float32Array(Math.max(1, groups) * 2),
  );
  lowering.plan.step("compareF32", {
    node: node.name,
    uniforms: { count: layout.words, words: layout.lastWords, last: layout.last },
    buffers: { x: x.ref, y: y.ref, slot },
    groups,
  });
}
