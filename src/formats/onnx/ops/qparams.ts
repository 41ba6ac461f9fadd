// How the file says what bytes stand for, and how bytes become values of the graph: scale and zero point as
// QParams, q under parameters that another node gave it, and the float value that q stands for.

import { formatShape, toNumbers, type Tensor } from "../../../tensor/tensor.ts";
import { paramsShape, sameQuant, type QParams } from "../../../graph/value.ts";
import type { Call } from "../call.ts";

/** Inputs of a node: the scale, and the zero point that may be absent. */
export interface ParamInputs {
  readonly scale: number;
  readonly zero: number;
}

/**
 * Scale and zero point as QParams of `dtype`: one pair, one per slice of `axis` of the value that they belong
 * to, which has `shape`, or one per block of `blockSize` along it.
 */
export function paramsOf(
  call: Call,
  dtype: QParams["dtype"],
  at: ParamInputs,
  axis: number,
  shape: readonly (number | string)[],
  blockSize = 0,
): QParams {
  const scale = call.constant(at.scale, "the scale") ?? call.wrong("a scale must be given", "none");
  if (!(scale.data instanceof Float32Array)) return call.refuse(`scale of dtype ${scale.dtype}`);
  if (blockSize === 0 && scale.shape.length > 1) {
    call.wrong("scales of several axes need a block_size", formatShape(scale.shape));
  }
  const zero = call.constant(at.zero, "the zero point");
  if (zero && zero.dtype !== dtype) call.wrong(`the zero point must be ${dtype}`, zero.dtype);
  if (zero && zero.data.length !== scale.data.length) {
    call.wrong(`the zero point must have ${scale.data.length} elements`, formatShape(zero.shape));
  }
  const invalid = scale.data.find((value) => !(value > 0 && Number.isFinite(value)));
  if (invalid !== undefined) call.wrong("scales must be finite and positive", String(invalid));
  const zeroPoint = zero ? Int32Array.from(toNumbers(zero)) : new Int32Array(scale.data.length);
  const params = { dtype, scale: scale.data, zeroPoint };
  if (blockSize > 0) {
    const blocks = { axis: call.axis(axis, shape.length), blockSize };
    const want = formatShape(paramsShape(blocks, shape.map(Number)));
    if (formatShape(scale.shape) !== want) {
      call.wrong(`blocks of ${blockSize} need scales ${want}`, formatShape(scale.shape));
    }
    return { ...params, ...blocks };
  }
  if (scale.data.length === 1) return params;
  const along = call.axis(axis, shape.length);
  if (shape[along] !== scale.data.length) {
    const rule = `axis ${along} must have ${scale.data.length} slices, one per scale`;
    call.wrong(rule, formatShape(shape));
  }
  return { ...params, axis: along };
}

/** The dtype of input `index`, which must be int8 or uint8. */
export function bytesOf(call: Call, index: number): "int8" | "uint8" {
  const dtype = call.scope.dtypeOf(call.input(index));
  if (dtype === "int8" || dtype === "uint8") return dtype;
  return call.refuse(`input ${index} has dtype ${dtype}; int8 and uint8 are supported`);
}

/** Input `index` as q under `quant`: a constant, the value itself, or a Cast that says what it stands for
 *  here, since the file may read the same bytes under several parameters. */
export function readAs(call: Call, index: number, quant: QParams): string {
  const { scope } = call;
  const name = call.input(index);
  const entry = call.entry(index);
  if (entry.kind === "constant") return scope.addQuantized(name, entry.tensor, quant);
  if (entry.kind !== "value") return call.wrong(`input ${index} must be quantized`, "int64");
  if (entry.value.quant && sameQuant(entry.value.quant, quant)) return name;
  return cast(call, name, quant);
}

/** Input `index` as plain bytes: a Cast takes the parameters away where it has some. */
export function readPlain(call: Call, index: number): string {
  const name = call.input(index);
  const entry = call.entry(index);
  return entry.kind === "value" && entry.value.quant ? cast(call, name, undefined) : name;
}

function cast(call: Call, name: string, quant: QParams | undefined): string {
  const { scope } = call;
  const to = scope.dtypeOf(name);
  const output = call.fresh(`${name}_cast`);
  const node = { name: scope.nodeNames.fresh(`${name}_Cast`), inputs: [name], outputs: [output] };
  scope.emit({ op: "Cast", ...node, to }, quant ? { dtype: to, quant } : { dtype: to });
  return output;
}

/** The float value that input `index` stands for under `quant`: a Dequantize of it. */
export function dequantized(call: Call, index: number, quant: QParams): string {
  const { scope } = call;
  const source = readAs(call, index, quant);
  const output = call.fresh(`${source}_float`);
  const name = scope.nodeNames.fresh(`${source}_DequantizeLinear`);
  scope.emit({ op: "Dequantize", name, inputs: [source], outputs: [output] }, { dtype: "float32" });
  return output;
}

/** A constant of the graph under a name of its own. */
export function constantNamed(call: Call, wanted: string, tensor: Tensor): string {
  const name = call.fresh(wanted);
  call.scope.setConstant(name, tensor);
  return name;
}
