// What a convolution is to the kernels: its geometry, its constants, and where it reads and writes.

import type { ChannelClamp, Node, Window } from "../../graph/node.ts";
import type { Lowering, Placed } from "./context.ts";
import type { FilterShape } from "./filters.ts";
import type { FilterSource } from "./packing.ts";
import type { Residual } from "./residual.ts";

/** Geometry in the kernels' terms. */
export interface Geometry {
  readonly batch: number;
  readonly inHeight: number;
  readonly inWidth: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly strideHeight: number;
  readonly strideWidth: number;
  readonly dilationHeight: number;
  readonly dilationWidth: number;
  readonly padTop: number;
  readonly padLeft: number;
}

/** A constant filter: its data (outs, perGroup, taps) is asked for where it was not packed before. */
export interface ConstantFilter {
  readonly shape: FilterShape;
  readonly data: () => ArrayLike<number>;
}

/** A filter that a run computes or learns: a dispatch packs it. */
export interface ComputedFilter {
  readonly shape: FilterShape;
  readonly source: FilterSource;
}

export type Filter = ConstantFilter | ComputedFilter;

/** One convolution with its operands, ready to emit. */
export interface Product extends ChannelClamp {
  readonly node: Node;
  readonly geometry: Geometry;
  readonly filter: Filter;
  /** Per output channel; float, or int32 for an integer product. Where the run computes it, one row. */
  readonly bias: (() => ArrayLike<number>) | Placed;
  /** Of a quantized filter; its data are less its zero points. */
  readonly filterScale: Float32Array | undefined;
  readonly x: Placed;
  readonly out: Placed;
  readonly residual?: Residual | undefined;
}

/** What an integer product must have as constants. */
export function constantParts(
  lowering: Lowering,
  { node, filter, bias }: Product,
): { readonly filter: ConstantFilter; readonly bias: () => ArrayLike<number> } {
  const must = (what: string, index: number) =>
    lowering.unsupported(
      node,
      `${what} "${node.inputs[index]}" must be a constant to run in integers`,
    );
  if (!("data" in filter)) throw must("filter", 1);
  if (typeof bias !== "function") throw must("bias", 2);
  return { filter, bias };
}

/** The geometry of `window` from x to out, both (batch, channels, height, width). */
export function windowGeometry(
  { kernel, strides, dilations, pads }: Window,
  [batch = 1, , inHeight = 1, inWidth = 1]: readonly number[],
  [, , outHeight = 1, outWidth = 1]: readonly number[],
): Geometry {
  return {
    ...{ batch, inHeight, inWidth, outHeight, outWidth },
    ...{ kernelHeight: kernel[0], kernelWidth: kernel[1] },
    ...{ strideHeight: strides[0], strideWidth: strides[1] },
    ...{ dilationHeight: dilations[0], dilationWidth: dilations[1] },
    ...{ padTop: pads[0], padLeft: pads[1] },
  };
}

const ceil4 = (size: number) => Math.ceil(size / 4);

/** Sizes as the shaders' uniforms name them. */
export function sizesOf(geometry: Geometry, shape: FilterShape) {
  const { batch, ...sizes } = geometry;
  return {
    ...sizes,
    pixels: batch * geometry.outHeight * geometry.outWidth,
    outWords: ceil4(shape.outs),
    inWords: ceil4(shape.perGroup * shape.group),
    groupWords: ceil4(shape.perGroup),
    groupOuts: ceil4(shape.outs / shape.group),
  };
}

/** True where output pixel p reads input pixel p and no other. */
export function isPointwise({ kernelHeight, kernelWidth, ...rest }: Geometry): boolean {
  const same = rest.inHeight === rest.outHeight && rest.inWidth === rest.outWidth;
  const aligned =
    rest.padTop === 0 && rest.padLeft === 0 && rest.strideHeight === 1 && rest.strideWidth === 1;
  return kernelHeight * kernelWidth === 1 && same && aligned;
}
