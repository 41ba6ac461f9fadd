// Element-wise ops: one or two inputs, the same value at every place.

import { addDims, divideDims, multiplyDims } from "../../../graph/dims.ts";
import { orderedClamp } from "../../../graph/clamp.ts";
import type { Dim } from "../../../graph/value.ts";
import type { UnaryFunction } from "../../../graph/functions.ts";
import { formatShape, tensor } from "../../../tensor/tensor.ts";
import type { DType } from "../../../tensor/dtype.ts";
import type { Comparison, Logic } from "../../../graph/node.ts";
import type { Call } from "../call.ts";
import type { Whole } from "../entries.ts";
import { DataType, dataTypeName } from "../proto.ts";
import { dtypeOf } from "../readTensor.ts";
import { readPlain } from "./qparams.ts";

type WithoutAttributes = Exclude<
  UnaryFunction["op"],
  "Identity" | "LeakyRelu" | "HardSigmoid" | "Clip" | "Elu" | "Selu" | "Gelu"
>;

function plain(op: WithoutAttributes) {
  return (call: Call): void => {
    const [inputs, outputs] = [[call.input(0)], [call.output()]];
    call.scope.add({ op, name: call.name, inputs, outputs });
  };
}

export const Relu = plain("Relu");
export const Sigmoid = plain("Sigmoid");
export const HardSwish = plain("HardSwish");
export const Tanh = plain("Tanh");
export const Erf = plain("Erf");
export const Sqrt = plain("Sqrt");
export const Exp = plain("Exp");
export const Log = plain("Log");
export const Neg = plain("Neg");
export const Abs = plain("Abs");
export const Reciprocal = plain("Reciprocal");
export const Softplus = plain("Softplus");
export const Sign = plain("Sign");
export const Floor = plain("Floor");
export const Ceil = plain("Ceil");
export const Round = plain("Round");

export function Elu(call: Call): void {
  const [inputs, outputs] = [[call.input(0)], [call.output()]];
  call.scope.add({ op: "Elu", name: call.name, inputs, outputs, alpha: call.float("alpha", 1) });
}

export function Selu(call: Call): void {
  const alpha = call.float("alpha", Math.fround(1.6732632423543772));
  const gamma = call.float("gamma", Math.fround(1.0507009873554805));
  const [inputs, outputs] = [[call.input(0)], [call.output()]];
  call.scope.add({ op: "Selu", name: call.name, inputs, outputs, alpha, gamma });
}

/** Of opset 20, and of onnxruntime's domain, where it has no attribute. */
export function Gelu(call: Call): void {
  const approximate = call.string("approximate", "none");
  if (approximate !== "none" && approximate !== "tanh")
    call.wrong('approximate must be "none" or "tanh"', `"${approximate}"`);
  gelu(call, call.input(0), approximate);
}

/** onnxruntime's Gelu of x + bias by erf, and by tanh. */
export const BiasGelu = biased("none");
export const FastGelu = biased("tanh");

function biased(approximate: "none" | "tanh") {
  return (call: Call): void => {
    let x = call.input(0);
    if (call.optional(1) !== undefined) {
      const name = call.scope.nodeNames.fresh(`${call.name}_bias`);
      const inputs = [x, call.input(1)];
      x = call.fresh(`${call.output()}_biased`);
      call.scope.add({ op: "Add", name, inputs, outputs: [x] });
    }
    gelu(call, x, approximate);
  };
}

function gelu(call: Call, x: string, approximate: "none" | "tanh"): void {
  const [inputs, outputs] = [[x], [call.output()]];
  call.scope.add({ op: "Gelu", name: call.name, inputs, outputs, approximate });
}

export function LeakyRelu(call: Call): void {
  const alpha = call.float("alpha", Math.fround(0.01));
  const [inputs, outputs] = [[call.input(0)], [call.output()]];
  call.scope.add({ op: "LeakyRelu", name: call.name, inputs, outputs, alpha });
}

