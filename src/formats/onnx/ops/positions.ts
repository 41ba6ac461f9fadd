// Positions counted up to a size that is known only at run time: Range(0, sequence), or a constant 0, 1, 2, …
// cut off there. One idea: such a list is never made. A table that is gathered by it is a slice of the table.

import { addDims } from "../../../graph/dims.ts";
import type { Dim } from "../../../graph/value.ts";
import type { Call } from "../call.ts";
import type { Whole } from "../entries.ts";

/** A Range whose end names a size, in steps of one: whether it was one. */
export function openRange(call: Call): boolean {
  if (![0, 1].some((index) => call.entry(index).kind === "sizes")) return false;
  const [start = 0, end = 0, delta = 1] = [0, 1, 2].map((index): Dim => {
    const [bound] = call.sizes(index, "a bound") ?? [];
    return bound ?? call.wrong("three bounds must be given", "fewer");
  });
  if (delta !== 1) call.refuse("a range up to a size that is not known at import has steps of 1");
  const dtype = call.scope.dtypeOf(call.input(0));
  call.scope.setRange(call.output(), start, [addDims(end, start, -1)], dtype as Whole);
  return true;
}

/** A Gather whose indices are such a range: whether it was one. */
export function gatherRange(call: Call): boolean {
  const indices = call.entry(1);
  if (indices.kind !== "range") return false;
  const rank = call.rank(0);
  const axis = call.axis(call.int("axis", 0), rank);
  const length = indices.shape.find((size) => size !== 1) ?? 1;
  const before = indices.shape.findIndex((size) => size !== 1);
  const ones = indices.shape.flatMap((_, at) => (at === before ? [] : [axis + at]));
  const [output] = [call.output()];
  const rows = ones.length === 0 ? output : call.fresh(`${output}_rows`);
  call.scope.add({
    op: "Slice",
    name: call.name,
    inputs: [call.input(0)],
    outputs: [rows],
    axes: [axis],
    starts: [indices.start],
    ends: [addDims(indices.start, length)],
    steps: [1],
  });
  if (ones.length === 0) return true;
  const name = call.scope.nodeNames.fresh(`${call.name}_unsqueeze`);
  call.scope.add({ op: "Unsqueeze", name, inputs: [rows], outputs: [output], axes: ones });
  return true;
}
