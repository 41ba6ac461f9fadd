// Cast: stored elements of another type. What an element stands for does not count, so a quantized value
// becomes its integers, and bytes get parameters, without a dispatch. int32, int64 and bool lie alike.

import type { Node, NodeOf } from "../../graph/node.ts";
import type { DType } from "../../tensor/dtype.ts";
import { isBytes, shiftOf, workgroups, type Lowering, type Placed } from "./context.ts";
import { emitDequantize } from "./quantization.ts";

export function lowerCast(lowering: Lowering, node: NodeOf<"Cast">): void {
  const x = lowering.input(node, 0);
  const name = node.outputs[0] ?? "";
  const { dtype } = lowering.type(name);
  if (x.dtype === dtype || (isWord(x.dtype) && isWord(dtype) && dtype !== "bool")) {
    lowering.place(name, x.ref);
    return;
  }
  const out = lowering.output(node);
  if (isBytes(out)) {
    const wide = isBytes(x) ? emitWiden(lowering, node, x) : truncated(lowering, node, x);
    return emitNarrow(lowering, node, wide, out, x.dtype === "float32");
  }
  if (!isBytes(x)) return emitCast32(lowering, node, x, out);
  // Every byte is a float exactly.
  if (dtype === "float32") return emitBytesToFloat(lowering, node, x, out);
  const float = lowering.scratch(x.layout.logical);
  emitBytesToFloat(lowering, node, x, float);
  emitCast32(lowering, node, float, out);
}

function isWord(dtype: DType): boolean {
  return dtype === "int32" || dtype === "int64" || dtype === "bool";
}

/** Floats as int32 toward zero; words as they are. */
function truncated(lowering: Lowering, node: Node, x: Placed): Placed {
  if (x.dtype !== "float32") return x;
  const out = lowering.scratch(x.layout.logical, { dtype: "int32" });
  emitCast32(lowering, node, x, out);
  return out;
}

function emitBytesToFloat(lowering: Lowering, node: Node, x: Placed, out: Placed): void {
  emitDequantize(lowering, node, x, out, 1, -shiftOf(x));
}

/** Bytes as int32. */
export function emitWiden(lowering: Lowering, node: Node, x: Placed): Placed {
  const float = lowering.scratch(x.layout.logical);
  emitBytesToFloat(lowering, node, x, float);
  return truncated(lowering, node, float);
}

/** int32 as bytes, modulo 2⁸ or saturating. */
export function emitNarrow(
  lowering: Lowering,
  node: Node,
  x: Placed,
  out: Placed,
  saturate: boolean,
): void {
  const count = out.layout.words;
  lowering.plan.step("narrowI8", {
    node: node.name,
    overrides: { SATURATE: saturate ? 1 : 0, SIGNED: out.dtype === "int8" ? 1 : 0 },
    uniforms: { count },
    buffers: { x: x.ref, out: out.ref },
    groups: workgroups(count),
  });
}

function emitCast32(lowering: Lowering, node: Node, x: Placed, out: Placed): void {
  const count = out.layout.words;
  const to = out.dtype === "float32" ? 0 : out.dtype === "bool" ? 2 : 1;
  lowering.plan.step("cast32", {
    node: node.name,
    overrides: { FROM_FLOAT: x.dtype === "float32" ? 1 : 0, TO: to },
    uniforms: { count },
    buffers: { x: x.ref, out: out.ref },
    groups: workgroups(count),
  });
}
