// Where a file puts its Quantize and Dequantize nodes need not be where integers begin and end. What only moves
// elements commutes with them, and a Clip of codes is a clamp of the numbers they stand for: both are brought into the
// form Dequantize → op → Quantize that `integerize` reads. Every number stays the same.

import { GraphBuilder } from "../graph/builder.ts";
import { consumersOf, producersOf, prune, valueOf, type Graph } from "../graph/graph.ts";
import type { Node, NodeOf } from "../graph/node.ts";
import { sameQuant, type QParams } from "../graph/value.ts";
import { fl } from "../tensor/rounding.ts";
import { whyNoKernel } from "./annotate.ts";

const MOVERS = new Set<string>(["Flatten", "Reshape", "Squeeze", "Unsqueeze", "Transpose"]);

/** Add `node` of `graph` as it is. */
function keep(graph: Graph, builder: GraphBuilder, node: Node): void {
  const { dtype, quant } = valueOf(graph, node.outputs[0] ?? node.inputs[0] ?? "");
  builder.add(node, { dtype, ...(quant ? { quant } : {}) });
}

/** The only reader of `name`, where it is no output. */
function readerOf(graph: Graph, consumers: Map<string, Node[]>, name: string): Node | undefined {
  const [reader, ...others] = consumers.get(name) ?? [];
  return others.length > 0 || graph.outputs.includes(name) ? undefined : reader;
}

interface ClippedCodes {
  readonly clip: NodeOf<"Clip">;
  /** The value that the last of the nodes makes: codes under the first one's parameters. */
  readonly codes: string;
  readonly quant: QParams;
  readonly absorbed: readonly Node[];
}

/** Quantize → Clip of the codes, which importers read as plain bytes between two Casts. */
function clippedCodes(
  graph: Graph,
  consumers: Map<string, Node[]>,
  node: Node,
): ClippedCodes | undefined {
  const [codes = ""] = node.outputs;
  const { quant } = node.op === "Quantize" ? valueOf(graph, codes) : {};
  if (!quant || quant.axis !== undefined) return undefined;
  const plain = readerOf(graph, consumers, codes);
  const clip =
    plain?.op === "Cast" ? readerOf(graph, consumers, plain.outputs[0] ?? "") : undefined;
  const cast = clip?.op === "Clip" ? readerOf(graph, consumers, clip.outputs[0] ?? "") : undefined;
  if (!plain || clip?.op !== "Clip" || cast?.op !== "Cast") return undefined;
  const [typed = ""] = cast.outputs;
  const own = valueOf(graph, typed).quant;
  if (!own || !sameQuant(own, quant) || !(clip.low <= clip.high)) return undefined;
  return { clip, codes: typed, quant, absorbed: [plain, clip, cast] };
}

/** Quantize → Clip of codes becomes Clip → Quantize. */
export function liftClips(graph: Graph): Graph {
  const consumers = consumersOf(graph);
  const found = new Map<Node, ClippedCodes>();
  for (const node of graph.nodes) {
    const clipped = clippedCodes(graph, consumers, node);
    if (clipped) found.set(node, clipped);
  }
  if (found.size === 0) return graph;
  const gone = new Set<Node>([...found.values()].flatMap(({ absorbed }) => absorbed));
  const builder = GraphBuilder.from(graph);
  for (const node of graph.nodes) {
    if (gone.has(node)) continue;
    const clipped = found.get(node);
    if (!clipped) {
      keep(graph, builder, node);
      continue;
    }
    const { clip, codes, quant } = clipped;
    const [scale = 1] = quant.scale;
    const real = (q: number) => fl((q - (quant.zeroPoint[0] ?? 0)) * scale);
    const [x = ""] = node.inputs;
    const within = builder.add({
      op: "Clip",
      name: clip.name,
      inputs: [x],
      outputs: [builder.fresh(`${x}_clipped`)],
      low: real(clip.low),
      high: real(clip.high),
    });
    builder.add({ op: "Quantize", name: node.name, inputs: [within], outputs: [codes] }, { quant });
  }
  return prune(builder.build(graph.name, graph.inputs, graph.outputs));
}

