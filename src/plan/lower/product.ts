// What a convolution is to the kernels: its geometry, its constants, and where it reads and writes.

import type { ChannelClamp, Node } from "../../graph/node.ts";
import type { Placed } from "./context.ts";
import type { FilterShape } from "./filters.ts";
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

/** One convolution with its constants, ready to emit. */
export interface Product extends ChannelClamp {
  readonly node: Node;
  readonly geometry: Geometry;
  /** Its data (outs, perGroup, taps) is asked for where it was not packed before. */
  readonly filter: { readonly shape: FilterShape; readonly data: () => ArrayLike<number> };
  /** Per output channel; float, or int32 for an integer product. */
  readonly bias: () => ArrayLike<number>;
  readonly filterScale: Float32Array | undefined;
  readonly x: Placed;
  readonly out: Placed;
  readonly residual?: Residual | undefined;
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
