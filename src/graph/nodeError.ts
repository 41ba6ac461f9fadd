// What is wrong with a node, in the house form.

import { InputError } from "../errors.ts";
import type { Node } from "./node.ts";

/** `<Op> "<name>": <rule>; got <what>. <way out>`. */
export function nodeError(node: Node, rule: string, got: string, wayOut: string): InputError {
  return new InputError(`${node.op} "${node.name}": ${rule}; got ${got}. ${wayOut}`);
}
