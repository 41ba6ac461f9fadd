// Values that need finer steps than eight bits have: those that a Log, a Sqrt, a Pow, a quotient or another function
// in float reads, and of which calibration saw so many sizes that the small ones would vanish. An audio front end's
// power is one: 60 dB of loudness are a million steps. They stay float, with what they are made of as far as it
// matters; docs/quantization.md, section 24.

import { binaryFunctions, isBinary, isUnaryFunction, unaryFunction } from "../graph/functions.ts";
import { producersOf, type Graph } from "../graph/graph.ts";
import type { Node } from "../graph/node.ts";
import { rangeOf, type QParams } from "../graph/value.ts";
import { clamp, rint } from "../tensor/rounding.ts";
import { hasWeight, releaseMovers, sharesParams, type Assignment } from "./annotate.ts";
import { chooseActivations } from "./calibration.ts";
import type { HistogramStatistics, Statistics } from "./observers.ts";
import { findSites } from "./sites.ts";
import { outputAxis } from "./weights.ts";

/** A node that stays float though it could run in integers, and why. */
export interface LeftFloat {
  readonly node: string;
  readonly op: string;
  readonly reason: string;
}

/** Signal to error that a function's result must keep where its input has eight bits, dB: (93). */
export const LEAST_FUNCTION_DB = 20;

type Fn = (x: number) => number;

/** What reads a value in float, as a function of it. */
interface Reader {
  readonly node: Node;
  readonly fn: Fn;
}

/** Functions with steps have no error to speak of. */
const STEPPED = new Set(["Sign", "Floor", "Ceil", "Round", "Identity"]);

/** Middle and weight of each bin that holds something. */
function pointsOf({ min, max, counts }: HistogramStatistics): (readonly [number, number])[] {
  const width = (max - min) / counts.length;
  return Array.from(counts, (count, bin) => [min + (bin + 0.5) * width, count] as const).filter(
    ([, count]) => count > 0,
  );
}

/** 10 · log10 of signal to error of fn over what was seen, each value moved by `moves`: docs/quantization.md (93).
 *  A logarithm is judged by how it varies, by one neper at least. */
function ratio(seen: HistogramStatistics, { node, fn }: Reader, moves: (x: number) => number[]) {
  let [weight, sum, squares, error] = [0, 0, 0, 0];
  for (const [x, count] of pointsOf(seen)) {
    const y = fn(x);
    if (!Number.isFinite(y)) continue;
    const moved = moves(x).map((to) => (fn(to) - y) ** 2);
    const known = moved.filter((each) => !Number.isNaN(each));
    weight += count;
    sum += count * y;
    squares += count * y * y;
    if (known.length > 0)
      error += (count * known.reduce((total, each) => total + each, 0)) / known.length;
  }
  if (weight === 0) return Infinity;
  const power = squares / weight;
  const signal = node.op === "Log" ? Math.max(power - (sum / weight) ** 2, 1) : power;
  return 10 * Math.log10(signal / (error / weight));
}

/** x as eight bits hold it. */
function roundedBy(quant: QParams): Fn {
  const [qmin, qmax] = rangeOf(quant);
  const [scale = 1] = quant.scale;
  const [zero = 0] = quant.zeroPoint;
  return (x) => (clamp(zero + rint(x / scale), qmin, qmax) - zero) * scale;
}

/** Root of the mean square by which `fn` enlarges a small error. */
function slopeOf(seen: HistogramStatistics | undefined, fn: Fn): number {
  if (!seen) return 1;
  const step = (seen.max - seen.min) / (2 * seen.counts.length);
  let [weight, squares] = [0, 0];
  for (const [x, count] of pointsOf(seen)) {
    const slope = (fn(x + step) - fn(x - step)) / (2 * step);
    if (!Number.isFinite(slope)) continue;
    weight += count;
    squares += count * slope * slope;
  }
  return weight === 0 ? 1 : Math.sqrt(squares / weight);
}

class Search {
  readonly left = new Map<string, LeftFloat>();
  readonly #graph: Graph;
  readonly #assignment: Assignment;
  readonly #statistics: ReadonlyMap<string, Statistics>;
  readonly #asked: ReadonlySet<string>;
  readonly #producers: Map<string, Node>;
  readonly #roots: ReadonlyMap<string, string>;
  readonly #params: ReadonlyMap<string, QParams>;
  /** Pairs of value and reader that were looked at. */
  readonly #known = new Set<string>();

