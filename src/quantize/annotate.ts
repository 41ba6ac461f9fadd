// Which nodes run in integers, and with which qconfig. Only this file knows which ops can: passes
// after it read its answer.

import { QConfigError } from "../errors.ts";
import { consumersOf, producersOf, type Graph } from "../graph/graph.ts";
import type { Node, Op } from "../graph/node.ts";
import { matchesPattern, mostSpecific } from "../graph/pattern.ts";
import { recognize } from "../graph/recognize/index.ts";
import { nonFiniteOf } from "../tensor/finite.ts";
import { validateQConfig, type QConfig } from "./qconfig.ts";

/** Per node name, a pattern with `*`, or op: a qconfig, or null for float. The most specific wins:
 *  a name before a pattern before an op; among patterns the longest. */
export type Overrides = Readonly<Record<string, QConfig | null>>;

/** Node name → its qconfig, null for float. */
export type Assignment = ReadonlyMap<string, QConfig | null>;

/** Ops whose output has the parameters of their input: they move elements and compute nothing. */
const SHARING = new Set<Op>([
  "MaxPool",
  "Flatten",
  "Reshape",
  "Transpose",
  "Squeeze",
  "Unsqueeze",
  "Slice",
  "Split",
  "Pad",
  "Identity",
]);

/** Ops with an integer kernel and parameters of their own. */
const COMPUTING = new Set<Op>([
  "Conv",
  "Gemm",
  "MatMul",
  "Add",
  "Sub",
  "Mul",
  "Concat",
  "AveragePool",
  "GlobalAveragePool",
  "ReduceMean",
  "Relu",
  "Clip",
  "LeakyRelu",
  "Sigmoid",
  "HardSigmoid",
  "HardSwish",
  "Tanh",
]);

/** Ops with a constant second operand that is a weight. */
export function hasWeight(node: Node): boolean {
  return node.op === "Conv" || node.op === "Gemm" || node.op === "MatMul";
}

/** A layer whose bias can be moved: a MatMul of matrices too, which then becomes a Gemm. */
export function takesBias(graph: Graph, node: Node): boolean {
  if (node.op === "MatMul") return graph.values.get(node.inputs[0] ?? "")?.shape.length === 2;
  return node.op === "Conv" || node.op === "Gemm";
}

/** A Pad with anything but 0 may leave its input's range, so it has a range of its own. */
export function sharesParams(node: Node): boolean {
  return SHARING.has(node.op) && !(node.op === "Pad" && node.value !== 0);
}

/** Why no kernel computes `node` in integers whatever its operands are, or undefined if one does. */
export function whyNoKernel(node: Node): string | undefined {
  if (!SHARING.has(node.op) && !COMPUTING.has(node.op)) return `${node.op} has no integer kernel`;
  if (node.op === "Gemm" && (node.alpha !== 1 || node.beta !== 1)) return "alpha or beta is not 1";
  if (node.op === "Gemm" && node.transA) return "its input is transposed";
  return undefined;
}

/** Why `node` of a float graph cannot run in integers, or undefined if it can. */
export function whyFloat(graph: Graph, node: Node): string | undefined {
  const kernel = whyNoKernel(node);
  if (kernel !== undefined) return kernel;
  if (graph.values.get(node.inputs[0] ?? "")?.dtype !== "float32")
    return "its input is not float32";
  const endless = node.inputs.find((name) => {
    const constant = graph.constants.get(name);
    return !hasWeight(node) && nonFiniteOf(constant) !== undefined;
  });
  if (endless !== undefined) return `its constant "${endless}" is not finite`;
  if (hasWeight(node)) {
    const weight = graph.constants.get(node.inputs[1] ?? "");
    if (!weight) return "its weight is not a constant";
    if (weight.dtype !== "float32") return `its weight is ${weight.dtype}`;
    if (node.op !== "Conv" && weight.shape.length !== 2) return "its weight is not a matrix";
    const bias = node.inputs[2];
    if (bias !== undefined && !graph.constants.has(bias)) return "its bias is not a constant";
    if (bias !== undefined && !isColumnBias(graph, node))
      return "its bias is not one value per output channel";
    if (weight.data.length === 0) return "its weight is empty";
  }
  return undefined;
}

