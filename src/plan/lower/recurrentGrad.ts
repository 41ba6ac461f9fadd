// LSTM and GRU walked back, one direction: a workgroup for each slice of the batch, all steps in a dispatch
// unless there are very many. An LSTM's cells are found again first, in a dispatch of their own.

import type { GRUGrad, LSTMGrad } from "../../graph/learning.ts";
import { layoutOf } from "../layout.ts";
import { workgroups, type Lowering, type Placed } from "./context.ts";
import { emitReshape } from "./movement.ts";
import { LONGEST_WALK, WORKGROUP_VECTORS } from "./recurrent.ts";

/** Workgroups, and words of a state that there is room for: few, so that few pipelines serve all sizes. */
const WORKGROUPS = [
  { WORKGROUP: 4, ROOM: 16 },
  { WORKGROUP: 16, ROOM: 16 },
  { WORKGROUP: 64, ROOM: 64 },
  { WORKGROUP: 256, ROOM: 256 },
] as const;

/** Gradients by parts of H units each, H brought to whole words. */
function inParts(
  lowering: Lowering,
  node: LSTMGrad | GRUGrad,
  sums: Placed,
  units: number,
): Placed {
  const rows = [(sums.layout.words * 4) / units, units];
  if (units % 4 === 0) return { ...sums, layout: layoutOf(rows) };
  const parts = lowering.scratch(rows);
  emitReshape(lowering, node, sums, parts);
  return parts;
}

export function lowerRecurrentGrad(lowering: Lowering, node: LSTMGrad | GRUGrad): void {
  const [x, R, before, dY, dLast] = [0, 1, 2, 3, 4].map((index) => lowering.input(node, index)) as [
    Placed,
    Placed,
    Placed,
    Placed,
    Placed,
  ];
  const [time = 0, batch = 0, units = 0] = dY.layout.logical;
  const words = dY.layout.lastWords;
  const isLstm = node.op === "LSTMGrad";
  const fits = WORKGROUPS.filter(({ ROOM }) => words <= ROOM);
  const overrides = fits.find(({ WORKGROUP }) => words <= 2 * WORKGROUP) ?? fits.at(-1);
  if (!overrides) {
    const most = (WORKGROUPS.at(-1)?.ROOM ?? 0) * 4;
    throw lowering.unsupported(node, `hidden_size ${units} is more than the ${most} trained here`);
  }
  const sums = inParts(lowering, node, x, units);
  const dFirst = lowering.output(node, 1);
  const final = lowering.output(node, 0);
  const out =
    units % 4 === 0 ? final : { ...lowering.scratch(sums.layout.logical), name: final.name };
  const lens = node.inputs.length > 5;
  const lengths = lens
    ? lowering.input(node, 5).ref
    : lowering.plan.constant(Int32Array.of(2 ** 31 - 1));
  const shared = {
    time,
    batch,
    units,
    words,
    reverse: node.reverse ? 1 : 0,
    lengthStride: lens ? 1 : 0,
  };
  let states = before;
  if (isLstm) {
    states = lowering.scratch([time, batch, units]);
    lowering.plan.step("recurrentCellsF32", {
      node: node.name,
      uniforms: { ...shared, first: 0, steps: time, begins: 1 },
      buffers: { sums: sums.ref, cFrom: before.ref, lengths, out: states.ref },
      groups: workgroups(batch * words),
    });
  }
  const room = (isLstm ? 4 : 3) * overrides.ROOM;
  const wanted = lowering.target.software || batch > 32 ? [4, 2, 1] : [1];
  const BATCH = wanted.find((size) => size <= batch && room * size <= WORKGROUP_VECTORS) ?? 1;
  const walk = Math.max(1, Math.ceil(LONGEST_WALK / Math.max(1, 4 * units * units * BATCH)));
  // At least one dispatch, which takes the last state's gradient over.
  for (let done = 0; done === 0 || done < time; done += walk) {
    const uniforms = {
      ...shared,
      first: time - 1 - done,
      steps: Math.min(walk, time - done),
      begins: done === 0 ? 1 : 0,
    };
    const buffers = {
      sums: sums.ref,
      weights: R.ref,
      gradient: dY.ref,
      lengths,
      lastState: dLast.ref,
      hOut: dFirst.ref,
      out: out.ref,
    };
    const step = { node: node.name, overrides: { ...overrides, BATCH }, uniforms };
    const groups = Math.ceil(batch / BATCH);
    if (isLstm) {
      const each = { ...buffers, cells: states.ref };
      lowering.plan.step("lstmGradF32", { ...step, buffers: each, groups });
    } else {
      const each = { ...buffers, hBefore: states.ref };
      lowering.plan.step("gruGradF32", { ...step, buffers: each, groups });
    }
  }
  if (out.ref !== final.ref) emitReshape(lowering, node, out, final);
}