export function HardSigmoid(call: Call): void {
  const alpha = call.float("alpha", Math.fround(0.2));
  const beta = call.float("beta", 0.5);
  const [inputs, outputs] = [[call.input(0)], [call.output()]];
  call.scope.add({ op: "HardSigmoid", name: call.name, inputs, outputs, alpha, beta });
}

/** Bounds are attributes before opset 11 and inputs since; an absent one is infinite. */
export function Clip(call: Call): void {
  const isOld = call.opset < 11;
  if (!isOld && (call.has("min") || call.has("max"))) {
    call.wrong("bounds are inputs since opset 11", "attributes");
  }
  if (!isOld && [1, 2].some((index) => isComputed(call, index))) return clipComputed(call);
  const dtype = call.scope.dtypeOf(call.input(0));
  const bound = (index: number, what: string) => call.constantScalar(index, what, dtype);
  const least = isOld ? call.float("min", -Infinity) : (bound(1, "min") ?? -Infinity);
  const high = isOld ? call.float("max", Infinity) : (bound(2, "max") ?? Infinity);
  // Bounds of bytes are bytes, not what these stand for.
  const [inputs, outputs] = [[readPlain(call, 0)], [call.output()]];
  call.scope.add({ op: "Clip", name: call.name, inputs, outputs, ...orderedClamp(least, high) });
}

/** Whether input `index` is there and not known at import. */
function isComputed(call: Call, index: number): boolean {
  return call.optional(index) !== undefined && call.entry(index).kind !== "constant";
}

/** max(x, low), then min of that and high: the upper bound wins where they cross, as ONNX says. Integers choose. */
function clipComputed(call: Call): void {
  const { scope } = call;
  const x = readPlain(call, 0);
  const dtype = scope.dtypeOf(x);
  const bounds = [1, 2].flatMap((index) => {
    const given = call.optional(index);
    if (given === undefined) return [];
    if (scope.dtypeOf(given) !== dtype)
      call.wrong(`bound ${index} must be ${dtype}`, scope.dtypeOf(given));
    if (call.shape(index).some((size) => size !== 1))
      call.wrong(`bound ${index} must be one number`, formatShape(call.shape(index)));
    const axes = call.shape(index).map((_, axis) => axis);
    if (axes.length === 0) return [[index, given] as const];
    const scalar = call.fresh(`${given}_scalar`);
    const name = scope.nodeNames.fresh(`${call.name}_squeeze`);
    scope.add({ op: "Squeeze", name, inputs: [given], outputs: [scalar], axes });
    return [[index, scalar] as const];
  });
  bounds.reduce((value, [index, bound], at) => {
    const isLast = at === bounds.length - 1;
    const output = isLast ? call.output() : call.fresh(`${call.output()}_low`);
    const fresh = (what: string) => scope.nodeNames.fresh(`${call.name}_${what}`);
    const name = isLast ? call.name : fresh("low");
    const inputs = [value, bound];
    if (dtype === "float32") {
      scope.add({ op: index === 1 ? "Max" : "Min", name, inputs, outputs: [output] });
      return output;
    }
    const isInside = call.fresh(`${output}_inside`);
    const test = { name: fresh("test"), inputs, outputs: [isInside] };
    scope.add({ op: index === 1 ? "Greater" : "Less", ...test });
    scope.add({ op: "Where", name, inputs: [isInside, ...inputs], outputs: [output] });
    return output;
  }, x);
}

function binary(op: "Add" | "Sub" | "Mul" | "Div") {
  return (call: Call): void => {
    const inputs = [call.input(0), call.input(1)];
    const sizes = inputs.map((name) => call.scope.entry(name)?.kind === "sizes");
    if (sizes.includes(true)) return sizeArithmetic(call, op);
    const plain = operands(call, [0, 1]);
    call.scope.add({ op, name: call.name, inputs: plain, outputs: [call.output()] });
  };
}

/** Inputs of one element type; bytes are bytes, not what these stand for. */
function operands(call: Call, indices: readonly number[]): string[] {
  const dtypes = indices.map((index) => call.scope.dtypeOf(call.input(index)));
  if (dtypes.some((dtype) => dtype !== dtypes[0]))
    call.wrong("inputs must share one dtype", dtypes.join(" and "));
  return indices.map((index) => readPlain(call, index));
}

