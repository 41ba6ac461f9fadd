// ConvGradFilter: docs/quantization.md (91). A sum over all pixels has too few results to keep a device busy, so it is
// cut into slices, each a result of its own, and one more dispatch adds these up in their order: the same bits
// every time.

import type { ConvGradFilter } from "../../graph/convGrads.ts";
import type { Node } from "../../graph/node.ts";
import { workgroups, type Lowering, type Placed } from "./context.ts";
import { quadGroups } from "./quads.ts";
import { isTiled, sizesOfTile } from "./depthwise.ts";
import { ROWS } from "./integers.ts";
import { isDepthwise, widenedShape, type FilterShape } from "./filters.ts";
import { hasQuads } from "../target.ts";
import { isPointwise, sizesOf, windowGeometry, type Geometry } from "./product.ts";

/** Invocations that keep a device busy. */
const BUSY = { software: 1024, gpu: 32768 };
/** Least pixels of a slice: fewer do not pay for adding one slice more. */
const LEAST = 64;
/** Bytes of all slices of one filter. */
const MOST_BYTES = 2 ** 26;

/** In how many slices of how many terms a sum is cut, where each slice takes `invocations`. */
function slicesOf(
  lowering: Lowering,
  invocations: number,
  terms: number,
  { least, bytes, unit }: { readonly least: number; readonly bytes: number; readonly unit: number },
) {
  const busy = lowering.target.software ? BUSY.software : BUSY.gpu;
  const wanted = Math.ceil(busy / Math.max(1, invocations));
  const most = Math.min(Math.floor(terms / least), Math.floor(MOST_BYTES / Math.max(1, bytes)));
  const slice = Math.ceil(terms / Math.max(1, Math.min(wanted, most)) / unit) * unit;
  return { slice, parts: Math.max(1, Math.ceil(terms / Math.max(1, slice))) };
}

/** out = Σ over parts of x, `size` words each. */
function emitSum(
  lowering: Lowering,
  node: Node,
  x: Placed,
  out: Placed,
  parts: { readonly parts: number; readonly size: number; readonly taps?: number },
): void {
  const { words: count, last, lastWords } = out.layout;
  const { taps } = parts;
  lowering.plan.step("sumPartsF32", {
    node: node.name,
    overrides: { LANES: taps === undefined ? 0 : 1 },
    uniforms: {
      ...{ count, size: parts.size, parts: parts.parts, last },
      words: taps === undefined ? lastWords : parts.size / taps,
      taps: taps ?? 1,
    },
    buffers: { x: x.ref, out: out.ref },
    groups: workgroups(count),
  });
}

export function lowerConvGradFilter(lowering: Lowering, node: ConvGradFilter): void {
  const [x, dY] = [lowering.input(node, 0), lowering.input(node, 1)];
  if (x.quant || dY.quant) throw lowering.unsupported(node, "it does not run in integers");
  const out = lowering.output(node);
  if (out.layout.words === 0) return;
  const geometry = windowGeometry(node, x.layout.logical, dY.layout.logical);
  const [outs = 1, perGroup = 1] = out.layout.logical;
  const shape = { outs, perGroup, taps: node.kernel[0] * node.kernel[1], group: node.group };
  emitGradFilter(lowering, node, { geometry, shape, x, dY, out });
}

/** out (M, N) = Σₖ left (K, M) · right (K, N): the gradient of a linear layer by its matrix, and of rows by a 1 × 1
 *  filter. */
export function emitTransposedProduct(
  lowering: Lowering,
  node: Node,
  left: Placed,
  right: Placed,
  out: Placed,
): void {
  const [outs = 1, perGroup = 1] = out.layout.logical;
  const geometry = { batch: left.layout.logical[0] ?? 1, ...ROWS };
  const shape = { outs, perGroup, taps: 1, group: 1 };
  emitGradFilter(lowering, node, { geometry, shape, x: right, dY: left, out });
}

export interface GradFilter {
  readonly geometry: Geometry;
  readonly shape: FilterShape;
  readonly x: Placed;
  readonly dY: Placed;
  /** (outs, perGroup, …) as it lies, or (outs, perGroup) of a matrix. */
  readonly out: Placed;
}

/** Emit the gradient of a convolution of this geometry by its filter. */
export function emitGradFilter(lowering: Lowering, node: Node, product: GradFilter): void {
  const { geometry, shape } = product;
  if (isDepthwise(shape) && isTiled(geometry)) return emitDepthwise(lowering, node, product);
  const isWhole = widenedShape(shape, true) === shape;
  return isWhole ? emitDense(lowering, node, product) : emitGrouped(lowering, node, product);
}

