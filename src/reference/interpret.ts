// Runs a graph on the CPU, node by node, with the plain meaning of each op: the oracle of every
// kernel test. A node with a quantized first input and a quantized output computes in integers
// (quantized.ts); every other computes in float, and no float op reads q by accident.

import { InputError } from "../errors.ts";
import { dequantizeTensor, quantizeTensor } from "../graph/arithmetic.ts";
import type { BoundGraph, BoundValue } from "../graph/bind.ts";
import { matchDims } from "../graph/bind.ts";
import { isBinary, isReduce, isUnaryFunction } from "../graph/functions.ts";
import { isGradientNode } from "../graph/gradients.ts";
import type { Node } from "../graph/node.ts";
import { nodeError } from "../graph/shapes.ts";
import type { QParams } from "../graph/value.ts";
import { floatWeight, storedWeight } from "../graph/weightOnly.ts";
import { float32, formatShape, tensor, type Tensor, type Tensors } from "../tensor/tensor.ts";
import { attention } from "./attention.ts";
import { batchNorm } from "./batchNorm.ts";
import { binary } from "./binary.ts";
import { conv } from "./conv.ts";
import { convGradFilter, convTranspose } from "./convGrads.ts";
import { fakeQuantize, fakeQuantizeGrad } from "./fakeQuantize.ts";
import { gather } from "./gather.ts";
import { clampGrad, runGradient } from "./gradients.ts";
import { gemm, matmul } from "./gemm.ts";
import { layerNorm } from "./layerNorm.ts";
import { crossEntropy, crossEntropyGrad, gatherGrad } from "./learning.ts";
import { clipBytes, dynamicQuantize, integerProduct, integerToFloat } from "./integers.ts";
import { compareElements, integerBinary, logic, not, where } from "./logic.ts";
import { isMovement, move } from "./movement.ts";
import { floatInput, inputAt } from "./operands.ts";
import { clipFactor, guardStep } from "./optimizers.ts";
import { averagePool, maxPool } from "./pool.ts";
import { runQuantized } from "./quantized.ts";
import { storedQ } from "./quantizedOperands.ts";
import { recurrent } from "./recurrent.ts";
import { recurrentGrad } from "./recurrentGrad.ts";
import { argReduce, globalMean, reduce } from "./reduce.ts";
import { softmax } from "./softmax.ts";
import { cast, unary } from "./unary.ts";
import { isUpdate, update } from "./update.ts";

type Types = BoundGraph["values"];

/**
 * Every value of `graph` for `inputs`: graph inputs, constants, variables as the run leaves them, and the
 * outputs of all nodes.
 * Tensors are row-major in logical order; a quantized value's tensor holds q. Observe and Compare
 * are skipped.
 * @param onValue Called with each graph input, then with each node output as it is computed.
 * @throws InputError that names the input or node at fault; AccumulatorError where int32 overflows.
 */
export function interpret(
  graph: BoundGraph,
  inputs: Tensors,
  onValue?: (name: string, value: Tensor) => void,
): Map<string, Tensor> {
  matchDims(graph, inputs);
  const values = new Map([...graph.constants, ...(graph.variables ?? [])]);
  for (const name of graph.inputs) {
    const [value, type] = [inputs[name], typeOf(graph.values, name)];
    if (value?.dtype !== type.dtype) {
      throw new InputError(
        `input "${name}": dtype must be ${type.dtype}; got ${value?.dtype}. Convert the data.`,
      );
    }
    values.set(name, value);
    onValue?.(name, value);
  }
  for (const node of graph.nodes) {
    if (node.op === "Observe" || node.op === "Compare") continue;
    if (isUpdate(node)) {
      for (const [index, value] of update(node, inputsOf(node, values)))
        values.set(node.inputs[index] ?? "", value);
      continue;
    }
    const results = runNode(node, graph.values, values);
    node.outputs.forEach((name, index) => {
      const result = inputAt(node, results, index);
      checkType(node, name, typeOf(graph.values, name), result);
      values.set(name, result);
      onValue?.(name, result);
    });
  }
  return values;
}

function typeOf(types: Types, name: string): BoundValue {
  const type = types.get(name);
  if (type === undefined) throw new Error(`reference: no value "${name}"; please report.`);
  return type;
}

function checkType(node: Node, name: string, type: BoundValue, { dtype, shape }: Tensor): void {
  if (type.dtype === dtype && formatShape(type.shape) === formatShape(shape)) return;
  throw nodeError(
    node,
    `output "${name}" must be ${type.dtype}${formatShape(type.shape)}, as the graph says`,
    `${dtype}${formatShape(shape)}`,
    "The pass that made this node typed its output wrongly: please report.",
  );
}

function inputsOf(node: Node, values: ReadonlyMap<string, Tensor>): Tensor[] {
  return node.inputs.map((name) => {
    const value = values.get(name);
    if (value !== undefined) return value;
    throw nodeError(
      node,
      `input "${name}" must be computed before it is read`,
      "a node that stands before its producer",
      "Order the nodes topologically.",
    );
  });
}

