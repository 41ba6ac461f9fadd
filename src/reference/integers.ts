// Ops on plain integers, and quantization whose parameters come from the data: docs/quantization.md (14),
// (24), (38), (39). Sums run in f64, where they are exact, and the store into int32 is modulo 2³².

import { quantizeDividing, quantizeValue } from "../graph/arithmetic.ts";
import { chooseDynamic, dynamicBounds } from "../graph/dynamic.ts";
import type { NodeOf } from "../graph/node.ts";
import { nodeError } from "../graph/shapes.ts";
import type { QParams } from "../graph/value.ts";
import { allocate } from "../tensor/dtype.ts";
import { clamp, fl } from "../tensor/rounding.ts";
import { formatShape, sizeOf, tensor, toNumbers, type Tensor } from "../tensor/tensor.ts";
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

/** Bytes, scale and zero point of each row, or of the tensor: docs/quantization.md (38), (14). */
export function dynamicQuantize(
  node: NodeOf<"DynamicQuantizeLinear">,
  inputs: readonly Tensor[],
): Tensor[] {
  const { shape, data } = floatInput(node, inputs, 0);
  const isWhole = node.granularity === "perTensor";
  const length = isWhole ? data.length : (shape.at(-1) ?? 1);
  const count = isWhole ? 1 : sizeOf(shape.slice(0, -1));
  const parameters = Array.from({ length: count }, (_, row) => {
    let [low, high] = [0, 0];
    for (const x of data.subarray(row * length, (row + 1) * length)) {
      [low, high] = [Math.min(low, x), Math.max(high, x)];
    }
    return chooseDynamic(node, low, high);
  });
  const quantize = node.rule === "torch" ? quantizeValue : quantizeDividing;
  const [qmin, qmax] = dynamicBounds(node);
  const q = allocate(node.dtype, data.length);
  data.forEach((x, at) => {
    const { scale = 1, zeroPoint = 0 } = parameters[Math.floor(at / length)] ?? {};
    q[at] = quantize(x, scale, zeroPoint, qmin, qmax);
  });
  const zeros = allocate(node.dtype, count);
  parameters.forEach(({ zeroPoint }, row) => (zeros[row] = zeroPoint));
  const one = isWhole ? [] : [...shape.slice(0, -1), 1];
  const scales = Float32Array.from(parameters, ({ scale }) => scale);
  return [
    tensor(node.dtype, shape, q as never),
    tensor("float32", one, scales),
    tensor(node.dtype, one, zeros as never),
  ];
}

/** y = clamp(fl(fl(f32(Σ (q − zq)(w − zw)) · fl(sq · sw)) + b), low, high): docs/quantization.md (39). */
export function integerToFloat(
  node: NodeOf<"MatMulIntegerToFloat">,
  inputs: readonly Tensor[],
  weight: QParams,
): Tensor<"float32"> {
  const [q, w, scale, zeroPoint] = [0, 1, 2, 3].map((at) => inputAt(node, inputs, at)) as [
    Tensor,
    Tensor,
    Tensor,
    Tensor,
  ];
  const length = Math.max(1, q.shape.at(-1) ?? 1);
  const columns = Math.max(1, w.shape.at(-1) ?? 1);
  const each = (values: ArrayLike<number>, at: number) => values[values.length === 1 ? 0 : at] ?? 0;
  const [scales, zeros] = [toNumbers(scale), toNumbers(zeroPoint)];
  const moved = realsOf(q).data.map((code, at) => code - each(zeros, Math.floor(at / length)));
  const weights = realsOf(w).data.map((code, at) => code - each(weight.zeroPoint, at % columns));
  const sums = matmulSums(node, { shape: q.shape, data: moved }, { shape: w.shape, data: weights });
  const bias = inputs[4] && floatInput(node, inputs, 4).data;
  const { low = -Infinity, high = Infinity } = node;
  const y = sums.data.map((sum, at) => {
    const [row, column] = [Math.floor(at / columns), at % columns];
    const step = fl(each(scales, row) * each(weight.scale, column));
    return clamp(fl(fl(fl(sum) * step) + (bias?.[column] ?? 0)), low, high);
  });
  return tensor("float32", sums.shape, new Float32Array(y));
}
