// The ways between float and bytes. Parameters per tensor are uniforms of one dispatch; per slice of an axis,
// which no kernel has, they are operands of element-wise ops around the per-tensor ones: every step in
// between is exact.

import type { NodeOf } from "../../graph/node.ts";
import { rangeOf, type QParams } from "../../graph/value.ts";
import { fl } from "../../tensor/rounding.ts";
import { layoutOf, packLayout } from "../layout.ts";
import { quantizeUniforms, shiftOf, workgroups, type Lowering, type Placed } from "./context.ts";
import { emitBinary } from "./elementwise.ts";
import { emitFakeQuantize, wholeSteps } from "./fakeQuantize.ts";

type Quantizer = NodeOf<"Quantize" | "Dequantize">;

/** One number per slice of the axis of `quant`, as an operand that broadcasts to `like`. */
function perSlice(lowering: Lowering, like: Placed, quant: QParams, values: ArrayLike<number>) {
  const shape = like.layout.logical.map((_, axis) => (axis === quant.axis ? values.length : 1));
  const layout = layoutOf(shape);
  const ref = lowering.plan.constant(packLayout(layout, values, "float32"));
  return { name: "", ref, layout, dtype: "float32", quant: undefined } as const;
}

export function lowerQuantize(lowering: Lowering, node: NodeOf<"Quantize">): void {
  const x = lowering.input(node, 0);
  const out = lowering.output(node);
  const { quant } = out;
  if (!quant || quant.axis === undefined) {
    emitQuantize(lowering, node, x, out, quantizeUniforms(lowering, node, out));
    return;
  }
  // rint(fl(x · r)), then + z, then the clamp: whole numbers below 2²⁴ all the way.
  const [scaled, whole, moved] = [0, 1, 2].map(() => lowering.scratch(x.layout.logical)) as [
    Placed,
    Placed,
    Placed,
  ];
  const reciprocals = quant.scale.map((scale) => fl(1 / scale));
  emitBinary(lowering, node, "Mul", x, perSlice(lowering, x, quant, reciprocals), scaled, {});
  emitFakeQuantize(lowering, node, scaled, whole, wholeSteps(lowering, 1024));
  emitBinary(
    lowering,
    node,
    "Add",
    whole,
    perSlice(lowering, x, quant, quant.zeroPoint),
    moved,
    {},
  );
  const shift = shiftOf(out);
  const [qmin, qmax] = rangeOf(quant);
  emitQuantize(lowering, node, moved, out, {
    reciprocal: 1,
    zeroPoint: -shift,
    low: qmin - shift,
    high: qmax - shift,
  });
}

function emitQuantize(
  lowering: Lowering,
  node: Quantizer,
  x: Placed,
  out: Placed,
  uniforms: ReturnType<typeof quantizeUniforms>,
): void {
  const count = out.layout.words;
  lowering.plan.step("quantizeF32", {
    node: node.name,
    uniforms: { count, ...uniforms },
    buffers: { x: x.ref, out: out.ref },
    groups: workgroups(count),
  });
}

export function lowerDequantize(lowering: Lowering, node: NodeOf<"Dequantize">): void {
  const x = lowering.input(node, 0);
  const out = lowering.output(node);
  const { quant } = x;
  if (!quant || quant.axis === undefined) {
    const { scale, zeroPoint } = lowering.stored(node, x);
    emitDequantize(lowering, node, x, out, scale, zeroPoint);
    return;
  }
  const [codes, moved] = [0, 1].map(() => lowering.scratch(x.layout.logical)) as [Placed, Placed];
  emitDequantize(lowering, node, x, codes, 1, -shiftOf(x));
  emitBinary(
    lowering,
    node,
    "Sub",
    codes,
    perSlice(lowering, x, quant, quant.zeroPoint),
    moved,
    {},
  );
  emitBinary(lowering, node, "Mul", moved, perSlice(lowering, x, quant, quant.scale), out, {});
}

/** out = fl(f32(q − zeroPoint) · scale), of stored bytes. */
export function emitDequantize(
  lowering: Lowering,
  node: { readonly name: string },
  x: Placed,
  out: Placed,
  scale: number,
  zeroPoint: number,
): void {
  const count = x.layout.words;
  lowering.plan.step("dequantizeI8", {
    node: node.name,
    uniforms: { count, scale, zeroPoint },
    buffers: { x: x.ref, out: out.ref },
    groups: workgroups(count),
  });
}
