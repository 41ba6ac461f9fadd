// Convolutions, and matrix products by a constant, which are 1 × 1 convolutions over rows. One
// description of the geometry serves the float and the integer kernels: docs/quantization.md (25).

import {
  accumulatorBound,
  exactAccumulator,
  foldZeroPoint,
  greatestAccumulator,
  multiplier,
} from "../../graph/arithmetic.ts";
import type { Clamp, Conv, Node } from "../../graph/node.ts";
import { AccumulatorError } from "../../errors.ts";
import { sizeOf, toNumbers, type Tensor } from "../../tensor/tensor.ts";
import { floatBounds, storedBounds, workgroups, type Lowering, type Placed } from "./context.ts";
import {
  isDepthwise,
  packByteFilter,
  packDepthwise,
  packFloatFilter,
  padWords,
  widenGroups,
  type FilterShape,
} from "./filters.ts";

/** Geometry in the kernels' terms. */
interface Geometry {
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
interface Product extends Clamp {
  readonly node: Node;
  readonly geometry: Geometry;
  readonly filter: { readonly shape: FilterShape; readonly data: ArrayLike<number> };
  /** Per output channel; float, or int32 for an integer product. */
  readonly bias: ArrayLike<number>;
  readonly filterScale: Float32Array | undefined;
  readonly x: Placed;
  readonly out: Placed;
}

const ceil4 = (size: number) => Math.ceil(size / 4);

function emit(lowering: Lowering, product: Product): void {
  const { x, out, node } = product;
  if (out.layout.words === 0) return;
  if ((x.quant === undefined) !== (out.quant === undefined)) {
    throw lowering.unsupported(node, "input and output must both be float or both be quantized");
  }
  if (x.quant) emitInteger(lowering, product);
  else emitFloat(lowering, product);
}

function common(geometry: Geometry, shape: FilterShape) {
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
function isPointwise({ kernelHeight, kernelWidth, ...rest }: Geometry): boolean {
  const same = rest.inHeight === rest.outHeight && rest.inWidth === rest.outWidth;
  const aligned =
    rest.padTop === 0 && rest.padLeft === 0 && rest.strideHeight === 1 && rest.strideWidth === 1;
  return kernelHeight * kernelWidth === 1 && same && aligned;
}

function depthwiseUniforms(geometry: Geometry, shape: FilterShape) {
  const {
    pixels,
    outWords,
    inWords: _in,
    groupWords: _words,
    groupOuts: _outs,
    ...sizes
  } = common(geometry, shape);
  return { ...sizes, count: pixels * outWords, words: outWords };
}

function emitFloat(
  lowering: Lowering,
  { node, geometry, filter, bias, x, out, ...clamp }: Product,
): void {
  const { plan } = lowering;
  const { shape, data } = filter;
  const biasRef = plan.constant(padWords(bias, (length) => new Float32Array(length)));
  const bounds = floatBounds(clamp);
  if (isDepthwise(shape)) {
    const uniforms = { ...depthwiseUniforms(geometry, shape), ...bounds };
    const filters = plan.constant(packDepthwise(shape, data, (length) => new Float32Array(length)));
    const buffers = { x: x.ref, filters, bias: biasRef, out: out.ref };
    plan.step("depthwiseF32", {
      node: node.name,
      uniforms,
      buffers,
      groups: workgroups(uniforms.count),
    });
    return;
  }
  const overrides = { POINTWISE: isPointwise(geometry) ? 1 : 0 };
  const uniforms = { ...common(geometry, shape), ...bounds };
  const filters = plan.constant(packFloatFilter(shape, data));
  const buffers = { x: x.ref, filters, bias: biasRef, out: out.ref };
  const groups = workgroups(ceil4(uniforms.pixels) * uniforms.outWords);
  plan.step("convF32", { node: node.name, overrides, uniforms, buffers, groups });
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
  const { node, filter, bias, filterScale, x, out } = product;
  const [sx, sy] = [lowering.stored(node, x), lowering.stored(node, out)];
  const { outs, perGroup, taps } = filter.shape;
  const length = perGroup * taps;
  const scales = Array.from({ length: outs }, (_, c) => {
    return filterScale?.[filterScale.length === 1 ? 0 : c] ?? 1;
  });
  const biasInts = Int32Array.from({ length: outs }, (_, c) => bias[c] ?? 0);
  const { sum, magnitude } = filterSums(filter.data, outs, length);
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
    bias: padWords(foldZeroPoint(biasInts, sx.zeroPoint, sum), (n) => new Int32Array(n)),
    multiplier: padWords(
      scales.map((scale) => multiplier(sx.scale, scale, sy.scale)),
      (n) => new Float32Array(n),
    ),
    padWord: (sx.zeroPoint & 255) * 0x01010101,
    zeroPoint: sy.zeroPoint,
  };
}

function emitInteger(lowering: Lowering, product: Product): void {
  const { node, geometry, filter, x, out } = product;
  const { plan } = lowering;
  const { shape, data } = filter;
  if (!out.quant) return;
  const constants = integerConstants(lowering, product);
  const bounds = storedBounds(product, out.quant);
  const overrides = { WIDE: constants.wide ? 1 : 0 };
  const rest = { padWord: constants.padWord >>> 0, zeroPoint: constants.zeroPoint, ...bounds };
  const bias = plan.constant(constants.bias);
  const multipliers = plan.constant(constants.multiplier);
  const shared = { x: x.ref, bias, multiplier: multipliers, out: out.ref };
  if (isDepthwise(shape)) {
    const uniforms = { ...depthwiseUniforms(geometry, shape), ...rest };
    const filters = plan.constant(packDepthwise(shape, data, (length) => new Int8Array(length)));
    const groups = workgroups(uniforms.count);
    plan.step("depthwiseI8", {
      node: node.name,
      overrides,
      uniforms,
      buffers: { ...shared, filters },
      groups,
    });
    return;
  }
  const uniforms = { ...common(geometry, shape), ...rest };
  const filters = plan.constant(packByteFilter(shape, data));
  const groups = workgroups(ceil4(uniforms.pixels) * uniforms.outWords);
  plan.step("convI8", {
    node: node.name,
    overrides: { ...overrides, POINTWISE: isPointwise(geometry) ? 1 : 0 },
    uniforms,
    buffers: { ...shared, filters },
    groups,
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
  return toNumbers(bias);
}

export function lowerConv(lowering: Lowering, node: Conv): void {
  const { filter, filterScale } = constantFilter(lowering, node);
  const x = lowering.input(node, 0);
  const out = lowering.output(node);
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
    filter: widenGroups(shape, data),
    bias: constantBias(lowering, node, outs),
    filterScale,
    x,
    out,
    ...clampOf(node),
  });
}

/** The node's own bounds, absent where it has none. */
export function clampOf(node: Clamp): Clamp {
  const { low, high } = node;
  return { ...(low === undefined ? {} : { low }), ...(high === undefined ? {} : { high }) };
}

/** out (rows, N) = x (rows, K) · filter (K, N), filter constant: rows are pixels of a 1 × 1 filter. */
export function lowerRows(
  lowering: Lowering,
  node: Node & Clamp,
  x: Placed,
  out: Placed,
  options: {
    transposed: boolean;
    alpha: number;
    bias: ArrayLike<number> | undefined;
    clamp: Clamp;
  },
): void {
  const { filter, filterScale } = constantFilter(lowering, node);
  const [first = 1, second = 1] = filter.shape;
  const [outs, perGroup] = options.transposed ? [first, second] : [second, first];
  const source = toNumbers(filter);
  const data = new Float64Array(outs * perGroup);
  for (let out = 0; out < outs; out++) {
    for (let k = 0; k < perGroup; k++) {
      const at = options.transposed ? out * perGroup + k : k * outs + out;
      data[out * perGroup + k] = Math.fround((source[at] ?? 0) * options.alpha);
    }
  }
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
  const batch = sizeOf(out.layout.logical.slice(0, -1));
  emit(lowering, {
    node,
    geometry: { batch, ...one, ...steps },
    filter: { shape: { outs, perGroup, taps: 1, group: 1 }, data },
    bias: options.bias ?? new Float32Array(outs),
    filterScale,
    x,
    out,
    ...options.clamp,
  });
}
