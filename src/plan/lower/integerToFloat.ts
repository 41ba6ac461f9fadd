// Integer products with float results, of an x that was quantized a dispatch before. One idea: the kernels are
// those of quantized layers; their last lines read x's parameters from memory: shaders/lib/store_real.wgsl.

import { exactAccumulator, greatestAccumulator } from "../../graph/arithmetic.ts";
import { clampOf } from "../../graph/clamp.ts";
import type { Clamp, Node, NodeOf } from "../../graph/node.ts";
import { AccumulatorError } from "../../errors.ts";
import { sizeOf, toNumbers } from "../../tensor/tensor.ts";
import type { Ref } from "../builder.ts";
import type { ProductTile } from "../tiles.ts";
import { fitTile, tileSteps } from "./registers.ts";
import { floatBounds, workgroups, type Lowering, type Placed } from "./context.ts";
import { asRows, rowsLike } from "./dynamic.ts";
import {
  packByteFilter,
  packMatrixByteFilter,
  packTiledByteFilter,
  padWords,
  type FilterShape,
} from "./filters.ts";
import { ROWS } from "./integers.ts";
import { emitReshape } from "./movement.ts";
import { sizesOf } from "./product.ts";
import { orderKey } from "./packing.ts";
import { cutMatrices, cutSums, cutTiles, emitParts, productSizes } from "./tiled.ts";

type Product = NodeOf<"MatMulIntegerToFloat">;

/** w − zw of a constant (K, N), as (N, K). */
function weightsOf(lowering: Lowering, node: Product): IntegerRows {
  const name = lowering.inputName(node, 1);
  const [constant, quant] = [lowering.constant(name), lowering.quant(name)];
  if (!constant || !quant) {
    throw lowering.unsupported(node, `its weight "${name}" must be a quantized constant`);
  }
  const [rows = 1, columns = 1] = constant.shape;
  const isPerColumn = quant.axis === 1 && quant.scale.length === columns;
  if (constant.shape.length !== 2 || (quant.scale.length !== 1 && !isPerColumn)) {
    throw lowering.unsupported(node, `"${name}" must be (K, N), per tensor or per column`);
  }
  const q = toNumbers(constant);
  const each = <T>(values: ArrayLike<T>, column: number) =>
    values[values.length === 1 ? 0 : column];
  const data = new Int16Array(q.length);
  for (let column = 0; column < columns; column++) {
    const zero = each(quant.zeroPoint, column) ?? 0;
    for (let row = 0; row < rows; row++) {
      data[column * rows + row] = (q[row * columns + column] ?? 0) - zero;
    }
  }
  if (data.some((w) => w < -128 || w > 127)) {
    throw lowering.unsupported(node, `"${name}" less its zero point must be int8`);
  }
  const scales = Float32Array.from({ length: columns }, (_, c) => each(quant.scale, c) ?? 1);
  return { rows, columns, data, scales };
}

/** Σ w and the greatest Σ |w| of the columns of (N, K). */
function sumsOf(data: ArrayLike<number>, columns: number, rows: number) {
  const sums = new Int32Array(columns);
  let greatest = 0;
  for (let column = 0; column < columns; column++) {
    let [sum, magnitude] = [0, 0];
    for (let at = column * rows; at < (column + 1) * rows; at++) {
      sum += data[at] ?? 0;
      magnitude += Math.abs(data[at] ?? 0);
    }
    sums[column] = sum;
    greatest = Math.max(greatest, magnitude);
  }
  return { sums, greatest };
}

function biasOf(lowering: Lowering, node: Product, columns: number): ArrayLike<number> {
  const name = node.inputs[4];
  if (name === undefined) return [];
  const bias = lowering.constant(name);
  if (bias && sizeOf(bias.shape) === columns) return toNumbers(bias);
  throw lowering.unsupported(node, `its bias "${name}" must be a constant, one a column`);
}

/** A constant of integers that rows of bytes are multiplied by. */
export interface IntegerRows {
  /** K, and N. */
  readonly rows: number;
  readonly columns: number;
  /** w − zw, (N, K), each in −128 … 127. */
  readonly data: Int16Array;
  /** One a column. */
  readonly scales: Float32Array;
}

