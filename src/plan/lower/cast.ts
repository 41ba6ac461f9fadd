// Cast: stored elements of another type. What an element stands for does not count, so a quantized value
// becomes its integers, and bytes get parameters, without a dispatch.

import type { NodeOf } from "../../graph/node.ts";
import { isBytes, shiftOf, workgroups, type Lowering, type Placed } from "./context.ts";
import { emitDequantize } from "./quantization.ts";

export function lowerCast(lowering: Lowering, node: NodeOf<"Cast">): void {
  const x = lowering.input(node, 0);
  const name = node.outputs[0] ?? "";
  const { dtype } = lowering.type(name);
  if (x.dtype === dtype) {
    lowering.place(name, x.ref);
    return;
  }
  if (isBytes({ dtype })) {
    throw lowering.unsupported(node, `casting ${x.dtype} to ${dtype} is not supported`);
  }
  const out = lowering.output(node);
  if (!isBytes(x)) return emitCast32(lowering, node, x, out);
  // Every byte is a float exactly.
  const float = dtype === "float32" ? out : lowering.scratch(x.layout.logical);
  emitDequantize(lowering, node, x, float, 1, -shiftOf(x));
  if (float !== out) emitCast32(lowering, node, float, out);
}

function emitCast32(lowering: Lowering, node: NodeOf<"Cast">, x: Placed, out: Placed): void {
  const count = out.layout.words;
  lowering.plan.step("cast32", {
    node: node.name,
    overrides: { TO_FLOAT: out.dtype === "float32" ? 1 : 0 },
    uniforms: { count },
    buffers: { x: x.ref, out: out.ref },
    groups: workgroups(count),
  });
}
