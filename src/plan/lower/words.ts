// Ops on integers and bools of four bytes: int32, and int64 and bool, which lie as int32 words. Bytes are
// widened before and narrowed after, modulo 2⁸.

import type { Binary, Comparison, Logic, Node, Not, Where } from "../../graph/node.ts";
import { layoutOf } from "../layout.ts";
import { alignRank, emitBroadcastCopy } from "./movement.ts";
import { broadcast, lowerBinary } from "./elementwise.ts";
import { emitNarrow, emitWiden } from "./cast.ts";
import { isBytes, workgroups, type Lowering, type Placed } from "./context.ts";

const OPS = { Add: 0, Sub: 1, Mul: 2, Div: 3, And: 4, Or: 5, Xor: 6 } as const;
const EQUAL = 7;
const ORDER = { Equal: 0, Less: 1, LessOrEqual: 2, Greater: 1, GreaterOrEqual: 2 } as const;

/** Input `index` as words of four bytes. */
function words(lowering: Lowering, node: Node, index: number): Placed {
  const x = lowering.input(node, index);
  if (x.quant) throw lowering.unsupported(node, `"${x.name}" must not be quantized`);
  return isBytes(x) ? emitWiden(lowering, node, x) : x;
}

/** Inputs `first` and the next of one dtype, brought to out's rank. */
function operands(lowering: Lowering, node: Node, out: Placed, first = 0): [Placed, Placed] {
  const [a, b] = [words(lowering, node, first), words(lowering, node, first + 1)];
  const types = [first, first + 1].map((index) => lowering.input(node, index).dtype);
  if (types[0] !== types[1]) {
    throw lowering.unsupported(node, `inputs must be of one dtype; got ${types.join(" and ")}`);
  }
  const rank = out.layout.logical.length;
  return [alignRank(lowering, node, a, rank), alignRank(lowering, node, b, rank)];
}

function emitIntegers(
  lowering: Lowering,
  node: Node,
  op: number,
  [a, b]: readonly [Placed, Placed],
  out: Placed,
): void {
  lowering.plan.step("binaryI32", {
    node: node.name,
    overrides: { OP: op },
    uniforms: broadcast(a, b, out.layout),
    buffers: { a: a.ref, b: b.ref, out: out.ref },
    groups: workgroups(out.layout.words),
  });
}

/** Arithmetic on what the first input holds. */
export function lowerArithmetic(lowering: Lowering, node: Binary): void {
  const { dtype, quant } = lowering.type(lowering.inputName(node, 0));
  if (quant === undefined && dtype !== "float32") lowerIntegers(lowering, node);
  else lowerBinary(lowering, node);
}

/** Arithmetic on integers, exact modulo 2³² (bytes: 2⁸), or logic on bools. */
export function lowerIntegers(lowering: Lowering, node: Binary | Logic): void {
  const out = lowering.output(node);
  if (out.quant) throw lowering.unsupported(node, "plain integers in and quantized out");
  if (node.op === "Pow" || node.op === "Min" || node.op === "Max")
    throw lowering.unsupported(node, `${node.op} of integers is not supported`);
  const target = isBytes(out) ? lowering.scratch(out.layout.logical, { dtype: "int32" }) : out;
  emitIntegers(lowering, node, OPS[node.op], operands(lowering, node, target), target);
  if (target !== out) emitNarrow(lowering, node, target, out, false);
}

export function lowerComparison(lowering: Lowering, node: Comparison): void {
  const out = lowering.output(node);
  const [a, b] = operands(lowering, node, out);
  // a > b is b < a.
  const isSwapped = node.op === "Greater" || node.op === "GreaterOrEqual";
  const pair: [Placed, Placed] = isSwapped ? [b, a] : [a, b];
  const op = ORDER[node.op];
  if (a.dtype !== "float32") return emitIntegers(lowering, node, EQUAL + op, pair, out);
  lowering.plan.step("comparisonF32", {
    node: node.name,
    overrides: { OP: op },
    uniforms: broadcast(...pair, out.layout),
    buffers: { a: pair[0].ref, b: pair[1].ref, out: out.ref },
    groups: workgroups(out.layout.words),
  });
}

/** x = 0. */
export function lowerNot(lowering: Lowering, node: Not): void {
  const x = words(lowering, node, 0);
  const out = lowering.output(node);
  const ref = lowering.plan.constant(new Int32Array(4));
  const layout = layoutOf(out.layout.logical.map(() => 1));
  const zero: Placed = { name: "", ref, layout, dtype: "bool", quant: undefined };
  emitIntegers(lowering, node, EQUAL, [x, zero], out);
}

export function lowerWhere(lowering: Lowering, node: Where): void {
  const out = lowering.output(node);
  if (out.quant) throw lowering.unsupported(node, "choosing between quantized values");
  const { logical } = out.layout;
  const target = isBytes(out) ? lowering.scratch(logical, { dtype: "int32" }) : out;
  const [a, b] = operands(lowering, node, target, 1);
  let condition = lowering.input(node, 0);
  if (condition.dtype !== "bool") {
    throw lowering.unsupported(node, `the condition must be bool; got ${condition.dtype}`);
  }
  const [own, whole] = [lowering.inputName(node, 0), node.outputs[0] ?? ""];
  if (!lowering.choices.always((shape) => shape(own).join() === shape(whole).join())) {
    const repeated = lowering.scratch(logical, { dtype: "bool" });
    emitBroadcastCopy(lowering, node, condition, repeated);
    condition = repeated;
  }
  lowering.plan.step("where32", {
    node: node.name,
    uniforms: broadcast(a, b, target.layout),
    buffers: { condition: condition.ref, a: a.ref, b: b.ref, out: target.ref },
    groups: workgroups(target.layout.words),
  });
  if (target !== out) emitNarrow(lowering, node, target, out, false);
}
