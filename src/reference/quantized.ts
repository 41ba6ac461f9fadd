// The integer meaning of ops whose input and output are quantized. Each op is its real meaning on q
// − zeroPoint, exact, followed by one requantization: a multiplier from the host, one rounding, the
// output's zero point, and a clamp that carries the activation. docs/quantization.md (29), (34) –
// (37).

import {
  addMultipliers,
  addQuantized,
  averageMultiplier,
  clampBounds,
  dequantizeTensor,
  multiplier,
  quantizeTensor,
  quantizeValue,
  requantize,
  rescaleMultiplier,
} from "../graph/arithmetic.ts";
import { boundAt, isPerChannel } from "../graph/clamp.ts";
import { isUnaryFunction, unaryFunction, type UnaryFunction } from "../graph/functions.ts";
import type { Binary, ChannelClamp, Movement, Node, NodeOf } from "../graph/node.ts";
import { nodeError } from "../graph/shapes.ts";
import { rangeOf, sameQuant, type QParams } from "../graph/value.ts";
import { allocate } from "../tensor/dtype.ts";
import { tensor, type Tensor } from "../tensor/tensor.ts";
import { move } from "./movement.ts";
import { broadcast, channelsOf, inputAt, outputShape, realsOf, type Reals } from "./operands.ts";
import { averagePoolSums, maxPool } from "./pool.ts";
import { perTensor, quantizedInput, storedQ, type Quantized } from "./quantizedOperands.ts";
import { quantizedSums } from "./quantizedSums.ts";
import { reduceSums } from "./reduce.ts";

/** q of each acc, by docs/quantization.md (29): `multiplierOf(index)` belongs to element
 *  `index`. Bounds may differ by channel, axis 1. */
export function requantized(
  node: Node,
  acc: Reals,
  quant: QParams,
  multiplierOf: (index: number) => number,
  clamps: ChannelClamp = {},
): Tensor {
  const { zeroPoint } = perTensor(node, quant);
  const differ = isPerChannel(clamps);
  const channelOf = differ ? channelsOf(acc.shape) : () => 0;
  const bounds = Array.from({ length: differ ? (acc.shape[1] ?? 1) : 1 }, (_, channel) =>
    clampBounds(boundAt(clamps.low, channel), boundAt(clamps.high, channel), quant),
  );
  const data = allocate(quant.dtype, acc.data.length);
  acc.data.forEach((value, i) => {
    const [least = NaN, greatest = NaN] = bounds[channelOf(i)] ?? [];
    data[i] = requantize(value, multiplierOf(i), zeroPoint, least, greatest);
  });
  return tensor(quant.dtype, acc.shape, data);
}

/** The same reals under other parameters, docs/quantization.md (34); unchanged where the
 *  parameters agree. */
function convertQuant(node: Node, { tensor: x, quant }: Quantized, to: QParams): Tensor {
  if (sameQuant(quant, to)) return x;
  const [from, out] = [perTensor(node, quant), perTensor(node, to)];
  const m = rescaleMultiplier(from.scale, out.scale);
  return requantized(node, realsOf(x, from.zeroPoint), to, () => m);
}

/** q → quantize(f(dequantize(q))), f rounded once to f32: the entry of each q in a table of 256. */
function table(node: UnaryFunction, x: Quantized, to: QParams): Tensor {
  const f = unaryFunction(node);
  perTensor(node, x.quant);
  perTensor(node, to);
  const reals = dequantizeTensor(storedQ(node, x.tensor), x.quant);
  const results = Float32Array.from(reals.data, f);
  return quantizeTensor(tensor("float32", reals.shape, results), to);
}

/** Means by docs/quantization.md (36): padding adds 0 to acc. */
function mean(
  node: NodeOf<"AveragePool" | "GlobalAveragePool" | "ReduceMean">,
  inputs: readonly (Quantized | Tensor)[],
  to: QParams,
): Tensor {
  const { tensor: x, quant, scale, zeroPoint } = quantizedInput(node, inputs, 0);
  const isInside = node.op === "GlobalAveragePool" && node.engine === "fbgemm";
  if (isInside && !sameQuant(quant, to)) {
    throw nodeError(
      node,
      "with engine fbgemm the output must have the input's parameters",
      `scales ${scale} and ${to.scale[0]}`,
      "Leave the engine out.",
    );
  }
  const reals = realsOf(x, isInside ? 0 : zeroPoint);
  const sums = node.op === "AveragePool" ? averagePoolSums(node, reals) : reduceSums(node, reals);
  const out = perTensor(node, to);
  const target = isInside ? { ...to, zeroPoint: Int32Array.of(0) } : to;
  return requantized(node, sums, target, (index) => {
    const count = Math.max(1, sums.counts[index] ?? 1); // the mean of nothing is 0
    return averageMultiplier(scale, out.scale, count);
  });
}

