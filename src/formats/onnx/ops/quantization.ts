// QuantizeLinear and DequantizeLinear, opset 10 – 25: they become Quantize and Dequantize nodes, and the
// numbers go into the type of the quantized value. A quantized initializer stays quantized: it becomes a
// constant that holds q, with a Dequantize behind it. numerics sections 2 and 12.

import { formatShape, toNumbers, type Tensor } from "../../../tensor/tensor.ts";
import type { QParams } from "../../../graph/value.ts";
import type { Call } from "../call.ts";
import { DataType, dataTypeName } from "../proto.ts";
import { sameQuant } from "../scope.ts";

export function QuantizeLinear(call: Call): void {
  refuseNewForms(call);
  const saidZero = call.constant(2, "the zero point");
  const code = call.int("output_dtype", 0);
  const said = code === DataType.UINT8 ? "uint8" : code === DataType.INT8 ? "int8" : undefined;
  if (code !== 0 && said === undefined)
    call.refuse(`output ${dataTypeName(code)} is not supported`);
  const dtype = saidZero?.dtype ?? said ?? "uint8";
  if (dtype !== "uint8" && dtype !== "int8") return call.refuse(`zero point of dtype ${dtype}`);
  if (said !== undefined && dtype !== said) call.wrong(`output_dtype must be ${dtype}`, said);
  const quant = paramsOf(call, dtype, saidZero);
  const [inputs, outputs] = [[call.input(0)], [call.output()]];
  call.scope.add({ op: "Quantize", name: call.name, inputs, outputs }, { dtype, quant });
}

export function DequantizeLinear(call: Call): void {
  refuseNewForms(call);
  const code = call.int("output_dtype", 0);
  if (code !== 0 && code !== DataType.FLOAT) {
    call.refuse(`output ${dataTypeName(code)} is not supported`);
  }
  const entry = call.entry(0);
  if (entry.kind === "sizes") return call.wrong("x must be quantized", "int64");
  const isKnown = entry.kind === "constant";
  const dtype = isKnown ? entry.tensor.dtype : entry.value.dtype;
  if (dtype !== "uint8" && dtype !== "int8" && dtype !== "int32") {
    return call.refuse(`x has dtype ${dtype}; int8, uint8 and int32 are supported`);
  }
  if (!isKnown && !entry.value.quant) {
    call.refuse(`x is ${dtype} without a QuantizeLinear before it`);
  }
  const zero = call.constant(2, "the zero point");
  if (zero && zero.dtype !== dtype) call.wrong(`the zero point must be ${dtype}`, zero.dtype);
  if (dtype === "int32" && zero && toNumbers(zero).some((value) => value !== 0)) {
    call.refuse("int32 with a zero point other than 0, which the standard does not have");
  }
  const quant = paramsOf(call, dtype, zero);
  if (!isKnown && !(entry.value.quant && sameQuant(entry.value.quant, quant))) {
    call.refuse("x was quantized with another scale or zero point");
  }
  const [input, outputs] = [call.input(0), [call.output()]];
  if (isKnown) {
    const inputs = [call.scope.addQuantized(input, entry.tensor, quant)];
    call.scope.emit({ op: "Dequantize", name: call.name, inputs, outputs }, { dtype: "float32" });
  } else {
    const node = { name: call.name, inputs: [input], outputs };
    call.scope.add({ op: "Dequantize", ...node }, { dtype: "float32" });
  }
}

function refuseNewForms(call: Call): void {
  if (call.int("block_size", 0) !== 0) call.refuse("block_size is not supported");
  const precision = call.int("precision", 0);
  if (precision !== 0 && precision !== DataType.FLOAT) {
    call.refuse(`precision ${dataTypeName(precision)} is not supported`);
  }
}

/** Scale and zero point as QParams: one pair, or one per slice of the axis (default 1). */
function paramsOf(call: Call, dtype: QParams["dtype"], zero: Tensor | undefined): QParams {
  const scale = call.constant(1, "the scale") ?? call.wrong("a scale must be given", "none");
  if (!(scale.data instanceof Float32Array)) return call.refuse(`scale of dtype ${scale.dtype}`);
  if (scale.shape.length > 1) call.refuse(`scale of shape ${formatShape(scale.shape)} (blocked)`);
  if (zero && zero.data.length !== scale.data.length) {
    call.wrong(`the zero point must have ${scale.data.length} elements`, formatShape(zero.shape));
  }
  const invalid = scale.data.find((value) => !(value > 0 && Number.isFinite(value)));
  if (invalid !== undefined) call.wrong("scales must be finite and positive", String(invalid));
  const zeroPoint = zero ? Int32Array.from(toNumbers(zero)) : new Int32Array(scale.data.length);
  const params = { dtype, scale: scale.data, zeroPoint };
  if (scale.data.length === 1) return params;
  const axis = call.axis(call.int("axis", 1), call.rank(0));
  if (call.shape(0)[axis] !== scale.data.length) {
    call.wrong(
      `axis ${axis} must have ${scale.data.length} slices, one per scale`,
      formatShape(call.shape(0)),
    );
  }
  return { ...params, axis };
}
