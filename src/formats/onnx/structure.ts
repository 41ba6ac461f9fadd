// What must hold for the names of a graph before any node is looked at: no duplicates, no dangling
// names, no cycles. ONNX nodes are sorted, so one pass in file order shows it all. Graphs in attributes see
// the names that are defined before their node; the reader's limit of nesting bounds their depth.

import type { GraphProto } from "./proto.ts";
import { subgraphs } from "./walk.ts";
import { invalid } from "./wire.ts";

/** The names a graph sees, innermost first. */
interface Visible {
  readonly own: ReadonlySet<string>;
  readonly outer: Visible | undefined;
}

function sees(visible: Visible | undefined, name: string): boolean {
  for (let at = visible; at; at = at.outer) if (at.own.has(name)) return true;
  return false;
}

/** Every name is defined once and before its use; throws FormatError at the first that is not. A graph in an
 *  attribute may define a name again: there it means its own. */
export function checkStructure(graph: GraphProto, outer?: Visible): void {
  const defined = new Set<string>();
  const visible: Visible = { own: defined, outer };
  const define = (name: string, what: string, offset: number) => {
    if (name === "") throw invalid(`${what} has no name`, offset);
    if (defined.has(name)) throw invalid(`the name "${name}" is defined twice`, offset);
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
      if (name === "" || sees(visible, name)) continue;
      throw invalid(
        later.has(name)
          ? `node "${node.name}" uses "${name}" before it is computed: the nodes are unsorted or cyclic`
          : `node "${node.name}" uses "${name}", which nothing defines`,
        node.offset,
      );
    }
    if (node.outputs.every((name) => name === "")) {
      throw invalid(`node "${node.name}" of type ${node.opType} has no output`, node.offset);
    }
    for (const inner of subgraphs(node)) checkStructure(inner, visible);
    for (const name of node.outputs) if (name !== "") define(name, "an output", node.offset);
  }
  const outputs = new Set<string>();
  for (const { name, offset } of graph.outputs) {
    if (!sees(visible, name)) throw invalid(`graph output "${name}" is defined by nothing`, offset);
    // The branches of an If may give one value twice.
    if (outputs.has(name) && !outer) {
      throw invalid(`graph output "${name}" is listed twice`, offset);
    }
    outputs.add(name);
  }
  if (outputs.size === 0) throw invalid("the graph has no outputs");
}
