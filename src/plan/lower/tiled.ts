// Dense products on real GPUs: the families whose invocations work together. One idea: a product is what
// it is for conv.ts; a tile only decides how it is cut up and in which order its filter lies.

import type { Ref } from "../builder.ts";
import type { ProductSizes } from "../target.ts";
import { measureTile, type MatrixUnit } from "../matrixUnit.ts";
import type { GemvTile, MatrixTile, ProductTile, WorkgroupTile } from "../tiles.ts";
import type { BoundsOverrides } from "./bounds.ts";
import { workgroups, type Lowering } from "./context.ts";
import {
  packByteFilter,
  packMatrixByteFilter,
  packTiledByteFilter,
  type FilterShape,
} from "./filters.ts";
import { orderKey, registerFilter, tiledFilter } from "./packing.ts";
import { constantParts, type Product, type sizesOf } from "./product.ts";

type Sizes = ReturnType<typeof sizesOf>;
type SharedTile = Exclude<ProductTile, { family: "register" }>;
type FloatTile = Exclude<SharedTile, { family: "matrix" }>;

/** The sizes that a tile is chosen by. */
export function productSizes(dtype: "f32" | "i8", sizes: Sizes, shape: FilterShape): ProductSizes {
  const { pixels, groupOuts, groupWords } = sizes;
  return { dtype, m: pixels, n: groupOuts, k: shape.taps * groupWords, groups: shape.group };
}

/** conv_tiled_*.wgsl: the tile's sizes, its uniforms, its grid, and the order of the filter; a chunk of
 *  the sum has `chunkWords` input words. */
export function cutTiles(
  tile: WorkgroupTile,
  sizes: Sizes,
  shape: FilterShape,
  chunkWords: number,
) {
  const { down, across, rows, words, chunk, splits = 1 } = tile;
  const all = Math.max(1, Math.ceil((shape.taps * sizes.groupWords) / chunkWords)); // a sum of nothing is a chunk of 0
  const share = Math.ceil(all / splits);
  const parts = Math.ceil(all / share);
  const chunks = parts * share;
  const groupTiles = Math.ceil(sizes.groupOuts / (across * words));
  const tilesWide = shape.group * groupTiles;
  return {
    overrides: {
      DOWN: down,
      ACROSS: across,
      ROWS: rows,
      WORDS: words,
      X_LOADS: (rows * chunk) / across,
      F_LOADS: (4 * words * chunk) / down,
    },
    uniforms: { chunks, groupTiles, tilesWide },
    order: { words: across * words, groupTiles, steps: chunks * chunkWords },
    groups: Math.ceil(sizes.pixels / (down * rows)) * tilesWide,
    /** Parts of the sum, and chunks of one. */
    ...{ parts, share },
  };
}

/** Emit the parts of a tiled integer product; where their int32 sums (parts, pixels, outWords) lie. */
export function emitParts(
  lowering: Lowering,
  node: string,
  { overrides, uniforms, groups: tiles, parts, share }: ReturnType<typeof cutTiles>,
  given: {
    readonly overrides: Readonly<Record<"CHUNKED" | "QUADS" | "VECTOR", number>> & {
      readonly PACKED_DOT?: number;
    };
    readonly uniforms: Sizes & { readonly padWord: number };
    readonly buffers: Readonly<Record<"x" | "quads" | "filters", Ref>>;
  },
): { readonly parts: Ref; readonly uniforms: Readonly<Record<"count" | "parts", number>> } {
  const count = given.uniforms.pixels * given.uniforms.outWords;
  const out = lowering.plan.tensor(parts * count * 16);
  lowering.plan.step("convTiledPartsI8", {
    node,
    overrides: { ...overrides, ...given.overrides },
    uniforms: { ...given.uniforms, ...uniforms, tiles, parts, share },
    buffers: { ...given.buffers, out },
    groups: tiles * parts,
  });
  return { parts: out, uniforms: { count, parts } };
}

/** gemv_*.wgsl, likewise. */
export function cutSums({ lanes, columns, pixels: rows }: GemvTile, { pixels, outWords }: Sizes) {
  const tilesWide = Math.ceil(outWords / columns);
  return {
    overrides: { LANES: lanes, COLUMNS: columns, PIXELS: rows },
    uniforms: { tilesWide },
    groups: Math.ceil(pixels / rows) * tilesWide,
  };
}

/** conv_matrix_i8.wgsl, likewise. */
export function cutMatrices(tile: MatrixTile, unit: MatrixUnit, sizes: Sizes, shape: FilterShape) {
  const { down, across, rows, columns, steps } = tile;
  const { m, n, k, lanes, form } = unit;
  const { pixels, channels, chunkWords, staged, loads } = measureTile(tile, unit);
  const chunks = Math.ceil((shape.taps * sizes.groupWords) / chunkWords);
  const groupTiles = Math.ceil((sizes.groupOuts * 4) / channels);
  const tilesWide = shape.group * groupTiles;
  return {
    overrides: {
      ...{ M: m, N: n, K: k, LANES: lanes },
      ...{ MATRIX_FORM: form.index, BYTES: form.bytes, PINNED: form.index === 0 ? 0 : 1 },
      ...{ DOWN: down, ACROSS: across, ROWS: rows, COLUMNS: columns, STEPS: steps },
      ...{ X_LOADS: loads, STAGED: staged },
    },
    uniforms: { chunks, groupTiles, tilesWide },
    order: { n, k, wide: across * columns, groupTiles, deep: chunks * steps },
    groups: Math.ceil(sizes.pixels / pixels) * tilesWide,
  };
}

