// Integer Conv, Gemm and MatMul up to the accumulator: acc = bq + Σ (x − zx)(w − zw),
// docs/quantization.md (24), with padding at x = zx, and the multiplier of each output element,
// fl(fl(sx · s_c) / sy), docs/quantization.md (29). A float bias is added to f32(acc) instead, in
// steps of sx · s_c: docs/quantization.md (30).

import { AccumulatorError } from "../errors.ts";
import { floatBias, multiplier } from "../graph/arithmetic.ts";
import type { Node, NodeOf } from "../graph/node.ts";
import { nodeError } from "../graph/shapes.ts";
import type { QParams } from "../graph/value.ts";
import { fl } from "../tensor/rounding.ts";
import { formatShape, stridesOf, type Tensor } from "../tensor/tensor.ts";
import { addChannelBias, convSums } from "./conv.ts";
import { gemmSums, matmulSums } from "./gemm.ts";
import { broadcast, inputAt, realsOf, type Reals } from "./operands.ts";
import { perTensor, quantizedInput, type Quantized } from "./quantizedOperands.ts";

type Linear = NodeOf<"Conv" | "Gemm" | "MatMul">;

/** The axis of the weight that counts output channels. */
function channelAxis(node: Linear, weight: Tensor): number {
  if (node.op === "Conv") return 0;
  if (node.op === "Gemm") return node.transB ? 0 : 1;
  return weight.shape.length - 1;
}

/** Input 1: bytes or fewer bits, with one scale and zero point, or one per output channel. */
function weightOf(node: Linear, inputs: readonly (Quantized | Tensor)[]): Quantized {
  const weight = inputAt(node, inputs, 1);
  if (!("quant" in weight) || weight.quant.dtype === "int32") {
    throw nodeError(
      node,
      "the weight must be int8 or uint8, or of fewer bits",
      "quant" in weight ? weight.quant.dtype : weight.dtype,
      "Convert the model so that weights are int8, or keep this op float.",
    );
  }
  const { axis, scale } = weight.quant;
  const along = channelAxis(node, weight.tensor);
  const wanted = axis === undefined ? 1 : weight.tensor.shape[along];
  if ((axis !== undefined && axis !== along) || scale.length !== wanted) {
    throw nodeError(
      node,
      `the weight ${formatShape(weight.tensor.shape)} needs one scale, or one per slice of axis ${along}`,
      `${scale.length} scale(s) along axis ${axis ?? "none"}`,
      "Quantize the weight along its output channels.",
    );
  }
  return weight;
}

/** q − z of each weight. */
function differences({ tensor, quant: { axis = 0, zeroPoint } }: Quantized): Reals {
  const { shape, data } = realsOf(tensor);
  const stride = stridesOf(shape)[axis] ?? 1;
  const zeroOf = (at: number) => zeroPoint[Math.floor(at / stride) % zeroPoint.length] ?? 0;
  return { shape, data: data.map((q, at) => q - zeroOf(at)) };
}

/** Input 2, where there is one: int32, already quantized by docs/quantization.md (26), or float32. */
function biasOf(node: Linear, inputs: readonly (Quantized | Tensor)[]): Tensor | undefined {
  const input = inputs[2];
  if (input === undefined) return undefined;
  const bias = "quant" in input ? input.tensor : input;
  if (bias.dtype === "int32" || bias.dtype === "float32") return bias;
  throw nodeError(
    node,
    "the bias must be int32, quantized by scale of x · scale of weight, or float32",
    bias.dtype,
    "Quantize the bias, or keep this op float.",
  );
}

/** Σ (x − zx) · w with the bias. */
function accumulate(node: Linear, x: Reals, w: Reals, bias: Reals | undefined): Reals {
  if (node.op === "Conv") {
    const sums = convSums(node, x, w);
    return bias ? addChannelBias(node, sums, bias) : sums;
  }
  const { shape, data } = node.op === "Gemm" ? gemmSums(node, x, w) : matmulSums(node, x, w);
  if (bias === undefined) return { shape, data };
  const added = broadcast(node, bias, shape);
  return { shape, data: data.map((sum, i) => sum + (added[i] ?? NaN)) };
}

/** The accumulators are exact; one that int32 cannot hold is an AccumulatorError. */
function checkFits(node: Node, acc: Reals): void {
  const at = acc.data.findIndex((value) => value < -2147483648 || value > 2147483647);
  if (at < 0) return;
  throw new AccumulatorError(
    `${node.op} "${node.name}": accumulators must fit int32; got ${acc.data[at]} at output ` +
      `element ${at}. Keep this op float: overrides: { "${node.name}": null }.`,
  );
}

/**
 * acc of each output element, and the multiplier that takes it to the output's scale. With a float bias
 * acc is fl(f32(Σ) + fl(b / fl(sx · s_c))), docs/quantization.md (30).
 * @param inputs x (quantized per tensor), weight (int8), bias (int32 or float32)?; alpha and beta must
 *   be 1.
 */
export function quantizedSums(
  node: Linear,
  inputs: readonly (Quantized | Tensor)[],
  to: QParams,
): { acc: Reals; multiplierOf: (index: number) => number } {
  const x = quantizedInput(node, inputs, 0);
  const weight = weightOf(node, inputs);
  if (node.op === "Gemm" && (node.alpha !== 1 || node.beta !== 1)) {
    throw nodeError(
      node,
      "an integer Gemm needs alpha = beta = 1",
      `alpha=${node.alpha}, beta=${node.beta}`,
      "Fold alpha into the weight and beta into the bias.",
    );
  }
  const bias = biasOf(node, inputs);
  const isFloat = bias?.dtype === "float32";
  const integers = bias && !isFloat ? realsOf(bias) : undefined;
  const sums = accumulate(node, realsOf(x.tensor, x.zeroPoint), differences(weight), integers);
  checkFits(node, sums);
  const { scale } = weight.quant;
  const out = perTensor(node, to);
  const multipliers = Array.from(scale, (each) =>
    multiplier(x.scale, each, out.scale, "engine" in node ? node.engine : undefined),
  );
  // How many neighbouring output elements share a channel: a whole plane in Conv, one in a matrix.
  const inner = node.op === "Conv" ? (sums.shape[2] ?? 1) * (sums.shape[3] ?? 1) : 1;
  const channelOf = (index: number, count: number) => Math.floor(index / inner) % count;
  return {
    acc: isFloat ? addFloatBias(sums, bias.data as Float32Array, x.scale, scale, channelOf) : sums,
    multiplierOf: (index) => multipliers[channelOf(index, multipliers.length)] ?? NaN,
  };
}

/** fl(f32(Σ) + fl(b / fl(sx · s_c))): docs/quantization.md (30). */
function addFloatBias(
  { shape, data }: Reals,
  bias: Float32Array,
  sx: number,
  scale: Float32Array,
  channelOf: (index: number, count: number) => number,
): Reals {
  const steps = bias.map((b, c) => floatBias(b, sx, scale[scale.length === 1 ? 0 : c] ?? NaN));
  return {
    shape,
    data: data.map((sum, i) => fl(fl(sum) + (steps[channelOf(i, steps.length)] ?? NaN))),
  };
}