  constructor(
    graph: Graph,
    assignment: Assignment,
    statistics: ReadonlyMap<string, Statistics>,
    asked: ReadonlySet<string>,
  ) {
    this.#graph = graph;
    this.#assignment = assignment;
    this.#statistics = statistics;
    this.#asked = asked;
    this.#producers = producersOf(graph);
    this.#roots = findSites(graph, assignment).roots;
    this.#params = chooseActivations(graph, assignment, statistics);
  }

  #rootOf(name: string): string {
    return this.#roots.get(name) ?? name;
  }

  /** What calibration saw of `name`, where that is a histogram. */
  #seen(name: string): HistogramStatistics | undefined {
    const seen = this.#statistics.get(this.#rootOf(name));
    return seen?.kind === "histogram" && seen.batches > 0 && seen.max > seen.min ? seen : undefined;
  }

  /** The parameters that `name` would be quantized by. */
  #quant(name: string): QParams | undefined {
    return this.#roots.has(name) ? this.#params.get(this.#rootOf(name)) : undefined;
  }

  /** The one number of a constant. */
  #number(name: string | undefined): number | undefined {
    const constant = this.#graph.constants.get(name ?? "");
    return constant?.dtype === "float32" && constant.data.length === 1
      ? Number(constant.data[0])
      : undefined;
  }

  #isNew(name: string, node: Node, how: string): boolean {
    const key = [name, node.name, how].join("\n");
    if (this.#known.has(key) || this.#graph.constants.has(name)) return false;
    this.#known.add(key);
    return true;
  }

  /** Release what makes `name`, down from its root. False where an override asks for one of them. */
  #release(name: string, reader: Reader, db: number): boolean {
    const nodes: Node[] = [];
    for (let at = name; ;) {
      const node = this.#producers.get(at);
      if (!node) break;
      if (this.#assignment.get(node.name)) nodes.push(node);
      if (at === this.#rootOf(name)) break;
      at = node.inputs[0] ?? "";
    }
    if (nodes.some((node) => this.#asked.has(node.name))) return false;
    const { node: by } = reader;
    const kept = Number.isFinite(db) ? `${Math.max(0, db).toFixed(1)} dB` : "nothing";
    for (const node of nodes) {
      if (this.left.has(node.name)) continue;
      const reason = `8 bits would leave ${kept} of what ${by.op} "${by.name}" makes of it; ${LEAST_FUNCTION_DB} dB are needed`;
      this.left.set(node.name, { node: node.name, op: node.op, reason });
    }
    return true;
  }

  /** `name` is read as `reader` says. */
  visit(name: string, reader: Reader): void {
    if (!this.#isNew(name, reader.node, "value")) return;
    const root = this.#rootOf(name);
    const [seen, quant] = [this.#seen(name), this.#quant(name)];
    if (seen && quant) {
      const rounded = roundedBy(quant);
      const db = ratio(seen, reader, (x) => [rounded(x)]);
      if (!(db < LEAST_FUNCTION_DB) || !this.#release(name, reader, db)) return;
    }
    const producer = this.#producers.get(root);
    if (producer) this.#above(producer, reader, seen);
  }

  /** The same of what `producer` reads; `made` is what calibration saw of its output. */
  #above(producer: Node, reader: Reader, made: HistogramStatistics | undefined): void {
    const { fn } = reader;
    const [a = "", b = ""] = producer.inputs;
    const through = (name: string, inner: Fn) =>
      this.visit(name, { node: reader.node, fn: (x) => fn(inner(x)) });
    const isMoved = sharesParams(producer) || producer.op === "Cast" || producer.op === "Concat";
    if (isMoved) for (const input of producer.inputs) this.visit(input, reader);
    else if (isUnaryFunction(producer)) through(a, unaryFunction(producer));
    else if (isBinary(producer)) {
      const op = binaryFunctions[producer.op];
      const [left, right] = [this.#number(a), this.#number(b)];
      if (right !== undefined) through(a, (x) => op(x, right));
      else if (left !== undefined) through(b, (x) => op(left, x));
      else if (a === b) through(a, (x) => op(x, x));
      else if (producer.op === "Add") for (const input of [a, b]) this.visit(input, reader);
    } else if (made) this.#linear(producer, { made, reader, gain: 1 });
  }

  /** Errors of what the sum `producer` reads, enlarged by `gain` until they reach the value of which `made` was seen. */
  #linear(
    producer: Node,
    path: {
      readonly made: HistogramStatistics;
      readonly reader: Reader;
      readonly gain: number;
    },
  ): void {
    const { made, reader } = path;
    const [a = "", b = ""] = producer.inputs;
    const follow = (name: string, factor: number) => {
      const gain = path.gain * factor;
      if (!this.#isNew(name, reader.node, `sum ${made.min} ${made.max} ${gain}`)) return;
      const quant = this.#quant(name);
      if (quant) {
        const error = ((quant.scale[0] ?? 0) / Math.sqrt(12)) * gain;
        const db = ratio(made, reader, (x) => [x - error, x + error]);
        if (!(db < LEAST_FUNCTION_DB) || !this.#release(name, reader, db)) return;
      }
      const next = this.#producers.get(this.#rootOf(name));
      if (next) this.#linear(next, { made, reader, gain });
    };
    if (hasWeight(producer)) follow(a, this.#gainOf(producer));
    else if (producer.op === "ReduceSum" || producer.op === "Concat" || producer.op === "Cast")
      for (const input of producer.inputs) follow(input, 1);
    else if (producer.op === "ReduceMean" || producer.op.endsWith("AveragePool")) follow(a, 1);
    else if (sharesParams(producer)) follow(a, 1);
    else if (isUnaryFunction(producer)) follow(a, slopeOf(this.#seen(a), unaryFunction(producer)));
    else if (isBinary(producer)) {
      const op = binaryFunctions[producer.op];
      const right = this.#number(b);
      if (right !== undefined)
        follow(
          a,
          slopeOf(this.#seen(a), (x) => op(x, right)),
        );
      else if (a === b)
        follow(
          a,
          slopeOf(this.#seen(a), (x) => op(x, x)),
        );
      else if (producer.op === "Add" || producer.op === "Sub")
        for (const input of [a, b]) follow(input, 1);
    }
  }

  /** Root of the mean over outputs of Σ w². */
  #gainOf(node: Node): number {
    const weight = this.#graph.constants.get(node.inputs[1] ?? "");
    if (weight?.dtype !== "float32") return 1;
    const squares = (weight.data as Float32Array).reduce((sum, w) => sum + w * w, 0);
    return Math.sqrt(squares / Math.max(1, weight.shape[outputAxis(node)] ?? 1));
  }
}

/** How the float op `node` reads each of its inputs: as a function of it alone. */
function readersOf(node: Node, number: (name: string) => number | undefined) {
  if (isUnaryFunction(node)) {
    const [name = ""] = node.inputs;
    return STEPPED.has(node.op) ? [] : [{ name, reader: { node, fn: unaryFunction(node) } }];
  }
  if (node.op !== "Div" && node.op !== "Pow") return [];
  const [a = "", b = ""] = node.inputs;
  const [left = 1, right] = [number(a), number(b)];
  if (node.op === "Div") return [{ name: b, reader: { node, fn: (x: number) => left / x } }];
  if (right === undefined) return [];
  return [{ name: a, reader: { node, fn: (x: number) => binaryFunctions.Pow(x, right) } }];
}

/** `assignment` without the nodes whose values need finer steps than eight bits have, by what calibration saw; nodes
 *  that an override asks for, `asked`, keep their integers. Observers without a histogram decide nothing. */
export function keepFineValues(
  graph: Graph,
  assignment: Assignment,
  statistics: ReadonlyMap<string, Statistics>,
  asked: ReadonlySet<string> = new Set(),
): { readonly assignment: Assignment; readonly left: readonly LeftFloat[] } {
  const search = new Search(graph, assignment, statistics, asked);
  const numberOf = (name: string) => {
    const constant = graph.constants.get(name);
    return constant?.data.length === 1 ? Number(constant.data[0]) : undefined;
  };
  for (const node of graph.nodes) {
    if (assignment.get(node.name)) continue;
    for (const { name, reader } of readersOf(node, numberOf)) search.visit(name, reader);
  }
  if (search.left.size === 0) return { assignment, left: [] };
  const rest = new Map(assignment);
  for (const name of search.left.keys()) rest.set(name, null);
  const order = graph.nodes.flatMap(({ name }) => search.left.get(name) ?? []);
  return { assignment: releaseMovers(graph, rest), left: order };
}
