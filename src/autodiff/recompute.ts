// A training step within a memory budget. What the backward pass reads of the forward pass is either kept or computed
// again: everything but the outputs of products, which is cheap, or whole segments between few kept values (Chen et
// al., "Training deep nets with sublinear memory cost", arXiv 1604.06174). Of the choices that fit, the one that
// computes least again.

import { MemoryBudgetError } from "../errors.ts";
import type { BoundGraph } from "../graph/bind.ts";
import { macsOf } from "../graph/macs.ts";
import type { Node } from "../graph/node.ts";
import { bytesOfValue, peakOf } from "./liveness.ts";
import { rematerialize, splitOf, type Split } from "./rematerialize.ts";

export interface RecomputeOptions {
  /** The scalar whose gradients the graph computes. */
  readonly loss: string;
  /** Bytes that the values between nodes may take. */
  readonly budget: number;
  /** Bytes of the arena that a graph's plan has. Default: an estimate by how long values live. */
  readonly measure?: (graph: BoundGraph) => number;
}

export interface Recomputed {
  readonly graph: BoundGraph;
  /** What was measured of it. */
  readonly bytes: number;
  /** Nodes that are computed twice. */
  readonly again: number;
}

/** Cuts tried, by the parts that they make of the saved bytes, and how much of the forward pass is subject to them. */
const PARTS = [2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 32];
const FRACTIONS = [0.25, 0.5, 0.75, 1];
/** A value of less than this share of all saved ones is kept anyway. */
const SMALL = 1 / 1000;
/** Rounds of the search that is made where no cut fits. */
const REFINEMENTS = 3;

/** `graph`, which runs the forward pass, its loss and the backward pass in that order, with as much computed twice as
 *  the budget asks for. Order, numbers and variables stay as they are, bit for bit.
 *  Throws MemoryBudgetError that names the least bytes that were found. */
export function recompute(
  graph: BoundGraph,
  { loss, budget, measure = peakOf }: RecomputeOptions,
): Recomputed {
  const bytes = measure(graph);
  if (bytes <= budget) return { graph, bytes, again: 0 };
  const split = splitOf(graph, loss);
  const candidates = keptSets(graph, split)
    .map((kept) => choiceOf(graph, split, kept))
    .sort((a, b) => a.cost - b.cost);
  const tightest = candidates.reduce((a, b) => (b.estimate < a.estimate ? b : a));
  let least = bytes;
  let smallest = Infinity;
  // Estimates are below what a plan takes. The last choice is searched for, which is worth its time only where no
  // other fits.
  const choices = [
    ...candidates.filter(({ estimate }) => estimate <= budget).map((choice) => () => choice),
    () => tightest,
    () => refined(graph, split, tightest),
  ];
  for (const choose of choices) {
    const { graph: made, again, estimate } = choose();
    // One that costs more and is estimated to need no less than what did not fit need not be measured.
    if (again === 0 || estimate >= smallest) continue;
    smallest = estimate;
    const found = measure(made);
    least = Math.min(least, found);
    if (found <= budget) return { graph: made, bytes: found, again };
  }
  throw new MemoryBudgetError(budget, least);
}

/** What to keep, and what that means. */
interface Choice {
  readonly kept: ReadonlySet<string>;
  readonly graph: BoundGraph;
  readonly again: number;
  /** Of what is computed again. */
  readonly cost: number;
  /** Bytes. */
  readonly estimate: number;
}

function choiceOf(graph: BoundGraph, split: Split, kept: ReadonlySet<string>): Choice {
  const { graph: made, again } = rematerialize(graph, split, kept);
  const cost = again.reduce((sum, node) => sum + costOf(made, node), 0);
  return { kept, graph: made, again: again.length, cost, estimate: peakOf(made) };
}

/** `from` with one large value after the other kept, or no longer kept, where that makes the peak lower. */
function refined(graph: BoundGraph, split: Split, from: Choice): Choice {
  const values = split.forward
    .flatMap(({ outputs }) => outputs)
    .filter((name) => !split.fixed.has(name) && !graph.outputs.includes(name))
    .map((name) => ({ name, bytes: bytesOfValue(graph, name) }));
  const most = values.reduce((greatest, { bytes }) => Math.max(greatest, bytes), 0);
  const large = values.filter(({ bytes }) => bytes > most / 16);
  let best = from;
  for (let round = 0; round < REFINEMENTS; round++) {
    const before = best.estimate;
    for (const { name } of large) {
      const kept = new Set(best.kept);
      if (!kept.delete(name)) kept.add(name);
      const choice = choiceOf(graph, split, kept);
      if (choice.estimate < best.estimate) best = choice;
    }
    if (best.estimate === before) break;
  }
  return best;
}

