// Depthwise convolutions: in tiles of output pixels where the window is small and not dilated, so that
// overlapping windows load each input once; any other window pixel by pixel.

import type { Node } from "../../graph/node.ts";
import type { Ref } from "../builder.ts";
import type { BoundsOverrides, ProductBounds } from "./bounds.ts";
import { workgroups, type Lowering } from "./context.ts";
import { takeRange } from "./observe.ts";
import { packDepthwise, type FilterShape } from "./filters.ts";
import { depthwiseFilter } from "./packing.ts";
import { constantParts, sizesOf, type Geometry, type Product } from "./product.ts";

/** Output pixels of a tile. The patch of x under it stays in registers. */
const ROWS = 2;
const COLUMNS = 4;

/** Kernels larger than this a side would not fit registers. */
const LARGEST_KERNEL = 7;

export function isTiled({
  kernelHeight,
  kernelWidth,
  dilationHeight,
  dilationWidth,
}: Geometry): boolean {
  return (
    Math.max(kernelHeight, kernelWidth) <= LARGEST_KERNEL &&
    (dilationHeight === 1 || kernelHeight === 1) &&
    (dilationWidth === 1 || kernelWidth === 1)
  );
}

/** Sizes of depthwise_tile_*.wgsl. */
function tileSizes(lowering: Lowering, node: Node, geometry: Geometry) {
  return lowering.settle(node, "tile", () => sizesOfTile(geometry));
}

export function sizesOfTile(geometry: Geometry) {
  const { kernelHeight, kernelWidth, strideHeight, strideWidth, outHeight, outWidth } = geometry;
  const rows = outHeight === 1 ? 1 : ROWS;
  const columns = outWidth === 1 ? 1 : COLUMNS;
  return {
    ROWS: rows,
    COLUMNS: columns,
    KERNEL_HEIGHT: kernelHeight,
    KERNEL_WIDTH: kernelWidth,
    STRIDE_HEIGHT: strideHeight,
    STRIDE_WIDTH: strideWidth,
    PATCH_HEIGHT: (rows - 1) * strideHeight + kernelHeight,
    PATCH_WIDTH: (columns - 1) * strideWidth + kernelWidth,
  };
}

function tileUniforms(
  geometry: Geometry,
  shape: FilterShape,
  sizes: ReturnType<typeof sizesOfTile>,
) {
  const { outHeight, outWidth, inHeight, inWidth, padTop, padLeft, batch } = geometry;
  const words = Math.ceil(shape.outs / 4);
  const rowTiles = Math.ceil(outHeight / sizes.ROWS);
  const columnTiles = Math.ceil(outWidth / sizes.COLUMNS);
  const count = batch * rowTiles * columnTiles * words;
  return {
    count,
    rowTiles,
    columnTiles,
    outHeight,
    outWidth,
    words,
    inHeight,
    inWidth,
    padTop,
    padLeft,
  };
}

/** Uniforms of depthwise_*.wgsl, an invocation an output word. */
function pixelUniforms(geometry: Geometry, shape: FilterShape) {
  const {
    pixels,
    outWords,
    inWords: _in,
    groupWords: _words,
    groupOuts: _outs,
    ...sizes
  } = sizesOf(geometry, shape);
  return { ...sizes, count: pixels * outWords, words: outWords };
}

export function emitDepthwiseFloat(
  lowering: Lowering,
  product: Product,
  { bias, bounds }: { bias: Ref; bounds: ProductBounds },
): void {
  const { plan } = lowering;
  const { node, geometry, x, out } = product;
  const { shape } = product.filter;
  const filters = depthwiseFilter(lowering, product);
  const common = { node: node.name, buffers: { x: x.ref, filters, bias, out: out.ref } };
  if (isTiled(geometry)) {
    const sizes = tileSizes(lowering, node, geometry);
    const overrides = { ...sizes, ...bounds.overrides };
    const uniforms = {
      ...tileUniforms(geometry, shape, sizes),
      last: shape.outs,
      ...bounds.uniforms,
    };
    const step = { ...common, overrides, uniforms, groups: workgroups(uniforms.count) };
    const slot = takeRange(lowering, out);
    if (slot)
      plan.step("depthwiseTileObservedF32", { ...step, buffers: { ...step.buffers, slot } });
    else plan.step("depthwiseTileF32", step);
    return;
  }
  const uniforms = { ...pixelUniforms(geometry, shape), last: shape.outs, ...bounds.uniforms };
  const { overrides } = bounds;
  plan.step("depthwiseF32", { ...common, overrides, uniforms, groups: workgroups(uniforms.count) });
}

/** What an integer convolution's step has whatever its geometry. */
interface IntegerParts {
  readonly x: Ref;
  readonly bias: Ref;
  readonly multiplier: Ref;
  readonly out: Ref;
  readonly overrides: BoundsOverrides & {
    readonly WIDE: number;
    readonly FLOAT_BIAS: number;
    readonly OFFSETS?: 1;
  };
  readonly uniforms: {
    readonly padWord: number;
    readonly zeroPoint: number;
    readonly low: number;
    readonly high: number;
  };
}

export function emitDepthwiseInteger(
  lowering: Lowering,
  product: Product,
  { overrides, uniforms: rest, ...buffers }: IntegerParts,
): void {
  const { plan } = lowering;
  const { node, geometry } = product;
  const { shape, data } = constantParts(lowering, product).filter;
  const filters = lowering.packed(node, "depthwise byte filter", () =>
    packDepthwise(shape, data(), (length) => new Int8Array(length)),
  );
  const common = { node: node.name, buffers: { ...buffers, filters } };
  if (isTiled(geometry)) {
    const sizes = tileSizes(lowering, node, geometry);
    const uniforms = { ...tileUniforms(geometry, shape, sizes), ...rest };
    const groups = workgroups(uniforms.count);
    plan.step("depthwiseTileI8", {
      ...common,
      overrides: { ...overrides, ...sizes },
      uniforms,
      groups,
    });
    return;
  }
  const uniforms = { ...pixelUniforms(geometry, shape), ...rest };
  plan.step("depthwiseI8", { ...common, overrides, uniforms, groups: workgroups(uniforms.count) });
}

/** A depthwise convolution that keeps its accumulator; filters hold (words, taps) of four int32. */
export function emitDepthwiseSums(
  lowering: Lowering,
  node: Node,
  geometry: Geometry,
  shape: FilterShape,
  buffers: Readonly<Record<"x" | "filters" | "zeroPoint" | "out", Ref>>,
): void {
  if (isTiled(geometry)) {
    const overrides = tileSizes(lowering, node, geometry);
    const uniforms = tileUniforms(geometry, shape, overrides);
    const groups = workgroups(uniforms.count);
    lowering.plan.step("depthwiseTileI32", {
      node: node.name,
      overrides,
      uniforms,
      buffers,
      groups,
    });
    return;
  }
  const uniforms = pixelUniforms(geometry, shape);
  const groups = workgroups(uniforms.count);
  lowering.plan.step("depthwiseI32", { node: node.name, uniforms, buffers, groups });
}