/** x as bytes, and its parameters: one pair, or one a row. */
export interface DynamicOperands {
  readonly x: Placed;
  readonly scale: Placed;
  readonly zeroPoint: Placed;
  readonly isPerRow: boolean;
  readonly out: Placed;
}

export function lowerIntegerToFloat(lowering: Lowering, node: Product): void {
  const [x, scale, zeroPoint] = [0, 2, 3].map((index) =>
    asRows(lowering, node, lowering.input(node, index)),
  ) as [Placed, Placed, Placed];
  // By what holds at all sizes, so that their plans agree.
  const [rankOfX, ...ranks] = [0, 2, 3].map(
    (index) => lowering.shape(lowering.inputName(node, index)).length,
  );
  // One element of that rank is one a tensor, unless it is one a row at every size.
  const isOne = [2, 3].every((index) => {
    const name = lowering.inputName(node, index);
    return lowering.choices.always((shapeOf) => shapeOf(name).every((size) => size === 1));
  });
  const hasOneRow = lowering.choices.always((shapeOf) =>
    shapeOf(lowering.inputName(node, 0))
      .slice(0, -1)
      .every((size) => size === 1),
  );
  const isPerRow = ranks.every((rank) => rank === rankOfX) && (hasOneRow || !isOne);
  const count = (placed: Placed) => placed.layout.words;
  if (count(scale) !== count(zeroPoint) || (!isPerRow && count(scale) !== 1)) {
    throw lowering.unsupported(
      node,
      "scale and zero point must be one a tensor or one a row, both",
    );
  }
  const final = lowering.output(node);
  const out = final.layout.logical.length === 4 ? rowsLike(lowering, final) : final;
  if (final.layout.words === 0) return;
  emitIntegerToFloat(
    lowering,
    node,
    { x, scale, zeroPoint, isPerRow, out },
    () => weightsOf(lowering, node),
    (columns) => biasOf(lowering, node, columns),
  );
  if (out !== final) emitReshape(lowering, node, out, final);
}

/** out = x · w as reals, by the kernels of MatMulIntegerToFloat, for `node`. */
export function emitIntegerToFloat(
  lowering: Lowering,
  node: Node & Clamp,
  { x, scale, zeroPoint, isPerRow, out }: DynamicOperands,
  weights: () => IntegerRows,
  bias: (columns: number) => ArrayLike<number>,
): void {
  const { target } = lowering;
  const { rows, columns, data, scales, sums, greatest } = lowering.memo(node, "weights", () => {
    const made = weights();
    return { ...made, ...sumsOf(made.data, made.columns, made.rows) };
  });
  if (255 * greatest > greatestAccumulator) {
    throw new AccumulatorError(
      `${node.op} "${node.name}": int32 accumulator may overflow; bound is ${255 * greatest} > ` +
        `${greatestAccumulator}. Keep it float: overrides: { "${node.name}": null }.`,
    );
  }
  const words = (values: ArrayLike<number>) =>
    padWords(values, () => new Float32Array(Math.ceil(columns / 4) * 4));
  const factors = () => Float32Array.from([...words(scales), ...words(bias(columns))]);
  const shape = { outs: columns, perGroup: rows, taps: 1, group: 1 };
  const sizes = sizesOf({ batch: out.layout.words / out.layout.lastWords, ...ROWS }, shape);
  const { tile: chosen, m } = lowering.tileFor(node, productSizes("i8", sizes, shape));
  const packedDot = chosen.packedDot ?? target.packedDot;
  const given = {
    node: node.name,
    overrides: {
      PER_ROW: isPerRow ? 1 : 0,
      WIDE: 255 * greatest > exactAccumulator ? 1 : 0,
      CHUNKED: 128 * greatest > exactAccumulator && !packedDot ? 1 : 0,
      ...(packedDot === target.packedDot ? {} : { PACKED_DOT: packedDot ? 1 : 0 }),
    },
    uniforms: { ...sizes, padWord: 0, ...floatBounds(clampOf(node)) },
    buffers: {
      x: x.ref,
      sums: lowering.packed(node, "sums", () => padWords(sums, (length) => new Int32Array(length))),
      factors: lowering.packed(node, "factors", factors),
      scale: scale.ref,
      zeroPoint: zeroPoint.ref,
      out: out.ref,
    },
  };
  emitProduct(lowering, node, given, { tile: chosen, m, shape, data });
}

