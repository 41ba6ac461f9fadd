// Dynamic quantization: bytes, scale and zero point from the data, in two dispatches for a whole tensor, one where
// its producer found the range on the way, and one for each row alone. What they make are values like any other.

import { dynamicLevels, type DynamicRule } from "../../graph/dynamic.ts";
import type { NodeOf } from "../../graph/node.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import { shiftOf, type FoundRange, type Lowering, type Placed } from "./context.ts";
import { emitReshape } from "./movement.ts";

/** Parts that a range is found in. */
const RANGES = 64;
/** Words that a workgroup makes parameters for, or more where the tensor is large. */
const WORDS_A_GROUP = 256;

export function lowerDynamicQuantize(
  lowering: Lowering,
  node: NodeOf<"DynamicQuantizeLinear">,
): void {
  const x = lowering.input(node, 0);
  const outs = [0, 1, 2].map((index) => lowering.output(node, index)) as [Placed, Placed, Placed];
  emitDynamicQuantize(lowering, node.name, node, x, outs);
}

/** What the kernels know of a rule: how many levels above which stored byte. */
export function levelsOf(rule: DynamicRule): { levels: number; qmin: number } {
  const { qmin, levels } = dynamicLevels(rule);
  return { levels, qmin: qmin - shiftOf(rule) };
}

/** q, scale and zero point of x by `rule`, for the node of this name. */
export function emitDynamicQuantize(
  lowering: Lowering,
  name: string,
  rule: DynamicRule,
  x: Placed,
  outs: Outs,
): void {
  const common = { name, TORCH: rule.rule === "torch" ? 1 : 0, ...levelsOf(rule) };
  if (rule.granularity === "perToken") return emitRows(lowering, common, x, outs);
  emitWhole(lowering, common, x, outs);
}

/** The range of x: from its producer, or found here. */
function rangeOf(lowering: Lowering, node: string, x: Placed): FoundRange {
  const found = lowering.foundRanges.get(x.name);
  if (found) return found;
  const { words: count, lastWords, last } = x.layout;
  const parts = Math.max(1, Math.min(RANGES, Math.ceil(count / 1024)));
  const ref = lowering.plan.tensor(parts * 8);
  lowering.plan.step("rangeF32", {
    node,
    overrides: { ZERO: 1, WORKGROUP: 64 },
    uniforms: { count, words: Math.max(1, lastWords), last },
    buffers: { x: x.ref, out: ref },
    groups: parts,
  });
  return { ref, parts };
}

interface Common {
  readonly name: string;
  readonly TORCH: number;
  readonly levels: number;
  readonly qmin: number;
}

type Outs = readonly [q: Placed, scale: Placed, zeroPoint: Placed];

function emitWhole(lowering: Lowering, common: Common, x: Placed, [q, scale, zero]: Outs): void {
  const { name: node, TORCH, levels, qmin } = common;
  const { words: count } = x.layout;
  // Parameters are made once a workgroup, which is dear where invocations run one after another.
  const { software } = lowering.target;
  const { ref: ranges, parts } = rangeOf(lowering, node, x);
  lowering.plan.step("quantizeDynamicF32", {
    node,
    overrides: { TORCH, WORKGROUP: software ? 4 : 64 },
    uniforms: { count, parts, levels, qmin },
    buffers: { x: x.ref, ranges, outScale: scale.ref, outZero: zero.ref, out: q.ref },
    groups: Math.max(1, Math.min(software ? 16 : 256, Math.ceil(count / WORDS_A_GROUP))),
  });
}

function emitRows(lowering: Lowering, common: Common, x: Placed, outs: Outs): void {
  const { name: node, TORCH, levels, qmin } = common;
  const rowsOf = (placed: Placed) => asRows(lowering, common, placed);
  const from = rowsOf(x);
  const [rows = 1] = from.layout.logical;
  // Four axes lie in another order: the rows are made apart and moved.
  const made = outs.map((out) => (out.layout.logical.length === 4 ? rowsLike(lowering, out) : out));
  const [q = outs[0], scale = outs[1], zero = outs[2]] = made;
  lowering.plan.step("quantizeRowsF32", {
    node,
    overrides: { TORCH, WORKGROUP: lowering.target.software ? 4 : 64 },
    uniforms: { rows, words: from.layout.lastWords, last: from.layout.last, levels, qmin },
    buffers: { x: from.ref, outScale: scale.ref, outZero: zero.ref, out: q.ref },
    groups: rows,
  });
  outs.forEach((out, index) => {
    const source = made[index];
    if (source && source !== out) emitReshape(lowering, common, source, out);
  });
}

/** Room for `placed` as rows of its last axis. */
export function rowsLike(lowering: Lowering, { layout, dtype, quant }: Placed): Placed {
  const { logical } = layout;
  const shape = [sizeOf(logical.slice(0, -1)), logical.at(-1) ?? 1];
  return lowering.scratch(shape, { dtype, quant });
}

/** `placed` as rows of its last axis: as it lies, or moved where four axes lie in another order. */
export function asRows(
  lowering: Lowering,
  node: { readonly name: string },
  placed: Placed,
): Placed {
  const { layout } = placed;
  if (layout.logical.length === 4) {
    const rows = rowsLike(lowering, placed);
    emitReshape(lowering, node, placed, rows);
    return rows;
  }
  const rows = sizeOf(layout.logical.slice(0, -1));
  return { ...placed, layout: { ...layout, logical: [rows, layout.last] } };
}