/** Add and Sub by docs/quantization.md (37), Mul by (35). */
function binary(node: Binary, inputs: readonly (Quantized | Tensor)[], to: QParams): Tensor {
  const [a, b] = [quantizedInput(node, inputs, 0), quantizedInput(node, inputs, 1)];
  const shape = outputShape(node, [a.tensor, b.tensor]);
  const left = broadcast(node, realsOf(a.tensor, a.zeroPoint), shape);
  const right = broadcast(node, realsOf(b.tensor, b.zeroPoint), shape);
  const out = perTensor(node, to);
  if (node.op === "Mul") {
    const data = left.map((value, i) => value * (right[i] ?? NaN));
    const m = multiplier(a.scale, b.scale, out.scale);
    return requantized(node, { shape, data }, to, () => m, node);
  }
  const { ma, mb, k } = addMultipliers(a.scale, b.scale, out.scale, node.engine);
  const multipliers = { ma, mb: node.op === "Sub" ? -mb : mb, k };
  const [low, high] = clampBounds(node.low, node.high, to);
  const data = allocate(to.dtype, left.length);
  left.forEach((value, i) => {
    data[i] = addQuantized(value, right[i] ?? NaN, multipliers, out.zeroPoint, low, high);
  });
  return tensor(to.dtype, shape, data);
}

/** Movement: the q move; Pad writes the q of its value under the output's parameters. */
function movement(
  node: Movement,
  inputs: readonly (Quantized | Tensor)[],
  to: readonly QParams[],
  shapes: readonly (readonly number[])[],
): Tensor[] {
  const parts = inputs.map((_, index) => quantizedInput(node, inputs, index));
  const x = inputAt(node, parts, 0);
  if (node.op === "Concat") {
    const quant = inputAt(node, to, 0);
    return move(
      node,
      parts.map((part) => convertQuant(node, part, quant)),
      shapes,
    );
  }
  if (node.op === "Pad") {
    // The value is a real number: it takes the output's parameters, as the moved elements do.
    const quant = inputAt(node, to, 0);
    const { scale, zeroPoint } = perTensor(node, quant);
    const fill = quantizeValue(node.value, scale, zeroPoint, ...rangeOf(quant));
    return move(node, [convertQuant(node, x, quant)], shapes, fill);
  }
  return move(node, [x.tensor], shapes).map((moved, index) =>
    convertQuant(node, { tensor: moved, quant: x.quant }, inputAt(node, to, index)),
  );
}

/**
 * The outputs of `node` in integers.
 * @param inputs A quantized input with its parameters, or a plain tensor (an int32 bias).
 * @param to Parameters of each output.
 * @param shapes Shape of each output.
 * @throws InputError that names the node, where the op or its operands have no integer meaning
 *   here.
 */
export function runQuantized(
  node: Node,
  inputs: readonly (Quantized | Tensor)[],
  to: readonly QParams[],
  shapes: readonly (readonly number[])[],
): Tensor[] {
  const x = quantizedInput(node, inputs, 0);
  const quant = inputAt(node, to, 0);
  switch (node.op) {
    case "Conv":
    case "Gemm":
    case "MatMul": {
      const { acc, multiplierOf } = quantizedSums(node, inputs, quant);
      return [requantized(node, acc, quant, multiplierOf, node)];
    }
    case "Add":
    case "Sub":
    case "Mul":
      return [binary(node, inputs, quant)];
    case "AveragePool":
    case "GlobalAveragePool":
    case "ReduceMean":
      return [mean(node, inputs, quant)];
    case "MaxPool":
      return [convertQuant(node, { tensor: maxPool(node, [x.tensor]), quant: x.quant }, quant)];
    case "Identity":
      return [convertQuant(node, x, quant)];
    case "Flatten":
    case "Reshape":
    case "Transpose":
    case "Squeeze":
    case "Unsqueeze":
    case "Concat":
    case "Pad":
    case "Slice":
    case "Split":
      return movement(node, inputs, to, shapes);
    default:
      if (isUnaryFunction(node)) return [table(node, x, quant)];
      throw nodeError(
        node,
        "this op has no integer form",
        `${x.quant.dtype} in and ${quant.dtype} out`,
        "Keep it float: Dequantize its inputs and Quantize its output.",
      );
  }
}
