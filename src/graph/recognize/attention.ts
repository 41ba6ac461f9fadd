// softmax(scale · q kᵀ + mask) · v, as PyTorch's exporters and HuggingFace's models write it: four axes,
// transposes around two products, the scale on the scores or on q, k or both; docs/decisions/0012.

import { GraphBuilder } from "../builder.ts";
import { consumersOf, producersOf, prune, valueOf, type Graph } from "../graph.ts";
import type { Node, NodeOf } from "../node.ts";
import type { Dim } from "../value.ts";
import { atomsOf, type Axes, type Role } from "./atoms.ts";
import { costOf, scaled, sourcesOf, targetsOf, type Rows, type Source } from "./heads.ts";

interface Match {
  readonly softmax: Node;
  readonly q: Rows;
  readonly k: Rows;
  readonly v: Rows;
  readonly out: Rows;
  readonly mask: string | undefined;
  readonly scale: number;
}

type Readers = ReadonlyMap<string, readonly Node[]>;
type Producers = ReadonlyMap<string, Node>;

/** Axes of an operand of `rank` axes: leading ones, then `roles`. */
function operandAxes(graph: Graph, name: string, roles: readonly [Role, Role]): Axes | undefined {
  const { shape } = valueOf(graph, name);
  const lead = shape.slice(2).map((): Role => "lead");
  return atomsOf(shape, [...lead, ...roles]);
}

/** The scores' way back from the softmax: Add of a mask, Mul or Div by a constant, the product. */
function scoresOf(
  graph: Graph,
  producers: Producers,
  isPrivate: (name: string) => boolean,
  softmax: NodeOf<"Softmax">,
): { product: Node; mask: string | undefined; factor: number } | undefined {
  let name = softmax.inputs[0] ?? "";
  let mask: string | undefined;
  let factor = 1;
  for (;;) {
    const node = producers.get(name);
    if (!node || !isPrivate(name)) return undefined;
    if (node.op === "MatMul") {
      const open = node.low === undefined && node.high === undefined;
      return open ? { product: node, mask, factor } : undefined;
    }
    const product = scaled(graph, node);
    if (product) {
      [name, factor] = [product.value, factor * product.factor];
      continue;
    }
    if (node.op !== "Add" || mask !== undefined || factor !== 1) return undefined;
    if (node.low !== undefined || node.high !== undefined) return undefined;
    const leads = (value: string | undefined): boolean => {
      const producer = producers.get(value ?? "");
      if (!producer) return false;
      return producer.op === "MatMul" || leads(scaled(graph, producer)?.value);
    };
    const [a = "", b = ""] = node.inputs;
    [name, mask] = leads(a) ? [a, b] : [b, a];
  }
}

/** Whether `mask` is repeated over `scores` and not the other way round. */
function fitsScores(graph: Graph, mask: string, scores: readonly Dim[]): boolean {
  const { dtype, shape, quant } = valueOf(graph, mask);
  const skipped = scores.length - shape.length;
  const fits = shape.every((dim, axis) => dim === 1 || dim === scores[axis + skipped]);
  return dtype === "float32" && quant === undefined && skipped >= 0 && fits;
}

/** Whether `mask`, which is over the leading axes of `scores`, is over batch and heads: it repeats over those, or
 *  they are those. */
function fitsHeads(graph: Graph, mask: string, scores: readonly Dim[], q: Rows): boolean {
  const { shape } = valueOf(graph, mask);
  const isRepeated = shape.slice(0, -2).every((dim) => dim === 1);
  return isRepeated || (q.batch === scores[0] && q.heads === scores[1]);
}

function matchOf(
  graph: Graph,
  producers: Producers,
  readers: Readers,
  softmax: Node,
): Match | undefined {
  if (softmax.op !== "Softmax") return undefined;
  const [weights = ""] = softmax.outputs;
  const { shape } = valueOf(graph, weights);
  const rank = shape.length;
  const isLast = softmax.axis === rank - 1 || softmax.axis === -1;
  if (!isLast || rank < 3 || rank > 4) return undefined;
  const isPrivate = (name: string) =>
    readers.get(name)?.length === 1 && !graph.outputs.includes(name);
  const [mean] = readers.get(weights) ?? [];
  if (mean?.op !== "MatMul" || mean.inputs[0] !== weights || !isPrivate(weights)) return undefined;
  if (mean.low !== undefined || mean.high !== undefined) return undefined;
  const scores = scoresOf(graph, producers, isPrivate, softmax);
  if (!scores) return undefined;
  const { product, mask, factor } = scores;
  if (mask !== undefined && !fitsScores(graph, mask, shape)) return undefined;
  const sources = (node: Node, index: number, roles: readonly [Role, Role]): Source[] => {
    const name = node.inputs[index] ?? "";
    const value = valueOf(graph, name);
    if (value.shape.length !== rank || value.dtype !== "float32" || value.quant) return [];
    const axes = operandAxes(graph, name, roles);
    return axes ? sourcesOf(graph, producers, name, axes) : [];
  };
  const [qs, ks, vs] = [
    sources(product, 0, ["row", "depth"]),
    sources(product, 1, ["depth", "row"]),
    sources(mean, 1, ["row", "depth"]).filter((each) => each.factor === 1),
  ];
  const [result = ""] = mean.outputs;
  const axes = operandAxes(graph, result, ["row", "depth"]);
  if (!axes) return undefined;
  // Most heads first: that is what the model meant; without heads the leading axes are all batches.
  const heads = [...new Set(qs.map((each) => each.heads))].sort((a, b) => b - a);
  for (const count of heads) {
    const fits = <R extends Rows>(rows: readonly R[], batch?: Dim): R | undefined =>
      rows
        .filter((each) => each.heads === count && each.batch === (batch ?? each.batch))
        .reduce<R | undefined>(
          (least, each) => (least && costOf(least) <= costOf(each) ? least : each),
          undefined,
        );
    const q = fits(qs);
    const [k, v] = [fits(ks, q?.batch), fits(vs, q?.batch)];
    const out = fits(targetsOf(graph, readers, result, axes, count), q?.batch);
    if (q && mask !== undefined && rank === 4 && !fitsHeads(graph, mask, shape, q)) continue;
    if (q && k && v && out && !out.pick)
      return { softmax, q, k, v, out, mask, scale: factor * q.factor * k.factor };
  }
  return undefined;
}

