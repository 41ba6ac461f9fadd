// The QOperator format: an op and its quantization in one node. Each becomes what a QDQ file says with three,
// Dequantize → op → Quantize, so one pass decides what runs in integers (docs/decisions/0004), and what
// cannot is visible as float. Ops outside the standard are onnxruntime's
// (github.com/microsoft/onnxruntime, docs/ContribOperators.md).

import { fl } from "../../../tensor/rounding.ts";
import type { QParams } from "../../../graph/value.ts";
import type { Call } from "../call.ts";
import * as elementwise from "./elementwise.ts";
import * as matrix from "./matrix.ts";
import * as movement from "./movement.ts";
import { bytesOf, dequantized, paramsOf, type ParamInputs } from "./qparams.ts";
import * as windows from "./windows.ts";

type Run = (call: Call) => void;

/** The float value of the per-tensor input `index`. */
function activation(call: Call, index: number, at: ParamInputs): string {
  return dequantized(call, index, params(call, bytesOf(call, index), at));
}

/** Parameters of an activation: one pair. */
function params(call: Call, dtype: "int8" | "uint8", at: ParamInputs): QParams {
  const count = call.constant(at.scale, "the scale")?.data.length;
  if (count !== 1) call.wrong("an activation must have one scale", String(count));
  return paramsOf(call, dtype, at, 0, []);
}

/** The parameters of the output: its zero point says the dtype; without one it is that of input `like`. */
function outputParams(call: Call, at: ParamInputs, like: number): QParams {
  const zero = call.constant(at.zero, "the output's zero point");
  const dtype = zero?.dtype ?? bytesOf(call, like);
  if (dtype !== "int8" && dtype !== "uint8") return call.refuse(`zero point of dtype ${dtype}`);
  return params(call, dtype, at);
}

/** Weights: a constant with one pair, or one pair per slice of `axis`. */
function weight(call: Call, index: number, at: ParamInputs, axis: number): [string, QParams] {
  call.fixed(index, "the weight");
  const quant = paramsOf(call, bytesOf(call, index), at, axis, call.shape(index));
  return [dequantized(call, index, quant), quant];
}

/** An int32 bias in steps of `step` · the weight's scales. */
function bias(call: Call, index: number, step: number, { scale }: QParams): string {
  call.fixed(index, "the bias");
  const dtype = call.scope.dtypeOf(call.input(index));
  if (dtype !== "int32") return call.wrong("the bias must be int32", dtype);
  const steps = scale.map((each) => fl(step * each));
  const axis = call.rank(index) - 1;
  if (steps.length > 1 && call.shape(index)[axis] !== steps.length)
    call.wrong(`the bias must have ${steps.length} elements`, String(call.shape(index)));
  return dequantized(call, index, {
    dtype: "int32",
    scale: steps,
    zeroPoint: new Int32Array(steps.length),
    ...(steps.length > 1 ? { axis } : {}),
  });
}

/** `run`, the importer of the float op `opType`, on `reals`; then Quantize. */
function between(call: Call, opType: string, run: Run, reals: readonly string[], to: QParams) {
  const { scope } = call;
  const float = call.fresh(`${call.output()}_float`);
  run(call.as(opType, reals, [float]));
  const name = scope.nodeNames.fresh(`${call.name}_QuantizeLinear`);
  const node = { name, inputs: [float], outputs: [call.output()] };
  scope.add({ op: "Quantize", ...node }, { dtype: to.dtype, quant: to });
}

/** inputs: x, x_scale, x_zero_point, w, w_scale, w_zero_point, y_scale, y_zero_point, bias?. */
export function QLinearConv(call: Call): void {
  const from = params(call, bytesOf(call, 0), { scale: 1, zero: 2 });
  const to = outputParams(call, { scale: 6, zero: 7 }, 0);
  const x = dequantized(call, 0, from);
  const [w, weights] = weight(call, 3, { scale: 4, zero: 5 }, 0);
  const step = from.scale[0] ?? 1;
  const reals = call.optional(8) === undefined ? [x, w] : [x, w, bias(call, 8, step, weights)];
  between(call, "Conv", windows.Conv, reals, to);
}

