// The nodes that training adds, but for those of batch normalization: each gradient by its definition.

import { derivativeOf } from "../graph/derivatives.ts";
import type { AveragePoolGrad, GradientNode, MaxPoolGrad, UnaryGrad } from "../graph/gradients.ts";
import type { NodeOf } from "../graph/node.ts";
import { float32, sizeOf, type Tensor } from "../tensor/tensor.ts";
import { batchNormGrad, batchNormTraining } from "./batchNormTraining.ts";
import { floatInput, outputShape, rounded } from "./operands.ts";
import { forEachWindow } from "./pool.ts";

/** The outputs of `node`. */
export function runGradient(
  node: Exclude<GradientNode, { readonly op: "UpdateRunning" }>,
  inputs: readonly Tensor[],
): Tensor[] {
  switch (node.op) {
    case "BatchNormTraining":
      return batchNormTraining(node, inputs);
    case "BatchNormGrad":
      return batchNormGrad(node, inputs);
    case "UnaryGrad":
      return [unaryGrad(node, inputs)];
    case "AveragePoolGrad":
      return [averagePoolGrad(node, inputs)];
    case "MaxPoolGrad":
      return [maxPoolGrad(node, inputs)];
    default:
      return node satisfies never;
  }
}

/** dY where low < y < high, else 0. inputs: y, dY. */
export function clampGrad(node: NodeOf<"ClampGrad">, inputs: readonly Tensor[]): Tensor<"float32"> {
  const [y, dY] = [floatInput(node, inputs, 0), floatInput(node, inputs, 1)];
  const { low = -Infinity, high = Infinity } = node;
  const data = dY.data.map((value, i) => {
    const at = y.data[i] ?? NaN;
    return low < at && at < high ? value : 0;
  });
  return rounded({ shape: outputShape(node, [y, dY]), data });
}

/** dY · f′(x). inputs: x, dY. */
function unaryGrad(node: UnaryGrad, inputs: readonly Tensor[]): Tensor<"float32"> {
  const [x, dY] = [floatInput(node, inputs, 0), floatInput(node, inputs, 1)];
  const derivative = derivativeOf(node.of);
  const data = dY.data.map((value, i) => value * derivative(x.data[i] ?? NaN));
  return rounded({ shape: x.shape, data });
}

/** Each dY in equal parts to the elements that it is the mean of. inputs: dY. */
function averagePoolGrad(node: AveragePoolGrad, inputs: readonly Tensor[]): Tensor<"float32"> {
  const dY = floatInput(node, inputs, 0);
  const shape = outputShape(node, [dY]);
  const data = new Float64Array(sizeOf(shape));
  forEachWindow(node, shape, dY.shape, (index, taps) => {
    const inside = taps.filter((tap) => tap >= 0);
    const count = node.countIncludePad ? taps.length : inside.length;
    for (const tap of inside) data[tap] = (data[tap] ?? 0) + (dY.data[index] ?? NaN) / count;
  });
  return rounded({ shape, data });
}

/** Each dY to the first element of its window that equals y. inputs: x, y, dY. */
function maxPoolGrad(node: MaxPoolGrad, inputs: readonly Tensor[]): Tensor<"float32"> {
  const [x, y, dY] = [0, 1, 2].map((index) => floatInput(node, inputs, index));
  const shape = x?.shape ?? [];
  const data = new Float64Array(sizeOf(shape));
  forEachWindow(node, shape, dY?.shape ?? [], (index, taps) => {
    const first = taps.find((tap) => tap >= 0 && x?.data[tap] === y?.data[index]);
    if (first !== undefined) data[first] = (data[first] ?? 0) + (dY?.data[index] ?? NaN);
  });
  return float32(shape, new Float32Array(data));
}
