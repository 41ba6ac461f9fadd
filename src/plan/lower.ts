// A graph with known shapes becomes a plan: each node in order, by the file of its family. Inputs come
// as dense row-major arrays and are brought into their layout by the first dispatches; outputs leave
// the same way.

import { valueOf } from "../graph/graph.ts";
import type { BoundGraph } from "../graph/bind.ts";
import type { Node } from "../graph/node.ts";
import { formatShape, sizeOf } from "../tensor/tensor.ts";
import { UnsupportedError, type Unsupported } from "../errors.ts";
import { denseBytes, PlanBuilder } from "./builder.ts";
import { layoutOf } from "./layout.ts";
import { Lowering, shiftOf } from "./lower/context.ts";
import { lowerConv } from "./lower/conv.ts";
import {
  lowerBatchNormalization,
  lowerBinary,
  lowerDequantize,
  lowerFakeQuantize,
  lowerQuantize,
  lowerUnary,
} from "./lower/elementwise.ts";
import { lowerGemm, lowerMatMul } from "./lower/matmul.ts";
import { emitReshape, lowerMovement } from "./lower/movement.ts";
import { lowerCompare, lowerObserve } from "./lower/observe.ts";
import { lowerMean, lowerPool, lowerSoftmax } from "./lower/pool.ts";
import type { Plan } from "./plan.ts";
import { defaultTarget, type Target } from "./target.ts";

function lowerNode(lowering: Lowering, node: Node): void {
  switch (node.op) {
    case "Conv":
      return lowerConv(lowering, node);
    case "Gemm":
      return lowerGemm(lowering, node);
    case "MatMul":
      return lowerMatMul(lowering, node);
    case "BatchNormalization":
      return lowerBatchNormalization(lowering, node);
    case "Relu":
    case "Sigmoid":
    case "HardSwish":
    case "Tanh":
    case "LeakyRelu":
    case "HardSigmoid":
    case "Clip":
      return lowerUnary(lowering, node);
    case "Add":
    case "Sub":
    case "Mul":
    case "Div":
      return lowerBinary(lowering, node);
    case "AveragePool":
    case "MaxPool":
      return lowerPool(lowering, node);
    case "GlobalAveragePool":
    case "ReduceMean":
      return lowerMean(lowering, node);
    case "Softmax":
      return lowerSoftmax(lowering, node);
    case "Quantize":
      return lowerQuantize(lowering, node);
    case "Dequantize":
      return lowerDequantize(lowering, node);
    case "FakeQuantize":
      return lowerFakeQuantize(lowering, node);
    case "Observe":
      return lowerObserve(lowering, node);
    case "Compare":
      return lowerCompare(lowering, node);
    default:
      return lowerMovement(lowering, node);
  }
}

/** Kernels take float32 and quantized bytes, and at most six axes: every value that is neither, before
 *  anything is lowered. */
function checkValues(graph: BoundGraph): void {
  const problemOf = (name: string): string | undefined => {
    const { dtype, shape, quant } = valueOf(graph, name);
    if (quant ? dtype === "int32" : dtype !== "float32")
      return `"${name}" must be float32 or quantized; got ${dtype}`;
    if (shape.length > 6) return `"${name}" must have at most 6 axes; got ${formatShape(shape)}`;
    return undefined;
  };
  const report = (op: string, node: string, values: readonly string[]): Unsupported[] =>
    values
      .map(problemOf)
      .flatMap((problem) => (problem === undefined ? [] : [{ op, node, problem }]));
  const found = [
    ...graph.inputs.flatMap((name) => report("input", name, [name])),
    ...graph.nodes.flatMap(({ op, name, outputs }) => report(op, name, outputs)),
  ];
  if (found.length === 0) return;
  throw new UnsupportedError(
    "compile",
    found,
    "Cut the model before it, or change its exporter's settings.",
  );
}

/** Lower `graph`; its shapes are known (`bindShapes`). Throws UnsupportedError, AccumulatorError. */
export function lower(graph: BoundGraph, target: Target = defaultTarget): Plan {
  checkValues(graph);
  const plan = new PlanBuilder();
  const lowering = new Lowering(graph, plan, target);
  for (const name of graph.inputs) {
    const { dtype, quant } = valueOf(graph, name);
    const shape = lowering.shape(name);
    const dense = layoutOf([sizeOf(shape)]);
    const bytes = denseBytes(shape, quant ? 1 : 4);
    const ref = plan.input(name, dtype, shape, bytes, quant ? shiftOf(quant) : 0);
    const layout = layoutOf(shape);
    const placed = lowering.place(name, plan.tensor(layout.words * (quant ? 4 : 16)));
    emitReshape(lowering, { name: `input ${name}` }, { name, ref, layout: dense, quant }, placed);
  }
  for (const node of graph.nodes) if (!lowering.done.has(node)) lowerNode(lowering, node);
  for (const name of graph.outputs) {
    const { dtype, quant } = valueOf(graph, name);
    const shape = lowering.shape(name);
    const placed = lowering.placed(name) ?? lowering.placeConstant(name);
    const ref = plan.output(
      name,
      dtype,
      shape,
      denseBytes(shape, quant ? 1 : 4),
      quant ? shiftOf(quant) : 0,
    );
    const layout = layoutOf([sizeOf(shape)]);
    emitReshape(lowering, { name: `output ${name}` }, placed, { name, ref, layout, quant });
  }
  return plan.finish();
}