/** Value (B, T, heads · d) of the rows, by the movements they need. */
function bring(builder: GraphBuilder, rows: Rows, name: string): string {
  const { value, batch, rows: length, heads, depth, rowsFirst, pick, straight } = rows;
  if (straight && !rowsFirst && !pick) return value;
  const width = heads * depth;
  const lead = rowsFirst ? [length, batch] : [batch, length];
  const node = (op: string, input: string) => ({
    name: builder.fresh(`${name}.${op}`),
    inputs: [input],
    outputs: [builder.fresh(`${name}.${op}.out`)],
  });
  let current = value;
  if (!straight) {
    const shape = [...lead, width * (pick?.count ?? 1)];
    current = builder.add({ op: "Reshape", ...node("rows", current), shape });
  }
  if (pick) {
    const [starts, ends] = [[pick.index * width], [(pick.index + 1) * width]];
    const range = { axes: [2], starts, ends, steps: [1] };
    current = builder.add({ op: "Slice", ...node("pick", current), ...range });
  }
  if (!rowsFirst) return current;
  return builder.add({ op: "Transpose", ...node("batches", current), perm: [1, 0, 2] });
}

/** A mask over leading axes that are one, (B · heads, T, S), as one over two. */
function bringMask(builder: GraphBuilder, match: Match, mask: string, name: string): string {
  const { shape } = builder.value(mask);
  const { batch, heads } = match.q;
  const [groups = 1, ...rest] = shape;
  if (shape.length !== 3 || groups === 1 || batch === 1) return mask;
  return builder.add({
    op: "Reshape",
    name: builder.fresh(`${name}.mask`),
    inputs: [mask],
    outputs: [builder.fresh(`${name}.mask.out`)],
    shape: [batch, heads, ...rest],
  });
}

/** Add `match` as one node, and what brings its result into the value that others read. */
function addAttention(graph: Graph, builder: GraphBuilder, match: Match): void {
  const { q, k, v, out, mask, scale } = match;
  const rank = valueOf(graph, match.softmax.outputs[0] ?? "").shape.length;
  const name = builder.fresh(`${match.softmax.name}.attention`);
  const inputs = [
    bring(builder, q, `${name}.q`),
    bring(builder, k, `${name}.k`),
    bring(builder, v, `${name}.v`),
    ...(mask === undefined ? [] : [rank === 3 ? bringMask(builder, match, mask, name) : mask]),
  ];
  const node = { op: "Attention", heads: q.heads, scale: Math.fround(scale) } as const;
  if (out.straight && !out.rowsFirst) {
    builder.add({ ...node, name, inputs, outputs: [out.value] });
    return;
  }
  const whole = builder.fresh(`${name}.out`);
  builder.add({ ...node, name, inputs, outputs: [whole] });
  let current = whole;
  if (out.rowsFirst) {
    const output = out.straight ? out.value : builder.fresh(`${name}.rows.out`);
    const move = { name: builder.fresh(`${name}.rows`), inputs: [current], outputs: [output] };
    current = builder.add({ op: "Transpose", ...move, perm: [1, 0, 2] });
  }
  if (out.straight) return;
  builder.add({
    op: "Reshape",
    name: builder.fresh(`${name}.shape`),
    inputs: [current],
    outputs: [out.value],
    shape: valueOf(graph, out.value).shape,
  });
}

/** Attention as one node wherever it is written out, unless another node reads what lies between. */
export function recognizeAttention(graph: Graph): Graph {
  if (!graph.nodes.some(({ op }) => op === "Softmax")) return graph;
  const [producers, readers] = [producersOf(graph), consumersOf(graph)];
  const matches = new Map<string, Match>();
  for (const node of graph.nodes) {
    const match = matchOf(graph, producers, readers, node);
    if (match) matches.set(match.out.value, match);
  }
  if (matches.size === 0) return graph;
  const builder = GraphBuilder.from(graph);
  for (const node of graph.nodes) {
    const [output = ""] = node.outputs;
    const match = matches.get(output);
    if (match) {
      addAttention(graph, builder, match);
      continue;
    }
    builder.nodes.push(node);
    for (const name of node.outputs) builder.values.set(name, valueOf(graph, name));
  }
  return prune(builder.build(graph.name, graph.inputs, graph.outputs));
}
