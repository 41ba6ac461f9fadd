// What Conv's gradients are made of: by its input, ConvTranspose, and by its filter, ConvGradFilter. Both have the
// window of the Conv, so that each is what the others' gradients are made of too: docs/quantization.md (90) to (92).

import { formatShape } from "../tensor/tensor.ts";
import { windowSize } from "./extents.ts";
import type { Common, Window } from "./node.ts";
import { nodeError } from "./nodeError.ts";
import type { Dim } from "./value.ts";

/** The transpose of Conv, by its input: docs/quantization.md (90). inputs: x (B, Cin, OH, OW), as that Conv's output,
 *  filter (Cin, Cout / group, kh, kw), as that Conv's. Output (B, Cout, H, W), as that Conv's input. */
export interface ConvTranspose extends Common, Window {
  readonly op: "ConvTranspose";
  readonly group: number;
  /** H, W: of all sizes that the window takes to OH, OW, this one. */
  readonly size: readonly [number, number];
}

/** The gradient of Conv by its filter: docs/quantization.md (91). inputs: x (B, C, H, W), dY (B, O, OH, OW). Output
 *  (O, C / group, kh, kw). */
export interface ConvGradFilter extends Common, Window {
  readonly op: "ConvGradFilter";
  readonly group: number;
}

export type ConvGradNode = ConvTranspose | ConvGradFilter;

type Shape = readonly Dim[];

const WAY_OUT = "Pass the gradient of the convolution's output, with its window and group.";

/** Shapes of the outputs of `node`. Throws InputError where those of its inputs do not fit together. */
export function convGradShapes(node: ConvGradNode, inputs: readonly Shape[]): Dim[][] {
  const [first = [], second = []] = inputs;
  const got = `${formatShape(first)} and ${formatShape(second)}`;
  const fail = (rule: string) => nodeError(node, rule, got, WAY_OUT);
  if (first.length !== 4 || second.length !== 4) throw fail("inputs must have 4 axes");
  const { group, kernel } = node;
  const numbers = [...first.slice(1), ...second.slice(1), second[0]];
  if (numbers.some((size) => typeof size !== "number")) throw fail("sizes must be known");
  const [channels, ...places] = first.slice(1) as number[];
  const placesOf = (sizes: readonly number[]) =>
    ([0, 1] as const).map((axis) => windowSize(sizes[axis] ?? 0, node, axis)).join();
  if (node.op === "ConvTranspose") {
    const [rows, perGroup = 0, ...window] = second as number[];
    if (rows !== channels || (rows ?? 0) % group !== 0)
      throw fail(`the filter must have one row for each input channel, in group=${group} groups`);
    if (window.join() !== kernel.join())
      throw fail(`the filter's window must be kernel ${formatShape(kernel)}`);
    if (placesOf(node.size) !== places.join())
      throw fail(`the window must take size ${formatShape(node.size)} to x's`);
    return [[first[0] ?? 1, perGroup * group, ...node.size]];
  }
  const [outs = 0, ...outPlaces] = second.slice(1) as number[];
  if (first[0] !== second[0]) throw fail("batches must be equal");
  if ((channels ?? 0) % group !== 0 || outs % group !== 0)
    throw fail(`channels must divide by group=${group}`);
  if (placesOf(places) !== outPlaces.join()) throw fail("the window must take x to the gradient");
  return [[outs, (channels ?? 0) / group, ...kernel]];
}
