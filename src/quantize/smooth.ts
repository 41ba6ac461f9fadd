// SmoothQuant (Xiao et al. 2022, arXiv 2211.10438): channels of an activation that are far larger than the
// others take the whole range of its scale. Divided by s where the activation is made, and with the rows
// of the weights behind it multiplied by s, the product is the same and the range evened out. One idea:
// dividing is an edit of constants of the nodes before, so a group is a list of edits.

import type { Graph } from "../graph/graph.ts";
import { consumersOf, producersOf, prune, valueOf } from "../graph/graph.ts";
import type { Clamp, Node, NodeOf } from "../graph/node.ts";
import { fl } from "../tensor/rounding.ts";
import { float32, tensor, type Tensor } from "../tensor/tensor.ts";

/** A constant input of a node, and its axis along which the activation's channels lie. */
interface Edit {
  readonly node: Node;
  readonly input: number;
  readonly axis: "first" | "last";
}

/** Linear layers that read one activation: they share s. */
export interface SmoothGroup {
  /** The activation, (…, channels). */
  readonly value: string;
  readonly channels: number;
  readonly layers: readonly NodeOf<"Gemm" | "MatMul">[];
  /** Constants that divide the activation by s; undefined where no node before can. */
  readonly fold: readonly Edit[] | undefined;
  /** Why not. */
  readonly reason?: string;
}

function isLinear(graph: Graph, node: Node): node is NodeOf<"Gemm" | "MatMul"> {
  if (node.op !== "MatMul" && (node.op !== "Gemm" || node.transA)) return false;
  const [x = "", w = ""] = node.inputs;
  return isWeight(graph, w, 2) && !graph.constants.has(x);
}

/** A float32 constant that is not quantized; of `rank` axes where that matters. */
function isWeight(graph: Graph, name: string | undefined, rank?: number): boolean {
  const constant = graph.constants.get(name ?? "");
  if (constant?.dtype !== "float32" || graph.values.get(name ?? "")?.quant) return false;
  return rank === undefined || constant.shape.length === rank;
}

/** The activations that linear layers read, in the graph's order. */
export function findGroups(graph: Graph): SmoothGroup[] {
  const producers = producersOf(graph);
  const consumers = consumersOf(graph);
  const groups: SmoothGroup[] = [];
  const seen = new Set<string>();
  for (const first of graph.nodes) {
    const [value = ""] = first.inputs;
    if (!isLinear(graph, first) || seen.has(value)) continue;
    seen.add(value);
    const { shape } = valueOf(graph, value);
    const channels = shape.at(-1);
    if (typeof channels !== "number") continue;
    const readers = consumers.get(value) ?? [];
    const layers = readers.filter(
      (node) => isLinear(graph, node) && node.inputs.indexOf(value) === 0,
    ) as NodeOf<"Gemm" | "MatMul">[];
    const other = readers.find((node) => !layers.includes(node as (typeof layers)[number]));
    const found = other
      ? `${other.op} "${other.name}" reads it, too`
      : graph.outputs.includes(value)
        ? "it is an output of the model"
        : foldOf(graph, value, channels, { producers, consumers });
    const group = { value, channels, layers };
    groups.push(
      typeof found === "string"
        ? { ...group, fold: undefined, reason: found }
        : { ...group, fold: found },
    );
  }
  return groups;
}

interface Links {
  readonly producers: ReadonlyMap<string, Node>;
  readonly consumers: ReadonlyMap<string, readonly Node[]>;
}

/** The constants that divide `value` by one number a channel, or why there are none. */
function foldOf(graph: Graph, value: string, channels: number, links: Links): Edit[] | string {
  const edits: Edit[] = [];
  for (let name = value; ;) {
    const node = links.producers.get(name);
    if (!node) return "it is an input of the model";
    if (name !== value && (graph.outputs.includes(name) || links.consumers.get(name)?.length !== 1))
      return `another node reads "${name}", too`;
    const cannot = `${node.op} "${node.name}" before it does not scale with it`;
    const { low = 0, high }: Clamp = node as Clamp; // a clamp at 0 alone scales with its input
    if (low !== 0 || high !== undefined || valueOf(graph, name).shape.at(-1) !== channels)
      return cannot;
    const [x = ""] = node.inputs;
    const constant = (input: number) => isRow(graph, node.inputs[input], channels);
    switch (node.op) {
      // f(a x) = a f(x) for a > 0.
      case "Relu":
      case "LeakyRelu":
      case "Identity":
        name = x;
        continue;
      case "Add": {
        const input = [1, 0].find(constant);
        if (input === undefined) return cannot;
        edits.push({ node, input, axis: "last" });
        name = node.inputs[1 - input] ?? "";
        continue;
      }
      case "LayerNormalization": {
        const isLast = node.axis === valueOf(graph, name).shape.length - 1;
        const operands = node.inputs.length > 2 ? [1, 2] : [1];
        if (!isLast || !operands.every(constant)) return cannot;
        return [
          ...edits,
          ...operands.map((input): Edit => ({ node, input, axis: "last" })).reverse(),
        ];
      }
      case "Mul": {
        const input = [1, 0].find(constant);
        if (input === undefined) return cannot;
        return [...edits, { node, input, axis: "last" }];
      }
      case "Gemm":
      case "MatMul": {
        if (!isLinear(graph, node)) return cannot;
        const axis = node.op === "Gemm" && node.transB ? "first" : "last";
        edits.push({ node, input: 1, axis });
        if (node.inputs.length < 3) return edits;
        return constant(2) ? [...edits, { node, input: 2, axis: "last" }] : cannot;
      }
      default:
        return cannot;
    }
  }
}

