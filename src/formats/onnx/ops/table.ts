// Every op that can be imported: its function, the attributes it reads, and how many inputs it takes. An
// attribute that is not listed is refused by name; one that cannot change the result stands in `ignored`.

import type { Call } from "../call.ts";
import type { NodeProto } from "../proto.ts";
import * as blocks from "./blocks.ts";
import * as control from "./control.ts";
import * as dynamic from "./dynamic.ts";
import * as elementwise from "./elementwise.ts";
import * as integers from "./integers.ts";
import * as known from "./known.ts";
import * as matrix from "./matrix.ts";
import * as movement from "./movement.ts";
import * as qlinear from "./qlinear.ts";
import * as recurrent from "./recurrent.ts";
import * as quantization from "./quantization.ts";
import * as windows from "./windows.ts";

export interface OpImporter {
  readonly run: (call: Call) => void;
  readonly attributes: ReadonlySet<string>;
  /** Least and greatest number of inputs. */
  readonly inputs: readonly [number, number];
}

const ignored = ["momentum", "saturate", "storage_order", "ratio", "seed", "round_mode"];
const table = new Map<string, OpImporter>();

function op(name: string, run: (call: Call) => void, least: number, most: number, attributes = "") {
  const names = new Set([...attributes.split(" "), ...ignored]);
  table.set(name, { run, inputs: [least, most], attributes: names });
}

const MANY = Infinity;
const window = "auto_pad dilations kernel_shape pads strides";
op("Conv", windows.Conv, 2, 3, `${window} group`);
op("AveragePool", windows.AveragePool, 1, 1, `${window} ceil_mode count_include_pad`);
op("MaxPool", windows.MaxPool, 1, 1, `${window} ceil_mode`);
op("GlobalAveragePool", windows.GlobalAveragePool, 1, 1);
op("Relu", elementwise.Relu, 1, 1);
op("Sigmoid", elementwise.Sigmoid, 1, 1);
op("HardSwish", elementwise.HardSwish, 1, 1);
op("Tanh", elementwise.Tanh, 1, 1);
op("LeakyRelu", elementwise.LeakyRelu, 1, 1, "alpha");
op("HardSigmoid", elementwise.HardSigmoid, 1, 1, "alpha beta");
op("Erf", elementwise.Erf, 1, 1);
op("Sqrt", elementwise.Sqrt, 1, 1);
op("Exp", elementwise.Exp, 1, 1);
op("Log", elementwise.Log, 1, 1);
op("Neg", elementwise.Neg, 1, 1);
op("Abs", elementwise.Abs, 1, 1);
op("Reciprocal", elementwise.Reciprocal, 1, 1);
op("Softplus", elementwise.Softplus, 1, 1);
op("Sign", elementwise.Sign, 1, 1);
op("Floor", elementwise.Floor, 1, 1);
op("Ceil", elementwise.Ceil, 1, 1);
op("Round", elementwise.Round, 1, 1);
op("Elu", elementwise.Elu, 1, 1, "alpha");
op("Selu", elementwise.Selu, 1, 1, "alpha gamma");
op("Gelu", elementwise.Gelu, 1, 1, "approximate");
op("Clip", elementwise.Clip, 1, 3, "min max");
op("Add", elementwise.Add, 2, 2);
op("Sub", elementwise.Sub, 2, 2);
op("Mul", elementwise.Mul, 2, 2);
op("Div", elementwise.Div, 2, 2);
op("Pow", elementwise.Pow, 2, 2);
op("Sum", elementwise.Sum, 1, MANY);
op("Mean", elementwise.Mean, 1, MANY);
op("Min", elementwise.Min, 1, MANY);
op("Max", elementwise.Max, 1, MANY);
op("Equal", elementwise.Equal, 2, 2);
op("Less", elementwise.Less, 2, 2);
op("LessOrEqual", elementwise.LessOrEqual, 2, 2);
op("Greater", elementwise.Greater, 2, 2);
op("GreaterOrEqual", elementwise.GreaterOrEqual, 2, 2);
op("And", elementwise.And, 2, 2);
op("Or", elementwise.Or, 2, 2);
op("Xor", elementwise.Xor, 2, 2);
op("Not", elementwise.Not, 1, 1);
op("Where", elementwise.Where, 3, 3);
op("Identity", elementwise.Identity, 1, 1);
op("Dropout", elementwise.Dropout, 1, 3);
op("Cast", elementwise.Cast, 1, 1, "to");
op("MatMul", matrix.MatMul, 2, 2);
op("Gemm", matrix.Gemm, 2, 3, "alpha beta transA transB");
op("BatchNormalization", matrix.BatchNormalization, 5, 5, "epsilon spatial training_mode");
op("LayerNormalization", matrix.LayerNormalization, 2, 3, "axis epsilon stash_type");
const reducing = "axes keepdims noop_with_empty_axes";
op("ReduceMean", matrix.ReduceMean, 1, 2, reducing);
op("ReduceSum", matrix.ReduceSum, 1, 2, reducing);
op("ReduceMax", matrix.ReduceMax, 1, 2, reducing);
op("ReduceMin", matrix.ReduceMin, 1, 2, reducing);
op("ReduceProd", matrix.ReduceProd, 1, 2, reducing);
op("ReduceL1", matrix.ReduceL1, 1, 2, reducing);
op("ReduceL2", matrix.ReduceL2, 1, 2, reducing);
op("ReduceSumSquare", matrix.ReduceSumSquare, 1, 2, reducing);
op("ArgMax", matrix.ArgMax, 1, 1, "axis keepdims select_last_index");
op("ArgMin", matrix.ArgMin, 1, 1, "axis keepdims select_last_index");
op("LogSoftmax", matrix.LogSoftmax, 1, 1, "axis");
op("Softmax", matrix.Softmax, 1, 1, "axis");
const recurrence = "hidden_size direction layout activations activation_alpha activation_beta clip";
op("LSTM", recurrent.LSTM, 3, 8, `${recurrence} input_forget`);
op("GRU", recurrent.GRU, 3, 6, `${recurrence} linear_before_reset`);
op("Flatten", movement.Flatten, 1, 1, "axis");
op("Reshape", movement.Reshape, 2, 2, "allowzero");
op("Transpose", movement.Transpose, 1, 1, "perm");
op("Squeeze", movement.Squeeze, 1, 2, "axes");
op("Unsqueeze", movement.Unsqueeze, 1, 2, "axes");
op("Expand", movement.Expand, 2, 2);
op("Concat", movement.Concat, 1, MANY, "axis");
op("Pad", movement.Pad, 1, 4, "mode pads value");
op("Slice", movement.Slice, 1, 5, "starts ends axes");
op("Split", movement.Split, 1, 2, "axis split num_outputs");
op("If", control.If, 1, 1, "then_branch else_branch");
op("Constant", known.Constant, 0, 0, "value value_int value_ints value_float value_floats");
op("Shape", known.Shape, 1, 1, "start end");
op("Size", known.Size, 1, 1);
op("Gather", known.Gather, 2, 2, "axis");
op("ConstantOfShape", known.ConstantOfShape, 1, 1, "value");
op("Range", known.Range, 3, 3);
const linear = "axis block_size output_dtype precision";
op("QuantizeLinear", quantization.QuantizeLinear, 2, 3, linear);
op("DequantizeLinear", quantization.DequantizeLinear, 2, 3, linear);

