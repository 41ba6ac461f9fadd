// Convolutions, and matrix products, which are 1 × 1 convolutions over rows. One description of the
// geometry serves the float and the integer kernels: docs/quantization.md (25).

import { clampOf, isPerChannel } from "../../graph/clamp.ts";
import type { Conv, Node } from "../../graph/node.ts";
import { elementsOf, stridesOf, type Tensor } from "../../tensor/tensor.ts";
import { elementStrides } from "../layout.ts";
import { floatProductBounds, withBounds } from "./bounds.ts";
import { emitChannelClamp } from "./channelClamp.ts";
import type { Lowering } from "./context.ts";
import { emitInteger } from "./convInteger.ts";
import { emitDepthwiseFloat } from "./depthwise.ts";
import { isDepthwise, padWords, widenedShape, widenGroups, type FilterShape } from "./filters.ts";
import { takeRange } from "./observe.ts";
import { registerFilter } from "./packing.ts";
import { isPointwise, sizesOf, windowGeometry, type Filter, type Product } from "./product.ts";
import { fitTile, tileSteps } from "./registers.ts";
import { takeResidual } from "./residual.ts";
import { emitSharedFloat, productSizes } from "./tiled.ts";

/** Emit a product in float or in integers, as its values are. */
export function emit(lowering: Lowering, product: Product): void {
  const { x, out, node } = product;
  if (out.layout.words === 0) return;
  if ((x.quant === undefined) !== (out.quant === undefined)) {
    throw lowering.unsupported(node, "input and output must both be float or both be quantized");
  }
  if (x.quant) emitInteger(lowering, product);
  else emitFloat(lowering, product);
}

function emitFloat(lowering: Lowering, product: Product): void {
  const { node, geometry, filter, bias, x, out, residual } = product;
  const { plan } = lowering;
  const { shape } = filter;
  if (typeof bias !== "function" && isPerChannel(product)) {
    const { low: _low, high: _high, ...open } = product;
    const raw = lowering.scratch(out.layout.logical);
    emitFloat(lowering, { ...open, out: raw });
    emitChannelClamp(lowering, node, raw, out, product);
    return;
  }
  const bounds = floatProductBounds(residual ? clampOf(residual.add) : product, shape.outs);
  const biasRef =
    typeof bias === "function"
      ? lowering.packed(node, "float bias", () =>
          withBounds(
            padWords(bias(), (length) => new Float32Array(length)),
            bounds,
          ),
        )
      : bias.ref;
  if (isDepthwise(shape)) {
    emitDepthwiseFloat(lowering, product, { bias: biasRef, bounds });
    return;
  }
  const sizes = sizesOf(geometry, shape);
  const { tile: chosen, m } = lowering.tileFor(node, productSizes("f32", sizes, shape));
  const RESIDUAL = residual ? 1 : 0;
  const uniforms = { ...sizes, ...bounds.uniforms };
  const buffers = {
    x: x.ref,
    bias: biasRef,
    residual: (residual?.other ?? x).ref,
    out: out.ref,
  };
  if (chosen.family === "matrix") throw new Error("matrices are of int8; please report.");
  if (chosen.family !== "register") {
    const overrides = { RESIDUAL, ...bounds.overrides };
    emitSharedFloat(lowering, product, chosen, { overrides, uniforms, buffers });
    return;
  }
  const tile = fitTile(chosen, m, sizes, shape);
  const tiling = tileSteps(lowering.target, tile, sizes);
  const common = {
    node: node.name,
    overrides: {
      POINTWISE: isPointwise(geometry) ? 1 : 0,
      ...bounds.overrides,
      ...tiling.overrides,
    },
    uniforms: { ...uniforms, last: shape.outs },
    buffers: {
      ...buffers,
      filters: registerFilter(lowering, product),
    },
    groups: tiling.groups,
  };
  const slot = takeRange(lowering, out);
  if (tile.quads) {
    const step = { ...common, uniforms: { ...common.uniforms, hasResidual: RESIDUAL } };
    if (slot) plan.step("convQuadObservedF32", { ...step, buffers: { ...step.buffers, slot } });
    else plan.step("convQuadF32", step);
    return;
  }
  const step = { ...common, overrides: { ...common.overrides, RESIDUAL } };
  if (slot) plan.step("convObservedF32", { ...step, buffers: { ...step.buffers, slot } });
  else plan.step("convF32", step);
}

