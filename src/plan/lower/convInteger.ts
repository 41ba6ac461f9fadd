// Integer products: the constants of the accumulator, docs/quantization.md (25) to (30), and the kernel families
// that take them.

import {
  accumulatorBound,
  exactAccumulator,
  floatBias,
  foldZeroPoint,
  greatestAccumulator,
  multiplier,
} from "../../graph/arithmetic.ts";
import type { Engine, Node } from "../../graph/node.ts";
import { AccumulatorError } from "../../errors.ts";
import { storedProductBounds, withBounds } from "./bounds.ts";
import type { Ref } from "../builder.ts";
import { workgroups, type Lowering } from "./context.ts";
import { emitDepthwiseInteger } from "./depthwise.ts";
import {
  isDepthwise,
  packByteFilter,
  padWords,
  splitOffsets,
  type FilterShape,
} from "./filters.ts";
import { constantParts, isPointwise, sizesOf, type Product } from "./product.ts";
import { fitTile, tileSteps } from "./registers.ts";
import { noResidual, residualUniforms } from "./residual.ts";
import { emitSharedInteger, productSizes } from "./tiled.ts";

/** Σ w and Σ |w| of each output channel of a filter (outs, length). */
function filterSums(data: ArrayLike<number>, outs: number, length: number) {
  const sum = new Float64Array(outs);
  const magnitude = new Float64Array(outs);
  for (let at = 0; at < outs * length; at++) {
    const c = Math.floor(at / length);
    const weight = data[at] ?? 0;
    sum[c] = (sum[c] ?? 0) + weight;
    magnitude[c] = (magnitude[c] ?? 0) + Math.abs(weight);
  }
  return { sum, magnitude };
}

/** Multipliers (29) and folded bias (25) of an integer product; proves the accumulator (28). */
function integerConstants(lowering: Lowering, product: Product, isLaneByLane: boolean) {
  const { node, filterScale, x, out } = product;
  const { filter, bias: biasOf } = constantParts(lowering, product);
  const bias = biasOf();
  const data = filter.data();
  const split = splitOffsets(data, filter.shape.outs);
  const [sx, sy] = [lowering.stored(node, x), lowering.stored(node, out)];
  const { outs, perGroup, taps } = filter.shape;
  const length = perGroup * taps;
  const scales = Array.from({ length: outs }, (_, c) => {
    return filterScale?.[filterScale.length === 1 ? 0 : c] ?? 1;
  });
  // A float bias is added to f32(acc), in steps of sx · s_c: docs/quantization.md (30).
  const isFloat = lowering.constant(node.inputs[2] ?? "")?.dtype === "float32";
  const biasInts = Int32Array.from({ length: outs }, (_, c) => (isFloat ? 0 : (bias[c] ?? 0)));
  const realBias = scales.map((scale, c) => floatBias(bias[c] ?? 0, sx.scale, scale));
  const asWords = (values: readonly number[]) => padWords(values, (n) => new Float32Array(n));
  const multipliers = asWords(
    scales.map((scale) => multiplier(sx.scale, scale, sy.scale, engineOf(node))),
  );
  const { sum, magnitude } = filterSums(data, outs, length);
  const bounds = accumulatorBound(sx.zeroPoint, -128, 127, magnitude, biasInts);
  const worst = bounds.reduce((best, bound, c) => (bound > (bounds[best] ?? 0) ? c : best), 0);
  const bound = bounds[worst] ?? 0;
  if (bound > greatestAccumulator) {
    throw new AccumulatorError(
      `${node.op} "${node.name}": int32 accumulator may overflow; bound is ${bound} > 2147483647 at ` +
        `channel ${worst}. Keep it float: overrides: { "${node.name}": null }.`,
    );
  }
  // Lane by lane offsets are added to the weights; else they meet window sums, which are less x's zero point.
  const bytes =
    split.offsets && !isLaneByLane ? filterSums(split.data, outs, length) : { sum, magnitude };
  const asInts = (values: ArrayLike<number>) => padWords(values, (n) => new Int32Array(n));
  const folded = asInts(foldZeroPoint(biasInts, sx.zeroPoint, bytes.sum));
  const { offsets } = split;
  return {
    wide: bound > exactAccumulator,
    chunked: 128 * bytes.magnitude.reduce((most, sum) => Math.max(most, sum), 0) > exactAccumulator,
    scale: sy.scale,
    filter: split.data,
    hasOffsets: offsets !== undefined,
    bias: offsets ? Int32Array.from([...folded, ...asInts(offsets)]) : folded,
    multiplier: isFloat ? Float32Array.from([...multipliers, ...asWords(realBias)]) : multipliers,
    isFloat,
    padWord: (sx.zeroPoint & 255) * 0x01010101,
    xZero: sx.zeroPoint,
    zeroPoint: sy.zeroPoint,
  };
}

