// Ops on plain integers, and quantization whose parameters come from the data: docs/quantization.md (24),
// (38). Sums run in f64, where they are exact, and the store into int32 is modulo 2³².

import { quantizeDividing } from "../graph/arithmetic.ts";
import type { NodeOf } from "../graph/node.ts";
import { nodeError } from "../graph/shapes.ts";
import { allocate } from "../tensor/dtype.ts";
import { clamp, fl, rint } from "../tensor/rounding.ts";
import { formatShape, tensor, type Tensor } from "../tensor/tensor.ts";
import { convSums } from "./conv.ts";
import { matmulSums } from "./gemm.ts";
import { floatInput, inputAt, realsOf, type Reals } from "./operands.ts";

/** Input `index`, plain int8 or uint8. */
function bytesInput(
  node: NodeOf<"ConvInteger" | "MatMulInteger">,
  inputs: readonly Tensor[],
  index: number,
): Tensor {
  const value = inputAt(node, inputs, index);
  if (value.dtype === "int8" || value.dtype === "uint8") return value;
  throw nodeError(
    node,
    `input ${index} must be int8 or uint8`,
    `${value.dtype}${formatShape(value.shape)}`,
    "Quantize it first.",
  );
}

/** acc = Σ (x − zx)(w − zw), int32. inputs: x, w, zx, zw. */
export function integerProduct(
  node: NodeOf<"ConvInteger" | "MatMulInteger">,
  inputs: readonly Tensor[],
): Tensor<"int32"> {
  const [x, w, zx, zw] = [0, 1, 2, 3].map((index) => bytesInput(node, inputs, index)) as [
    Tensor,
    Tensor,
    Tensor,
    Tensor,
  ];
  const zeros = Array.from(zw.data, Number);
  const weights = realsOf(w);
  // Neighbours that share an output channel: all of a filter's taps, or one element of a row.
  const inner = node.op === "ConvInteger" ? w.data.length / Math.max(1, w.shape[0] ?? 1) : 1;
  const data = weights.data.map((q, at) => q - (zeros[Math.floor(at / inner) % zeros.length] ?? 0));
  const moved: Reals = { shape: weights.shape, data };
  const reals = realsOf(x, Number(zx.data[0]));
  const sums =
    node.op === "ConvInteger" ? convSums(node, reals, moved) : matmulSums(node, reals, moved);
  return tensor("int32", sums.shape, Int32Array.from(sums.data));
}

/** Bytes within [low, high], which are bytes too. */
export function clipBytes(node: NodeOf<"Clip">, inputs: readonly Tensor[]): Tensor {
  const x = inputAt(node, inputs, 0);
  const data = allocate(x.dtype, x.data.length);
  realsOf(x).data.forEach((q, at) => (data[at] = clamp(q, node.low, node.high) as never));
  return tensor(x.dtype, x.shape, data);
}

/** s = fl(fl(hi − lo) / 255), 1 if below the least normal; z = clamp(rint(fl(−lo / s)), 0, 255); q by (5). */
export function dynamicQuantize(
  node: NodeOf<"DynamicQuantizeLinear">,
  inputs: readonly Tensor[],
): Tensor[] {
  const { shape, data } = floatInput(node, inputs, 0);
  const [low, high] = data.reduce(
    ([least, greatest], x) => [Math.min(least, x), Math.max(greatest, x)] as const,
    [0, 0] as readonly [number, number],
  );
  const quotient = fl(fl(high - low) / 255);
  const scale = quotient < 2 ** -126 ? 1 : quotient;
  const zeroPoint = clamp(rint(fl(-low / scale)), 0, 255);
  const q = Uint8Array.from(data, (x) => quantizeDividing(x, scale, zeroPoint, 0, 255));
  return [
    tensor("uint8", shape, q),
    tensor("float32", [], Float32Array.of(scale)),
    tensor("uint8", [], Uint8Array.of(zeroPoint)),
  ];
}
