// A graph with known shapes becomes a plan: each node in order, by the file of its family. Inputs come
// as dense row-major arrays and are brought into their layout by the first dispatches; outputs leave
// the same way.

import { valueOf } from "../graph/graph.ts";
import type { BoundGraph } from "../graph/bind.ts";
import { takes } from "../graph/dtypes.ts";
import { isBinary, isReduce, isUnaryFunction } from "../graph/functions.ts";
import { isGradientNode } from "../graph/gradients.ts";
import type { Node } from "../graph/node.ts";
import { storedWeight } from "../graph/weightOnly.ts";
import { formatShape, sizeOf } from "../tensor/tensor.ts";
import { UnsupportedError, type Unsupported } from "../errors.ts";
import { atOnce, type Steps } from "../flow/turns.ts";
import { denseBytes, PlanBuilder } from "./builder.ts";
import { Choices } from "./choices.ts";
import { ConstantPool } from "./constants.ts";
import { isDense, layoutOf } from "./layout.ts";
import { isBytes, Lowering, shiftOf, type Placed } from "./lower/context.ts";
import { lowerAttention } from "./lower/attention.ts";
import { lowerCast } from "./lower/cast.ts";
import { lowerConv } from "./lower/conv.ts";
import { lowerConvTranspose } from "./lower/convTranspose.ts";
import { lowerConvGradFilter } from "./lower/convGradFilter.ts";
import { lowerBatchNormalization, lowerUnary } from "./lower/elementwise.ts";
import {
  lowerFakeQuantize,
  lowerFakeQuantizeGrad,
  lowerMovingAverageObserve,
} from "./lower/fakeQuantize.ts";
import { lowerLayerNorm } from "./lower/layerNorm.ts";
import { lowerDynamicQuantize } from "./lower/dynamic.ts";
import { lowerClampGrad, lowerGradient } from "./lower/gradients.ts";
import { lowerGather } from "./lower/gather.ts";
import { lowerIntegerToFloat } from "./lower/integerToFloat.ts";
import { lowerCrossEntropy, lowerCrossEntropyGrad, lowerGatherGrad } from "./lower/learning.ts";
import { lowerIntegerProduct } from "./lower/integers.ts";
import { lowerGemm, lowerMatMul } from "./lower/matmul.ts";
import { emitReshape, emitReshapeQuantize, lowerMovement } from "./lower/movement.ts";
import { lowerCompare, lowerObserve } from "./lower/observe.ts";
import { lowerPool, lowerSoftmax } from "./lower/pool.ts";
import { lowerArgReduce, lowerReduce } from "./lower/reduce.ts";
import { lowerRecurrentGrad } from "./lower/recurrentGrad.ts";
import { lowerRecurrent } from "./lower/recurrent.ts";
import {
  lowerArithmetic,
  lowerComparison,
  lowerIntegers,
  lowerNot,
  lowerWhere,
} from "./lower/words.ts";
import { lowerDequantize, lowerQuantize } from "./lower/quantization.ts";
import {
  lowerAccumulate,
  lowerAdamUpdate,
  lowerClipFactor,
  lowerGuardStep,
  lowerSgdUpdate,
} from "./lower/updates.ts";
import type { Plan } from "./plan.ts";
import { defaultTarget, type Target } from "./target.ts";