function isColumnBias(graph: Graph, node: Node): boolean {
  const bias = graph.constants.get(node.inputs[2] ?? "");
  const columns = graph.values.get(node.outputs[0] ?? "")?.shape[1];
  return bias?.dtype === "float32" && bias.shape.at(-1) === columns && bias.data.length === columns;
}

/** The override that applies to `node`, if any. */
function overrideOf(overrides: Overrides, node: Node): QConfig | null | undefined {
  const named = mostSpecific(Object.keys(overrides), node.name);
  const key = named ?? (Object.hasOwn(overrides, node.op) ? node.op : undefined);
  return key === undefined ? undefined : overrides[key];
}

/** Names of the nodes that an override gives a qconfig. */
export function askedFor(graph: Graph, overrides: Overrides = {}): ReadonlySet<string> {
  const asked = graph.nodes.filter((node) => (overrideOf(overrides, node) ?? null) !== null);
  return new Set(asked.map(({ name }) => name));
}

/** Nodes that run merged with others where they stay float: a pattern cut by quantization would run spelled out,
 *  and lose accuracy in its small sums. */
function mergedNodes(graph: Graph): ReadonlySet<Node> {
  const keyOf = ({ name, op }: Node) => `${op} ${name}`;
  const left = new Set(recognize(graph).nodes.map(keyOf));
  return new Set(graph.nodes.filter((node) => !left.has(keyOf(node))));
}

/** Why the float `graph` leaves `node` in float where it could run in integers and no override says so. */
export function whyLeft(graph: Graph, node: Node): string {
  return mergedNodes(graph).has(node)
    ? "it runs in float, merged with its neighbours into one op"
    : "its neighbours are float";
}

/** Decide for every node of the fused `graph`; what recognition merges stays float unless an override asks for
 *  integers. Throws QConfigError for a config that cannot be met
 *  and for an override that names nothing. */
export function annotate(graph: Graph, qconfig: QConfig, overrides: Overrides = {}): Assignment {
  validateQConfig(qconfig);
  for (const [key, config] of Object.entries(overrides)) {
    if (config) validateQConfig(config, `overrides "${key}"`);
    if (graph.nodes.some((node) => node.op === key || matchesPattern(key, node.name))) continue;
    throw new QConfigError(
      `overrides "${key}": no node has that name, pattern or op; got ` +
        `${graph.nodes
          .slice(0, 3)
          .map((node) => `"${node.name}"`)
          .join(", ")}, …. ` +
        "List the nodes with `webgpu-quant inspect MODEL --json`.",
    );
  }
  const assignment = new Map<string, QConfig | null>();
  const merged = mergedNodes(graph);
  for (const node of graph.nodes) {
    const override = overrideOf(overrides, node);
    const config = override === undefined ? (merged.has(node) ? null : qconfig) : override;
    assignment.set(
      node.name,
      config !== null && whyFloat(graph, node) === undefined ? config : null,
    );
  }
  return releaseMovers(graph, assignment);
}

/** A node that only moves elements runs in integers where its neighbours do: quantizing float values
 *  just to move them would lose accuracy for nothing. */
export function releaseMovers(graph: Graph, assignment: Map<string, QConfig | null>): Assignment {
  const producers = producersOf(graph);
  const consumers = consumersOf(graph);
  const runs = (node: Node) => (assignment.get(node.name) ?? null) !== null;
  const movers = graph.nodes.filter((node) => sharesParams(node) && runs(node));
  const joined = new Set<Node>();
  /** True for a neighbour that computes in integers, or moves and is already joined to one. */
  const leads = (node: Node) => runs(node) && (!sharesParams(node) || joined.has(node));
  for (const node of movers) {
    const producer = producers.get(node.inputs[0] ?? "");
    if (producer && leads(producer)) joined.add(node);
  }
  for (const node of movers.toReversed()) {
    const readers = node.outputs.flatMap((output) => consumers.get(output) ?? []);
    if (readers.length > 0 && readers.every(leads)) joined.add(node);
  }
  for (const node of movers) if (!joined.has(node)) assignment.set(node.name, null);
  return assignment;
}