/** The elements of a constant filter, less their zero points where it is quantized. */
export function filterElements(
  lowering: Lowering,
  name: string,
  constant: Tensor,
): ArrayLike<number> {
  const data = constant.data as ArrayLike<number>;
  const quant = lowering.quant(name);
  if (!quant || quant.zeroPoint.every((zero) => zero === 0)) return data;
  const { axis = 0, zeroPoint } = quant;
  const stride = stridesOf(constant.shape)[axis] ?? 1;
  return Int16Array.from(
    data,
    (q, at) => q - (zeroPoint[Math.floor(at / stride) % zeroPoint.length] ?? 0),
  );
}

/** A constant filter as it is, one that is computed where it lies. */
function filterOf(lowering: Lowering, node: Conv, shape: FilterShape): Filter {
  const name = lowering.inputName(node, 1);
  const constant = lowering.constant(name);
  const widened = widenedShape(shape);
  if (constant) {
    const data = () => widenGroups(shape, filterElements(lowering, name, constant)).data;
    return { shape: widened, data: once(data) };
  }
  const { ref, layout } = lowering.input(node, 1);
  const [out = 0, input = 0, row = 0, column = 0] = elementStrides(layout);
  const { outs, perGroup, group } = shape;
  return {
    shape: widened,
    source: {
      ref,
      ...{ outsPerGroup: outs / group, perGroup, kernelWidth: node.kernel[1], alpha: 1 },
      strides: { group: (outs / group) * out, out, input, row, column, base: 0 },
    },
  };
}

/** The numbers of a constant bias, 0 without one; else where it lies, one for each of `outs`. */
function biasOf(lowering: Lowering, node: Node, outs: number): Product["bias"] {
  const name = node.inputs[2];
  if (name === undefined) return () => new Float32Array(outs);
  const constant = lowering.constant(name);
  if (constant) return once(() => elementsOf(constant));
  const bias = lowering.input(node, 2);
  const { logical } = bias.layout;
  if (logical.length === 1 && logical[0] === outs) return bias;
  throw lowering.unsupported(node, `bias "${name}" must have shape [${outs}]`);
}

/** Whether weights have zero points other than 0: their window sums lie where a residual would. */
function hasZeroPoints(lowering: Lowering, node: Conv): boolean {
  const quant = lowering.quant(lowering.inputName(node, 1));
  return quant?.zeroPoint.some((zero) => zero !== 0) ?? false;
}

/** Where a convolution writes, with its own parameters: its own output, or that of the Add it does. */
function outputOf(lowering: Lowering, node: Conv, shape: FilterShape) {
  const mayAdd = !isDepthwise(shape) && !hasZeroPoints(lowering, node);
  const residual = mayAdd ? takeResidual(lowering, node) : undefined;
  if (!residual) return { out: lowering.output(node), residual };
  const name = node.outputs[0] ?? "";
  return { out: { ...residual.out, name, quant: lowering.quant(name) }, residual };
}

export function lowerConv(lowering: Lowering, node: Conv): void {
  const filterScale = lowering.quant(lowering.inputName(node, 1))?.scale;
  const x = lowering.input(node, 0);
  const [outs = 1, perGroup = 1] = lowering.shape(lowering.inputName(node, 1));
  const shape = { outs, perGroup, taps: node.kernel[0] * node.kernel[1], group: node.group };
  const { out, residual } = outputOf(lowering, node, shape);
  emit(lowering, {
    node,
    geometry: windowGeometry(node, x.layout.logical, out.layout.logical),
    filter: filterOf(lowering, node, shape),
    bias: biasOf(lowering, node, outs),
    filterScale,
    x,
    out,
    residual,
    ...clampOf(node),
  });
}

/** What `make` gives, made when it is first asked for. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
