// Convolutions, and matrix products by a constant, which are 1 × 1 convolutions over rows. One
// description of the geometry serves the float and the integer kernels: docs/quantization.md (25).

import {
  accumulatorBound,
  exactAccumulator,
  floatBias,
  foldZeroPoint,
  greatestAccumulator,
  multiplier,
} from "../../graph/arithmetic.ts";
import { clampOf } from "../../graph/clamp.ts";
import type { ChannelClamp, Conv, Engine, Node } from "../../graph/node.ts";
import { AccumulatorError } from "../../errors.ts";
import { elementsOf, sizeOf, type Tensor } from "../../tensor/tensor.ts";
import { fit, type RegisterTile } from "../tiles.ts";
import { floatProductBounds, storedProductBounds, withBounds } from "./bounds.ts";
import { workgroups, type Lowering, type Placed } from "./context.ts";
import { emitDepthwiseFloat, emitDepthwiseInteger } from "./depthwise.ts";
import {
  isDepthwise,
  packByteFilter,
  packFloatFilter,
  padWords,
  widenedShape,
  widenGroups,
  type FilterShape,
} from "./filters.ts";
import { takeRange } from "./observe.ts";
import { isPointwise, sizesOf, type Product } from "./product.ts";
import { noResidual, residualUniforms, takeResidual, type Residual } from "./residual.ts";
import { emitSharedFloat, emitSharedInteger, productSizes } from "./tiled.ts";

function emit(lowering: Lowering, product: Product): void {
  const { x, out, node } = product;
  if (out.layout.words === 0) return;
  if ((x.quant === undefined) !== (out.quant === undefined)) {
    throw lowering.unsupported(node, "input and output must both be float or both be quantized");
  }
  if (x.quant) emitInteger(lowering, product);
  else emitFloat(lowering, product);
}

type Sizes = ReturnType<typeof sizesOf>;

/** The register tile of a dense product of `pixels` rows: quads where it has one group, else words that fit a group. */
export function fitTile(
  wanted: RegisterTile,
  pixels: number,
  { outWords, groupOuts }: Sizes,
  shape: FilterShape,
): RegisterTile {
  if (wanted.quads && shape.group === 1 && pixels > 1) return wanted;
  return {
    family: "register",
    pixels: fit(wanted.pixels, pixels),
    words: fit(wanted.words, outWords, shape.group > 1 ? groupOuts : undefined),
  };
}

/** Workgroups of a dense product, and the sizes its shader is expanded for. */
export function tileSteps(
  { pixels, words, quads }: RegisterTile,
  { pixels: rows, outWords }: Sizes,
) {
  const lanes = quads ? 4 : 1;
  const tiles = Math.ceil(rows / pixels) * Math.ceil(outWords / (words * lanes));
  return {
    groups: workgroups(tiles * lanes),
    sizes: quads ? { QUARTER: pixels / 4, WORDS: words } : { PIXELS: pixels, WORDS: words },
  };
}

function emitFloat(lowering: Lowering, product: Product): void {
  const { node, geometry, filter, bias, x, out, residual } = product;
  const { plan } = lowering;
  const { shape, data } = filter;
  const bounds = floatProductBounds(residual ? clampOf(residual.add) : product, shape.outs);
  const biasRef = lowering.packed(node, "float bias", () =>
    withBounds(
      padWords(bias(), (length) => new Float32Array(length)),
      bounds,
    ),
  );
  if (isDepthwise(shape)) {
    emitDepthwiseFloat(lowering, product, { bias: biasRef, bounds });
    return;
  }
  const sizes = sizesOf(geometry, shape);
  const { tile: chosen, m } = lowering.tileFor(node, productSizes("f32", sizes, shape));
  const overrides = { RESIDUAL: residual ? 1 : 0, ...bounds.overrides };
  const uniforms = { ...sizes, ...bounds.uniforms };
  const buffers = {
    x: x.ref,
    bias: biasRef,
    residual: (residual?.other ?? x).ref,
    out: out.ref,
  };
  if (chosen.family === "matrix") throw new Error("matrices are of int8; please report.");
  if (chosen.family !== "register") {
    emitSharedFloat(lowering, product, chosen, { overrides, uniforms, buffers });
    return;
  }
  const tile = fitTile(chosen, m, sizes, shape);
  const tiling = tileSteps(tile, sizes);
  const step = {
    node: node.name,
    overrides: { POINTWISE: isPointwise(geometry) ? 1 : 0, ...overrides, ...tiling.sizes },
    uniforms: { ...uniforms, last: shape.outs },
    buffers: {
      ...buffers,
      filters: lowering.packed(node, "float filter", () => packFloatFilter(shape, data())),
    },
    groups: tiling.groups,
  };
  const slot = takeRange(lowering, out);
  if (slot) {
    const shader = tile.quads ? "convQuadObservedF32" : "convObservedF32";
    plan.step(shader, { ...step, buffers: { ...step.buffers, slot } });
  } else {
    plan.step(tile.quads ? "convQuadF32" : "convF32", step);
  }
}

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
function integerConstants(lowering: Lowering, product: Product) {
  const { node, filter, filterScale, x, out } = product;
  const bias = product.bias();
  const data = filter.data();
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
  return {
    wide: bound > exactAccumulator,
    chunked: 128 * magnitude.reduce((most, sum) => Math.max(most, sum), 0) > exactAccumulator,
    scale: sy.scale,
    bias: padWords(foldZeroPoint(biasInts, sx.zeroPoint, sum), (n) => new Int32Array(n)),
    multiplier: isFloat ? Float32Array.from([...multipliers, ...asWords(realBias)]) : multipliers,
    isFloat,
    padWord: (sx.zeroPoint & 255) * 0x01010101,
    zeroPoint: sy.zeroPoint,
  };
}