function comparison(op: Comparison["op"]) {
  return (call: Call): void => {
    const inputs = operands(call, [0, 1]);
    call.scope.add({ op, name: call.name, inputs, outputs: [call.output()] });
  };
}

export const Equal = comparison("Equal");
export const Less = comparison("Less");
export const LessOrEqual = comparison("LessOrEqual");
export const Greater = comparison("Greater");
export const GreaterOrEqual = comparison("GreaterOrEqual");

/** Input `index`, which must be bool. */
function bool(call: Call, index: number): string {
  const dtype = call.scope.dtypeOf(call.input(index));
  return dtype === "bool" ? call.input(index) : call.wrong(`input ${index} must be bool`, dtype);
}

function logic(op: Logic["op"]) {
  return (call: Call): void => {
    const inputs = [bool(call, 0), bool(call, 1)];
    call.scope.add({ op, name: call.name, inputs, outputs: [call.output()] });
  };
}

export const And = logic("And");
export const Or = logic("Or");
export const Xor = logic("Xor");

export function Not(call: Call): void {
  const [inputs, outputs] = [[bool(call, 0)], [call.output()]];
  call.scope.add({ op: "Not", name: call.name, inputs, outputs });
}

export function Where(call: Call): void {
  const inputs = [bool(call, 0), ...operands(call, [1, 2])];
  call.scope.add({ op: "Where", name: call.name, inputs, outputs: [call.output()] });
}

export const Add = binary("Add");
export const Sub = binary("Sub");
export const Mul = binary("Mul");
export const Div = binary("Div");

/** a op b, where that is a size again whatever its names stand for. */
function computeSize(op: "Add" | "Sub" | "Mul" | "Div", a: Dim, b: Dim): Dim | undefined {
  if (op === "Mul") return multiplyDims(a, b);
  return op === "Div" ? divideDims(a, b) : addDims(a, b, op === "Sub" ? -1 : 1);
}

/** a ^ b, of a's type; b of another one is cast. */
export function Pow(call: Call): void {
  const base = call.scope.dtypeOf(call.input(0));
  if (base !== "float32") call.refuse(`powers of ${base} are not supported; float32 are`);
  let exponent = call.input(1);
  const dtype = call.scope.dtypeOf(exponent);
  if (dtype !== "float32") {
    const outputs = [call.fresh(`${call.output()}_exponent`)];
    cast(call, call.scope.nodeNames.fresh(`${call.name}_cast`), exponent, "float32", outputs);
    [exponent = ""] = outputs;
  }
  const [inputs, outputs] = [[call.input(0), exponent], [call.output()]];
  call.scope.add({ op: "Pow", name: call.name, inputs, outputs });
}

/** Any number of inputs, two by two from the left; `last` gets the node's own name and output. */
function variadic(op: "Add" | "Min" | "Max") {
  return (call: Call): void => {
    const { inputs, name, scope } = call;
    const [first = "", ...rest] = inputs;
    if (rest.length === 0) {
      return scope.add({ op: "Identity", name, inputs, outputs: [call.output()] });
    }
    rest.reduce((left, right, index) => {
      const isLast = index === rest.length - 1;
      const output = isLast ? call.output() : call.fresh(`${call.output()}_${index}`);
      const node = isLast ? name : scope.nodeNames.fresh(`${name}_${index}`);
      scope.add({ op, name: node, inputs: [left, right], outputs: [output] });
      return output;
    }, first);
  };
}

export const Sum = variadic("Add");
export const Min = variadic("Min");
export const Max = variadic("Max");

/** The sum, divided by the number of inputs. */
export function Mean(call: Call): void {
  const { scope } = call;
  const sum = call.fresh(`${call.output()}_sum`);
  Sum(call.as("Sum", call.inputs, [sum]));
  const count = call.fresh(`${call.output()}_count`);
  scope.setConstant(count, tensor("float32", [], Float32Array.of(call.inputs.length)));
  const name = scope.nodeNames.fresh(`${call.name}_mean`);
  scope.add({ op: "Div", name, inputs: [sum, count], outputs: [call.output()] });
}