/** One number a channel, or one for all. */
function isRow(graph: Graph, name: string | undefined, channels: number): boolean {
  if (!isWeight(graph, name)) return false;
  const { shape = [], data } = graph.constants.get(name ?? "") ?? {};
  return data?.length === 1 || (data?.length === channels && shape.at(-1) === channels);
}

/** Rows of a layer's weight: what one channel of the activation is multiplied by. */
function rowsOf(layer: NodeOf<"Gemm" | "MatMul">): "first" | "last" {
  return layer.op === "Gemm" && layer.transB ? "last" : "first";
}

/** max |W_j| over the group's weights, one a channel of the activation. */
export function weightMaxima(graph: Graph, { layers, channels }: SmoothGroup): Float32Array {
  const maxima = new Float32Array(channels);
  for (const layer of layers) {
    const { data, shape } = graph.constants.get(layer.inputs[1] ?? "") as Tensor<"float32">;
    const columns = shape[1] ?? 1;
    const isFirst = rowsOf(layer) === "first";
    data.forEach((value, index) => {
      const channel = isFirst ? Math.floor(index / columns) : index % columns;
      maxima[channel] = Math.max(maxima[channel] ?? 0, Math.abs(value));
    });
  }
  return maxima;
}

/** s_j = max|X_j|^α / max|W_j|^(1−α), docs/quantization.md (62); 1 where a channel is always 0 or no weight
 *  reads it. */
export function smoothingOf(
  activation: Float32Array,
  weight: Float32Array,
  alpha: number,
): Float32Array {
  return activation.map((x, channel) => {
    const w = weight[channel] ?? 0;
    return x > 0 && w > 0 ? x ** alpha / w ** (1 - alpha) : 1;
  });
}

/** `graph` with each group's activation divided by its s and its weights multiplied: it computes the same, but
 *  for roundings. A group without a fold gets a Mul of its own. */
export function smooth(
  graph: Graph,
  groups: readonly { readonly group: SmoothGroup; readonly s: Float32Array }[],
): Graph {
  const constants = new Map(graph.constants);
  const values = new Map(graph.values);
  const inputs = new Map<Node, string[]>(graph.nodes.map((node) => [node, [...node.inputs]]));
  const inserted = new Map<Node, Node>(); // before the first layer of a group
  const fresh = (wanted: string): string => {
    for (let count = 0; ; count++) {
      const name = count === 0 ? wanted : `${wanted}_${count}`;
      if (!values.has(name)) return name;
    }
  };
  const define = (wanted: string, data: Tensor<"float32">): string => {
    const name = fresh(wanted);
    constants.set(name, data);
    values.set(name, { dtype: "float32", shape: data.shape });
    return name;
  };
  const edit = ({ node, input, axis }: Edit, factor: (channel: number) => number, s: number) => {
    const names = inputs.get(node) ?? [];
    const before = constants.get(names[input] ?? "") as Tensor<"float32">;
    names[input] = define(`${names[input]}_smooth`, scaled(before, axis, factor, s));
  };
  for (const { group, s } of groups) {
    const { fold, layers, value } = group;
    const [first] = layers;
    for (const layer of layers)
      edit({ node: layer, input: 1, axis: rowsOf(layer) }, (c) => s[c] ?? 1, s.length);
    for (const each of fold ?? []) edit(each, (c) => 1 / (s[c] ?? 1), s.length);
    if (fold || !first) continue;
    const output = fresh(`${value}_smooth`);
    values.set(output, valueOf(graph, value));
    const inverse = define(
      `${value}_smoothing`,
      float32(
        [s.length],
        s.map((each) => 1 / each),
      ),
    );
    const mul = { op: "Mul", name: `${value}/smooth`, inputs: [value, inverse], outputs: [output] };
    inserted.set(first, mul as Node);
    for (const layer of layers) (inputs.get(layer) ?? [])[0] = output;
  }
  const nodes = graph.nodes.flatMap((node): Node[] => {
    const before = inserted.get(node);
    const edited = { ...node, inputs: inputs.get(node) ?? node.inputs } as Node;
    return before ? [before, edited] : [edited];
  });
  return prune({ ...graph, nodes, constants, values });
}

/** `before` times one factor a channel along its first or last axis; one number becomes one a channel. */
function scaled(
  before: Tensor<"float32">,
  axis: "first" | "last",
  factor: (channel: number) => number,
  channels: number,
): Tensor<"float32"> {
  const { shape, data } = before;
  if (data.length === 1 && channels > 1) {
    const [only = 0] = data;
    const values = Float32Array.from({ length: channels }, (_, c) => fl(only * factor(c)));
    return float32([...shape.slice(0, -1), channels], values);
  }
  const perFirst = data.length / (shape[0] ?? 1);
  const last = shape.at(-1) ?? 1;
  const channelOf = (at: number) => (axis === "first" ? Math.floor(at / perFirst) : at % last);
  return tensor(
    "float32",
    shape,
    data.map((value, at) => fl(value * factor(channelOf(at)))),
  );
}