/** Where the sums of the windows of x lie, (pixels, groups): what weights with a zero point are multiplied by. */
function emitWindowSums(
  lowering: Lowering,
  { node, geometry, x }: Product,
  shape: FilterShape,
  zeroPoint: number,
): Ref {
  const { outWords: _words, groupOuts: _outs, ...sizes } = sizesOf(geometry, shape);
  const { group: groups, perGroup } = shape;
  const count = sizes.pixels * groups;
  const out = lowering.plan.tensor(Math.max(1, count) * 4);
  lowering.plan.step("windowSumsI8", {
    node: node.name,
    uniforms: { ...sizes, count, groups, last: ((perGroup + 3) % 4) + 1, zeroPoint },
    buffers: { x: x.ref, out },
    groups: workgroups(count),
  });
  return out;
}

export function emitInteger(lowering: Lowering, given: Product): void {
  const { node, geometry, x, out, residual } = given;
  const { plan } = lowering;
  const { shape } = constantParts(lowering, given).filter;
  if (!out.quant) return;
  const isLaneByLane = isDepthwise(shape);
  const constants = lowering.memo(node, "integer constants", () =>
    integerConstants(lowering, given, isLaneByLane),
  );
  const data = () => constants.filter;
  const product: Product = { ...given, filter: { shape, data } };
  const { zeroPoint } = constants;
  const bounds = storedProductBounds(product, shape.outs, out.quant, zeroPoint);
  const overrides = {
    WIDE: constants.wide ? 1 : 0,
    FLOAT_BIAS: constants.isFloat ? 1 : 0,
    ...(constants.hasOffsets ? { OFFSETS: 1 as const } : {}),
    ...bounds.overrides,
  };
  const rest = { padWord: constants.padWord >>> 0, zeroPoint, ...bounds.uniforms };
  const bias = lowering.packed(node, "integer bias", () => constants.bias);
  const multipliers = lowering.packed(node, "multipliers", () =>
    withBounds(constants.multiplier, bounds),
  );
  const shared = { x: x.ref, bias, multiplier: multipliers, out: out.ref };
  if (isLaneByLane) {
    emitDepthwiseInteger(lowering, product, { ...shared, overrides, uniforms: rest });
    return;
  }
  const { target } = lowering;
  const sizes = sizesOf(geometry, shape);
  const { tile: chosen, m } = lowering.tileFor(node, productSizes("i8", sizes, shape));
  const packedDot = chosen.packedDot ?? target.packedDot;
  const RESIDUAL = residual ? 1 : 0;
  const choices = {
    ...overrides,
    CHUNKED: constants.chunked && !packedDot ? 1 : 0,
    ...(packedDot === target.packedDot ? {} : { PACKED_DOT: packedDot ? 1 : 0 }),
  };
  // What lies where a residual would; nothing reads it where there is neither.
  const sums = constants.hasOffsets
    ? emitWindowSums(lowering, product, shape, constants.xZero)
    : undefined;
  const buffers = { ...shared, residual: sums ?? (residual?.other ?? x).ref };
  const uniforms = {
    ...sizes,
    ...rest,
    ...(residual ? residualUniforms(lowering, residual, constants.scale) : noResidual),
  };
  if (chosen.family !== "register") {
    const forms = { ...choices, RESIDUAL };
    emitSharedInteger(lowering, product, chosen, { overrides: forms, uniforms, buffers });
    return;
  }
  const tile = fitTile(chosen, m, sizes, shape);
  const tiling = tileSteps(lowering.target, tile, sizes);
  const step = {
    node: node.name,
    overrides: { POINTWISE: isPointwise(geometry) ? 1 : 0, ...choices, ...tiling.overrides },
    uniforms,
    buffers: {
      ...buffers,
      filters: lowering.packed(node, "byte filter", () => packByteFilter(shape, data())),
    },
    groups: tiling.groups,
  };
  if (tile.quads) {
    plan.step("convQuadI8", { ...step, uniforms: { ...uniforms, hasResidual: RESIDUAL } });
  } else {
    plan.step("convI8", { ...step, overrides: { ...step.overrides, RESIDUAL } });
  }
}

/** Whose roundings `node` follows. */
function engineOf(node: Node): Engine | undefined {
  return "engine" in node ? node.engine : undefined;
}
