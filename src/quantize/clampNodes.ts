// A clamp as nodes of its own, and nodes that are one. Bounds that hold for all channels are a Clip; bounds
// that differ are Max and Min with a constant of one number a channel, as ONNX has to spell them.

import { boundAt, uniformClamp } from "../graph/clamp.ts";
import type { GraphBuilder } from "../graph/builder.ts";
import { isBinary } from "../graph/functions.ts";
import type { Graph } from "../graph/graph.ts";
import type { Bound, ChannelClamp, Node } from "../graph/node.ts";
import { float32 } from "../tensor/tensor.ts";

/** The constant that broadcasts `bound` along axis 1 of a value of `rank` axes. */
export function boundTensor(bound: readonly number[], rank: number) {
  return float32([bound.length, ...Array<number>(rank - 2).fill(1)], Float32Array.from(bound));
}

/** Add nodes that clamp `from`; the last one makes `to`. `name` is what theirs begin with. */
export function addClamp(
  builder: GraphBuilder,
  name: string,
  from: string,
  to: string,
  clamp: ChannelClamp,
): void {
  const uniform = uniformClamp(clamp);
  if (uniform) {
    const { low = -Infinity, high = Infinity } = uniform;
    const own = { name: builder.fresh(`${name}/clamp`), inputs: [from], outputs: [to] };
    builder.add({ op: "Clip", ...own, low, high });
    return;
  }
  const { shape } = builder.value(from);
  const channels = Number(shape[1]);
  const side = (op: "Max" | "Min", x: string, bound: Bound | undefined, output: string) => {
    const open = op === "Max" ? -Infinity : Infinity;
    const bounds = Array.from({ length: channels }, (_, c) => boundAt(bound, c) ?? open);
    const wanted = builder.fresh(`${name}/${op === "Max" ? "low" : "high"}`);
    const constant = builder.constant(wanted, boundTensor(bounds, shape.length));
    const own = { name: builder.fresh(`${name}/${op.toLowerCase()}`), inputs: [x, constant] };
    return builder.add({ op, ...own, outputs: [output] });
  };
  side("Min", side("Max", from, clamp.low, builder.fresh(`${to}_low`)), clamp.high, to);
}

/** The clamp that `node` is, and the value it clamps: a Relu, a Clip, or Min or Max with a constant. Bounds may
 *  differ along axis 1 of a value of more than one axis. */
export function clampOfNode(
  graph: Graph,
  node: Node,
): { readonly input: string; readonly clamp: ChannelClamp } | undefined {
  const [input = ""] = node.inputs;
  if (node.op === "Relu") return { input, clamp: { low: 0 } };
  if (node.op === "Clip") {
    const { low, high } = node;
    const clamp = {
      ...(Number.isFinite(low) ? { low } : {}),
      ...(Number.isFinite(high) ? { high } : {}),
    };
    return { input, clamp };
  }
  if (!isBinary(node) || (node.op !== "Min" && node.op !== "Max")) return undefined;
  if (node.low !== undefined || node.high !== undefined) return undefined;
  const at = node.inputs.findIndex((name) => graph.constants.has(name));
  const x = node.inputs[1 - at];
  if (at < 0 || x === undefined || graph.constants.has(x)) return undefined;
  const bound = boundOfConstant(graph, node.inputs[at] ?? "", x);
  if (bound === undefined) return undefined;
  return { input: x, clamp: node.op === "Min" ? { high: bound } : { low: bound } };
}

/** Constant `name` as a bound of value `x`, where it is one number, or one for each size of axis 1. */
function boundOfConstant(graph: Graph, name: string, x: string): Bound | undefined {
  const constant = graph.constants.get(name);
  const shape = graph.values.get(x)?.shape ?? [];
  if (constant?.dtype !== "float32" || constant.shape.length > shape.length) return undefined;
  const bounds = Array.from(constant.data as Float32Array);
  if (bounds.length === 0 || bounds.some(Number.isNaN)) return undefined;
  const [first = 0] = bounds;
  if (bounds.length === 1) return first;
  const axis = 1 - (shape.length - constant.shape.length);
  const isAlong = shape.length > 1 && constant.shape[axis] === bounds.length;
  if (!isAlong || shape[1] !== bounds.length) return undefined;
  return bounds.every((bound) => bound === first) ? first : bounds;
}
