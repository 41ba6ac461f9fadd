// One node → ONNX, in float. Quantization is around it (export.ts), never in it.

import { isBinary, isReduce, isUnaryFunction } from "../../graph/functions.ts";
import { isGradientNode } from "../../graph/gradients.ts";
import type { Node, Window } from "../../graph/node.ts";
import type { DType } from "../../tensor/dtype.ts";
import type { Dim } from "../../graph/value.ts";
import { exportRecurrent } from "./exportRecurrent.ts";
import { codeOf, float, int, ints, type Attributes, type Draft } from "./draft.ts";

/** Write `node`; `outputs` are the names of its results. `shapeOf` gives the shapes of values, `dtype` is that
 *  of its first input. */
export function exportNode(
  draft: Draft,
  node: Node,
  outputs: readonly string[],
  shapeOf: (name: string) => readonly Dim[],
  dtype: DType = "float32",
): void {
  const { name, inputs } = node;
  const plain = (attributes: Attributes = {}) =>
    draft.node(node.op, name, inputs, outputs, attributes);
  const withInputs = (more: readonly string[], attributes: Attributes = {}) =>
    draft.node(node.op, name, [...inputs, ...more], outputs, attributes);
  const axes = (values: readonly number[]) => draft.integers(`${name}_axes`, values);
  const since = (opset: number, write: () => void) => {
    if (draft.opset >= opset) return write();
    draft.refuse(node, `it needs opset ${opset}; export with opset ${opset === 17 ? 17 : 21}`);
  };
  switch (node.op) {
    case "Equal":
    case "Less":
    case "LessOrEqual":
    case "Greater":
    case "GreaterOrEqual":
    case "And":
    case "Or":
    case "Xor":
    case "Not":
    case "Where":
    case "MatMul":
    case "MatMulInteger":
    case "GlobalAveragePool":
      return plain();
    case "HardSwish":
      return draft.opset >= 14 ? plain() : oldHardSwish(draft, node, outputs);
    case "LeakyRelu":
      return plain({ alpha: float(node.alpha) });
    case "HardSigmoid":
      return plain({ alpha: float(node.alpha), beta: float(node.beta) });
    case "Clip":
      return clip(draft, name, inputs[0] ?? "", outputs[0] ?? "", node.low, node.high);
    case "Elu":
      return plain({ alpha: float(node.alpha) });
    case "Selu":
      return plain({ alpha: float(node.alpha), gamma: float(node.gamma) });
    case "Gelu":
      return since(20, () => plain({ approximate: { kind: "string", value: node.approximate } }));
    case "LayerNormalization":
      return since(17, () => plain({ axis: int(node.axis), epsilon: float(node.epsilon) }));
    case "Cast":
      return plain({ to: int(codeOf[node.to]) });
    case "Conv":
    case "ConvInteger":
      return plain({ ...windowAttributes(node), group: int(node.group) });
    case "AveragePool": {
      const { dilations, ...rest } = windowAttributes(node);
      const isDilated = node.dilations.some((dilation) => dilation !== 1);
      if (isDilated && draft.opset < 19) {
        return draft.refuse(node, "dilations need opset 19; export with opset 21");
      }
      return plain({
        ...rest,
        ...(isDilated && dilations ? { dilations } : {}),
        ceil_mode: int(node.ceilMode),
        count_include_pad: int(node.countIncludePad),
      });
    }
    case "MaxPool":
      return plain({ ...windowAttributes(node), ceil_mode: int(node.ceilMode) });
    case "Gemm":
      return plain({
        alpha: float(node.alpha),
        beta: float(node.beta),
        transA: int(node.transA),
        transB: int(node.transB),
      });
    case "BatchNormalization":
      return plain({ epsilon: float(node.epsilon) });
    case "ArgMax":
    case "ArgMin":
      return plain({
        axis: int(node.axis),
        keepdims: int(node.keepdims),
        select_last_index: int(node.selectLastIndex),
      });
    case "LSTM":
    case "GRU":
      return exportRecurrent(draft, node, outputs);
    case "Softmax":
    case "LogSoftmax":
    case "Flatten":
    case "Concat":
    case "Gather":
      return plain({ axis: int(node.axis) });
    case "Transpose":
      return plain({ perm: ints(node.perm) });
    case "Squeeze":
    case "Unsqueeze":
      return withInputs([axes(node.axes)]);
    case "Reshape": {
      const target = reshapeTarget(node.shape, shapeOf(inputs[0] ?? ""));
      if (target) return withInputs([draft.integers(`${name}_shape`, target)]);
      return draft.refuse(node, "more than one symbolic size; fix sizes with dims when loading");
    }
    case "Expand": {
      const target = expandTarget(node.shape, shapeOf(inputs[0] ?? ""));
      if (target) return withInputs([draft.integers(`${name}_shape`, target)]);
      return draft.refuse(node, "a symbolic size; fix sizes with dims when loading");
    }
    case "Pad": {
      const pads = draft.integers(`${name}_pads`, node.pads);
      const mode = { kind: "string", value: node.mode ?? "constant" } as const;
      if (node.mode) return withInputs([pads], { mode });
      return withInputs([pads, draft.scalar(`${name}_value`, node.value, dtype)], { mode });
    }
    case "Slice": {
      const numbers = [node.starts, node.ends].map((bounds) =>
        bounds.flatMap((bound) => (typeof bound === "number" ? [bound] : [])),
      );
      const [starts = [], ends = []] = numbers;
      if (numbers.some(({ length }) => length < node.axes.length))
        return draft.refuse(node, "a bound that names a size; fix sizes with dims when loading");
      return withInputs([
        draft.integers(`${name}_starts`, starts),
        draft.integers(`${name}_ends`, ends),
        axes(node.axes),
        draft.integers(`${name}_steps`, node.steps),
      ]);
    }
    case "Split":
      return withInputs([draft.integers(`${name}_split`, node.sizes)], { axis: int(node.axis) });
    case "FakeQuantizeGrad":
    case "CrossEntropy":
    case "CrossEntropyGrad":
    case "ConvTranspose":
    case "ConvGradFilter":
    case "GatherGrad":
    case "LSTMGrad":
    case "GRUGrad":
    case "ClampGrad":
    case "SgdUpdate":
    case "AdamUpdate":
    case "Accumulate":
    case "ClipFactor":
    case "GuardStep":
      return draft.refuse(
        node,
        "ONNX has no gradients; export the model without its training graph",
      );
    case "Attention":
      return draft.refuse(
        node,
        "it is made for running alone; export the graph it was recognised in",
      );
    case "MovingAverageObserve":
    case "Observe":
    case "Compare":
      return draft.refuse(
        node,
        "ONNX has no such op; export the model before prepare or after convert",
      );
    case "Quantize":
    case "Dequantize":
    case "FakeQuantize":
    case "DynamicQuantizeLinear":
    case "MatMulIntegerToFloat":
      throw new Error(`export: ${node.op} "${name}" has its own writer; please report.`);
    default:
      if (isGradientNode(node))
        return draft.refuse(
          node,
          "ONNX has no gradients; export the model without its training graph",
        );
      if (isUnaryFunction(node) || isBinary(node)) return plain();
      if (isReduce(node)) {
        const keepdims = int(node.keepdims);
        const takesAxes = draft.opset >= (node.op === "ReduceSum" ? 13 : 18);
        if (takesAxes) return withInputs([axes(node.axes)], { keepdims });
        return plain({ axes: ints(node.axes), keepdims });
      }
      return node satisfies never;
  }
}

