// One line per node, for logs, snapshots and reviews: what runs in integers is visible here.

import { formatShape } from "../tensor/tensor.ts";
import { valueOf, type Graph } from "./graph.ts";
import type { Node } from "./node.ts";
import type { Value } from "./value.ts";

/** `uint8[1, 32, 112, 112]`, with scale and zero point where they are per tensor. */
export function formatValue(value: Value): string {
  const { dtype, shape, quant } = value;
  const text = `${dtype}${formatShape(shape)}`;
  if (!quant) return text;
  if (quant.axis !== undefined) return `${text}·axis${quant.axis}`;
  return `${text}·(${quant.scale[0]?.toPrecision(4)}, ${quant.zeroPoint[0]})`;
}

function attributes(node: Node): string {
  const hidden = new Set(["op", "name", "inputs", "outputs"]);
  return Object.entries(node)
    .filter(([key, value]) => !hidden.has(key) && value !== undefined)
    .map(([key, value]) => `${key}=${isBound(key) ? formatBound(value) : JSON.stringify(value)}`)
    .join(" ");
}

const isBound = (key: string): boolean => key === "low" || key === "high";

/** `0`, or `0.5…24·32` for 32 channels with bounds of their own. */
function formatBound(bound: number | readonly number[]): string {
  if (typeof bound === "number") return JSON.stringify(bound);
  const [least, greatest] = [Math.min(...bound), Math.max(...bound)];
  return `${least.toPrecision(4)}…${greatest.toPrecision(4)}·${bound.length}`;
}

/** `name: type = Op(inputs) attributes`, a line per node. */
export function printGraph(graph: Graph): string {
  const typed = (name: string) => `${name}: ${formatValue(valueOf(graph, name))}`;
  return [
    `graph ${graph.name}(${graph.inputs.map(typed).join(", ")})`,
    ...graph.nodes.map((node) => {
      const outputs = node.outputs.map(typed).join(", ");
      return `  ${outputs}${outputs ? " = " : ""}${node.op}(${node.inputs.join(", ")}) ${attributes(node)}`.trimEnd();
    }),
    `  return ${graph.outputs.join(", ")}`,
  ].join("\n");
}