function lowerNode(lowering: Lowering, node: Node): void {
  switch (node.op) {
    case "Conv":
      return lowerConv(lowering, node);
    case "ConvTranspose":
      return lowerConvTranspose(lowering, node);
    case "ConvGradFilter":
      return lowerConvGradFilter(lowering, node);
    case "Gemm":
      return lowerGemm(lowering, node);
    case "MatMul":
      return lowerMatMul(lowering, node);
    case "BatchNormalization":
      return lowerBatchNormalization(lowering, node);
    case "LayerNormalization":
      return lowerLayerNorm(lowering, node);
    case "Equal":
    case "Less":
    case "LessOrEqual":
    case "Greater":
    case "GreaterOrEqual":
      return lowerComparison(lowering, node);
    case "And":
    case "Or":
    case "Xor":
      return lowerIntegers(lowering, node);
    case "Not":
      return lowerNot(lowering, node);
    case "Where":
      return lowerWhere(lowering, node);
    case "Gather":
      return lowerGather(lowering, node);
    case "AveragePool":
    case "MaxPool":
      return lowerPool(lowering, node);
    case "GlobalAveragePool":
      return lowerReduce(lowering, node);
    case "ArgMax":
    case "ArgMin":
      return lowerArgReduce(lowering, node);
    case "Softmax":
    case "LogSoftmax":
      return lowerSoftmax(lowering, node);
    case "LSTM":
    case "GRU":
      return lowerRecurrent(lowering, node);
    case "Attention":
      return lowerAttention(lowering, node);
    case "Cast":
      return lowerCast(lowering, node);
    case "Quantize":
      return lowerQuantize(lowering, node);
    case "Dequantize":
      return lowerDequantize(lowering, node);
    case "DynamicQuantizeLinear":
      return lowerDynamicQuantize(lowering, node);
    case "ConvInteger":
    case "MatMulInteger":
      return lowerIntegerProduct(lowering, node);
    case "MatMulIntegerToFloat":
      return lowerIntegerToFloat(lowering, node);
    case "FakeQuantize":
      return lowerFakeQuantize(lowering, node);
    case "FakeQuantizeGrad":
      return lowerFakeQuantizeGrad(lowering, node);
    case "MovingAverageObserve":
      return lowerMovingAverageObserve(lowering, node);
    case "CrossEntropy":
      return lowerCrossEntropy(lowering, node);
    case "CrossEntropyGrad":
      return lowerCrossEntropyGrad(lowering, node);
    case "GatherGrad":
      return lowerGatherGrad(lowering, node);
    case "LSTMGrad":
    case "GRUGrad":
      return lowerRecurrentGrad(lowering, node);
    case "ClampGrad":
      return lowerClampGrad(lowering, node);
    case "SgdUpdate":
      return lowerSgdUpdate(lowering, node);
    case "AdamUpdate":
      return lowerAdamUpdate(lowering, node);
    case "Accumulate":
      return lowerAccumulate(lowering, node);
    case "ClipFactor":
      return lowerClipFactor(lowering, node);
    case "GuardStep":
      return lowerGuardStep(lowering, node);
    case "Observe":
      return lowerObserve(lowering, node);
    case "Compare":
      return lowerCompare(lowering, node);
    case "Identity":
      return lowerMovement(lowering, node);
    default:
      if (isUnaryFunction(node)) return lowerUnary(lowering, node);
      if (isReduce(node)) return lowerReduce(lowering, node);
      if (isGradientNode(node)) return lowerGradient(lowering, node);
      if (isBinary(node)) return lowerArithmetic(lowering, node);
      return lowerMovement(lowering, node);
  }
}

/** Kernels take the element types of their op, and at most six axes: every value that is none of these,
 *  before anything is lowered. */
function checkValues(graph: BoundGraph): void {
  const problemOf = (name: string): string | undefined => {
    const { shape } = valueOf(graph, name);
    if (shape.length > 6) return `"${name}" must have at most 6 axes; got ${formatShape(shape)}`;
    return undefined;
  };
  // Float kernels would take an integer's bits for a float's.
  const strays = graph.nodes.flatMap((each): Unsupported[] => {
    const { op, name: node, inputs } = each;
    const weight = storedWeight(each, (name) => graph.values.get(name));
    const stray = inputs.find((name) => {
      const { dtype, quant } = valueOf(graph, name);
      return quant === undefined && !takes(op, dtype) && name !== weight?.name;
    });
    if (stray === undefined) return [];
    const problem = `"${stray}" must be float32 or quantized; got ${valueOf(graph, stray).dtype}`;
    return [{ op, node, problem }];
  });
  const report = (op: string, node: string, values: readonly string[]): Unsupported[] =>
    values
      .map(problemOf)
      .flatMap((problem) => (problem === undefined ? [] : [{ op, node, problem }]));
  const found = [
    ...graph.inputs.flatMap((name) => report("input", name, [name])),
    ...graph.nodes.flatMap(({ op, name, outputs }) => report(op, name, outputs)),
    ...strays,
  ];
  if (found.length === 0) return;
  throw new UnsupportedError(
    "compile",
    found,
    "Cut the model before it, or change its exporter's settings.",
  );
}

