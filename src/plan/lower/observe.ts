// Sink nodes: statistics stay on the GPU in slots of fixed size, however many batches run. A slot is
// a head of eight words, then bins or channels:
//   0 least, 1 greatest (this batch, as ordered u32) · 2 count of non-finite values · 3 index of the
//   first · 4 least, 5 greatest of all batches · 6, 7 unused

import type { Compare, Observe } from "../../graph/node.ts";
import type { Lowering } from "./context.ts";

/** Words of a slot's head. */
export const SLOT_HEAD = 8;

/** Workgroups that stride through a tensor of `words`: enough to fill a GPU, each with enough to do to
 *  be worth its own bins (2,048 to clear and to add up). */
function stridingGroups(words: number): number {
  return Math.min(64, Math.ceil(words / 4096));
}

export const HISTOGRAM_BINS = 2048;

export function lowerObserve(lowering: Lowering, node: Observe): void {
  const x = lowering.input(node, 0);
  if (x.quant) throw lowering.unsupported(node, "only float values are observed");
  const { plan } = lowering;
  const { observer } = node;
  const { layout } = x;
  const head = [0xffffffff, 0, 0, 0xffffffff, 0xffffffff, 0, 0, 0];
  const perChannel =
    observer.kind === "perChannelMinMax" || observer.kind === "movingAveragePerChannelMinMax";
  const bins = observer.kind === "histogram" ? (observer.bins ?? HISTOGRAM_BINS) : 0;
  const data = new Uint32Array(SLOT_HEAD + (perChannel ? layout.lastWords * 8 : bins));
  data.set(head);
  const slot = plan.state({ node: node.name, value: x.name, shape: layout.logical }, data);
  plan.step("observeReset", { node: node.name, uniforms: { bins }, buffers: { slot }, groups: 1 });
  if (perChannel) {
    if (layout.order.at(-1) !== observer.axis) {
      throw lowering.unsupported(
        node,
        `per-channel observers watch the channel axis; got axis ${observer.axis}`,
      );
    }
    lowering.plan.step("observeChannelsF32", {
      node: node.name,
      uniforms: { rows: layout.words / Math.max(1, layout.lastWords), words: layout.lastWords },
      buffers: { x: x.ref, slot },
      groups: layout.words === 0 ? 0 : layout.lastWords,
    });
    return;
  }
  const uniforms = { count: layout.words, words: layout.lastWords, last: layout.last };
  const groups = stridingGroups(layout.words);
  const buffers = { x: x.ref, slot };
  plan.step("observeMinmaxF32", { node: node.name, uniforms, buffers, groups });
  if (bins > 0) {
    plan.step("observeHistogramF32", {
      node: node.name,
      overrides: { BINS: bins },
      uniforms,
      buffers,
      groups,
    });
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