/** Arithmetic on a list of sizes: sums, differences, products and exact quotients are sizes again. */
function sizeArithmetic(call: Call, op: "Add" | "Sub" | "Mul" | "Div"): void {
  const [left, right] = [0, 1].map((index) => {
    const entry = call.entry(index);
    if (entry.kind === "sizes") return entry.sizes;
    const numbers = call.constantInts(index, "the other operand of a size");
    return numbers ?? [];
  });
  if (left === undefined || right === undefined || call.rank(0) > 1 || call.rank(1) > 1) {
    return call.refuse("arithmetic on sizes of more than one axis");
  }
  const count = Math.max(left.length, right.length);
  if (
    (left.length !== count && left.length !== 1) ||
    (right.length !== count && right.length !== 1)
  ) {
    call.wrong("shapes must broadcast", `[${left.length}] and [${right.length}]`);
  }
  call.scope.charge(count);
  const sizes = Array.from({ length: count }, (_, index) => {
    const a = left[left.length === 1 ? 0 : index] ?? 0;
    const b = right[right.length === 1 ? 0 : index] ?? 0;
    if (op === "Div" && b === 0) return call.wrong("sizes must not be divided by 0", String(a));
    if (typeof a === "number" && typeof b === "number") {
      return op === "Add" ? a + b : op === "Sub" ? a - b : op === "Mul" ? a * b : Math.trunc(a / b);
    }
    return (
      computeSize(op, a, b) ??
      call.refuse(
        `${op} of the sizes "${a}" and "${b}", unknown at import; ` +
          "only sums, differences, products and exact quotients stay open",
      )
    );
  });
  const rank = Math.max(call.rank(0), call.rank(1));
  const dtype = call.scope.dtypeOf(call.input(0));
  if (call.scope.dtypeOf(call.input(1)) !== dtype)
    call.wrong("inputs must share one dtype", `${dtype} and another`);
  call.scope.setSizes(call.output(), rank === 0 ? [] : [count], sizes, dtype as Whole);
}

export function Identity(call: Call): void {
  const entry = call.entry(0);
  if (entry.kind !== "value") return call.scope.alias(call.output(), call.input(0));
  const [inputs, outputs] = [[call.input(0)], [call.output()]];
  call.scope.add({ op: "Identity", name: call.name, inputs, outputs });
}

/** At inference it copies. Opset 7 – 11 has a ratio attribute, 12 and later inputs; neither matters. */
export function Dropout(call: Call): void {
  if (call.isUsed(1)) call.refuse("the mask output is not supported");
  for (const [index, what] of [
    [1, "ratio"],
    [2, "training_mode"],
  ] as const) {
    if (call.optional(index) !== undefined && call.rank(index) > 0)
      call.wrong(`${what} must be a scalar`, formatShape(call.shape(index)));
  }
  const training = call.constant(2, "training_mode");
  if (training && training.data[0] !== 0) call.refuse("training_mode is not supported");
  const [inputs, outputs] = [[call.input(0)], [call.output()]];
  call.scope.add({ op: "Identity", name: call.name, inputs, outputs });
}

export function Cast(call: Call): void {
  const code = call.int("to", 0);
  // Every float is float32 here: FLOAT16 and DOUBLE are other ways to keep one.
  const to = dtypeOf(code);
  if (to === undefined || code === DataType.UINT16 || code === DataType.INT16) {
    return call.refuse(`casting to ${dataTypeName(code)} is not supported`);
  }
  const isKept = code === DataType.FLOAT16 || code === DataType.DOUBLE;
  if (isKept && call.scope.dtypeOf(call.input(0)) === to) return Identity(call);
  cast(call, call.name, call.input(0), to, [call.output()]);
}

function cast(call: Call, name: string, input: string, to: DType, outputs: readonly string[]) {
  call.scope.add({ op: "Cast", name, inputs: [input], outputs, to }, { dtype: to });
}