/** The outputs of `node`, integer or float by the types of its values. */
function runNode(node: Node, types: Types, values: ReadonlyMap<string, Tensor>): Tensor[] {
  const tensors = inputsOf(node, values);
  const from = node.inputs.map((name) => typeOf(types, name).quant);
  const weight = storedWeight(node, (name) => types.get(name));
  if (weight) {
    // A float op: the weight is what it stands for.
    tensors[weight.index] = floatWeight(inputAt(node, tensors, weight.index), weight.value.quant);
    from[weight.index] = undefined;
  }
  const to = node.outputs.map((name) => typeOf(types, name));
  const shapes = to.map(({ shape }) => shape);
  const quants = to.flatMap(({ quant }) => quant ?? []);
  const [quantIn, quantOut] = [from[0], quants[0]];
  if (node.op === "Cast") return [cast(node, tensors)];
  if (node.op === "ConvInteger" || node.op === "MatMulInteger") {
    return [integerProduct(node, tensors)];
  }
  if (node.op === "MatMulIntegerToFloat") {
    const weight = from[1];
    if (weight) return [integerToFloat(node, tensors, weight)];
    throw nodeError(node, "its weight must be quantized", "a plain one", "Give it QParams.");
  }
  const isPlain = from[0] === undefined && tensors[0]?.dtype !== "float32";
  if (node.op === "ClipFactor") return clipFactor(node, tensors);
  if (node.op === "GuardStep") return [guardStep(node, tensors)];
  if (node.op === "Gather") return [gather(node, tensors, shapes[0] ?? [])];
  if (node.op === "Clip" && isPlain) return [clipBytes(node, tensors)];
  if (node.op === "LSTM" || node.op === "GRU") return recurrent(node, tensors, from);
  if (node.op === "LSTMGrad" || node.op === "GRUGrad") return recurrentGrad(node, tensors);
  if (node.op === "DynamicQuantizeLinear") return dynamicQuantize(node, tensors);
  if (node.op === "Quantize") return [quantize(node, tensors, quantOut)];
  if (node.op === "Dequantize") return [dequantize(node, tensors, quantIn)];
  if (quantIn && quants.length > 0 && quants.length === to.length) {
    const operands = tensors.map((value, index) => {
      const quant = from[index];
      return quant ? { tensor: value, quant } : value;
    });
    return runQuantized(node, operands, quants, shapes);
  }
  if (quants.length > 0 || from.some((quant) => quant !== undefined)) {
    const word = (quant: unknown) => (quant ? "quantized" : "float");
    throw nodeError(
      node,
      "inputs and outputs must be all quantized or all float",
      `${from.map(word).join(", ")} in and ${to.map(({ quant }) => word(quant)).join(", ")} out`,
      "Insert a Quantize or a Dequantize.",
    );
  }
  if (isMovement(node)) return move(node, tensors, shapes);
  if (node.op === "FakeQuantizeGrad") return fakeQuantizeGrad(node, tensors);
  if (isGradientNode(node) && node.op !== "UpdateRunning") return runGradient(node, tensors);
  return [runFloat(node, tensors)];
}

/** docs/quantization.md (2), per tensor or per axis. */
function quantize(node: Node, inputs: readonly Tensor[], quant: QParams | undefined): Tensor {
  const { shape, data } = floatInput(node, inputs, 0);
  const at = data.findIndex(Number.isNaN);
  if (at >= 0) {
    const wayOut = "Check the preprocessing and the model's weights.";
    throw nodeError(node, "NaN has no q", `NaN at index ${at} of ${formatShape(shape)}`, wayOut);
  }
  if (quant) return quantizeTensor(float32(shape, data), quant);
  throw nodeError(node, "the output must be quantized", "a float output", "Give it QParams.");
}

/** docs/quantization.md (6), per tensor or per axis. */
function dequantize(node: Node, inputs: readonly Tensor[], quant: QParams | undefined): Tensor {
  const x = inputAt(node, inputs, 0);
  if (quant) return dequantizeTensor(storedQ(node, x), quant);
  throw nodeError(node, "the input must be quantized", "a float input", "Remove this node.");
}

function runFloat(node: Node, inputs: readonly Tensor[]): Tensor {
  switch (node.op) {
    case "Conv":
      return conv(node, inputs);
    case "Gemm":
      return gemm(node, inputs);
    case "MatMul":
      return matmul(node, inputs);
    case "BatchNormalization":
      return batchNorm(node, inputs);
    case "Identity": {
      const x = inputAt(node, inputs, 0);
      return tensor(x.dtype, x.shape, x.data);
    }
    case "Equal":
    case "Less":
    case "LessOrEqual":
    case "Greater":
    case "GreaterOrEqual":
      return compareElements(node, inputs);
    case "And":
    case "Or":
    case "Xor":
      return logic(node, inputs);
    case "Not":
      return not(node, inputs);
    case "Where":
      return where(node, inputs);
    case "AveragePool":
      return averagePool(node, inputs);
    case "MaxPool":
      return maxPool(node, inputs);
    case "GlobalAveragePool":
      return globalMean(node, inputs);
    case "ArgMax":
    case "ArgMin":
      return argReduce(node, inputs);
    case "Softmax":
    case "LogSoftmax":
      return softmax(node, inputs);
    case "Attention":
      return attention(node, inputs);
    case "FakeQuantize":
      return fakeQuantize(node, inputs);
    case "ClampGrad":
      return clampGrad(node, inputs);
    case "LayerNormalization":
      return layerNorm(node, inputs);
    case "ConvTranspose":
      return convTranspose(node, inputs);
    case "ConvGradFilter":
      return convGradFilter(node, inputs);
    case "CrossEntropy":
      return crossEntropy(node, inputs);
    case "CrossEntropyGrad":
      return crossEntropyGrad(node, inputs);
    case "GatherGrad":
      return gatherGrad(node, inputs);
    default:
      if (isUnaryFunction(node)) return unary(node, inputs);
      if (isReduce(node)) return reduce(node, inputs);
      if (isBinary(node))
        return inputs[0]?.dtype === "float32" ? binary(node, inputs) : integerBinary(node, inputs);
      throw new InputError(
        `${node.op} "${node.name}": the reference has no such op. Please report.`,
      );
  }
}
