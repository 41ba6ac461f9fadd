// What the Quantize and Dequantize nodes of a graph say, and why a node between them does or does not run in integers:
// `integerize` asks before it makes an integer node, `inspect` says it of what was left.

import { consumersOf, producersOf, valueOf, type Graph } from "../graph/graph.ts";
import type { Node } from "../graph/node.ts";
import type { QParams } from "../graph/value.ts";
import { sizeOf } from "../tensor/tensor.ts";
import { hasWeight, whyNoKernel } from "./annotate.ts";
import { outputAxis } from "./weights.ts";

export interface Quantized {
  readonly name: string;
  readonly quant: QParams;
}

const isPerTensor = ({ quant }: Quantized) => quant.axis === undefined && quant.scale.length === 1;

export class Pairs {
  readonly graph: Graph;
  readonly #producers: Map<string, Node>;
  readonly #consumers: Map<string, Node[]>;

  constructor(graph: Graph) {
    this.graph = graph;
    this.#producers = producersOf(graph);
    this.#consumers = consumersOf(graph);
  }

  /** The quantized value that float value `name` was dequantized from, or a constant that is read as it is stored. */
  source(name: string): Quantized | undefined {
    const producer = this.#producers.get(name);
    const isStored = this.graph.constants.has(name);
    if (producer?.op !== "Dequantize" && !isStored) return undefined;
    const [source = ""] = producer?.inputs ?? [name];
    const { quant } = valueOf(this.graph, source);
    return quant && { name: source, quant };
  }

  /** The one Quantize node that reads float value `name`, if nothing else does. */
  sink(name: string): (Quantized & { node: Node }) | undefined {
    const readers = this.#consumers.get(name) ?? [];
    const [node] = readers;
    if (readers.length !== 1 || node?.op !== "Quantize" || this.graph.outputs.includes(name))
      return undefined;
    const [output = ""] = node.outputs;
    const { quant } = valueOf(this.graph, output);
    return quant && { name: output, quant, node };
  }

  /** Where the integers of weight input 1 are, whatever they are. */
  weight(node: Node): Quantized | undefined {
    const source = this.source(node.inputs[1] ?? "");
    return source && this.graph.constants.has(source.name) ? source : undefined;
  }

  /** Whether the bias of `node` is known. */
  isKnown(name: string): boolean {
    return this.graph.constants.has(this.source(name)?.name ?? name);
  }

  /** What reads `name` in float, where something does. */
  floatReader(name: string): Node | undefined {
    return (this.#consumers.get(name) ?? []).find(({ op }) => op !== "Quantize");
  }
}

/** Why the weight and bias of a layer do not run in integers. */
function whyNotWeight(pairs: Pairs, node: Node): string | undefined {
  const { graph } = pairs;
  const weight = pairs.weight(node);
  if (!weight) {
    const isConstant = graph.constants.has(node.inputs[1] ?? "");
    return isConstant ? "its weight is not quantized" : "its weight is not a constant";
  }
  const { axis, blockSize, dtype, scale } = weight.quant;
  const { shape } = valueOf(graph, weight.name);
  if (node.op !== "Conv" && shape.length !== 2) return "its weight is not a matrix";
  if (sizeOf(shape.map(Number)) === 0) return "its weight is empty";
  if (dtype === "int32") return "its weight is int32";
  if (blockSize !== undefined) return "its weight has scales in blocks";
  if (axis !== undefined && axis !== outputAxis(node) && scale.length > 1)
    return `its weight has scales along axis ${axis}, not along its output channels`;
  const bias = node.inputs[2];
  if (bias === undefined) return undefined;
  if (!pairs.isKnown(bias)) return "its bias is not a constant";
  const given = valueOf(graph, bias).shape;
  const columns = shape[outputAxis(node)];
  const isRow = given.at(-1) === columns && sizeOf(given.map(Number)) === columns;
  return isRow ? undefined : "its bias is not one value per output channel";
}

/** Why `node` does not run in integers, or undefined where it can: its op, its operands, or what its file or an
 *  override leaves in float around it. */
export function whyNotInteger(pairs: Pairs, node: Node): string | undefined {
  const kernel = whyNoKernel(node);
  if (kernel !== undefined) return kernel;
  const isLayer = hasWeight(node);
  const weight = isLayer ? whyNotWeight(pairs, node) : undefined;
  if (weight !== undefined) return weight;
  for (const name of isLayer ? node.inputs.slice(0, 1) : node.inputs) {
    const source = pairs.source(name);
    if (!source || source.quant.dtype === "int32") return `its input "${name}" is not quantized`;
    if (!isPerTensor(source)) return `its input "${name}" has one scale per slice, not one`;
  }
  for (const name of node.outputs) {
    const sink = pairs.sink(name);
    if (sink && isPerTensor(sink)) continue;
    if (sink) return `its output "${name}" has one scale per slice, not one`;
    const reader = pairs.floatReader(name);
    const isPort = pairs.graph.outputs.includes(name);
    if (isPort) return `its output "${name}" is an output of the model in float`;
    return reader
      ? `its output "${name}" is read in float by ${reader.op} "${reader.name}"`
      : `its output "${name}" is quantized in several ways`;
  }
  return undefined;
}
