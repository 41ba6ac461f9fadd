// The pass of quantizeDynamic: which nodes are asked for, which of them can be quantized, and the graph that
// has their quantized forms. Graph → graph; what stays float is reported with its reason.

import { QConfigError, UnsupportedError } from "../../errors.ts";
import { GraphBuilder } from "../../graph/builder.ts";
import { consumersOf, prune, valueOf, type Graph } from "../../graph/graph.ts";
import type { Node } from "../../graph/node.ts";
import { matchesPattern } from "../../graph/pattern.ts";
import type { DynamicInput, Handler, Rewriting } from "./handler.ts";
import type { LeftFloat } from "../fineValues.ts";
import { settingsOf, type DynamicOptions, type DynamicSettings } from "./settings.ts";
import { handlers } from "./table.ts";

/** What to quantize, and how. */
export interface DynamicRequest extends DynamicOptions {
  /** Kinds of layers ("Linear"), ops ("Gemm"), names of nodes, or patterns of names with *. */
  readonly ops?: readonly string[];
  /** By name, pattern or op: other options for these nodes, or null to keep them float. */
  readonly overrides?: Readonly<Record<string, DynamicOptions | null>>;
}

const isKind = (word: string) => handlers.some(({ kind }) => kind === word);

function isMeant(word: string, node: Node, handler: Handler | undefined): boolean {
  return handler?.kind === word || node.op === word || matchesPattern(word, node.name);
}

/** Throws QConfigError where a word names nothing in `graph`. */
function checkWords(graph: Graph, where: string, words: readonly string[]): void {
  for (const word of words) {
    const isThere = graph.nodes.some((node) => isMeant(word, node, handlerOf(graph, node)));
    if (isThere || isKind(word)) continue;
    const names = graph.nodes.slice(0, 3).map(({ name }) => `"${name}"`);
    throw new QConfigError(
      `${where}: "${word}" must name a kind of layer (${handlers.map(({ kind }) => kind).join(", ")}), an op, ` +
        `a node or a pattern of names; got nodes ${names.join(", ")}, …. Print the model to see them.`,
    );
  }
}

function handlerOf(graph: Graph, node: Node): Handler | undefined {
  return handlers.find((handler) => handler.is(graph, node));
}

/** The override of `node`: by its name, the longest pattern, or its op or kind. */
function overrideOf(request: DynamicRequest, node: Node, handler: Handler) {
  const { overrides = {} } = request;
  const keys = Object.keys(overrides).filter((key) => isMeant(key, node, handler));
  const rank = (key: string) =>
    key === node.name ? Infinity : key === node.op || key === handler.kind ? 0 : key.length;
  const [key] = keys.sort((a, b) => rank(b) - rank(a));
  return key === undefined ? undefined : overrides[key];
}

interface Choice {
  readonly handler: Handler;
  readonly settings: DynamicSettings;
}

/** What happens to each node that is asked for. */
function choose(graph: Graph, request: DynamicRequest) {
  const { ops, overrides = {}, ...base } = request;
  settingsOf("quantizeDynamic", base);
  checkWords(graph, "ops", ops ?? []);
  checkWords(graph, "overrides", Object.keys(overrides));
  const chosen = new Map<Node, Choice>();
  const left: LeftFloat[] = [];
  const refused: { op: string; node: string; problem: string }[] = [];
  for (const node of graph.nodes) {
    const handler = handlerOf(graph, node);
    const isNamed = ops?.includes(node.name) === true;
    const isAsked =
      ops === undefined
        ? handler?.onRequest !== true
        : ops.some((word) => isMeant(word, node, handler));
    if (!isAsked || (!handler && !isNamed)) continue;
    const override = handler && overrideOf(request, node, handler);
    if (override === null) continue;
    const settings = settingsOf(`overrides of "${node.name}"`, base, override ?? {});
    const reason = !handler
      ? `${node.op} has no dynamic form`
      : handler.dtypes.includes(settings.dtype)
        ? handler.whyFloat(graph, node)
        : `${handler.kind} has no ${settings.dtype} form`;
    if (handler && reason === undefined) chosen.set(node, { handler, settings });
    else if (isNamed) refused.push({ op: node.op, node: node.name, problem: reason ?? "" });
    else left.push({ node: node.name, op: node.op, reason: reason ?? "" });
  }
  if (refused.length > 0) {
    throw new UnsupportedError(
      "quantizeDynamic",
      refused,
      "Leave them out of ops: they stay float.",
    );
  }
  return { chosen, left };
}

/** The dynamic form of the fused float `graph`. Throws QConfigError for words that say nothing, UnsupportedError
 *  for nodes asked for by name that cannot be quantized, InputError for weights that are not finite. */
export function quantizeGraph(
  graph: Graph,
  request: DynamicRequest,
): {
  readonly graph: Graph;
  readonly left: readonly LeftFloat[];
  /** Nodes that were quantized. */
  readonly count: number;
} {
  const { chosen, left } = choose(graph, request);
  const builder = GraphBuilder.from(graph);
  const readers = consumersOf(graph);
  const absorbed = new Set<Node>();
  const inputs = new Map<string, DynamicInput>();
  const rewriting: Rewriting = {
    graph,
    builder,
    consumers: (name) => readers.get(name) ?? [],
    absorb: (node) => void absorbed.add(node),
    quantized(name, rule) {
      const key = JSON.stringify([name, rule]);
      const known = inputs.get(key);
      if (known) return known;
      const made = {
        q: builder.fresh(`${name}_quantized`),
        scale: builder.fresh(`${name}_scale`),
        zeroPoint: builder.fresh(`${name}_zero_point`),
      };
      const outputs = [made.q, made.scale, made.zeroPoint];
      const node = builder.fresh(`${name}/quantize`);
      builder.add({ op: "DynamicQuantizeLinear", name: node, inputs: [name], outputs, ...rule });
      inputs.set(key, made);
      return made;
    },
  };
  for (const node of graph.nodes) {
    if (absorbed.has(node)) continue;
    const choice = chosen.get(node);
    if (choice) {
      choice.handler.rewrite(node, choice.settings, rewriting);
      continue;
    }
    const { dtype, quant } = valueOf(graph, node.outputs[0] ?? node.inputs[0] ?? "");
    builder.add(node, { dtype, ...(quant ? { quant } : {}) });
  }
  const made = prune(builder.build(graph.name, graph.inputs, graph.outputs));
  return { graph: made, left, count: chosen.size };
}
