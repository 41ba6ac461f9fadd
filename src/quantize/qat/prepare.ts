// The structure of a network in quantization-aware training, and its state at first. Places, clamps and parameters
// are those of the static recipe (fuse.ts, annotate.ts, sites.ts); normalizations are kept beside their layers.

import { QConfigError } from "../../errors.ts";
import type { Graph } from "../../graph/graph.ts";
import type { Node } from "../../graph/node.ts";
import { GraphBuilder } from "../../graph/builder.ts";
import { rint } from "../../tensor/rounding.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { annotate, hasWeight, type Assignment, type Overrides } from "../annotate.ts";
import { fuseClamps, removeIdentities, separateBatchNorms } from "../fuse.ts";
import { rangeRuleOf, type Range } from "../qparams.ts";
import { validateQConfig, type QConfig, type TensorSpec } from "../qconfig.ts";
import { activationInputs, findSites } from "../sites.ts";
import { outputAxis } from "../weights.ts";
import type { Qat, Quantizer } from "./model.ts";
import { entriesOf, unseen } from "./state.ts";
import { observeOwn } from "./weights.ts";

export interface QatOptions {
  readonly qconfig: QConfig;
  readonly overrides?: Overrides | undefined;
  /** Scale and zero point as PyTorch's fused op chooses them while it trains: docs/quantization.md (14). */
  readonly parity?: boolean | undefined;
  /** Which constants of the fused graph are trained. */
  readonly parametersOf: (graph: Graph) => readonly string[];
  /** Ranges of activations that were found before, by their roots. */
  readonly ranges?: ReadonlyMap<string, Range> | undefined;
}

/** Throws QConfigError for what cannot be observed at every step. */
function checkTrainable({ activation, weight }: QConfig, where: string): void {
  const check = (spec: TensorSpec, what: string) => {
    if (spec.observer.kind === "histogram")
      throw new QConfigError(
        `${where}: ${what}: training observes every step, which a histogram cannot; got histogram. ` +
          'Use "movingAverageMinMax", or one of qatQConfigs.',
      );
    if (spec.search)
      throw new QConfigError(
        `${where}: ${what}: training has no scale search; got search "${spec.search}". ` +
          "Leave it out, or use one of qatQConfigs.",
      );
  };
  check(activation, "activation");
  check(weight, "weight");
  // What has no memory would have the range of the last batch alone.
  if (averagingOf(activation) === undefined)
    throw new QConfigError(
      `${where}: activation: its observer must remember the steps before; got ${activation.observer.kind}. ` +
        'Use "movingAverageMinMax", or one of qatQConfigs.',
    );
}

const averagingOf = ({ observer }: TensorSpec): number | undefined =>
  observer.kind === "movingAverageMinMax" || observer.kind === "movingAveragePerChannelMinMax"
    ? (observer.averagingConstant ?? 0.01)
    : undefined;

/** Throws QConfigError. */
export function prepareQatGraph(source: Graph, options: QatOptions): Qat {
  const { qconfig, overrides = {}, parity = false } = options;
  validateQConfig(qconfig);
  checkTrainable(qconfig, "qconfig");
  for (const [key, config] of Object.entries(overrides))
    if (config) checkTrainable(config, `overrides "${key}"`);
  const plain = removeIdentities(source);
  const { graph: open, norms } = separateBatchNorms(plain);
  const graph = fuseClamps(open);
  const assignment = annotate(graph, qconfig, overrides);
  const names = GraphBuilder.from(plain);
  const state = new Map<string, Tensor>();
  const quantizer = (of: string, spec: TensorSpec, axis?: number): Quantizer => {
    const averagingConstant = averagingOf(spec);
    const rule = rangeRuleOf(spec);
    return {
      spec,
      rule: parity ? fusedRule(rule) : rule,
      ...(axis === undefined ? {} : { axis }),
      ...(averagingConstant === undefined ? {} : { averagingConstant }),
      range: names.fresh(`${of}/range`),
      scale: names.fresh(`${of}/scale`),
      zeroPoint: names.fresh(`${of}/zeroPoint`),
    };
  };
  const activations = new Map<string, Quantizer>();
  const sites = findSites(graph, assignment);
  for (const [root, { activation }] of sites.configs)
    if (!graph.constants.has(root)) activations.set(root, quantizer(root, activation));
  const weights = new Map<string, Quantizer>();
  for (const [node, config] of layersOf(graph, assignment)) {
    const axis = config.weight.granularity === "perTensor" ? undefined : outputAxis(node);
    weights.set(node.name, quantizer(`${node.name}/weight`, config.weight, axis));
  }
  const own = (name: string) => plain.constants.get(name) as Tensor;
  const trained = new Set(options.parametersOf(graph));
  // Constants that integer nodes read as activations are quantized once: nothing trains them.
  for (const node of graph.nodes)
    if (assignment.get(node.name))
      for (const name of activationInputs(node))
        if (graph.constants.has(name)) trained.delete(name);
  for (const { gamma, beta } of norms.values()) for (const name of [gamma, beta]) trained.add(name);
  const parameters = [...trained];
  for (const name of parameters) state.set(name, own(name));
  for (const { mean, variance } of norms.values())
    for (const name of [mean, variance]) state.set(name, own(name));
  // Normalizations that no layer takes keep running statistics, too.
  for (const node of graph.nodes)
    if (node.op === "BatchNormalization")
      for (const name of node.inputs.slice(3))
        if (graph.constants.has(name)) state.set(name, own(name));
  const structure = { graph, norms, assignment, activations, weights, parameters };
  for (const [root, each] of activations) {
    const known = options.ranges?.get(root);
    const entries = known ? entriesOf(each, known, undefined) : unseen(each, undefined);
    for (const [name, tensor] of entries) state.set(name, tensor);
  }
  for (const [node] of layersOf(graph, assignment)) {
    const each = weights.get(node.name);
    if (!each) continue;
    const count = each.axis === undefined ? undefined : own(node.inputs[1] ?? "").shape[each.axis];
    for (const [name, tensor] of unseen(each, count)) state.set(name, tensor);
  }
  return observeOwn({ ...structure, state });
}

/** The layers that are quantized, and how. */
function layersOf(graph: Graph, assignment: Assignment): (readonly [Node, QConfig])[] {
  return graph.nodes.flatMap((node) => {
    const config = assignment.get(node.name);
    return config && hasWeight(node) ? [[node, config] as const] : [];
  });
}

/** (14) has no least scale of its own, and the middle of the range for a symmetric zero point. */
const fusedRule = (rule: Quantizer["rule"]): Quantizer["rule"] => ({
  ...rule,
  rule: "fused",
  zeroPoint: rule.scheme === "symmetric" ? rint((rule.qmin + rule.qmax) / 2) : 0,
});
