// The operands of quantized ops: q with its parameters, and the checks that they are of the kind
// the integer ops know (activations per tensor).

import type { Node } from "../graph/node.ts";
import { nodeError } from "../graph/shapes.ts";
import type { QParams } from "../graph/value.ts";
import type { DType } from "../tensor/dtype.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { inputAt } from "./operands.ts";

/** A tensor of q with its parameters. */
export interface Quantized {
  readonly tensor: Tensor;
  readonly quant: QParams;
}

/** Input `index` of `node`, which must be quantized per tensor; its scale and zero point as
 *  numbers. */
export function quantizedInput(
  node: Node,
  inputs: readonly (Quantized | Tensor)[],
  index: number,
): Quantized & { readonly scale: number; readonly zeroPoint: number } {
  const input = inputAt(node, inputs, index);
  if (!("quant" in input)) {
    throw nodeError(
      node,
      `input ${index} must be quantized, as input 0 is`,
      input.dtype,
      "Insert a Quantize before it, or Dequantize input 0.",
    );
  }
  return { ...input, ...perTensor(node, input.quant) };
}

/** Scale and zero point of per-tensor parameters; per-axis ones are refused by name. */
export function perTensor(node: Node, quant: QParams): { scale: number; zeroPoint: number } {
  const [scale, zeroPoint] = [quant.scale[0], quant.zeroPoint[0]];
  if (quant.axis === undefined && scale !== undefined && zeroPoint !== undefined) {
    return { scale, zeroPoint };
  }
  throw nodeError(
    node,
    "activations must be quantized per tensor",
    `${quant.scale.length} scale(s) along axis ${quant.axis}`,
    "Use granularity perTensor for activations.",
  );
}

/** `value` as a tensor of q; an InputError names the node where its elements cannot be q. */
export function storedQ(node: Node, value: Tensor): Tensor<QParams["dtype"]> {
  if (isOf("int8", value) || isOf("uint8", value) || isOf("int32", value)) return value;
  throw nodeError(
    node,
    "a quantized value must hold int8, uint8 or int32",
    value.dtype,
    "The pass that made this value typed it wrongly: please report.",
  );
}

function isOf<D extends DType>(dtype: D, value: Tensor): value is Tensor<D> {
  return value.dtype === dtype;
}
