// Quantization that no integer kernel has, spelled out in float: 16 bits, and int32 with a zero point. Integers of
// 16 bits are whole numbers in float32, where they and their differences are exact, so QuantizeLinear and
// DequantizeLinear give ONNX's numbers; what lies between a pair of them stays float. docs/quantization.md, section 2.

import { toNumbers } from "../../../tensor/tensor.ts";
import type { Call } from "../call.ts";
import { DataType } from "../proto.ts";
import type { Wide } from "../entries.ts";

const RANGES = { uint16: [0, 65535], int16: [-32768, 32767] } as const;

/** The 16-bit type that a QuantizeLinear writes, where it writes one. */
export function wideTarget(call: Call): Wide | undefined {
  const zero = call.optional(2);
  const said = call.int("output_dtype", 0);
  const stated =
    said === DataType.UINT16 ? "uint16" : said === DataType.INT16 ? "int16" : undefined;
  return (zero === undefined ? undefined : call.scope.wideOf(zero)) ?? stated;
}

/** Whether a DequantizeLinear reads what has no quantized type here. */
export function isSpelledOut(call: Call): boolean {
  const { scope } = call;
  if (scope.wideOf(call.input(0)) !== undefined) return true;
  if (call.optional(2) === undefined || scope.dtypeOf(call.input(0)) !== "int32") return false;
  const zero = call.constant(2, "the zero point");
  return zero !== undefined && toNumbers(zero).some((value) => value !== 0);
}

/** Adds nodes of one binary op after another, named after the call. */
function binary(call: Call) {
  return (op: "Add" | "Sub" | "Mul" | "Div", a: string, b: string, output?: string): string => {
    const to = output ?? call.fresh(`${call.output()}_${op.toLowerCase()}`);
    const name =
      output === undefined ? call.scope.nodeNames.fresh(`${call.name}_${op}`) : call.name;
    call.scope.add({ op, name, inputs: [a, b], outputs: [to] }, {}, true);
    return to;
  };
}

function asFloat(call: Call, input: string): string {
  const { scope } = call;
  if (scope.dtypeOf(input) === "float32") return input;
  const output = call.fresh(`${input}_float`);
  const node = { name: scope.nodeNames.fresh(`${call.name}_Cast`), inputs: [input] };
  scope.add({ op: "Cast", ...node, outputs: [output], to: "float32" }, { dtype: "float32" });
  return output;
}

/** Input `index`, one number or one per slice of the axis, in a shape that broadcasts with x. */
function alongAxis(call: Call, index: number): string {
  const { scope } = call;
  if (call.int("block_size", 0) !== 0) call.refuse("block_size is not supported for this dtype");
  const name = call.input(index);
  const shape = call.shape(index);
  if (shape.every((size) => size === 1)) return scalar(call, name, shape.length);
  const rank = call.rank(0);
  const axis = call.axis(call.int("axis", 1), rank);
  if (shape.length !== 1 || shape[0] !== call.shape(0)[axis])
    call.wrong(
      `input ${index} must be one number, or one per slice of axis ${axis}`,
      String(shape),
    );
  const after = rank - axis - 1;
  if (after === 0) return name;
  const output = call.fresh(`${name}_along`);
  const axes = Array.from({ length: after }, (_, at) => at + 1);
  const node = { name: scope.nodeNames.fresh(`${call.name}_unsqueeze`), inputs: [name] };
  scope.add({ op: "Unsqueeze", ...node, outputs: [output], axes });
  return output;
}

function scalar(call: Call, name: string, rank: number): string {
  if (rank === 0) return name;
  const { scope } = call;
  const output = call.fresh(`${name}_scalar`);
  const node = { name: scope.nodeNames.fresh(`${call.name}_squeeze`), inputs: [name] };
  const axes = Array.from({ length: rank }, (_, axis) => axis);
  scope.add({ op: "Squeeze", ...node, outputs: [output], axes });
  return output;
}

/** clamp(rint(x / s) + z): the whole numbers of `type`, in float32. */
export function quantizeWide(call: Call, type: Wide): void {
  const { scope } = call;
  const compute = binary(call);
  const ratio = compute("Div", call.input(0), asFloat(call, alongAxis(call, 1)));
  let q = call.fresh(`${call.output()}_rounded`);
  const round = { name: scope.nodeNames.fresh(`${call.name}_Round`), inputs: [ratio] };
  scope.add({ op: "Round", ...round, outputs: [q] });
  if (call.optional(2) !== undefined) q = compute("Add", q, asFloat(call, alongAxis(call, 2)));
  const [low, high] = RANGES[type];
  scope.add({ op: "Clip", name: call.name, inputs: [q], outputs: [call.output()], low, high });
  scope.setWide(call.output(), type);
}

/** (q − z) · s, the difference in the integers that q has, or exactly in float32. */
export function dequantizeSpelled(call: Call): void {
  const compute = binary(call);
  const isWide = call.scope.wideOf(call.input(0)) !== undefined;
  let x = isWide ? asFloat(call, call.input(0)) : call.input(0);
  if (call.optional(2) !== undefined) {
    const zero = alongAxis(call, 2);
    x = compute("Sub", x, isWide ? asFloat(call, zero) : zero);
  }
  compute("Mul", asFloat(call, x), asFloat(call, alongAxis(call, 1)), call.output());
}
