// Products of plain integers that keep their int32 accumulator. The zero point of x is a value like any other,
// and kernels read it from memory.

import type { NodeOf } from "../../graph/node.ts";
import { sizeOf, toNumbers } from "../../tensor/tensor.ts";
import { emitDepthwiseSums } from "./depthwise.ts";
import {
  isDepthwise,
  packByteFilter,
  packDepthwise,
  padWords,
  widenGroups,
  type FilterShape,
} from "./filters.ts";
import { workgroups, type Lowering, type Placed } from "./context.ts";
import { asRows, rowsLike } from "./dynamic.ts";
import { emitReshape } from "./movement.ts";
import { sizesOf, type Geometry } from "./product.ts";

type Product = NodeOf<"ConvInteger" | "MatMulInteger">;

/** The weights less their zero points, (outs, perGroup, taps), of a constant filter (outs, …) or (K, N). */
function weightsOf(lowering: Lowering, node: Product): Int32Array {
  const [w, zero] = [1, 3].map((index) => {
    const name = lowering.inputName(node, index);
    const constant = lowering.constant(name);
    if (!constant) throw lowering.unsupported(node, `"${name}" must be a constant`);
    return constant;
  }) as [NonNullable<ReturnType<Lowering["constant"]>>, { data: ArrayLike<number | bigint> }];
  const zeros = Array.from(zero.data, Number);
  const zeroOf = (channel: number) => zeros[zeros.length === 1 ? 0 : channel] ?? 0;
  const data = toNumbers(w);
  if (node.op === "ConvInteger") {
    const length = data.length / Math.max(1, w.shape[0] ?? 1);
    return Int32Array.from(data, (q, at) => q - zeroOf(Math.floor(at / length)));
  }
  const [rows = 1, columns = 1] = w.shape;
  return Int32Array.from(data, (_, at) => {
    const [column, row] = [Math.floor(at / rows), at % rows];
    return (data[row * columns + column] ?? 0) - zeroOf(column);
  });
}

/** int8 planes a, or a and b where 2a + b are the weights. */
function planesOf(shape: FilterShape, weights: ArrayLike<number>): Int8Array[] {
  const values = Array.from(weights);
  const pack = (data: readonly number[]) => packByteFilter(shape, data);
  if (values.every((w) => w >= -128 && w <= 127)) return [pack(values)];
  return [pack(values.map((w) => w >> 1)), pack(values.map((w) => w & 1))];
}

/** Rows of a matrix as pixels of a 1 × 1 convolution. */
export const ROWS = {
  inHeight: 1,
  inWidth: 1,
  outHeight: 1,
  outWidth: 1,
  kernelHeight: 1,
  kernelWidth: 1,
  strideHeight: 1,
  strideWidth: 1,
  dilationHeight: 1,
  dilationWidth: 1,
  padTop: 0,
  padLeft: 0,
} as const;

function geometryOf(node: Product, x: Placed, out: Placed): Geometry {
  if (node.op === "MatMulInteger") {
    return { batch: sizeOf(out.layout.logical.slice(0, -1)), ...ROWS };
  }
  const [batch = 1, , inHeight = 1, inWidth = 1] = x.layout.logical;
  const [, , outHeight = 1, outWidth = 1] = out.layout.logical;
  return {
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
  };
}

/** The sizes of the weights, those of a matrix being those of a 1 × 1 filter. */
function shapeOf(lowering: Lowering, node: Product): FilterShape {
  const [first = 1, second = 1] = lowering.shape(lowering.inputName(node, 1));
  if (node.op === "MatMulInteger") return { outs: second, perGroup: first, taps: 1, group: 1 };
  const taps = node.kernel[0] * node.kernel[1];
  return { outs: first, perGroup: second, taps, group: node.group };
}

/** The weights as the kernel reads them, and the sum of each output channel's. */
function packProduct(lowering: Lowering, node: Product) {
  const weights = weightsOf(lowering, node);
  const { shape, data } = widenGroups(shapeOf(lowering, node), weights);
  const { outs } = shape;
  const length = shape.perGroup * shape.taps;
  const sums = new Int32Array(outs);
  for (let at = 0; at < outs * length; at++) {
    const channel = Math.floor(at / length);
    sums[channel] = (sums[channel] ?? 0) + (data[at] ?? 0);
  }
  const planes = planesOf(shape, data);
  const filters = new Int8Array(planes.reduce((sum, plane) => sum + plane.length, 0));
  planes.forEach((plane, index) => filters.set(plane, index * plane.length));
  return {
    shape,
    isSplit: planes.length > 1,
    filters,
    sums: padWords(sums, (count) => new Int32Array(count)),
  };
}

export function lowerIntegerProduct(lowering: Lowering, node: Product): void {
  const { plan } = lowering;
  const given = lowering.input(node, 0);
  // Four axes lie in another order: their rows are moved on the way in and out.
  const isMoved = node.op === "MatMulInteger" && given.layout.logical.length === 4;
  const x = isMoved ? asRows(lowering, node, given) : given;
  const zeroPoint = lowering.input(node, 2);
  const final = lowering.output(node);
  const out = isMoved ? rowsLike(lowering, final) : final;
  const own = shapeOf(lowering, node);
  if (isDepthwise(own)) {
    if (out.layout.words === 0) return;
    const filters = lowering.packed(node, "depthwise filter", () =>
      packDepthwise(own, weightsOf(lowering, node), (length) => new Int32Array(length)),
    );
    const buffers = { x: x.ref, filters, zeroPoint: zeroPoint.ref, out: out.ref };
    return emitDepthwiseSums(lowering, node, geometryOf(node, x, out), own, buffers);
  }
  const { shape, isSplit, filters, sums } = lowering.memo(node, "planes", () =>
    packProduct(lowering, node),
  );
  const sizes = sizesOf(geometryOf(node, x, out), shape);
  plan.step("convI32", {
    node: node.name,
    overrides: { SPLIT: isSplit ? 1 : 0 },
    uniforms: sizes,
    buffers: {
      x: x.ref,
      filters: lowering.packed(node, "byte filter", () => filters),
      sums: lowering.packed(node, "sums", () => sums),
      zeroPoint: zeroPoint.ref,
      out: out.ref,
    },
    groups: workgroups(sizes.pixels * sizes.outWords),
  });
  if (out !== final) emitReshape(lowering, node, out, final);
}