const isPerTensor = (quant: QParams | undefined): quant is QParams =>
  quant !== undefined && quant.axis === undefined && quant.dtype !== "int32";

/** Dequantize → movement becomes movement → Dequantize, where what reads the result may run in integers. A movement
 *  between two pairs is one integer node as it is. */
function sinkDequantizers(graph: Graph): Graph {
  const builder = GraphBuilder.from(graph);
  const consumers = consumersOf(graph);
  const mayRun = (node: Node) => node.op !== "Quantize" && whyNoKernel(node) === undefined;
  const isRead = (name: string) => (consumers.get(name) ?? []).some(mayRun);
  /** Float value → the codes it was made of. */
  const sources = new Map<string, { readonly name: string; readonly quant: QParams }>();
  for (const node of graph.nodes) {
    const [input = ""] = node.inputs;
    const [output = ""] = node.outputs;
    if (node.op === "Dequantize") {
      const { quant } = valueOf(graph, input);
      if (isPerTensor(quant) && !graph.constants.has(input))
        sources.set(output, { name: input, quant });
    }
    const source = MOVERS.has(node.op) && isRead(output) ? sources.get(input) : undefined;
    if (!source) {
      keep(graph, builder, node);
      continue;
    }
    const { quant } = source;
    const inputs = [source.name];
    const moved = builder.add(
      { ...node, inputs, outputs: [builder.fresh(`${output}_quantized`)] } as Node,
      { dtype: quant.dtype, quant },
    );
    const name = builder.fresh(`${node.name}/dequantize`);
    builder.add(
      { op: "Dequantize", name, inputs: [moved], outputs: [output] },
      { dtype: "float32" },
    );
    sources.set(output, { name: moved, quant });
  }
  return prune(builder.build(graph.name, graph.inputs, graph.outputs));
}

/** Movement → Quantize becomes Quantize → movement, where nothing else reads what is moved. */
function raiseQuantizers(graph: Graph): Graph {
  const consumers = consumersOf(graph);
  const producers = producersOf(graph);
  /** Quantize → the movements before it, in order. */
  const chains = new Map<Node, readonly Node[]>();
  for (const node of graph.nodes) {
    const { quant } = node.op === "Quantize" ? valueOf(graph, node.outputs[0] ?? "") : {};
    if (!isPerTensor(quant)) continue;
    const chain: Node[] = [];
    let [name = ""] = node.inputs;
    for (;;) {
      const producer = producers.get(name);
      const isAlone = readerOf(graph, consumers, name) !== undefined;
      const [from = ""] = producer?.inputs ?? [];
      if (!producer || !isAlone || !MOVERS.has(producer.op)) break;
      if (readerOf(graph, consumers, from) === undefined || !producers.has(from)) break;
      chain.unshift(producer);
      name = from;
    }
    const isPaired = producers.get(name)?.op === "Dequantize";
    if (chain.length > 0 && !isPaired) chains.set(node, chain);
  }
  if (chains.size === 0) return graph;
  const gone = new Set<Node>([...chains.values()].flat());
  const builder = GraphBuilder.from(graph);
  for (const node of graph.nodes) {
    if (gone.has(node)) continue;
    const chain = chains.get(node);
    const [output = ""] = node.outputs;
    const { quant } = valueOf(graph, output || (node.inputs[0] ?? ""));
    if (!chain || !quant) {
      keep(graph, builder, node);
      continue;
    }
    const [first] = chain;
    const [x = ""] = first?.inputs ?? [];
    let codes = builder.add(
      { op: "Quantize", name: node.name, inputs: [x], outputs: [builder.fresh(`${x}_quantized`)] },
      { quant },
    );
    chain.forEach((mover, at) => {
      const isLast = at === chain.length - 1;
      const outputs = [isLast ? output : builder.fresh(`${mover.outputs[0]}_quantized`)];
      codes = builder.add({ ...mover, inputs: [codes], outputs } as Node, {
        dtype: quant.dtype,
        quant,
      });
    });
  }
  return prune(builder.build(graph.name, graph.inputs, graph.outputs));
}

/** Movements between codes and the layers that read or make them move codes. */
export function moveBorders(graph: Graph): Graph {
  return raiseQuantizers(sinkDequantizers(graph));
}
