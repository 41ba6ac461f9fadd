// One node → ONNX, in float. Quantization is around it (export.ts), never in it.

import { isBinary, isReduce, isUnaryFunction } from "../../graph/functions.ts";
import { isGradientNode } from "../../graph/gradients.ts";
import type { Node, Window } from "../../graph/node.ts";
import type { DType } from "../../tensor/dtype.ts";
import type { Dim } from "../../graph/value.ts";
import { exportRecurrent } from "./exportRecurrent.ts";
import type { Sizes } from "./exportSizes.ts";
import { codeOf, float, int, ints, type Attributes, type Draft } from "./draft.ts";

/** What a writer knows beside the node: where sizes that inputs leave open come from, and the shapes of values. */
export interface ExportContext {
  readonly sizes: Sizes;
  readonly shapeOf: (name: string) => readonly Dim[];
}

/** Write `node`; `outputs` are the names of its results, `dtype` is that of its first input. */
export function exportNode(
  draft: Draft,
  node: Node,
  outputs: readonly string[],
  { sizes, shapeOf }: ExportContext,
  dtype: DType = "float32",
): void {
  const { name, inputs } = node;
  const plain = (attributes: Attributes = {}) =>
    draft.node(node.op, name, inputs, outputs, attributes);
  const withInputs = (more: readonly string[], attributes: Attributes = {}) =>
    draft.node(node.op, name, [...inputs, ...more], outputs, attributes);
  const axes = (values: readonly number[]) => draft.integers(`${name}_axes`, values);
  /** The inputs of `node` and lists of sizes that may be open. */
  const withSizes = (
    lists: Readonly<Record<string, readonly Dim[]>>,
    more: () => readonly string[] = () => [],
  ) => {
    const names: string[] = [];
    for (const [what, list] of Object.entries(lists)) {
      const written = sizes.list(`${name}_${what}`, list);
      if (written === undefined) {
        const open = list.filter((size) => typeof size === "string").join(", ");
        return draft.refuse(node, `size ${open} is that of no input; fix it (--dims, load's dims)`);
      }
      names.push(written);
    }
    return withInputs([...names, ...more()]);
  };
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
      return clip(draft, name, inputs[0] ?? "", outputs[0] ?? "", node.low, node.high, dtype, name);
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
      return plain({ ...windowAttributes(node), ...unlessAbsent(node.group, "group", 1) });
    case "AveragePool": {
      const { dilations, ...rest } = windowAttributes(node);
      const isDilated = node.dilations.some((dilation) => dilation !== 1);
      if (isDilated && draft.opset < 19) {
        return draft.refuse(node, "dilations need opset 19; export with opset 21");
      }
      return plain({
        ...rest,
        ...(isDilated && dilations ? { dilations } : {}),
        ...unlessAbsent(node.ceilMode, "ceil_mode"),
        ...unlessAbsent(node.countIncludePad, "count_include_pad"),
      });
    }
    case "MaxPool":
      return plain({ ...windowAttributes(node), ...unlessAbsent(node.ceilMode, "ceil_mode") });
    case "Gemm":
      return plain({
        ...(node.alpha === 1 ? {} : { alpha: float(node.alpha) }),
        ...(node.beta === 1 ? {} : { beta: float(node.beta) }),
        ...unlessAbsent(node.transA, "transA"),
        ...unlessAbsent(node.transB, "transB"),
      });
    case "BatchNormalization":
      return plain({ epsilon: float(node.epsilon) });
    case "ArgMax":
    case "ArgMin":
      return plain({
        axis: int(node.axis),
        keepdims: int(node.keepdims),
        ...unlessAbsent(node.selectLastIndex, "select_last_index"),
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
    case "Reshape":
      return withSizes({ shape: reshapeTarget(node.shape, shapeOf(inputs[0] ?? "")) });
    case "Expand":
      return withSizes({ shape: expandTarget(node.shape, shapeOf(inputs[0] ?? "")) });
    case "Pad": {
      const pads = draft.integers(`${name}_pads`, node.pads);
      const mode = { kind: "string", value: node.mode ?? "constant" } as const;
      if (node.mode) return withInputs([pads], { mode });
      return withInputs([pads, draft.scalar(`${name}_value`, node.value, dtype)], { mode });
    }
    case "Slice":
      return withSizes({ starts: node.starts, ends: node.ends }, () => [
        axes(node.axes),
        draft.integers(`${name}_steps`, node.steps),
      ]);
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
  const unless = (value: number, values: readonly number[], name: string) =>
    values.every((each) => each === value) ? {} : { [name]: ints(values) };
  return {
    ...unless(1, window.dilations, "dilations"),
    kernel_shape: ints(window.kernel),
    ...unless(0, window.pads, "pads"),
    ...unless(1, window.strides, "strides"),
  };
}

/** Attribute `name`, left out where it is what ONNX takes without it. */
function unlessAbsent(value: number | boolean, name: string, absent = 0): Attributes {
  return Number(value) === absent ? {} : { [name]: int(value) };
}

/** Clip with its bounds, called after `name`, as initializers of the input's dtype; one that bounds nothing is left
 *  out. */
export function clip(
  draft: Draft,
  name: string,
  input: string,
  output: string,
  low: number,
  high: number,
  dtype: DType = "float32",
  nodeName = "",
): void {
  const [least, greatest] = spans.get(dtype) ?? [-Infinity, Infinity];
  const min = low > least ? draft.scalar(`${name}_min`, low, dtype) : "";
  const max = high < greatest ? draft.scalar(`${name}_max`, high, dtype) : "";
  const bounds = max ? [min, max] : min ? [min] : [];
  draft.node("Clip", nodeName, [input, ...bounds], [output]);
}

/** What the elements of integers are between. */
const spans = new Map<DType, readonly [number, number]>([
  ["int8", [-128, 127]],
  ["uint8", [0, 255]],
]);

/** HardSwish came with opset 14: x · HardSigmoid(x) with alpha 1/6 and beta 1/2. */
function oldHardSwish(draft: Draft, node: Node, outputs: readonly string[]): void {
  const gate = draft.names.fresh(`${outputs[0]}_gate`);
  const name = draft.nodeNames.fresh(`${node.name}_gate`);
  draft.node("HardSigmoid", name, node.inputs, [gate], { alpha: float(1 / 6), beta: float(0.5) });
  draft.node("Mul", node.name, [...node.inputs, gate], outputs);
}

/** `shape` with 1 where the input has that size there. */
function expandTarget(shape: readonly Dim[], input: readonly Dim[]): readonly Dim[] {
  const skipped = shape.length - input.length;
  return shape.map((dim, axis) => (dim === input[axis - skipped] ? 1 : dim));
}

/** `shape` with 0 where the input has that size there, and −1 for one that is left; itself where several are. */
function reshapeTarget(shape: readonly Dim[], input: readonly Dim[]): readonly Dim[] {
  const known = shape.map((dim, axis) =>
    typeof dim === "string" && dim === input[axis] ? 0 : dim,
  );
  const open = known.filter((dim) => typeof dim === "string" || dim === -1);
  if (open.length > 1) return known;
  return known.map((dim) => (typeof dim === "string" ? -1 : dim));
}
