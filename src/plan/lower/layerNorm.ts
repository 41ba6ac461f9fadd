// LayerNormalization in one dispatch where its rows lie one after the other, which all but four axes do; else
// between two that bring the rows in order.

import type { NodeOf } from "../../graph/node.ts";
import { fl } from "../../tensor/rounding.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import { emitBinary } from "./elementwise.ts";
import { workgroups, type Lowering, type Placed } from "./context.ts";
import { emitReshape } from "./movement.ts";

/** Invocations that share a row: about four words each, a power of two. */
function sharers(words: number): number {
  let count = 32;
  while (count < 256 && count * 4 < words) count *= 2;
  return count;
}

/** `value` repeated `length` times, as a row. */
function constantRow(lowering: Lowering, length: number, value: number): Placed {
  const row = lowering.scratch([length]);
  const data = new Float32Array(row.layout.words * 4).fill(value, 0, length);
  return { ...row, ref: lowering.plan.constant(data) };
}

export function lowerLayerNorm(lowering: Lowering, node: NodeOf<"LayerNormalization">): void {
  const input = lowering.input(node, 0);
  const final = lowering.output(node);
  const { logical } = input.layout;
  const length = sizeOf(logical.slice(node.axis));
  const count = sizeOf(logical.slice(0, node.axis));
  if (count * length === 0) return;
  // Rows of one axis are followed by its padding; those of several have some inside unless words are full.
  const isLast = node.axis === logical.length - 1 || length === (logical.at(-1) ?? 1);
  const liesInRows = logical.length !== 4 && (isLast || (logical.at(-1) ?? 1) % 4 === 0);
  const rows = [count, length];
  let x = input;
  if (!liesInRows) emitReshape(lowering, node, input, (x = lowering.scratch(rows)));
  // One scale and bias for every row go into the kernel; others are applied after it.
  const operands = node.inputs.slice(1).map((_, index) => lowering.input(node, index + 1));
  const isRow = ({ layout }: Placed) => sizeOf(layout.logical) === length && tailOf(layout.logical);
  const tailOf = (shape: readonly number[]) =>
    logical.slice(node.axis).every((size, at) => {
      return (shape.at(at + node.axis - logical.length) ?? 1) === size;
    });
  const isFused = operands.every(isRow);
  const asRow = (placed: Placed): Placed => {
    const row = lowering.scratch([length]);
    if (placed.layout.logical.length === 1) return placed;
    emitReshape(lowering, node, placed, row);
    return row;
  };
  const [scale, bias] = isFused ? operands.map(asRow) : [];
  const normal = isFused ? final : lowering.scratch(logical);
  const out = liesInRows ? normal : lowering.scratch(rows);
  const words = Math.ceil(length / 4);
  // What leaves the kernel is the value itself, so the ranges of its rows are the value's.
  const name = node.outputs[0] ?? "";
  const isRanged = isFused && lowering.isRanged(name);
  const outRange = isRanged ? lowering.roomForRange(name, count) : lowering.plan.tensor(8);
  const RANGE = isRanged ? 1 : 0;
  const { software } = lowering.target;
  const shared = {
    node: node.name,
    uniforms: { count, words, last: length, share: fl(1 / length), epsilon: node.epsilon },
    buffers: {
      x: x.ref,
      scale: (scale ?? constantRow(lowering, length, 1)).ref,
      bias: (bias ?? constantRow(lowering, length, 0)).ref,
      outRange,
      out: out.ref,
    },
  };
  if (software) {
    const overrides = { RANGE };
    lowering.plan.step("layerNormRowsF32", { ...shared, overrides, groups: workgroups(count) });
  } else {
    const WORKGROUP = lowering.settle(node, "sharers", () => sharers(words));
    const overrides = { WORKGROUP, RANGE };
    lowering.plan.step("layerNormF32", { ...shared, overrides, groups: count });
  }
  if (!liesInRows) emitReshape(lowering, node, out, normal);
  if (isFused) return;
  const [factor, offset] = operands;
  const scaled = offset ? lowering.scratch(logical) : final;
  if (factor) emitBinary(lowering, node, "Mul", normal, factor, scaled, {});
  if (offset) emitBinary(lowering, node, "Add", scaled, offset, final, {});
}
