// What only training graphs have: losses, and gradients that no other nodes make up.

import type { CrossEntropy, CrossEntropyGrad, GatherGrad } from "../../graph/learning.ts";
import { fl } from "../../tensor/rounding.ts";
import { sizeOf, stridesOf } from "../../tensor/tensor.ts";
import { isDense, padFront } from "../layout.ts";
import { workgroups, type Lowering, type Placed } from "./context.ts";
import { dense } from "./gather.ts";
import { emitReshape, numbered } from "./movement.ts";

/** Logits, or their gradient, as rows that lie one after the other: `placed` itself where its do. */
function asRows(lowering: Lowering, placed: Placed): Placed {
  const { logical } = placed.layout;
  // All but four axes lie in their order.
  if (logical.length !== 4) return placed;
  return lowering.scratch([sizeOf(logical.slice(0, -1)), logical.at(-1) ?? 1]);
}

/** What the loss of logits and its gradient read. */
function crossEntropyOf(lowering: Lowering, node: CrossEntropy | CrossEntropyGrad) {
  const input = lowering.input(node, 0);
  if (input.dtype !== "float32" || input.quant)
    throw lowering.unsupported(node, "logits must be float32");
  const x = asRows(lowering, input);
  if (x !== input) emitReshape(lowering, node, input, x);
  const { last, lastWords: words } = x.layout;
  const count = sizeOf(input.layout.logical.slice(0, -1));
  const { labelSmoothing } = node;
  const uniforms = {
    count,
    words,
    last,
    share: fl(1 - labelSmoothing),
    spread: fl(labelSmoothing / last),
  };
  return { uniforms, buffers: { x: x.ref, labels: dense(lowering, node, 1).ref } };
}

export function lowerCrossEntropy(lowering: Lowering, node: CrossEntropy): void {
  const { uniforms, buffers } = crossEntropyOf(lowering, node);
  const slot = lowering.plan.check({
    op: node.op,
    node: node.name,
    what: "labels",
    least: 0,
    greatest: uniforms.last - 1,
  });
  const final = lowering.output(node);
  const out = isDense(final.layout) ? final : lowering.scratch([uniforms.count]);
  const room = out.layout.words * 4;
  lowering.plan.step("crossEntropyF32", {
    node: node.name,
    uniforms: { ...uniforms, room },
    buffers: { ...buffers, slot, out: out.ref },
    groups: workgroups(room),
  });
  if (out !== final) emitReshape(lowering, node, out, final);
}

export function lowerCrossEntropyGrad(lowering: Lowering, node: CrossEntropyGrad): void {
  const { uniforms, buffers } = crossEntropyOf(lowering, node);
  const final = lowering.output(node);
  const out = asRows(lowering, final);
  lowering.plan.step("crossEntropyGradF32", {
    node: node.name,
    uniforms: { ...uniforms, room: 0 },
    buffers: { ...buffers, gradient: dense(lowering, node, 2).ref, out: out.ref },
    groups: workgroups(uniforms.count),
  });
  if (out !== final) emitReshape(lowering, node, out, final);
}

/** First who reads each row of the table, then whom it is read by next; then an invocation adds along the chain. */
export function lowerGatherGrad(lowering: Lowering, node: GatherGrad): void {
  const out = lowering.output(node);
  const { layout } = out;
  const picked = sizeOf(lowering.shape(lowering.inputName(node, 1)));
  const { axis, size } = node;
  const chains = lowering.scratch([size + picked], { dtype: "int32" });
  lowering.plan.step("gatherChains", {
    node: node.name,
    uniforms: { size, picked },
    buffers: { indices: dense(lowering, node, 1).ref, out: chains.ref },
    groups: workgroups(size + picked),
  });
  const weights = stridesOf(layout.logical);
  const { dim0: _dim, ...dims } = numbered("dim", padFront(layout.physical, 6, 1));
  const weight = layout.order.map((each) => weights[each] ?? 0);
  lowering.plan.step("gatherGradF32", {
    node: node.name,
    uniforms: {
      count: layout.words,
      last: layout.last,
      picked,
      size,
      inner: sizeOf(layout.logical.slice(axis + 1)),
      ...dims,
      ...numbered("weight", padFront(weight, 6, 0)),
    },
    buffers: { gradient: dense(lowering, node, 0).ref, chains: chains.ref, out: out.ref },
    groups: workgroups(layout.words),
  });
}