/** Emit a float product; `uniforms` hold its sizes and its clamp. */
export function emitSharedFloat(
  lowering: Lowering,
  product: Product,
  tile: FloatTile,
  given: {
    readonly overrides: BoundsOverrides & { readonly RESIDUAL: number };
    readonly uniforms: Sizes & { readonly low: number; readonly high: number };
    readonly buffers: {
      readonly x: Ref;
      readonly bias: Ref;
      readonly residual: Ref;
      readonly out: Ref;
    };
  },
): void {
  const { plan } = lowering;
  const { node } = product;
  const last = product.filter.shape.outs;
  if (tile.family === "gemv") {
    const { overrides, uniforms, groups } = cutSums(tile, given.uniforms);
    plan.step("gemvF32", {
      node: node.name,
      overrides: { ...given.overrides, ...overrides },
      uniforms: { ...given.uniforms, ...uniforms, last },
      buffers: {
        ...given.buffers,
        filters: registerFilter(lowering, product),
      },
      groups,
    });
    return;
  }
  const cut = cutTiles(tile, given.uniforms, product.filter.shape, tile.chunk);
  plan.step("convTiledF32", {
    node: node.name,
    overrides: { ...given.overrides, ...cut.overrides, CHUNK: tile.chunk },
    uniforms: { ...given.uniforms, ...cut.uniforms, last },
    buffers: {
      ...given.buffers,
      filters: tiledFilter(lowering, product, cut.order),
    },
    groups: cut.groups,
  });
}

/** What an integer product has beyond a float one's sizes. */
type IntegerUniforms = Readonly<
  Record<
    | "padWord"
    | "zeroPoint"
    | "low"
    | "high"
    | "sumMultiplier"
    | "residualMultiplier"
    | "residualZero"
    | "shift"
    | "outZero"
    | "outLow"
    | "outHigh",
    number
  >
>;

/** Emit an integer product. */
export function emitSharedInteger(
  lowering: Lowering,
  product: Product,
  tile: SharedTile,
  given: {
    readonly overrides: BoundsOverrides & {
      readonly WIDE: number;
      readonly FLOAT_BIAS: number;
      readonly RESIDUAL: number;
      readonly CHUNKED: number;
      readonly OFFSETS?: 1;
      readonly PACKED_DOT?: number;
    };
    readonly uniforms: Sizes & IntegerUniforms;
    readonly buffers: Readonly<Record<"x" | "bias" | "multiplier" | "residual" | "out", Ref>>;
  },
): void {
  const { plan } = lowering;
  const { node } = product;
  const { shape, data } = constantParts(lowering, product).filter;
  if (tile.family === "gemv") {
    const { overrides, uniforms, groups } = cutSums(tile, given.uniforms);
    plan.step("gemvI8", {
      node: node.name,
      overrides: { ...given.overrides, ...overrides },
      uniforms: { ...given.uniforms, ...uniforms },
      buffers: {
        ...given.buffers,
        filters: lowering.packed(node, "byte filter", () => packByteFilter(shape, data())),
      },
      groups,
    });
    return;
  }
  const VECTOR = given.uniforms.groupWords % 4 === 0 ? 1 : 0;
  if (tile.family === "matrix") {
    const { matrix } = lowering.target;
    if (!matrix) throw new Error(`${node.name}: a matrix tile without matrices; please report.`);
    const { CHUNKED: _, ...flags } = given.overrides; // sums are int32 throughout
    const cut = cutMatrices(tile, matrix, given.uniforms, shape);
    plan.step("convMatrixI8", {
      node: node.name,
      overrides: { ...flags, ...cut.overrides, VECTOR },
      uniforms: { ...given.uniforms, ...cut.uniforms },
      buffers: {
        ...given.buffers,
        quads: given.buffers.x,
        filters: lowering.packed(node, `matrix byte filter ${orderKey(cut.order)}`, () =>
          packMatrixByteFilter(shape, data(), cut.order),
        ),
      },
      groups: cut.groups,
    });
    return;
  }
  const cut = cutTiles(tile, given.uniforms, shape, 4 * tile.chunk);
  const filters = lowering.packed(node, `tiled byte filter ${orderKey(cut.order)}`, () =>
    packTiledByteFilter(shape, data(), cut.order),
  );
  const { x, ...buffers } = given.buffers;
  const operands = { x, quads: x, filters };
  const { CHUNKED, PACKED_DOT, ...ends } = given.overrides;
  const dots = {
    CHUNKED,
    QUADS: tile.chunk,
    VECTOR,
    ...(PACKED_DOT === undefined ? {} : { PACKED_DOT }),
  };
  if (cut.parts > 1) {
    const { parts, uniforms } = emitParts(lowering, node.name, cut, {
      overrides: dots,
      uniforms: given.uniforms,
      buffers: operands,
    });
    plan.step("joinI8", {
      node: node.name,
      overrides: ends,
      uniforms: { ...given.uniforms, ...uniforms },
      buffers: { ...buffers, parts },
      groups: workgroups(uniforms.count),
    });
    return;
  }
  plan.step("convTiledI8", {
    node: node.name,
    overrides: { ...ends, ...cut.overrides, ...dots },
    uniforms: { ...given.uniforms, ...cut.uniforms },
    buffers: { ...buffers, ...operands },
    groups: cut.groups,
  });
}