/** Products take an operation a multiply-accumulate; what only moves or maps elements takes some for each. */
function costOf(graph: BoundGraph, node: Node): number {
  const elements = node.outputs.reduce((sum, name) => sum + bytesOfValue(graph, name) / 4, 0);
  return macsOf(graph, node) + 8 * elements;
}

/** Choices of what to keep. */
function keptSets(graph: BoundGraph, split: Split): Set<string>[] {
  const { forward, saved, fixed } = split;
  const sizes = forward.map(({ outputs }) =>
    outputs.reduce((sum, name) => sum + (saved.has(name) ? bytesOfValue(graph, name) : 0), 0),
  );
  const total = sizes.reduce((sum, bytes) => sum + bytes, 0);
  const always = new Set(fixed);
  for (const name of saved.keys()) if (bytesOfValue(graph, name) < total * SMALL) always.add(name);
  for (const name of graph.outputs) always.add(name);
  const products = forward.flatMap((node) => (macsOf(graph, node) > 0 ? node.outputs : []));

  /** First node that is past `fraction` of the saved bytes. */
  const placeOf = (fraction: number): number => {
    let sum = 0;
    const at = sizes.findIndex((bytes) => (sum += bytes) > total * fraction);
    return at < 0 ? forward.length : at;
  };
  const outputsFrom = (place: number) => forward.slice(place).flatMap(({ outputs }) => outputs);
  return FRACTIONS.flatMap((fraction) => {
    const place = placeOf(fraction);
    const kept = [...always, ...outputsFrom(place)];
    const cheap = new Set([...kept, ...products]);
    const segmented = PARTS.map((parts) => {
      const cuts = cutsOf(graph, split, sizes, total / parts).filter((cut) => cut <= place);
      // The last segment is needed as soon as it was computed.
      const open = fraction === 1 ? outputsFrom(cuts.at(-1) ?? 0) : [];
      return new Set([...kept, ...open, ...crossing(forward, cuts)]);
    });
    return [cheap, ...segmented];
  });
}

/** Values that a node before one of `cuts` computes and a forward node behind it reads. */
function crossing(forward: readonly Node[], cuts: readonly number[]): string[] {
  const segmentOf = (index: number) => cuts.filter((cut) => cut <= index).length;
  const made = new Map<string, number>();
  const found: string[] = [];
  forward.forEach(({ inputs, outputs }, index) => {
    const segment = segmentOf(index);
    for (const name of inputs) if ((made.get(name) ?? segment) < segment) found.push(name);
    for (const name of outputs) made.set(name, segment);
  });
  return found;
}

/** Places between forward nodes, about `part` saved bytes apart, each where the least has to cross. */
function cutsOf(
  graph: BoundGraph,
  { forward }: Split,
  sizes: readonly number[],
  part: number,
): number[] {
  const across = crossingBytes(graph, forward);
  const cuts: number[] = [];
  let [sum, best] = [0, -1];
  for (let index = 0; index < forward.length; index++) {
    sum += sizes[index] ?? 0;
    const place = index + 1;
    if (sum >= part / 2 && (best < 0 || (across[place] ?? 0) <= (across[best] ?? 0))) best = place;
    if (sum < part || best < 0) continue;
    cuts.push(best);
    sum = sizes.slice(best, place).reduce((total, bytes) => total + bytes, 0);
    best = -1;
  }
  return cuts.filter((cut) => cut < forward.length);
}

/** Bytes that cross each place between forward nodes. */
function crossingBytes(graph: BoundGraph, forward: readonly Node[]): number[] {
  const last = new Map<string, number>();
  forward.forEach(({ inputs }, index) => {
    for (const name of inputs) last.set(name, index);
  });
  const steps = new Array<number>(forward.length + 2).fill(0);
  forward.forEach(({ outputs }, index) => {
    for (const name of outputs) {
      const end = last.get(name) ?? index;
      const bytes = bytesOfValue(graph, name);
      steps[index + 1] = (steps[index + 1] ?? 0) + bytes;
      steps[end + 1] = (steps[end + 1] ?? 0) - bytes;
    }
  });
  let sum = 0;
  return steps.map((step) => (sum += step));
}
