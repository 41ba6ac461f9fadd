// Gather: picks slices along an axis by indices that are known only on the device. One that is out of range
// is clamped, so that the kernel reads what it may, and the run then fails with its node and value.

import type { Gather, Node } from "../../graph/node.ts";
import { storedWeight, whyNotStored } from "../../graph/weightOnly.ts";
import { sizeOf, stridesOf } from "../../tensor/tensor.ts";
import { isDense, layoutOf, padFront } from "../layout.ts";
import { isBytes, workgroups, type Lowering, type Placed } from "./context.ts";
import { packTable } from "./weights.ts";
import { emitReshape, numbered } from "./movement.ts";

export function lowerGather(lowering: Lowering, node: Gather): void {
  const weight = storedWeight(node, (name) => lowering.graph.values.get(name));
  const indices = lowering.input(node, 1);
  if (indices.dtype !== "int32" && indices.dtype !== "int64") {
    throw lowering.unsupported(node, `indices must be int32 or int64; got ${indices.dtype}`);
  }
  if (weight) return lowerEmbedding(lowering, node, weight.name);
  if (!lowering.isPerTensor(lowering.inputName(node, 0))) {
    throw lowering.unsupported(node, "data quantized per slice of an axis");
  }
  const x = dense(lowering, node, 0);
  const out = lowering.output(node);
  const { step, buffers } = picking(lowering, node, out);
  lowering.plan.step(isBytes(out) ? "gatherI8" : "gather32", {
    ...step,
    buffers: { ...buffers, x: x.ref },
  });
}

/** What every form of Gather has: where an element of `out` comes from. */
function picking(lowering: Lowering, node: Gather, out: Placed) {
  const { layout } = out;
  const shape = lowering.shape(lowering.inputName(node, 0));
  const size = shape[node.axis] ?? 1;
  const weights = stridesOf(layout.logical);
  const { dim0: _dim, ...dims } = numbered("dim", padFront(layout.physical, 6, 1));
  const weight = layout.order.map((axis) => weights[axis] ?? 0);
  const slot = lowering.plan.check({
    op: node.op,
    node: node.name,
    what: "indices",
    least: -size,
    greatest: size - 1,
  });
  const uniforms = {
    count: layout.words,
    last: layout.last,
    picked: sizeOf(lowering.shape(lowering.inputName(node, 1))),
    size,
    inner: sizeOf(shape.slice(node.axis + 1)),
    ...dims,
    ...numbered("weight", padFront(weight, 6, 0)),
  };
  return {
    step: { node: node.name, uniforms, groups: workgroups(layout.words) },
    buffers: { indices: dense(lowering, node, 1).ref, slot, out: out.ref },
  };
}

/** Rows of a table in few bits: only those that are picked become float. */
function lowerEmbedding(lowering: Lowering, node: Gather, name: string): void {
  const table = lowering.constant(name);
  const quant = lowering.quant(name);
  const problem = table
    ? whyNotStored(node, table.shape, quant)
    : `table "${name}" must be a constant`;
  if (!table || problem !== undefined) throw lowering.unsupported(node, problem ?? "no table");
  const packed = lowering.memo(node, "embedding", () => packTable(table, quant));
  const { step, buffers } = picking(lowering, node, lowering.output(node));
  lowering.plan.step("gatherWeights", {
    ...step,
    overrides: { BITS: packed.bits },
    uniforms: { ...step.uniforms, blockSize: packed.blockSize, blocks: packed.blocks },
    buffers: {
      ...buffers,
      x: lowering.packed(node, "codes", () => packed.codes),
      scales: lowering.packed(node, "scales", () => packed.scales),
    },
  });
}

/** Input `index` as a dense row-major array. A constant that no other node reads is packed so at once. */
export function dense(lowering: Lowering, node: Node, index: number): Placed {
  const name = lowering.inputName(node, index);
  const constant = lowering.constant(name);
  const shape = [sizeOf(lowering.shape(name))];
  if (constant && lowering.placed(name) === undefined && !isDense(layoutOf(constant.shape))) {
    return lowering.constantAs(name, { ...constant, shape });
  }
  const x = lowering.input(node, index);
  if (lowering.choices.always((shapeOf) => isDense(layoutOf(shapeOf(name))))) return x;
  const flat = lowering.scratch(shape, x);
  emitReshape(lowering, node, x, flat);
  return flat;
}