op("DynamicQuantizeLinear", integers.DynamicQuantizeLinear, 1, 1);
op("ConvInteger", integers.ConvInteger, 2, 4, `${window} group`);
op("MatMulInteger", integers.MatMulInteger, 2, 4);
op("QLinearConv", qlinear.QLinearConv, 8, 9, `${window} group`);
op("QLinearMatMul", qlinear.QLinearMatMul, 8, 8);

// onnxruntime's own domain.
const MS = "com.microsoft.";
op(`${MS}QuantizeLinear`, quantization.QuantizeLinear, 2, 3, "axis");
op(`${MS}DequantizeLinear`, quantization.DequantizeLinear, 2, 3, "axis");
op(`${MS}MatMulNBits`, blocks.MatMulNBits, 3, 6, "K N bits block_size accuracy_level");
op(`${MS}MatMulIntegerToFloat`, dynamic.MatMulIntegerToFloat, 4, 7);
op(`${MS}DynamicQuantizeMatMul`, dynamic.DynamicQuantizeMatMul, 3, 5);
op(`${MS}Gelu`, elementwise.Gelu, 1, 1);
op(`${MS}BiasGelu`, elementwise.BiasGelu, 2, 2);
op(`${MS}FastGelu`, elementwise.FastGelu, 1, 2);
op(`${MS}DynamicQuantizeLSTM`, recurrent.DynamicQuantizeLSTM, 12, 12, `${recurrence} input_forget`);
op(`${MS}QGemm`, qlinear.QGemm, 6, 9, "alpha transA transB");
op(`${MS}QLinearAdd`, qlinear.QLinearAdd, 7, 8);
op(`${MS}QLinearMul`, qlinear.QLinearMul, 7, 8);
op(`${MS}QLinearConcat`, qlinear.QLinearConcat, 5, MANY, "axis");
const last = "channels_last";
op(`${MS}QLinearGlobalAveragePool`, qlinear.QLinearGlobalAveragePool, 5, 5, last);
const pool = `${window} ceil_mode count_include_pad ${last}`;
op(`${MS}QLinearAveragePool`, qlinear.QLinearAveragePool, 4, 5, pool);
op(`${MS}QLinearSigmoid`, qlinear.QLinearSigmoid, 4, 5);
op(`${MS}QLinearLeakyRelu`, qlinear.QLinearLeakyRelu, 4, 5, "alpha");
op(`${MS}QLinearReduceMean`, qlinear.QLinearReduceMean, 4, 5, "axes keepdims");
op(`${MS}QLinearSoftmax`, qlinear.QLinearSoftmax, 5, 5, "axis opset");

const domains = new Map([
  ["", ""],
  ["ai.onnx", ""],
  ["com.microsoft", MS],
]);

/** What imports `node`: a problem in words where nothing does. */
export function importerOf({ domain, opType }: NodeProto): OpImporter | string {
  const prefix = domains.get(domain);
  if (prefix === undefined) return `domain "${domain}" is not supported`;
  return table.get(prefix + opType) ?? "this op is not supported";
}