function emitInteger(lowering: Lowering, product: Product): void {
  const { node, geometry, filter, x, out, residual } = product;
  const { plan } = lowering;
  const { shape, data } = filter;
  if (!out.quant) return;
  const constants = lowering.memo(node, "integer constants", () =>
    integerConstants(lowering, product),
  );
  const { zeroPoint } = constants;
  const bounds = storedProductBounds(product, shape.outs, out.quant, zeroPoint);
  const overrides = {
    WIDE: constants.wide ? 1 : 0,
    FLOAT_BIAS: constants.isFloat ? 1 : 0,
    ...bounds.overrides,
  };
  const rest = { padWord: constants.padWord >>> 0, zeroPoint, ...bounds.uniforms };
  const bias = lowering.packed(node, "integer bias", () => constants.bias);
  const multipliers = lowering.packed(node, "multipliers", () =>
    withBounds(constants.multiplier, bounds),
  );
  const shared = { x: x.ref, bias, multiplier: multipliers, out: out.ref };
  if (isDepthwise(shape)) {
    emitDepthwiseInteger(lowering, product, { ...shared, overrides, uniforms: rest });
    return;
  }
  const { target } = lowering;
  const sizes = sizesOf(geometry, shape);
  const { tile: chosen, m } = lowering.tileFor(node, productSizes("i8", sizes, shape));
  const packedDot = chosen.packedDot ?? target.packedDot;
  const choices = {
    ...overrides,
    RESIDUAL: residual ? 1 : 0,
    CHUNKED: constants.chunked && !packedDot ? 1 : 0,
    ...(packedDot === target.packedDot ? {} : { PACKED_DOT: packedDot ? 1 : 0 }),
  };
  const buffers = { ...shared, residual: (residual?.other ?? x).ref };
  const uniforms = {
    ...sizes,
    ...rest,
    ...(residual ? residualUniforms(lowering, residual, constants.scale) : noResidual),
  };
  if (chosen.family !== "register") {
    emitSharedInteger(lowering, product, chosen, { overrides: choices, uniforms, buffers });
    return;
  }
  const tile = fitTile(chosen, m, sizes, shape);
  const tiling = tileSteps(tile, sizes);
  plan.step(tile.quads ? "convQuadI8" : "convI8", {
    node: node.name,
    overrides: { POINTWISE: isPointwise(geometry) ? 1 : 0, ...choices, ...tiling.sizes },
    uniforms,
    buffers: {
      ...buffers,
      filters: lowering.packed(node, "byte filter", () => packByteFilter(shape, data())),
    },
    groups: tiling.groups,
  });
}

/** The constant filter of a node, or an error: filters that change at run time do not run here. */
function constantFilter(
  lowering: Lowering,
  node: Node,
): { filter: Tensor; filterScale: Float32Array | undefined } {
  const name = lowering.inputName(node, 1);
  const filter = lowering.constant(name);
  if (!filter) throw lowering.unsupported(node, `filter "${name}" must be a constant`);
  const quant = lowering.quant(name);
  if (quant?.zeroPoint.some((zeroPoint) => zeroPoint !== 0)) {
    throw lowering.unsupported(node, `filter "${name}" must be symmetric (zeroPoint 0)`);
  }
  return { filter, filterScale: quant?.scale };
}

function constantBias(lowering: Lowering, node: Node, outs: number): ArrayLike<number> {
  const name = node.inputs[2];
  if (name === undefined) return new Float32Array(outs);
  const bias = lowering.constant(name);
  if (!bias) throw lowering.unsupported(node, `bias "${name}" must be a constant`);
  return elementsOf(bias);
}

