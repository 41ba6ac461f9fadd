// Gather: picks slices along an axis by indices that are known only on the device. One that is out of range
// is clamped, so that the kernel reads what it may, and the run then fails with its node and value.

import type { Gather } from "../../graph/node.ts";
import { sizeOf, stridesOf } from "../../tensor/tensor.ts";
import { isDense, layoutOf, padFront } from "../layout.ts";
import { isBytes, workgroups, type Lowering, type Placed } from "./context.ts";
import { emitReshape, numbered } from "./movement.ts";

export function lowerGather(lowering: Lowering, node: Gather): void {
  const shape = lowering.shape(lowering.inputName(node, 0));
  const indices = lowering.input(node, 1);
  if (indices.dtype !== "int32" && indices.dtype !== "int64") {
    throw lowering.unsupported(node, `indices must be int32 or int64; got ${indices.dtype}`);
  }
  if (!lowering.isPerTensor(lowering.inputName(node, 0))) {
    throw lowering.unsupported(node, "data quantized per slice of an axis");
  }
  const size = shape[node.axis] ?? 1;
  const x = dense(lowering, node, 0);
  const out = lowering.output(node);
  const { layout } = out;
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
  lowering.plan.step(isBytes(out) ? "gatherI8" : "gather32", {
    node: node.name,
    uniforms: {
      count: layout.words,
      last: layout.last,
      picked: sizeOf(indices.layout.logical),
      size,
      inner: sizeOf(shape.slice(node.axis + 1)),
      ...dims,
      ...numbered("weight", padFront(weight, 6, 0)),
    },
    buffers: { x: x.ref, indices: dense(lowering, node, 1).ref, slot, out: out.ref },
    groups: workgroups(layout.words),
  });
}

/** Input `index` as a dense row-major array. A constant that no other node reads is packed so at once. */
function dense(lowering: Lowering, node: Gather, index: number): Placed {
  const name = lowering.inputName(node, index);
  const constant = lowering.constant(name);
  const shape = [sizeOf(lowering.shape(name))];
  if (constant && lowering.placed(name) === undefined && !isDense(layoutOf(constant.shape))) {
    return lowering.constantAs(name, { ...constant, shape });
  }
  const x = lowering.input(node, index);
  if (isDense(x.layout)) return x;
  const flat = lowering.scratch(shape, x);
  emitReshape(lowering, node, x, flat);
  return flat;
}