/** Output words that quads pay for. */
const LEAST_WORDS = 3;

/** Output words of an invocation, and columns of it or of its quad. */
const ALONE = { OUTS: 2, COLUMNS: 4 } as const;
const QUAD = { OUTS: 1, COLUMNS: 4 } as const;
/** Windows of 3 × 3 are whole nines; measured on SwiftShader: 1 × 9 words beat 1 × 4, 1 × 8, 1 × 12 and 2 × 4 to 2 × 9. */
const NINES = { OUTS: 1, COLUMNS: 9 } as const;

function emitDense(
  lowering: Lowering,
  node: Node,
  { geometry, shape, x, dY, out }: GradFilter,
): void {
  const { kernelHeight: _height, ...sizes } = sizesOf(geometry, shape);
  const quads = lowering.settle(
    node,
    "quads",
    () => hasQuads(lowering.target) && sizes.groupOuts >= LEAST_WORDS,
  );
  const columns = shape.taps * sizes.groupWords;
  const tile = quads ? (shape.taps % NINES.COLUMNS === 0 ? NINES : QUAD) : ALONE;
  const lanes = quads ? 4 : 1;
  const columnTiles = Math.ceil(columns / tile.COLUMNS);
  const outTiles = Math.ceil(sizes.groupOuts / (tile.OUTS * lanes));
  const tiles = shape.group * outTiles * columnTiles;
  const size = sizes.outWords * 4 * columns;
  const { slice, parts } = slicesOf(lowering, tiles * lanes, sizes.pixels, {
    ...{ least: LEAST, bytes: size * 16, unit: 4 },
  });
  const partial = lowering.scratch([parts * size * 4]);
  const count = tiles * parts;
  const { groups, overrides } = quads
    ? quadGroups(lowering.target, count)
    : { groups: workgroups(count), overrides: {} };
  lowering.plan.step(quads ? "convGradFilterQuadF32" : "convGradFilterF32", {
    node: node.name,
    overrides: { ...tile, POINTWISE: isPointwise(geometry) ? 1 : 0, ...overrides },
    uniforms: { ...sizes, count, tiles, columnTiles, outTiles, columns, slice },
    buffers: { x: x.ref, gradient: dY.ref, out: partial.ref },
    groups,
  });
  emitSum(lowering, node, partial, out, { parts, size });
}

function emitDepthwise(
  lowering: Lowering,
  node: Node,
  { geometry, shape, x, dY, out }: GradFilter,
): void {
  const { outHeight, outWidth, inHeight, inWidth, padTop, padLeft, batch } = geometry;
  const overrides = sizesOfTile(geometry);
  const words = Math.ceil(shape.outs / 4);
  const rowTiles = Math.ceil(outHeight / overrides.ROWS);
  const columnTiles = Math.ceil(outWidth / overrides.COLUMNS);
  const tiles = batch * rowTiles * columnTiles;
  const size = words * shape.taps;
  const { slice, parts } = slicesOf(lowering, words, tiles, {
    ...{ least: 4, bytes: size * 16, unit: 1 },
  });
  const partial = lowering.scratch([parts * size * 4]);
  const count = words * parts;
  const places = { outHeight, outWidth, words, inHeight, inWidth, padTop, padLeft };
  lowering.plan.step("depthwiseGradFilterF32", {
    node: node.name,
    overrides,
    uniforms: { count, tiles, slice, rowTiles, columnTiles, ...places },
    buffers: { x: x.ref, gradient: dY.ref, out: partial.ref },
    groups: workgroups(count),
  });
  emitSum(lowering, node, partial, out, { parts, size, taps: shape.taps });
}

function emitGrouped(
  lowering: Lowering,
  node: Node,
  { geometry, shape, x, dY, out }: GradFilter,
): void {
  const {
    kernelHeight: _height,
    groupOuts: _outs,
    outWords,
    inWords,
    ...sizes
  } = sizesOf(geometry, shape);
  const { perGroup, taps } = shape;
  const size = out.layout.words;
  const { slice, parts } = slicesOf(lowering, size, sizes.pixels, {
    ...{ least: LEAST, bytes: size * 16, unit: 1 },
  });
  const partial = lowering.scratch([parts * size * 4]);
  lowering.plan.step("groupedGradFilterF32", {
    node: node.name,
    uniforms: {
      ...sizes,
      ...{ count: size * parts, size, slice, perGroup, taps },
      ...{ outs: outWords * 4, inWords: inWords * 4, outsPerGroup: shape.outs / shape.group },
    },
    buffers: { x: x.ref, gradient: dY.ref, out: partial.ref },
    groups: workgroups(size * parts),
  });
  emitSum(lowering, node, partial, out, { parts, size });
}
