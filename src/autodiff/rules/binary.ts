// Element-wise ops with two inputs, Where, and what is constant in parts. An operand that was repeated by
// broadcasting has the sum of what its repetitions have. dY is 0 where a fused clamp held, so that elsewhere y is
// what it was before the clamp.

import type { Binary, Node } from "../../graph/node.ts";
import { float32, toNumbers } from "../../tensor/tensor.ts";
import type { Backward } from "../backward.ts";
import type { Rule, Rules, SharedRule } from "../rule.ts";

type Gradient = string | undefined;

/** A rule that gives the gradients by a and b in the shape of y; they are summed to those of a and b. `make` is
 *  asked for what is wanted only. */
function elementwise(
  make: (
    back: Backward,
    inputs: { a: string; b: string; y: string; dY: string },
  ) => {
    readonly a: () => string;
    readonly b: () => string;
  },
): SharedRule<Binary> {
  return (back, node, [dY], wanted) => {
    const [a = "", b = ""] = node.inputs;
    if (dY === undefined) return [];
    const by = make(back, { a, b, y: node.outputs[0] ?? "", dY });
    const sum = (name: string, gradient: () => string): string =>
      back.sumTo(gradient(), back.shape(name));
    return [wanted[0] ? sum(a, by.a) : undefined, wanted[1] ? sum(b, by.b) : undefined];
  };
}

const call = (back: Backward, op: Binary["op"], a: string, b: string): string =>
  back.add({ op, inputs: [a, b] });

const negative = (back: Backward, x: string): string => back.add({ op: "Neg", inputs: [x] });

/** value where `condition` holds, else 0. */
function where(back: Backward, condition: string, value: string): string {
  return back.add({ op: "Where", inputs: [condition, value, back.scalar(0)] });
}

/** b · a^(b − 1) · dY; 0 where b is 0, whatever a is. */
function powerByBase(back: Backward, a: string, b: string, dY: string): string {
  const exponents = back.builder.constants.get(b);
  if (exponents) {
    const values = toNumbers(exponents);
    if (values.every((value) => value === 2)) return call(back, "Mul", dY, call(back, "Mul", a, b));
    const less = float32(
      exponents.shape,
      values.map((value) => (value === 0 ? 0 : value - 1)),
    );
    const power = call(back, "Pow", a, back.constant(less));
    return call(back, "Mul", dY, call(back, "Mul", power, b));
  }
  const power = call(back, "Pow", a, call(back, "Sub", b, back.scalar(1)));
  const isZero = back.add({ op: "Equal", inputs: [b, back.scalar(0)] });
  const slope = back.add({ op: "Where", inputs: [isZero, b, call(back, "Mul", power, b)] });
  return call(back, "Mul", dY, slope);
}

/** y · ln a · dY; 0 where a is 0 and b is not below 0. */
function powerByExponent(back: Backward, a: string, b: string, y: string, dY: string): string {
  const zero = back.scalar(0);
  const isZero = back.add({ op: "Equal", inputs: [a, zero] });
  const isRising = back.add({ op: "GreaterOrEqual", inputs: [b, zero] });
  const isFlat = back.add({ op: "And", inputs: [isZero, isRising] });
  const slope = call(back, "Mul", y, back.add({ op: "Log", inputs: [a] }));
  return call(back, "Mul", dY, back.add({ op: "Where", inputs: [isFlat, zero, slope] }));
}

/** dY · (a > b) + dY / 2 · (a = b): what a has of Max (a, b), and b of Min (a, b). */
function ofGreater(back: Backward, a: string, b: string, dY: string): string {
  const isGreater = back.add({ op: "Greater", inputs: [a, b] });
  const isEqual = back.add({ op: "Equal", inputs: [a, b] });
  const half = where(back, isEqual, call(back, "Mul", dY, back.scalar(0.5)));
  return back.add({ op: "Where", inputs: [isGreater, dY, half] });
}

/** No gradient by any input. */
const flat: SharedRule<Node> = () => [];

const condition: Rule<"Where"> = (back, node, [dY], wanted) => {
  const [holds = "", x = "", y = ""] = node.inputs;
  if (dY === undefined) return [];
  const zero = back.scalar(0);
  const pick = (name: string, inputs: readonly string[]): string =>
    back.sumTo(back.add({ op: "Where", inputs }), back.shape(name));
  const by: Gradient[] = [undefined, undefined, undefined];
  if (wanted[1]) by[1] = pick(x, [holds, dY, zero]);
  if (wanted[2]) by[2] = pick(y, [holds, zero, dY]);
  return by;
};

export const binaryRules: Rules = {
  Add: elementwise((_, { dY }) => ({ a: () => dY, b: () => dY })),
  Sub: elementwise((back, { dY }) => ({ a: () => dY, b: () => negative(back, dY) })),
  Mul: elementwise((back, { a, b, dY }) => ({
    a: () => call(back, "Mul", dY, b),
    b: () => call(back, "Mul", dY, a),
  })),
  Div: elementwise((back, { b, y, dY }) => ({
    a: () => call(back, "Div", dY, b),
    b: () => negative(back, call(back, "Div", call(back, "Mul", dY, y), b)),
  })),
  Pow: elementwise((back, { a, b, y, dY }) => ({
    a: () => powerByBase(back, a, b, dY),
    b: () => powerByExponent(back, a, b, y, dY),
  })),
  Max: elementwise((back, { a, b, dY }) => ({
    a: () => ofGreater(back, a, b, dY),
    b: () => ofGreater(back, b, a, dY),
  })),
  Min: elementwise((back, { a, b, dY }) => ({
    a: () => ofGreater(back, b, a, dY),
    b: () => ofGreater(back, a, b, dY),
  })),
  Where: condition,
  Equal: flat,
  Less: flat,
  LessOrEqual: flat,
  Greater: flat,
  GreaterOrEqual: flat,
  And: flat,
  Or: flat,
  Xor: flat,
  Not: flat,
  ArgMax: flat,
  ArgMin: flat,
};
