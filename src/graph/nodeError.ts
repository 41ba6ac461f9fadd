// How an error names the node that it is about.

import { InputError } from "../errors.ts";
import type { Node } from "./node.ts";

/** An InputError in the house form: `<Op> "<name>": <rule>; got <what>. <way out>`. */
export function nodeError(node: Node, rule: string, got: string, wayOut: string): InputError {
  return new InputError(`${node.op} "${node.name}": ${rule}; got ${got}. ${wayOut}`);
}
