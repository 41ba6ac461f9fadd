// Weight-only quantization: a weight in fewer bits, activations and sums in float32. No data is needed: each
// block's scale follows from its own weights. docs/quantization.md, section 18; docs/decisions/0014.

import { QConfigError } from "../errors.ts";
import { quantizeTensor } from "../graph/arithmetic.ts";
import type { Graph } from "../graph/graph.ts";
import type { Node } from "../graph/node.ts";
import { paramsShape, rangeOf, type QParams } from "../graph/value.ts";
import { BLOCK_UNIT, blockAxis, storedInput, whyNotStored } from "../graph/weightOnly.ts";
import { GREATEST_HALF, halfOfFloat } from "../tensor/half.ts";
import { clamp, fl } from "../tensor/rounding.ts";
import { sizeOf, tensor, type Tensor } from "../tensor/tensor.ts";
import { searchScale } from "./searchScale.ts";
import { checkFinite } from "./weights.ts";

/** What a weight becomes. */
export interface WeightOnlySpec {
  readonly dtype: "float16" | "int8" | "int4";
  /** Input rows of an output channel that share a scale: a multiple of 8. Default 32. float16 has none. */
  readonly groupSize?: number;
}

export const DEFAULT_GROUP = 32;

/** Throws QConfigError for a group size that no kernel takes. */
export function checkGroupSize(groupSize: number | undefined, where: string): void {
  if (groupSize === undefined) return;
  if (Number.isInteger(groupSize) && groupSize >= BLOCK_UNIT && groupSize % BLOCK_UNIT === 0)
    return;
  throw new QConfigError(
    `${where}: groupSize must be a multiple of ${BLOCK_UNIT}; got ${groupSize}. 32, 64 and 128 are common.`,
  );
}

export interface StoredWeight {
  readonly data: Tensor;
  readonly quant?: QParams;
  /** Weights beyond ±65,504 that float16 holds as ±65,504, as PyTorch's float16 dynamic layers do. */
  readonly saturated: number;
}

/** The weight of `node`, (K, N) or transposed (N, K), stored by `spec`. Throws NonFiniteError where it is not finite. */
export function storeWeight(
  node: Node,
  weight: Tensor<"float32">,
  { dtype, groupSize = DEFAULT_GROUP }: WeightOnlySpec,
): StoredWeight {
  checkFinite(node, "weight", weight);
  if (dtype === "float16") return halved(weight);
  const axis = blockAxis(node);
  const blocks = blockParams(weight, dtype, axis, groupSize);
  // One block is the whole slice: a scale per slice, which files have said for longer.
  const isWhole = groupSize >= (weight.shape[axis] ?? 1);
  const { blockSize: _, ...whole } = blocks;
  const quant = isWhole ? { ...whole, axis: 1 - axis } : blocks;
  return { data: quantizeTensor(weight, quant), quant, saturated: 0 };
}

/** Why the weight of `node` cannot be stored so, or undefined. */
export function whyNotWeightOnly(graph: Graph, node: Node): string | undefined {
  const index = storedInput(node);
  if (index === undefined) return `${node.op} reads float32 alone`;
  const weight = graph.constants.get(node.inputs[index] ?? "");
  if (!weight) return "its weight is not a constant";
  if (weight.dtype !== "float32") return `its weight is ${weight.dtype}`;
  if (weight.data.length === 0) return "its weight is empty";
  return whyNotStored(node, weight.shape, undefined);
}

/** The nearest halves: docs/quantization.md (46). */
function halved(weight: Tensor<"float32">): StoredWeight {
  let saturated = 0;
  const data = Uint16Array.from(weight.data, (value) => {
    if (Math.abs(value) > GREATEST_HALF) saturated++;
    return halfOfFloat(clamp(value, -GREATEST_HALF, GREATEST_HALF));
  });
  return { data: tensor("float16", weight.shape, data), saturated };
}

/** Symmetric scales of blocks of `blockSize` along `axis`, docs/quantization.md (48). */
export function blockParams(
  weight: Tensor<"float32">,
  dtype: "int8" | "int4",
  axis: 0 | 1,
  blockSize: number,
): QParams {
  const shape = paramsShape({ axis, blockSize }, weight.shape);
  const scale = new Float32Array(sizeOf(shape));
  const zeroPoint = new Int32Array(scale.length);
  const quant: QParams = { dtype, scale, zeroPoint, axis, blockSize };
  const [qmin, qmax] = rangeOf(quant);
  const [rows = 0, columns = 0] = weight.shape;
  const length = axis === 0 ? rows : columns;
  const stride = axis === 0 ? columns : 1;
  for (let at = 0; at < scale.length; at++) {
    const [row, column] = [Math.floor(at / (shape[1] ?? 1)), at % (shape[1] ?? 1)];
    const from = (axis === 0 ? row : column) * blockSize;
    const first = axis === 0 ? from * stride + column : row * columns + from;
    const count = Math.min(blockSize, length - from);
    const block = Float32Array.from(
      { length: count },
      (_, i) => weight.data[first + i * stride] ?? 0,
    );
    scale[at] = blockScale(block, qmin, qmax);
  }
  return quant;
}

/** int4: between these factors of max |w| / qmax; below 1 the greatest weights are cut, and qmin is one more. */
const FACTORS = [0.7, 1] as const;
const TRIES = 12;

/** int8 keeps max |w| / 127: a search gains 0.4 dB of 45 there, and 1 dB of 20 in int4. */
function blockScale(block: Float32Array, qmin: number, qmax: number): number {
  const greatest = block.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const start = Math.max(fl(greatest / qmax), 2 ** -23);
  return qmax > 7 ? start : searchScale(block, start, qmin, qmax, FACTORS, TRIES);
}