/** inputs: a, a_scale, a_zero_point, b, b_scale, b_zero_point, y_scale, y_zero_point. */
export function QLinearMatMul(call: Call): void {
  const to = outputParams(call, { scale: 6, zero: 7 }, 0);
  const a = activation(call, 0, { scale: 1, zero: 2 });
  const quant = paramsOf(call, bytesOf(call, 3), { scale: 4, zero: 5 }, -1, call.shape(3));
  between(call, "MatMul", matrix.MatMul, [a, dequantized(call, 3, quant)], to);
}

/** inputs: A, a_scale, a_zero_point, B, b_scale, b_zero_point, C?, y_scale?, y_zero_point?. Without a y_scale
 *  the output is float. */
export function QGemm(call: Call): void {
  const from = params(call, bytesOf(call, 0), { scale: 1, zero: 2 });
  const a = dequantized(call, 0, from);
  const [b, weights] = weight(call, 3, { scale: 4, zero: 5 }, call.flag("transB") ? 0 : 1);
  const step = fl(call.float("alpha", 1) * (from.scale[0] ?? 1));
  const reals = call.optional(6) === undefined ? [a, b] : [a, b, bias(call, 6, step, weights)];
  if (call.optional(7) === undefined) return matrix.Gemm(call.as("Gemm", reals, [call.output()]));
  between(call, "Gemm", matrix.Gemm, reals, outputParams(call, { scale: 7, zero: 8 }, 0));
}

/** inputs: A, A_scale, A_zero_point, B, B_scale, B_zero_point, C_scale, C_zero_point. */
function binary(opType: "Add" | "Mul", run: Run) {
  return (call: Call): void => {
    const to = outputParams(call, { scale: 6, zero: 7 }, 0);
    const a = activation(call, 0, { scale: 1, zero: 2 });
    const b = activation(call, 3, { scale: 4, zero: 5 });
    between(call, opType, run, [a, b], to);
  };
}

export const QLinearAdd = binary("Add", elementwise.Add);
export const QLinearMul = binary("Mul", elementwise.Mul);

/** inputs: Y_scale, Y_zero_point, then X, X_scale, X_zero_point of each part. */
export function QLinearConcat(call: Call): void {
  const { length } = call.proto.inputs;
  if (length % 3 !== 2) call.wrong("it takes 2 inputs and 3 for each part", String(length));
  const parts = Array.from({ length: (length - 2) / 3 }, (_, part) => 2 + 3 * part);
  const to = outputParams(call, { scale: 0, zero: 1 }, 2);
  const reals = parts.map((at) => activation(call, at, { scale: at + 1, zero: at + 2 }));
  between(call, "Concat", movement.Concat, reals, to);
}

/** inputs: X, X_scale, X_zero_point, Y_scale, Y_zero_point. */
function unary(opType: string, run: Run) {
  return (call: Call): void => {
    if (call.flag("channels_last")) call.refuse("channels_last is not supported");
    const to = outputParams(call, { scale: 3, zero: 4 }, 0);
    between(call, opType, run, [activation(call, 0, { scale: 1, zero: 2 })], to);
  };
}

export const QLinearGlobalAveragePool = unary("GlobalAveragePool", windows.GlobalAveragePool);
export const QLinearAveragePool = unary("AveragePool", windows.AveragePool);
export const QLinearSigmoid = unary("Sigmoid", elementwise.Sigmoid);
export const QLinearLeakyRelu = unary("LeakyRelu", elementwise.LeakyRelu);
export const QLinearReduceMean = unary("ReduceMean", (call) =>
  matrix.reduce(call, "ReduceMean", call.ints("axes") ?? []),
);
/** Its attribute `opset` says which Softmax it stands for. */
export const QLinearSoftmax = unary("Softmax", (call) =>
  matrix.softmax(call, call.int("opset", call.opset) < 13),
);