/** A value at the plan's border: dense, row-major. */
function atBorder(lowering: Lowering, name: string, side: "input" | "output"): Placed {
  const type = lowering.type(name);
  const { dtype, quant } = type;
  const shape = lowering.shape(name);
  const bytes = denseBytes(shape, isBytes(type) ? 1 : 4);
  const ref = lowering.plan[side](name, dtype, shape, bytes, shiftOf(type));
  return { name, ref, layout: layoutOf([sizeOf(shape)]), dtype, quant };
}

const isAlwaysDense = (lowering: Lowering, name: string): boolean =>
  lowering.choices.always((shape) => isDense(layoutOf(shape(name))));

/** An input goes into its layout, and where only a Quantize reads it, into integers at once. */
function lowerInput(lowering: Lowering, name: string): void {
  const port = atBorder(lowering, name, "input");
  if (isAlwaysDense(lowering, name)) {
    lowering.place(name, port.ref);
    return;
  }
  const [reader, ...others] = lowering.readers(name);
  const step = { name: `input ${name}` };
  const isOutput = lowering.graph.outputs.includes(name);
  const isWhole = reader?.op === "Quantize" && lowering.isPerTensor(reader.outputs[0] ?? "");
  if (reader?.op === "Quantize" && isWhole && others.length === 0 && !isOutput) {
    lowering.done.add(reader);
    emitReshapeQuantize(lowering, reader, port, lowering.output(reader));
    return;
  }
  emitReshape(lowering, step, port, lowering.place(name, lowering.room(name)));
}

/** The ports of the outputs. A value that lies densely and that no node reads is written there by its
 *  producer. */
function placeOutputs(lowering: Lowering): Map<string, Placed> {
  const { graph } = lowering;
  const ports = new Map(graph.outputs.map((name) => [name, atBorder(lowering, name, "output")]));
  for (const [name, { ref }] of ports) {
    const isAlone = lowering.readers(name).length === 0 && !graph.inputs.includes(name);
    if (isAlone && isAlwaysDense(lowering, name)) lowering.direct.set(name, ref);
  }
  return ports;
}

/** What plans for several sizes of one graph share. */
export interface Shared {
  readonly choices: Choices;
  readonly pool: ConstantPool;
}

/** Lower `graph`; its shapes are known (`bindShapes`). Throws UnsupportedError, AccumulatorError. */
export function lower(graph: BoundGraph, target: Target = defaultTarget): Plan {
  return atOnce(planSteps(graph, target));
}

/** The same in steps, a node at a time; `pool` is what plans for other sizes packed. */
export function* planSteps(
  graph: BoundGraph,
  target: Target,
  pool = new ConstantPool(),
): Steps<Plan> {
  const builder = yield* lowerSteps(graph, target, { choices: new Choices([graph]), pool });
  return yield* builder.finishSteps();
}

/** Lower one of several sizes, its memory not planned yet. */
export function* lowerSteps(graph: BoundGraph, target: Target, shared: Shared): Steps<PlanBuilder> {
  checkValues(graph);
  const plan = new PlanBuilder(shared.pool);
  const lowering = new Lowering(graph, plan, target, shared);
  const ports = placeOutputs(lowering);
  for (const name of graph.inputs) lowerInput(lowering, name);
  for (const node of graph.nodes) {
    if (lowering.done.has(node)) continue;
    lowerNode(lowering, node);
    lowering.changed(node);
    yield;
  }
  for (const [name, port] of ports) {
    if (lowering.placed(name)?.ref === port.ref) continue;
    const placed =
      lowering.placed(name) ?? lowering.placeVariable(name) ?? lowering.placeConstant(name);
    emitReshape(lowering, { name: `output ${name}` }, placed, port);
  }
  return plan;
}
