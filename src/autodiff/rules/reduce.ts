// Reductions: each element has its part of the gradient of what it was reduced to.

import type { Reduce } from "../../graph/node.ts";
import type { Backward } from "../backward.ts";
import type { Rules, SharedRule } from "../rule.ts";

/** `name`, a result without the reduced axes, with them as 1. */
function withAxes(back: Backward, node: Reduce, name: string): string {
  if (node.keepdims) return name;
  const shape = back
    .shape(node.inputs[0] ?? "")
    .map((n, axis) => (node.axes.includes(axis) ? 1 : n));
  return back.add({ op: "Reshape", inputs: [name], shape });
}

type Two = "Mul" | "Div";
const call = (back: Backward, op: Two, a: string, b: string): string =>
  back.add({ op, inputs: [a, b] });

/** A rule from dX of x, y and dY, y and dY with the reduced axes as 1. */
function reduced(
  make: (back: Backward, node: Reduce, x: string, y: () => string, dY: string) => string,
): SharedRule<Reduce> {
  return (back, node, [dY]) => {
    if (dY === undefined) return [];
    const y = () => withAxes(back, node, node.outputs[0] ?? "");
    return [make(back, node, node.inputs[0] ?? "", y, withAxes(back, node, dY))];
  };
}

const repeated = (back: Backward, x: string, dY: string): string =>
  back.add({ op: "Expand", inputs: [dY], shape: back.shape(x) });

/** How many elements of x one element of y is of. */
const countOf = (back: Backward, { axes }: Reduce, x: string): number =>
  axes.reduce((product, axis) => product * (back.shape(x)[axis] ?? 1), 1);

/** In equal parts to the elements that are y: torch.amax. */
const extreme = reduced((back, { axes }, x, y, dY) => {
  const isIt = back.add({ op: "Equal", inputs: [x, y()] });
  const ones = back.add({ op: "Cast", inputs: [isIt], to: "float32" });
  const count = back.add({ op: "ReduceSum", inputs: [ones], axes, keepdims: true });
  return call(back, "Mul", ones, call(back, "Div", dY, count));
});

/** dY · the product of all others: of a 0 that is the product of what is not 0 where it is the only one, and of
 *  the rest that product less themselves where there is no 0. */
const product = reduced((back, { axes }, x, _, dY) => {
  const [zero, one] = [back.scalar(0), back.scalar(1)];
  const isZero = back.add({ op: "Equal", inputs: [x, zero] });
  const ones = back.add({ op: "Cast", inputs: [isZero], to: "float32" });
  const zeros = back.add({ op: "ReduceSum", inputs: [ones], axes, keepdims: true });
  const others = back.add({ op: "Where", inputs: [isZero, one, x] });
  const all = back.add({ op: "ReduceProd", inputs: [others], axes, keepdims: true });
  const share = call(back, "Mul", dY, all);
  const where = (holds: string) => back.add({ op: "Where", inputs: [holds, share, zero] });
  const isOne = back.add({ op: "Equal", inputs: [zeros, one] });
  const isNone = back.add({ op: "Equal", inputs: [zeros, zero] });
  const [ofZero, ofRest] = [where(isOne), call(back, "Div", where(isNone), others)];
  return back.add({ op: "Where", inputs: [isZero, ofZero, ofRest] });
});

export const reduceRules: Rules = {
  ReduceSum: reduced((back, _, x, _y, dY) => repeated(back, x, dY)),
  ReduceMean: reduced((back, node, x, _, dY) => {
    const count = countOf(back, node, x);
    return repeated(back, x, call(back, "Mul", dY, back.scalar(1 / count)));
  }),
  ReduceMax: extreme,
  ReduceMin: extreme,
  ReduceProd: product,
  ReduceL1: reduced((back, _, x, _y, dY) =>
    call(back, "Mul", dY, back.add({ op: "Sign", inputs: [x] })),
  ),
  // 0 where all are 0.
  ReduceL2: reduced((back, _, x, y, dY) => {
    const norm = y();
    const [zero, one] = [back.scalar(0), back.scalar(1)];
    const isZero = back.add({ op: "Equal", inputs: [norm, zero] });
    const by = back.add({ op: "Where", inputs: [isZero, one, norm] });
    return call(back, "Mul", call(back, "Div", dY, by), x);
  }),
  ReduceSumSquare: reduced((back, _, x, _y, dY) =>
    call(back, "Mul", call(back, "Mul", dY, back.scalar(2)), x),
  ),
  GlobalAveragePool: (back, node, [dY]) => {
    const [x = ""] = node.inputs;
    if (dY === undefined) return [];
    const count = back
      .shape(x)
      .slice(2)
      .reduce((total, size) => total * size, 1);
    return [repeated(back, x, call(back, "Mul", dY, back.scalar(1 / count)))];
  },
};
