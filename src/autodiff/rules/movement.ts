// Ops that move elements: gradients move back. What was cut off has none, what was repeated has the sum, what was
// joined is taken apart.

import type { Movement, NodeOf } from "../../graph/node.ts";
import { sliceRange } from "../../graph/extents.ts";
import type { Backward } from "../backward.ts";
import type { Rules, SharedRule } from "../rule.ts";

/** `name` between zeros: so many before and behind along each axis; below 0 it is cut. */
function padded(
  back: Backward,
  name: string,
  before: readonly number[],
  behind: readonly number[],
): string {
  const pads = [...before, ...behind];
  if (pads.every((count) => count === 0)) return name;
  return back.add({ op: "Pad", inputs: [name], pads, value: 0 });
}

const along = (rank: number, axis: number, value: number): number[] =>
  Array.from({ length: rank }, (_, at) => (at === axis ? value : 0));

/** Elements `start`, `start + step`, …, `count` of them, along `axis`; a negative step goes backwards. */
function sliced(
  back: Backward,
  name: string,
  axis: number,
  [start, count, step]: readonly [number, number, number],
): string {
  const end = start + count * step;
  return back.add({
    op: "Slice",
    inputs: [name],
    axes: [axis],
    starts: [start],
    // Before the first element, as an end: −1 would be the last.
    ends: [end < 0 ? -(2 ** 31) : end],
    steps: [step],
  });
}

const reversed = (back: Backward, name: string, axis: number): string => {
  const count = back.shape(name)[axis] ?? 1;
  return count < 2 ? name : sliced(back, name, axis, [count - 1, count, -1]);
};

/** Zeros between the elements along `axis`, so that they stand `step` apart; none behind the last. */
function spread(back: Backward, name: string, axis: number, step: number): string {
  const shape = back.shape(name);
  const count = shape[axis] ?? 1;
  if (step === 1 || count < 2) return name;
  const [outer, inner] = [shape.slice(0, axis), shape.slice(axis + 1)];
  const size = (sizes: readonly number[]) => sizes.reduce((product, n) => product * n, 1);
  const flat = [size(outer), count, 1, size(inner)];
  const apart = back.add({ op: "Reshape", inputs: [name], shape: flat });
  const wide = padded(back, apart, [0, 0, 0, 0], [0, 0, step - 1, 0]);
  const joined = [...outer, count * step, ...inner];
  const whole = back.add({ op: "Reshape", inputs: [wide], shape: joined });
  return padded(back, whole, along(shape.length, -1, 0), along(shape.length, axis, 1 - step));
}

/** The same elements in the shape of the input. */
const reshaped: SharedRule<Movement> = (back, { inputs }, [dY]) => {
  const shape = back.shape(inputs[0] ?? "");
  return [dY && back.add({ op: "Reshape", inputs: [dY], shape })];
};

function slice(back: Backward, node: NodeOf<"Slice">, dY: string): string {
  const shape = back.shape(node.inputs[0] ?? "");
  return node.axes.reduce((gradient, axis, at) => {
    const size = shape[axis] ?? 1;
    const step = node.steps[at] ?? 1;
    const { start, count } = sliceRange(size, Number(node.starts[at]), Number(node.ends[at]), step);
    if (count === 0)
      return padded(back, gradient, along(shape.length, axis, size), along(shape.length, -1, 0));
    const forward = step < 0 ? reversed(back, gradient, axis) : gradient;
    const first = step < 0 ? start + (count - 1) * step : start;
    const apart = spread(back, forward, axis, Math.abs(step));
    const behind = size - first - ((count - 1) * Math.abs(step) + 1);
    return padded(back, apart, along(shape.length, axis, first), along(shape.length, axis, behind));
  }, dY);
}

/** What stands beside the middle is added where it came from: mirrored, or all of it to the edge. */
function mirrored(back: Backward, node: NodeOf<"Pad">, dY: string): string {
  const shape = back.shape(node.inputs[0] ?? "");
  const rank = shape.length;
  // The last axis was padded last.
  return shape.reduceRight((gradient, size, axis) => {
    const [begin, end] = [node.pads[axis] ?? 0, node.pads[axis + rank] ?? 0];
    if (begin === 0 && end === 0) return gradient;
    const part = (first: number, count: number, to: number): string => {
      const beside = sliced(back, gradient, axis, [first, count, 1]);
      const from =
        node.mode === "edge"
          ? back.add({ op: "ReduceSum", inputs: [beside], axes: [axis], keepdims: true })
          : reversed(back, beside, axis);
      const width = back.shape(from)[axis] ?? 1;
      return padded(back, from, along(rank, axis, to), along(rank, axis, size - to - width));
    };
    const parts = [sliced(back, gradient, axis, [begin, size, 1])];
    if (begin > 0) parts.push(part(0, begin, node.mode === "edge" ? 0 : 1));
    if (end > 0)
      parts.push(part(begin + size, end, node.mode === "edge" ? size - 1 : size - 1 - end));
    return parts.reduce((a, b) => back.add({ op: "Add", inputs: [a, b] }));
  }, dY);
}

export const movementRules: Rules = {
  Flatten: reshaped,
  Reshape: reshaped,
  Squeeze: reshaped,
  Unsqueeze: reshaped,
  Expand: (back, { inputs }, [dY]) => [dY && back.sumTo(dY, back.shape(inputs[0] ?? ""))],
  Transpose: (back, { perm }, [dY]) => {
    const inverse = perm.map((_, axis) => perm.indexOf(axis));
    return [dY && back.add({ op: "Transpose", inputs: [dY], perm: inverse })];
  },
  Concat: (back, { inputs, axis }, [dY], wanted) => {
    let first = 0;
    return inputs.map((name, index) => {
      const count = back.shape(name)[axis] ?? 0;
      const start = first;
      first += count;
      return dY && wanted[index] ? sliced(back, dY, axis, [start, count, 1]) : undefined;
    });
  },
  Split: (back, node, gradients) => {
    const parts = node.outputs.map((name, index) => {
      const shape = back.shape(name);
      return gradients[index] ?? back.add({ op: "Expand", inputs: [back.scalar(0)], shape });
    });
    return [back.add({ op: "Concat", inputs: parts, axis: node.axis })];
  },
  Slice: (back, node, [dY]) => [dY && slice(back, node, dY)],
  Pad: (back, node, [dY]) => {
    if (node.mode !== undefined) return [dY && mirrored(back, node, dY)];
    const rank = node.pads.length / 2;
    const less = node.pads.map((count) => 0 - count);
    return [dY && padded(back, dY, less.slice(0, rank), less.slice(rank))];
  },
};
