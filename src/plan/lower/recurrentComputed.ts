// W, R and biases of a recurrent node that a run computes or learns: dispatches bring them into the order that its
// kernels read, where constants are packed by the host.

import { elementStrides } from "../layout.ts";
import type { Ref } from "../builder.ts";
import { workgroups, type Lowering, type Placed } from "./context.ts";
import type { FilterSource } from "./packing.ts";
import type { Cell } from "./recurrentWeights.ts";

const shared = ({ gates, units, words, node }: Cell, bias: Placed | undefined) => ({
  gates,
  units,
  words,
  biasStride: bias ? (elementStrides(bias.layout)[0] ?? 0) : 0,
  keeps: bias && node.op === "GRU" && node.linearBeforeReset ? 1 : 0,
});

/** W as rows of whole words a gate; what follows a gate's units is a number that nobody uses. */
export function inputSource({ units, words }: Cell, { ref, layout }: Placed): FilterSource {
  const row = layout.lastWords * 4;
  const strides = { group: units * row, out: row, input: 1, row: 0, column: 0, base: 0 };
  return { ref, outsPerGroup: words * 4, perGroup: layout.last, kernelWidth: 1, alpha: 1, strides };
}

/** What W · x takes of the biases: (D, G, words). */
export function computedBias(lowering: Lowering, cell: Cell, bias: Placed): Placed {
  const { node, directions, gates, words } = cell;
  const out = lowering.scratch([directions * gates * words * 4]);
  const count = out.layout.words;
  lowering.plan.step("recurrentBiasF32", {
    node: node.name,
    uniforms: { count, ...shared(cell, bias) },
    buffers: { x: bias.ref, out: out.ref },
    groups: workgroups(count),
  });
  return out;
}

/** R, and the bias that a GRU keeps with it, behind `extras` matrices. */
export function computedWeights(
  lowering: Lowering,
  cell: Cell,
  bias: Placed | undefined,
  extras: number,
): Ref {
  const { node, directions, words } = cell;
  const count = (extras + directions * words) * 4;
  const out = lowering.plan.tensor(count * 16);
  lowering.plan.step("recurrentWeightsF32", {
    node: node.name,
    uniforms: { count, extras, ...shared(cell, bias) },
    buffers: {
      x: lowering.input(node, 2).ref,
      bias: bias?.ref ?? lowering.plan.constant(new Float32Array(4)),
      out,
    },
    groups: workgroups(count),
  });
  return out;
}