/** Where a convolution writes, with its own parameters: its own output, or that of the Add it does. */
function outputOf(lowering: Lowering, node: Conv, { shape: [outs = 1, perGroup = 1] }: Tensor) {
  const depthwise = isDepthwise({ outs, perGroup, taps: 1, group: node.group });
  const residual = depthwise ? undefined : takeResidual(lowering, node);
  if (!residual) return { out: lowering.output(node), residual };
  const name = node.outputs[0] ?? "";
  return { out: { ...residual.out, name, quant: lowering.quant(name) }, residual };
}

export function lowerConv(lowering: Lowering, node: Conv): void {
  const { filter, filterScale } = constantFilter(lowering, node);
  const x = lowering.input(node, 0);
  const { out, residual } = outputOf(lowering, node, filter);
  const [batch = 1, , inHeight = 1, inWidth = 1] = x.layout.logical;
  const [, , outHeight = 1, outWidth = 1] = out.layout.logical;
  const [outs = 1, perGroup = 1] = filter.shape;
  const shape = { outs, perGroup, taps: node.kernel[0] * node.kernel[1], group: node.group };
  const data = filter.data as Exclude<typeof filter.data, BigInt64Array>;
  emit(lowering, {
    node,
    geometry: {
      batch,
      inHeight,
      inWidth,
      outHeight,
      outWidth,
      kernelHeight: node.kernel[0],
      kernelWidth: node.kernel[1],
      strideHeight: node.strides[0],
      strideWidth: node.strides[1],
      dilationHeight: node.dilations[0],
      dilationWidth: node.dilations[1],
      padTop: node.pads[0],
      padLeft: node.pads[1],
    },
    filter: { shape: widenedShape(shape), data: once(() => widenGroups(shape, data).data) },
    bias: once(() => constantBias(lowering, node, outs)),
    filterScale,
    x,
    out,
    residual,
    ...clampOf(node),
  });
}

/** What `make` gives, made when it is first asked for. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** Whose roundings `node` follows. */
function engineOf(node: Node): Engine | undefined {
  return "engine" in node ? node.engine : undefined;
}

/** A constant that rows are multiplied by: (outs, perGroup), with a bias for each of outs. */
export interface Rows extends ChannelClamp {
  readonly outs: number;
  readonly perGroup: number;
  readonly data: () => ArrayLike<number>;
  readonly bias: () => ArrayLike<number>;
  readonly filterScale: Float32Array | undefined;
  readonly residual?: Residual | undefined;
}

/** out (rows, outs) = x (rows, perGroup) · dataᵀ + bias: rows are pixels of a 1 × 1 filter. */
export function emitRows(
  lowering: Lowering,
  node: Node,
  x: Placed,
  out: Placed,
  { outs, perGroup, data, bias, filterScale, residual, ...clamp }: Rows,
): void {
  const one = {
    inHeight: 1,
    inWidth: 1,
    outHeight: 1,
    outWidth: 1,
    kernelHeight: 1,
    kernelWidth: 1,
  };
  const steps = {
    strideHeight: 1,
    strideWidth: 1,
    dilationHeight: 1,
    dilationWidth: 1,
    padTop: 0,
    padLeft: 0,
  };
  emit(lowering, {
    node,
    geometry: { batch: sizeOf(out.layout.logical.slice(0, -1)), ...one, ...steps },
    filter: { shape: { outs, perGroup, taps: 1, group: 1 }, data },
    bias,
    filterScale,
    x,
    out,
    residual,
    ...clamp,
  });
}

/** out (rows, N) = x (rows, K) · filter (K, N), filter constant. */
export function lowerRows(
  lowering: Lowering,
  node: Node,
  x: Placed,
  out: Placed,
  options: {
    transposed: boolean;
    alpha: number;
    bias: ArrayLike<number> | undefined;
    clamp: ChannelClamp;
    residual?: Residual | undefined;
  },
): void {
  const { filter, filterScale } = constantFilter(lowering, node);
  const [first = 1, second = 1] = filter.shape;
  const [outs, perGroup] = options.transposed ? [first, second] : [second, first];
  const data = once(() => {
    const source = elementsOf(filter);
    const rows = new Float64Array(outs * perGroup);
    for (let out = 0; out < outs; out++) {
      for (let k = 0; k < perGroup; k++) {
        const at = options.transposed ? out * perGroup + k : k * outs + out;
        rows[out * perGroup + k] = Math.fround((source[at] ?? 0) * options.alpha);
      }
    }
    return rows;
  });
  emitRows(lowering, node, x, out, {
    ...{ outs, perGroup, data, filterScale },
    bias: () => options.bias ?? new Float32Array(outs),
    residual: options.residual,
    ...options.clamp,
  });
}
