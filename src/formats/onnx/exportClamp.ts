// A fused activation → the nodes that ONNX has for it: Relu, Clip, and Max or Min with a constant where bounds
// differ by channel.

import { clampOf, uniformClamp } from "../../graph/clamp.ts";
import type { Bound, ChannelClamp, Node } from "../../graph/node.ts";
import { codesOf, type QParams } from "../../graph/value.ts";
import { fl, rint } from "../../tensor/rounding.ts";
import { float32 } from "../../tensor/tensor.ts";
import type { Draft } from "./draft.ts";
import { clip } from "./exportNode.ts";

/** `clamp` without bounds that round to the ends of a quantized output, where QuantizeLinear saturates anyway. ONNX
 *  Runtime takes such a Clip away itself, too late for its integer ops: it then has two nodes of one name. */
export function boundsLeft(clamp: ChannelClamp, quant: QParams | undefined): ChannelClamp {
  if (quant === undefined || quant.axis !== undefined || quant.dtype === "int32") return clamp;
  const [scale = 1] = quant.scale;
  const [zeroPoint = 0] = quant.zeroPoint;
  const [least, greatest] = codesOf(quant.dtype);
  const code = (bound: number) => rint(fl(bound / scale)) + zeroPoint;
  const every = (bound: Bound, holds: (bound: number) => boolean) =>
    typeof bound === "number" ? holds(bound) : bound.every(holds);
  const { low, high } = clamp;
  return clampOf<ChannelClamp>({
    ...(low === undefined || every(low, (x) => code(x) <= least) ? {} : { low }),
    ...(high === undefined || every(high, (x) => code(x) >= greatest) ? {} : { high }),
  });
}

/** Write the clamp of `node` from value `from` to value `to`, of `rank` axes. */
export function exportClamp(
  draft: Draft,
  node: Node,
  clamp: ChannelClamp,
  { from, to, rank }: { readonly from: string; readonly to: string; readonly rank: number },
): void {
  const one = (x: string, output: string, low: number, high: number) => {
    if (low === 0 && high === Infinity) draft.node("Relu", "", [x], [output]);
    else clip(draft, node.name, x, output, low, high);
  };
  const uniform = uniformClamp(clamp);
  if (uniform) return one(from, to, uniform.low ?? -Infinity, uniform.high ?? Infinity);
  const side = (op: "Max" | "Min", x: string, bound: Bound, output: string) => {
    if (typeof bound === "number") {
      const [low, high] = op === "Max" ? [bound, Infinity] : [-Infinity, bound];
      return one(x, output, low, high);
    }
    const shape = [bound.length, ...Array<number>(rank - 2).fill(1)];
    const wanted = `${node.name}_${op === "Max" ? "low" : "high"}`;
    const bounds = draft.shared(wanted, float32(shape, Float32Array.from(bound)));
    draft.node(op, "", [x, bounds], [output]);
  };
  const { low, high } = clamp;
  if (low === undefined || high === undefined) {
    if (low !== undefined) side("Max", from, low, to);
    if (high !== undefined) side("Min", from, high, to);
    return;
  }
  const least = draft.names.fresh(`${to}_low`);
  side("Max", from, low, least);
  side("Min", least, high, to);
}
