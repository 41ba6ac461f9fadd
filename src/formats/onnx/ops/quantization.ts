// QuantizeLinear and DequantizeLinear, opset 10 – 25: they become Quantize and Dequantize nodes, and the
// numbers go into the type of the quantized value. A quantized initializer stays quantized: it becomes a
// constant that holds q, with a Dequantize behind it. docs/quantization.md, sections 2 and 12.

import { float32 } from "../../../tensor/tensor.ts";
import type { Call } from "../call.ts";
import { DataType, dataTypeName } from "../proto.ts";
import { constantNamed, paramsOf, readAs } from "./qparams.ts";
import { dequantizeSpelled, isSpelledOut, quantizeWide, wideTarget } from "./wide.ts";

const PARAMS = { scale: 1, zero: 2 } as const;

export function QuantizeLinear(call: Call): void {
  refuseNewForms(call);
  const wide = wideTarget(call);
  if (wide) return quantizeWide(call, wide);
  const saidZero = call.constant(2, "the zero point");
  const code = call.int("output_dtype", 0);
  const said = code === DataType.UINT8 ? "uint8" : code === DataType.INT8 ? "int8" : undefined;
  if (code !== 0 && said === undefined)
    call.refuse(`output ${dataTypeName(code)} is not supported`);
  const dtype = saidZero?.dtype ?? said ?? "uint8";
  if (dtype !== "uint8" && dtype !== "int8") return call.refuse(`zero point of dtype ${dtype}`);
  if (said !== undefined && dtype !== said) call.wrong(`output_dtype must be ${dtype}`, said);
  const quant = paramsOf(call, dtype, PARAMS, call.int("axis", 1), call.shape(0));
  const [inputs, outputs] = [[call.input(0)], [call.output()]];
  call.scope.add({ op: "Quantize", name: call.name, inputs, outputs }, { dtype, quant });
}

export function DequantizeLinear(call: Call): void {
  refusePrecision(call);
  const code = call.int("output_dtype", 0);
  if (code !== 0 && code !== DataType.FLOAT) {
    call.refuse(`output ${dataTypeName(code)} is not supported`);
  }
  if (isSpelledOut(call)) return dequantizeSpelled(call);
  const entry = call.entry(0);
  if (entry.kind === "sizes" || entry.kind === "range")
    return call.wrong("x must be quantized", "int64");
  const isKnown = entry.kind === "constant";
  const dtype = isKnown ? entry.tensor.dtype : entry.value.dtype;
  const isNibble = dtype === "int4" || dtype === "uint4";
  if (isNibble && !isKnown) return call.refuse(`x has dtype ${dtype}; only constants may`);
  if (!isNibble && dtype !== "uint8" && dtype !== "int8" && dtype !== "int32") {
    return call.refuse(`x has dtype ${dtype}; int4, int8, uint4, uint8 and int32 are supported`);
  }
  const blockSize = call.int("block_size", 0);
  if (blockSize !== 0 && !isKnown) return call.refuse("block_size is supported on constants alone");
  if (!isKnown && call.scope.entry(call.input(1))?.kind === "value") return dynamic(call);
  const axis = call.int("axis", 1);
  const quant = paramsOf(call, dtype, PARAMS, axis, call.shape(0), blockSize);
  const outputs = [call.output()];
  if (!isKnown && dtype === "int32") return scaleIntegers(call, quant.scale, quant.axis);
  const inputs = [readAs(call, 0, quant)];
  call.scope.emit({ op: "Dequantize", name: call.name, inputs, outputs }, { dtype: "float32" });
}

/** x as float, in a node before this one. */
function asFloat(call: Call, input: string): string {
  const output = call.fresh(`${input}_float`);
  const name = call.scope.nodeNames.fresh(`${call.name}_Cast`);
  const node = { name, inputs: [input], outputs: [output] };
  call.scope.add({ op: "Cast", ...node, to: "float32" }, { dtype: "float32" });
  return output;
}

/** fl(fl(f32(q)) · s) of integers that a node computed: docs/quantization.md, section 2. */
function scaleIntegers(call: Call, scale: Float32Array, axis: number | undefined): void {
  const after = axis === undefined ? 0 : call.rank(0) - axis - 1;
  const shape = axis === undefined ? [] : [scale.length, ...Array<number>(after).fill(1)];
  const factor = constantNamed(call, `${call.name}_scale`, float32(shape, scale));
  const inputs = [asFloat(call, call.input(0)), factor];
  call.scope.add({ op: "Mul", name: call.name, inputs, outputs: [call.output()] });
}

/** x̂ = fl(f32(q − z) · s) with parameters that a node computed, spelled out in float: q, z and their
 *  difference are exact there. docs/quantization.md (6). */
function dynamic(call: Call): void {
  const { scope } = call;
  for (const index of [1, 2]) {
    const shape = call.optional(index) === undefined ? [] : call.shape(index);
    if (shape.some((dim) => dim !== 1))
      call.refuse("scales per axis that are computed at run time");
  }
  let real = asFloat(call, call.input(0));
  const zero = call.optional(2);
  if (zero !== undefined) {
    const inputs = [real, asFloat(call, zero)];
    real = call.fresh(`${call.output()}_shifted`);
    const name = scope.nodeNames.fresh(`${call.name}_Sub`);
    scope.add({ op: "Sub", name, inputs, outputs: [real] });
  }
  const inputs = [real, call.input(1)];
  scope.add({ op: "Mul", name: call.name, inputs, outputs: [call.output()] });
}

function refuseNewForms(call: Call): void {
  if (call.int("block_size", 0) !== 0) call.refuse("block_size is not supported");
  refusePrecision(call);
}

function refusePrecision(call: Call): void {
  const precision = call.int("precision", 0);
  if (precision !== 0 && precision !== DataType.FLOAT) {
    call.refuse(`precision ${dataTypeName(precision)} is not supported`);
  }
}
