// What must hold for the names of a graph before any node is looked at: no duplicates, no dangling
// names, no cycles. ONNX nodes are sorted, so one pass in file order shows it all.

import type { GraphProto } from "./proto.ts";
import { damaged } from "./wire.ts";

/** Every name is defined once and before its use; throws FormatError at the first that is not. */
export function checkStructure(graph: GraphProto): void {
  const defined = new Set<string>();
  const define = (name: string, what: string, offset: number) => {
    if (name === "") throw damaged(`${what} has no name`, offset);
    if (defined.has(name)) throw damaged(`the name "${name}" is defined twice`, offset);
    defined.add(name);
  };
  for (const { name, offset } of graph.initializers) define(name, "an initializer", offset);
  const initial = new Set(defined);
  const inputs = new Set<string>();
  for (const { name, offset } of graph.inputs) {
    // Before IR version 4 initializers are listed as inputs too; they are constants here.
    if (initial.has(name) && !inputs.has(name)) inputs.add(name);
    else define(name, "a graph input", offset);
  }
  const later = new Set(graph.nodes.flatMap((node) => node.outputs));
  for (const node of graph.nodes) {
    for (const name of node.inputs) {
      if (name === "" || defined.has(name)) continue;
      throw damaged(
        later.has(name)
          ? `node "${node.name}" uses "${name}" before it is computed: the nodes are unsorted or cyclic`
          : `node "${node.name}" uses "${name}", which nothing defines`,
        node.offset,
      );
    }
    if (node.outputs.every((name) => name === "")) {
      throw damaged(`node "${node.name}" of type ${node.opType} has no output`, node.offset);
    }
    for (const name of node.outputs) if (name !== "") define(name, "an output", node.offset);
  }
  const outputs = new Set<string>();
  for (const { name, offset } of graph.outputs) {
    if (!defined.has(name)) throw damaged(`graph output "${name}" is defined by nothing`, offset);
    if (outputs.has(name)) throw damaged(`graph output "${name}" is listed twice`, offset);
    outputs.add(name);
  }
  if (outputs.size === 0) throw damaged("the graph has no outputs");
}
