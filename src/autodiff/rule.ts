// What differentiates one op. One idea: a rule is given the gradients of a node's outputs and adds the nodes
// that compute those of its inputs, so the backward pass is a graph like any other.

import type { Node, NodeOf, Op } from "../graph/node.ts";
import type { Backward } from "./backward.ts";

/** `gradients`: of the loss by each output, undefined where the loss does not depend on it; at least one is
 *  defined. `wanted`: whether the gradient by each input is of use. Gives the gradient by each input,
 *  undefined where it is not wanted, or zero everywhere, as that of an index is. */
export type Rule<O extends Op> = (
  back: Backward,
  node: NodeOf<O>,
  gradients: readonly (string | undefined)[],
  wanted: readonly boolean[],
) => readonly (string | undefined)[];

/** One rule for several ops. */
export type SharedRule<N extends Node> = (
  back: Backward,
  node: N,
  gradients: readonly (string | undefined)[],
  wanted: readonly boolean[],
) => readonly (string | undefined)[];

export type Rules = { readonly [O in Op]?: Rule<O> };
