// Filters in the orders that the float kernels read. One idea: every order is tiles of output words, steps of the
// sum, and lanes of input and output, either of them first, so one dispatch packs a filter that a run computes or
// learns into any of them; a constant is packed by the host, once.

import type { Node } from "../../graph/node.ts";
import type { Ref } from "../builder.ts";
import { workgroups, type Lowering } from "./context.ts";
import {
  packDepthwise,
  packFloatFilter,
  packTiledFloatFilter,
  type FilterShape,
  type FilterTiles,
} from "./filters.ts";
import type { ComputedFilter, Product } from "./product.ts";

/** Where a filter that is a value of the run lies, before its groups are widened. */
export interface FilterSource {
  readonly ref: Ref;
  /** Output channels of one group, and the input channels that each of them reads. */
  readonly outsPerGroup: number;
  readonly perGroup: number;
  readonly kernelWidth: number;
  /** Every element is multiplied by this. */
  readonly alpha: number;
  /** In elements: from group to group, output and input channel of a group, row and column of the window; and where
   *  all of them are 0. */
  readonly strides: Readonly<Record<"group" | "out" | "input" | "row" | "column" | "base", number>>;
}

/** The order of a filter in words. */
export const orderKey = (order: object): string => JSON.stringify(order);

const ceil4 = (size: number) => Math.ceil(size / 4);

/** (outWords, taps, inWords) of 4 × 4: what conv_f32.wgsl, conv_quad_f32.wgsl and gemv_f32.wgsl read. */
export function registerFilter(lowering: Lowering, { node, filter }: Product): Ref {
  const { shape } = filter;
  if ("data" in filter) {
    return lowering.packed(node, "float filter", () => packFloatFilter(shape, filter.data()));
  }
  const groupTiles = ceil4(shape.outs / shape.group);
  const steps = shape.taps * ceil4(shape.perGroup);
  return emitPacking(lowering, node, filter, { words: 1, groupTiles, steps }, { byOutput: true });
}

/** What conv_tiled_f32.wgsl stages in one run a chunk. */
export function tiledFilter(
  lowering: Lowering,
  { node, filter }: Product,
  order: FilterTiles,
): Ref {
  if ("source" in filter) return emitPacking(lowering, node, filter, order);
  return lowering.packed(node, `tiled float filter ${orderKey(order)}`, () =>
    packTiledFloatFilter(filter.shape, filter.data(), order),
  );
}

/** (words, taps): what depthwise_*.wgsl read. */
export function depthwiseFilter(
  lowering: Lowering,
  { node, filter }: Pick<Product, "node" | "filter">,
): Ref {
  const { shape } = filter;
  if ("data" in filter) {
    return lowering.packed(node, "depthwise float filter", () =>
      packDepthwise(shape, filter.data(), (length) => new Float32Array(length)),
    );
  }
  const dense: FilterShape = { ...shape, group: 1 };
  const order = { words: 1, groupTiles: ceil4(shape.outs), steps: shape.taps };
  return emitPacking(lowering, node, { ...filter, shape: dense }, order, { lanes: 1 });
}

/** Pack `filter` as `order` says, `lanes` input channels to a step; the result. A word holds four output channels, or
 *  `byOutput` four input channels. */
function emitPacking(
  lowering: Lowering,
  node: Node,
  { shape, source }: ComputedFilter,
  { words, groupTiles, steps }: FilterTiles,
  { lanes = 4, byOutput = false }: { readonly lanes?: 1 | 4; readonly byOutput?: boolean } = {},
): Ref {
  const count = shape.group * groupTiles * steps * lanes * words;
  const out = lowering.plan.tensor(Math.max(1, count) * 16);
  const { group, out: outStride, input, row, column, base } = source.strides;
  lowering.plan.step("packFilterF32", {
    node: node.name,
    overrides: { BY_OUTPUT: byOutput ? 1 : 0 },
    uniforms: {
      ...{ count, words, groupTiles, steps, lanes },
      inWords: ceil4(shape.perGroup),
      taps: shape.taps,
      kernelWidth: source.kernelWidth,
      groupOuts: shape.outs / shape.group,
      outsPerGroup: source.outsPerGroup,
      perGroup: source.perGroup,
      jump: shape.perGroup === source.perGroup ? 0 : source.perGroup,
      ...{ groupStride: group, outStride, inStride: input },
      ...{ rowStride: row, columnStride: column, base },
      alpha: source.alpha,
    },
    buffers: { x: source.ref, out },
    groups: workgroups(count),
  });
  return out;
}
