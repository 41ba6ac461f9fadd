// The shape of an Attention, and what its inputs must agree in.

import { formatShape } from "../tensor/tensor.ts";
import { CHECK_MODEL, nodeError, sizeAt } from "./nodeError.ts";
import type { Attention } from "./node.ts";
import type { Dim } from "./value.ts";

type Shape = readonly Dim[];

/** (B, T, heads · dv), and what its inputs must agree in. */
export function attention(node: Attention, inputs: readonly Shape[]): Dim[] {
  const [q = [], k = [], v = [], mask = []] = inputs;
  const { heads } = node;
  const got = [q, k, v].map(formatShape).join(", ");
  if ([q, k, v].some(({ length }) => length !== 3))
    throw nodeError(node, "q, k and v must have 3 axes", got, CHECK_MODEL);
  const agree =
    q[0] === k[0] && q[0] === v[0] && k[1] === v[1] && q[2] === k[2] && k[2] !== undefined;
  if (!agree)
    throw nodeError(node, "q (B, T, E), k (B, S, E) and v (B, S, Ev) must agree", got, CHECK_MODEL);
  if (sizeAt(node, q, 2) % heads !== 0 || sizeAt(node, v, 2) % heads !== 0) {
    const rule = `the last axes of q, k and v must divide by heads=${heads}`;
    throw nodeError(node, rule, got, CHECK_MODEL);
  }
  const scores = [q[0] ?? 1, heads, q[1] ?? 1, k[1] ?? 1];
  const skipped = 4 - mask.length;
  const fits = mask.every((dim, axis) => dim === 1 || dim === scores[axis + skipped]);
  if (!fits || skipped < 0) {
    const rule = `the mask must broadcast to ${formatShape(scores)}`;
    throw nodeError(node, rule, formatShape(mask), CHECK_MODEL);
  }
  return [q[0] ?? 1, q[1] ?? 1, v[2] ?? 1];
}
