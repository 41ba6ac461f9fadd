// How an error names the node that it is about.

import { InputError } from "../errors.ts";
import { formatShape } from "../tensor/tensor.ts";
import type { Node } from "./node.ts";
import type { Dim } from "./value.ts";

/** An InputError in the house form: `<Op> "<name>": <rule>; got <what>. <way out>`. */
export function nodeError(node: Node, rule: string, got: string, wayOut: string): InputError {
  return new InputError(`${node.op} "${node.name}": ${rule}; got ${got}. ${wayOut}`);
}

/** The way out of shapes that do not fit together. */
export const CHECK_MODEL = "Check the model file; its shapes contradict each other.";

/** `dim` as a number, or an error that names the node. */
export function sizeAt(node: Node, shape: readonly Dim[], axis: number): number {
  const dim = shape[axis];
  if (typeof dim === "number") return dim;
  throw nodeError(
    node,
    `axis ${axis} must have a known size`,
    formatShape(shape),
    "Fix the symbolic size when loading: load(bytes, { dims: { name: size } }).",
  );
}
