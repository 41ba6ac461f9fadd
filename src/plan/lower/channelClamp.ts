// Bounds that differ by channel, as dispatches of their own: for products whose kernels know one bound for all,
// because what lies beside their bounds is computed too.

import { boundAt } from "../../graph/clamp.ts";
import type { Bound, ChannelClamp, Node } from "../../graph/node.ts";
import { float32 } from "../../tensor/tensor.ts";
import { elementsOf } from "../../tensor/tensor.ts";
import { layoutOf, packLayout } from "../layout.ts";
import { type Lowering, type Placed } from "./context.ts";
import { emitBinary } from "./elementwise.ts";

/** out = x clamped to the bounds of each channel, axis 1. */
export function emitChannelClamp(
  lowering: Lowering,
  node: Node,
  x: Placed,
  out: Placed,
  { low, high }: ChannelClamp,
): void {
  const { logical } = out.layout;
  const row = (bound: Bound | undefined, open: number): Placed => {
    const shape = logical.map((size, axis) => (axis === 1 ? size : 1));
    const layout = layoutOf(shape);
    const bounds = Array.from({ length: shape[1] ?? 1 }, (_, c) => boundAt(bound, c) ?? open);
    const data = packLayout(
      layout,
      elementsOf(float32(shape, Float32Array.from(bounds))),
      "float32",
      0,
    );
    const ref = lowering.plan.constant(data);
    return { name: "", ref, layout, dtype: "float32", quant: undefined };
  };
  const least = lowering.scratch(logical);
  emitBinary(lowering, node, "Max", x, row(low, -Infinity), least, {});
  emitBinary(lowering, node, "Min", least, row(high, Infinity), out, {});
}