function windowAttributes(window: Window): Attributes {
  return {
    dilations: ints(window.dilations),
    kernel_shape: ints(window.kernel),
    pads: ints(window.pads),
    strides: ints(window.strides),
  };
}

/** Clip with its bounds as initializers, an infinite one left out. */
export function clip(
  draft: Draft,
  name: string,
  input: string,
  output: string,
  low: number,
  high: number,
): void {
  const min = low === -Infinity ? "" : draft.scalar(`${name}_min`, low);
  const max = high === Infinity ? "" : draft.scalar(`${name}_max`, high);
  const bounds = max ? [min, max] : min ? [min] : [];
  draft.node("Clip", name, [input, ...bounds], [output]);
}

/** HardSwish came with opset 14: x · HardSigmoid(x) with alpha 1/6 and beta 1/2. */
function oldHardSwish(draft: Draft, node: Node, outputs: readonly string[]): void {
  const gate = draft.names.fresh(`${outputs[0]}_gate`);
  const name = draft.nodeNames.fresh(`${node.name}_gate`);
  draft.node("HardSigmoid", name, node.inputs, [gate], { alpha: float(1 / 6), beta: float(0.5) });
  draft.node("Mul", node.name, [...node.inputs, gate], outputs);
}

/** Names of sizes as ONNX can say them: 1 where the input has that size there. */
function expandTarget(shape: readonly Dim[], input: readonly Dim[]): number[] | undefined {
  const skipped = shape.length - input.length;
  const target = shape.map((dim, axis) => (dim === input[axis - skipped] ? 1 : dim));
  return target.every((dim) => typeof dim === "number") ? target : undefined;
}

/** Names of sizes as ONNX can say them: 0 where the input has that size there, else −1, once. */
function reshapeTarget(shape: readonly Dim[], input: readonly Dim[]): number[] | undefined {
  const known = shape.map((dim, axis) =>
    typeof dim === "string" && dim === input[axis] ? 0 : dim,
  );
  const target = known.map((dim) => (typeof dim === "string" ? -1 : dim));
  return target.filter((dim) => dim === -1).length <= 1 ? target : undefined;
}
