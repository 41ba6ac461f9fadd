// MatMulInteger → Cast → Mul by scales → Add of a bias, as ONNX spells a dynamic product, becomes one
// MatMulIntegerToFloat. The same numbers, (39), in one dispatch; what does not fit stays as the file says.

import { GraphBuilder } from "../../graph/builder.ts";
import { consumersOf, producersOf, prune, valueOf, type Graph } from "../../graph/graph.ts";
import type { Node, NodeOf } from "../../graph/node.ts";
import type { QParams } from "../../graph/value.ts";
import { tensor, toNumbers, type Tensor } from "../../tensor/tensor.ts";

class Pattern {
  readonly graph: Graph;
  readonly #producers: Map<string, Node>;
  readonly #consumers: Map<string, Node[]>;

  constructor(graph: Graph) {
    this.graph = graph;
    this.#producers = producersOf(graph);
    this.#consumers = consumersOf(graph);
  }

  producer(name: string): Node | undefined {
    return this.#producers.get(name);
  }

  /** The only reader of `name`, where it is no port. */
  reader(name: string): Node | undefined {
    const [reader, ...others] = this.#consumers.get(name) ?? [];
    return others.length > 0 || this.graph.outputs.includes(name) ? undefined : reader;
  }

  /** Constant `name` as one float, or one a column, where it adds no axis to `rank` ones. */
  row(name: string, columns: number, rank: number): Float32Array | undefined {
    const constant = this.graph.constants.get(name);
    if (constant?.dtype !== "float32" || constant.shape.length > rank) return undefined;
    const { data, shape } = constant as Tensor<"float32">;
    const isRow = data.length === 1 || (data.length === columns && shape.at(-1) === columns);
    return isRow ? data : undefined;
  }

  /** One element, of rank 0 or 1: more axes would say one a row. */
  isOne(name: string): boolean {
    const { shape } = valueOf(this.graph, name);
    return shape.length <= 1 && shape.every((dim) => dim === 1);
  }
}

const other = ({ inputs: [a = "", b = ""] }: Node, name: string) => (a === name ? b : a);

/** w − zw as int8, where it is. */
function moved(weight: Tensor, zeros: readonly number[], scale: Float32Array) {
  const [, columns = 1] = weight.shape;
  const differences = Int16Array.from(
    toNumbers(weight),
    (q, at) => q - (zeros[zeros.length === 1 ? 0 : at % columns] ?? 0),
  );
  if (differences.some((w) => w < -128 || w > 127)) return undefined;
  const quant: QParams = {
    dtype: "int8",
    scale,
    zeroPoint: new Int32Array(scale.length),
    ...(scale.length > 1 ? { axis: 1 } : {}),
  };
  return { data: tensor("int8", weight.shape, Int8Array.from(differences)), quant };
}

/** Scales of x, a value of one element, and of the weight, constant, in `factor` = x's · the weight's. */
function scalesOf(pattern: Pattern, factor: string, columns: number, rank: number) {
  const product = pattern.producer(factor);
  if (product?.op !== "Mul" || product.low !== undefined || product.high !== undefined)
    return undefined;
  const [a = "", b = ""] = product.inputs;
  for (const [scale, constant] of [
    [a, b],
    [b, a],
  ] as const) {
    const weight = pattern.row(constant, columns, rank);
    if (weight && !pattern.graph.constants.has(scale) && pattern.isOne(scale))
      return { scale, weight };
  }
  return undefined;
}

interface Match {
  readonly node: NodeOf<"MatMulIntegerToFloat">;
  readonly weight: { readonly data: Tensor; readonly quant: QParams };
  readonly bias: Float32Array | undefined;
  readonly absorbed: readonly Node[];
}

function match(pattern: Pattern, product: NodeOf<"MatMulInteger">): Match | undefined {
  const { constants } = pattern.graph;
  const [q = "", w = "", zeroPoint = "", zw = ""] = product.inputs;
  const [weight, zeros] = [constants.get(w), constants.get(zw)];
  if (!weight || !zeros || !pattern.isOne(zeroPoint)) return undefined;
  const columns = weight.shape[1] ?? 1;
  const rank = valueOf(pattern.graph, product.outputs[0] ?? "").shape.length;
  const cast = pattern.reader(product.outputs[0] ?? "");
  if (cast?.op !== "Cast" || cast.to !== "float32") return undefined;
  const [real = ""] = cast.outputs;
  const scaled = pattern.reader(real);
  if (scaled?.op !== "Mul" || scaled.low !== undefined || scaled.high !== undefined)
    return undefined;
  const found = scalesOf(pattern, other(scaled, real), columns, rank);
  const int8 = found && moved(weight, Array.from(toNumbers(zeros)), found.weight);
  if (!found || !int8) return undefined;
  const [sum = ""] = scaled.outputs;
  const reader = pattern.reader(sum);
  const row = reader?.op === "Add" ? pattern.row(other(reader, sum), columns, rank) : undefined;
  const add = reader?.op === "Add" && row?.length === columns ? reader : undefined;
  const last = add ?? scaled;
  return {
    node: {
      op: "MatMulIntegerToFloat",
      name: product.name,
      inputs: [q, w, found.scale, zeroPoint],
      outputs: last.outputs,
      ...(last.low === undefined ? {} : { low: last.low }),
      ...(last.high === undefined ? {} : { high: last.high }),
    },
    weight: int8,
    bias: add && row,
    absorbed: [cast, scaled, ...(add ? [add] : [])],
  };
}

/** `graph` with its dynamic products as single nodes. */
export function recognizeDynamic(graph: Graph): Graph {
  const pattern = new Pattern(graph);
  const matches = new Map<Node, Match>();
  for (const node of graph.nodes) {
    const found = node.op === "MatMulInteger" ? match(pattern, node) : undefined;
    // It stands where its last node stood: the scales may come after the product.
    const last = found?.absorbed.at(-1);
    if (found && last) matches.set(last, found);
  }
  if (matches.size === 0) return graph;
  const gone = new Set<Node>([...matches.values()].flatMap(({ absorbed }) => absorbed));
  const builder = GraphBuilder.from(graph);
  for (const node of graph.nodes) {
    const found = matches.get(node);
    if (!found) {
      if (gone.has(node)) continue;
      const { dtype, quant } = valueOf(graph, node.outputs[0] ?? node.inputs[0] ?? "");
      builder.add(node, { dtype, ...(quant ? { quant } : {}) });
      continue;
    }
    const [q = "", w = "", scale = "", zero = ""] = found.node.inputs;
    const { data, quant } = found.weight;
    const inputs = [q, builder.constant(builder.fresh(`${w}_int8`), data, quant), scale, zero];
    if (found.bias) {
      const name = builder.fresh(`${found.node.name}/bias`);
      inputs.push(builder.constant(name, tensor("float32", [found.bias.length], found.bias)));
    }
    builder.add({ ...found.node, inputs });
  }
  return prune(builder.build(graph.name, graph.inputs, graph.outputs));
}
