// What the patterns share: walking up from a node to the producers of its inputs, operands in either order,
// constants of one number, and putting one node in the place of many.

import { GraphBuilder } from "../builder.ts";
import { consumersOf, producersOf, prune, type Graph } from "../graph.ts";
import type { Node, NodeOf, Op } from "../node.ts";
import { toNumbers } from "../../tensor/tensor.ts";

type BinaryOp = "Add" | "Sub" | "Mul" | "Div" | "Pow";
type BinaryNode = Extract<Node, { readonly op: BinaryOp | "Min" }>;

export class Patterns {
  readonly graph: Graph;
  readonly #producers: ReadonlyMap<string, Node>;
  readonly #consumers: ReadonlyMap<string, readonly Node[]>;

  constructor(graph: Graph) {
    this.graph = graph;
    this.#producers = producersOf(graph);
    this.#consumers = consumersOf(graph);
  }

  /** The node of `op` that makes float value `name`. */
  made<O extends Op>(name: string | undefined, op: O): NodeOf<O> | undefined {
    const node = this.#producers.get(name ?? "");
    if (node?.op !== op || !this.#isFloat(name ?? "")) return undefined;
    return node as NodeOf<O>;
  }

  /** The inputs of the open (unclamped) node of `op` that makes float value `name`. */
  operands(name: string | undefined, op: BinaryOp): readonly [string, string] | undefined {
    const node = this.#producers.get(name ?? "");
    if (node?.op !== op || !this.#isFloat(name ?? "")) return undefined;
    const { low, high, inputs } = node as BinaryNode;
    if (low !== undefined || high !== undefined) return undefined;
    return [inputs[0] ?? "", inputs[1] ?? ""];
  }

  /** The same in both orders, for Add and Mul. */
  orders(name: string | undefined, op: "Add" | "Mul"): (readonly [string, string])[] {
    const found = this.operands(name, op);
    return found ? [found, [found[1], found[0]]] : [];
  }

  /** The one number that constant `name` holds, if it holds one. */
  scalar(name: string | undefined): number | undefined {
    const constant = this.graph.constants.get(name ?? "");
    if (constant?.dtype !== "float32" || constant.data.length !== 1) return undefined;
    return toNumbers(constant)[0];
  }

  /** Whether constant `name` is `want`, to half-precision's digits or better. */
  is(name: string | undefined, want: number, tolerance = 1e-3): boolean {
    const value = this.scalar(name);
    return value !== undefined && Math.abs(value - want) <= tolerance * Math.abs(want);
  }

  /** value · k, or value / (1 / k): the value. */
  scaled(name: string | undefined, k: number): string | undefined {
    const product = this.orders(name, "Mul").find(([, factor]) => this.is(factor, k));
    if (product) return product[0];
    const quotient = this.operands(name, "Div");
    return quotient && this.is(quotient[1], 1 / k) ? quotient[0] : undefined;
  }

  /** Whether nothing but the pattern reads what is made between its inputs and its `last` node. */
  isClosed(last: Node, inputs: readonly string[]): boolean {
    const inside = new Set<Node>();
    const walk = (node: Node) => {
      inside.add(node);
      for (const name of node.inputs) {
        const producer = this.#producers.get(name);
        if (producer && !inputs.includes(name) && !inside.has(producer)) walk(producer);
      }
    };
    walk(last);
    return [...inside].every(
      (node) =>
        node === last ||
        node.outputs.every(
          (name) =>
            !this.graph.outputs.includes(name) &&
            (this.#consumers.get(name) ?? []).every((reader) => inside.has(reader)),
        ),
    );
  }

  #isFloat(name: string): boolean {
    const value = this.graph.values.get(name);
    return value?.dtype === "float32" && value.quant === undefined;
  }
}

/** `graph` with what `match` returns in the place of a node; what only that node read goes. A match may make
 *  constants through the builder. A pattern inside a wider one goes with what only the wider one read. */
export function replaceNodes(
  graph: Graph,
  match: (node: Node, patterns: Patterns, builder: GraphBuilder) => Node | undefined,
): Graph {
  const patterns = new Patterns(graph);
  const builder = GraphBuilder.from(graph);
  const found = new Map<Node, Node>();
  for (const node of graph.nodes) {
    const instead = match(node, patterns, builder);
    if (instead) found.set(node, instead);
  }
  if (found.size === 0) return graph;
  for (const node of graph.nodes) {
    const type = graph.values.get(node.outputs[0] ?? "");
    builder.add(found.get(node) ?? node, {
      ...(type ? { dtype: type.dtype } : {}),
      ...(type?.quant ? { quant: type.quant } : {}),
    });
  }
  return prune(builder.build(graph.name, graph.inputs, graph.outputs));
}