type Sizes = ReturnType<typeof sizesOf>;
type Overrides = Readonly<Record<"PER_ROW" | "WIDE" | "CHUNKED", number>>;

interface Given {
  readonly node: string;
  readonly overrides: Overrides & { readonly PACKED_DOT?: number };
  readonly uniforms: Sizes & Readonly<Record<"padWord" | "low" | "high", number>>;
  readonly buffers: Readonly<Record<"x" | "sums" | "factors" | "scale" | "zeroPoint" | "out", Ref>>;
}

/** How a product is cut, and its weights (N, K). */
interface Cut {
  readonly tile: ProductTile;
  /** The rows that the tile was chosen for. */
  readonly m: number;
  readonly shape: FilterShape;
  readonly data: Int16Array;
}

/** The product in the kernel of `tile`'s family. */
function emitProduct(
  lowering: Lowering,
  node: Node,
  given: Given,
  { tile, m, shape, data }: Cut,
): void {
  const { plan, target } = lowering;
  const { uniforms: sizes, buffers, overrides } = given;
  const quads = buffers.x;
  switch (tile.family) {
    case "register": {
      const fitted = fitTile(tile, m, sizes, shape);
      const cut = tileSteps(target, fitted, sizes);
      plan.step(fitted.quads ? "convQuadDynamicI8" : "convDynamicI8", {
        ...given,
        overrides: { POINTWISE: 1, ...overrides, ...cut.overrides },
        buffers: {
          ...buffers,
          filters: lowering.packed(node, "byte filter", () => packByteFilter(shape, data)),
        },
        groups: cut.groups,
      });
      return;
    }
    case "gemv": {
      const cut = cutSums(tile, sizes);
      plan.step("gemvDynamicI8", {
        ...given,
        overrides: { ...overrides, ...cut.overrides },
        uniforms: { ...sizes, ...cut.uniforms },
        buffers: {
          ...buffers,
          filters: lowering.packed(node, "byte filter", () => packByteFilter(shape, data)),
        },
        groups: cut.groups,
      });
      return;
    }
    case "workgroup": {
      const cut = cutTiles(tile, sizes, shape, 4 * tile.chunk);
      const filters = lowering.packed(node, `tiled byte filter ${orderKey(cut.order)}`, () =>
        packTiledByteFilter(shape, data, cut.order),
      );
      const VECTOR = sizes.groupWords % 4 === 0 ? 1 : 0;
      if (cut.parts > 1) {
        const { x, ...ends } = buffers;
        const { PER_ROW, WIDE, ...dots } = overrides;
        const { parts, uniforms } = emitParts(lowering, given.node, cut, {
          overrides: { ...dots, QUADS: tile.chunk, VECTOR },
          uniforms: sizes,
          buffers: { x, quads, filters },
        });
        plan.step("joinDynamicI8", {
          node: given.node,
          overrides: { PER_ROW, WIDE },
          uniforms: { ...sizes, ...uniforms },
          buffers: { ...ends, parts },
          groups: workgroups(uniforms.count),
        });
        return;
      }
      plan.step("convTiledDynamicI8", {
        ...given,
        overrides: { ...overrides, ...cut.overrides, QUADS: tile.chunk, VECTOR },
        uniforms: { ...sizes, ...cut.uniforms },
        buffers: { ...buffers, quads, filters },
        groups: cut.groups,
      });
      return;
    }
    case "matrix": {
      if (!target.matrix)
        throw new Error(`${given.node}: a matrix tile without matrices; please report.`);
      const { CHUNKED: _, ...flags } = overrides; // sums are int32 throughout
      const cut = cutMatrices(tile, target.matrix, sizes, shape);
      const filters = lowering.packed(node, `matrix byte filter ${orderKey(cut.order)}`, () =>
        packMatrixByteFilter(shape, data, cut.order),
      );
      const VECTOR = sizes.groupWords % 4 === 0 ? 1 : 0;
      plan.step("convMatrixDynamicI8", {
        ...given,
        overrides: { ...flags, ...cut.overrides, VECTOR },
        uniforms: { ...sizes, ...cut.uniforms },
        buffers: { ...buffers, quads, filters },
        groups: cut.groups,
      });
      return;
    }
    default:
      tile satisfies never;
  }
}
