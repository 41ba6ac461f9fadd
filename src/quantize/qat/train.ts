// The forward pass of a training step: what training changes are variables, observers move ranges, and scales with
// them, before they are used, and a layer with a normalization is docs/quantization.md (22) or (23).

import { StageError } from "../../errors.ts";
import { bindShapes, type BoundGraph } from "../../graph/bind.ts";
import { GraphBuilder } from "../../graph/builder.ts";
import { valueOf } from "../../graph/graph.ts";
import type { Clamp, Node } from "../../graph/node.ts";
import { addTrainingNorm, checkStatistics } from "../../graph/trainingNorm.ts";
import { fl } from "../../tensor/rounding.ts";
import { float32, sizeOf } from "../../tensor/tensor.ts";
import type { SeparateNorm } from "../fuse.ts";
import { floatsOf, wasSeen, type Qat, type QatMode, type Quantizer } from "./model.ts";
import { walk } from "./walk.ts";

/** As autodiff/forward.ts has it: a graph whose variables are parameters and statistics. */
export interface QatForward {
  readonly graph: BoundGraph;
  /** The variables that have gradients in this mode. */
  readonly parameters: readonly string[];
}

type Unnamed<N> = N extends Node ? Omit<N, "name" | "outputs"> : never;
/** A node but for its own name and that of its output. */
type Fields = Unnamed<Node>;

/** Is added to a factor k: nothing to any but 0, by which nothing could be divided. */
const LEAST_FACTOR = 2 ** -60;

class Training {
  readonly qat: Qat;
  readonly mode: QatMode;
  readonly builder: GraphBuilder;
  readonly #ofWeights: ReadonlySet<Quantizer>;

  constructor(qat: Qat, mode: QatMode, graph: BoundGraph) {
    this.qat = qat;
    this.mode = mode;
    this.#ofWeights = new Set(qat.weights.values());
    const constants = [...graph.constants].filter(([name]) => !qat.state.has(name));
    this.builder = GraphBuilder.from({ ...graph, constants: new Map(constants) });
    for (const [name, tensor] of qat.state) this.builder.variable(name, tensor);
  }

  /** One more node, named after `name`; its output. */
  add(name: string, fields: Fields, output = this.builder.fresh(`${name}:y`)): string {
    const node = { ...fields, name: this.builder.fresh(name), outputs: [output] } as Node;
    return this.builder.add(node, { dtype: "float32" });
  }

  constant(name: string, shape: readonly number[], data: ArrayLike<number>): string {
    return this.builder.constant(this.builder.fresh(name), float32(shape, data));
  }

  quantize(quantizer: Quantizer, from: string, to: string): void {
    const { qat, mode, builder } = this;
    const { rule, axis, averagingConstant, range, scale, zeroPoint, spec } = quantizer;
    const slices = axis === undefined ? {} : { axis };
    // A weight's own range is no statistic: it follows the weight, unless the scale is learned.
    const follows = averagingConstant === undefined && this.#ofWeights.has(quantizer);
    if (!mode.learnable && (mode.observers || follows))
      builder.add({
        op: "MovingAverageObserve",
        name: builder.fresh(`observe ${to}`),
        inputs: [from, range, scale, zeroPoint],
        outputs: [],
        ...rule,
        ...slices,
        ...(averagingConstant === undefined ? {} : { averagingConstant }),
      });
    else if (mode.fakeQuantize && !wasSeen(qat, quantizer))
      throw new StageError(
        `train: "${from}" must be observed before it is quantized; got no range. ` +
          "Train some steps with observers, or prepare with ranges of a calibrated model.",
      );
    if (!mode.fakeQuantize) {
      this.add(`${to}/identity`, { op: "Identity", inputs: [from] }, to);
      return;
    }
    const { qmin, qmax } = rule;
    const count = sizeOf(builder.value(from).shape as readonly number[]);
    const learned = {
      eps: fl(spec.eps ?? 2 ** -23),
      gradientScale: fl(1 / Math.sqrt(Math.max(1, count * qmax))),
    };
    const inputs = [from, scale, zeroPoint];
    const fields = { op: "FakeQuantize", inputs, qmin, qmax, ...slices } as const;
    this.add(`${to}/fakeQuantize`, { ...fields, ...(mode.learnable ? learned : {}) }, to);
  }

  /** The filter of `node` as it is used: times factor k, if any, and fake-quantized. */
  filter(node: Node, factor: string | undefined): string {
    const [, own = ""] = node.inputs;
    const { builder, qat } = this;
    let filter = own;
    if (factor !== undefined) {
      const [count = 1] = builder.value(own).shape;
      const inputs = [factor];
      const column = this.add(`${node.name}/column`, {
        op: "Reshape",
        inputs,
        shape: [count, 1, 1, 1],
      });
      filter = this.add(`${node.name}/scaled`, { op: "Mul", inputs: [own, column] });
    }
    const quantizer = qat.weights.get(node.name);
    if (!quantizer) return filter;
    const quantized = builder.fresh(`${node.name}/filter`);
    this.quantize(quantizer, filter, quantized);
    return quantized;
  }

  layer(node: Node, x: string, output: string): void {
    const norm = this.qat.norms.get(node.name);
    if (!norm) {
      const inputs = [x, this.filter(node, undefined), ...node.inputs.slice(2)];
      this.builder.add({ ...node, inputs, outputs: [output] } as Node, { dtype: "float32" });
    } else if (this.mode.batchNorm === "frozen") this.frozen(node, norm, x, output);
    else this.normalized(node, norm, x, output);
  }

  /** y = clamp(conv(x, fq(w · k)) + β + k · (b − mean)), k = γ · rsqrt(var + ε): docs/quantization.md (23). */
  frozen(node: Node, norm: SeparateNorm, x: string, output: string): void {
    const { name } = node;
    const variance = floatsOf(this.qat, norm.variance).data;
    const inverse = variance.map((v) => fl(1 / fl(Math.sqrt(fl(v + norm.epsilon)))));
    const root = this.constant(`${name}/inverse`, [inverse.length], inverse);
    const mean = floatsOf(this.qat, norm.mean);
    const center = this.constant(`${name}/mean`, mean.shape, mean.data);
    const factor = this.add(`${name}/factor`, { op: "Mul", inputs: [norm.gamma, root] });
    const own = node.inputs[2];
    const bias =
      own === undefined
        ? this.add(`${name}/moved`, { op: "Mul", inputs: [factor, center] })
        : this.add(`${name}/moved`, {
            op: "Mul",
            inputs: [factor, this.add(`${name}/shift`, { op: "Sub", inputs: [center, own] })],
          });
    const offset = this.add(`${name}/offset`, { op: "Sub", inputs: [norm.beta, bias] });
    const inputs = [x, this.filter(node, factor), offset];
    this.builder.add({ ...node, inputs, outputs: [output] } as Node, { dtype: "float32" });
  }

  /** y = clamp(BN(conv(x, fq(w · k)) / k + b)), k of the running variance: docs/quantization.md (22). */
  normalized(node: Node, norm: SeparateNorm, x: string, output: string): void {
    const { name } = node;
    const factor = this.qat.weights.has(name) ? this.factor(name, norm) : undefined;
    const { low, high, ...open } = node as Node & Clamp;
    const product = this.builder.fresh(`${output}_product`);
    const inputs = [x, this.filter(node, factor)];
    this.builder.add({ ...open, inputs, outputs: [product] } as Node, { dtype: "float32" });
    addTrainingNorm(this.builder, {
      ...norm,
      name,
      x: product,
      divisor: factor,
      offset: node.inputs[2],
      clamp: { ...(low === undefined ? {} : { low }), ...(high === undefined ? {} : { high }) },
      y: output,
    });
  }

  /** k = γ / √(var + ε), but not 0. */
  factor(name: string, norm: SeparateNorm): string {
    const add = (what: string, fields: Fields) => this.add(`${name}/${what}`, fields);
    const epsilon = this.constant(`${name}/epsilon`, [], [norm.epsilon]);
    const wide = add("variance", { op: "Add", inputs: [norm.variance, epsilon] });
    const root = add("deviation", { op: "Sqrt", inputs: [wide] });
    const k = add("factor", { op: "Div", inputs: [norm.gamma, root] });
    const least = this.constant(`${name}/leastFactor`, [], [LEAST_FACTOR]);
    return add("divisor", { op: "Add", inputs: [k, least] });
  }

  float(node: Node): void {
    const [x = "", gamma = "", beta = "", mean = "", variance = ""] = node.inputs;
    const [output = ""] = node.outputs;
    const isTrained = node.op === "BatchNormalization" && this.mode.batchNorm === "batch";
    if (isTrained && this.qat.state.has(mean) && this.qat.state.has(variance)) {
      const { name, epsilon } = node;
      addTrainingNorm(this.builder, { name, x, gamma, beta, mean, variance, epsilon, y: output });
      return;
    }
    this.builder.add(node, { dtype: valueOf(this.qat.graph, output).dtype });
  }

  /** What has a gradient in this mode. */
  parameters(): string[] {
    const { qat, mode } = this;
    // What a normalization by the batch takes out again has none.
    const idle = new Set(
      mode.batchNorm === "frozen"
        ? []
        : qat.graph.nodes.flatMap((node) => (qat.norms.has(node.name) ? node.inputs.slice(2) : [])),
    );
    const learned = [...qat.activations.values(), ...qat.weights.values()].flatMap(
      ({ scale, zeroPoint, spec }) => (spec.scheme === "affine" ? [scale, zeroPoint] : [scale]),
    );
    const parameters = qat.parameters.filter((name) => !idle.has(name));
    return mode.learnable && mode.fakeQuantize ? [...parameters, ...learned] : parameters;
  }
}

/** Throws InputError where normalizations by the batch share running statistics. */
function checkNorms({ graph, norms, state }: Qat): void {
  const open = graph.nodes.filter(({ op }) => op === "BatchNormalization");
  const statistics = [
    ...[...norms.values()].flatMap(({ mean, variance }) => [mean, variance]),
    ...open.flatMap(({ inputs }) => inputs.slice(3)).filter((name) => state.has(name)),
  ];
  const reads = [
    ...[...norms].flatMap(([node, { gamma, beta, mean, variance }]) =>
      [gamma, beta, mean, variance].map((value) => ({ node, value })),
    ),
    ...graph.nodes.flatMap(({ name, inputs }) => inputs.map((value) => ({ node: name, value }))),
  ];
  checkStatistics(statistics, reads);
}

/** The forward pass of `qat` for sizes `dims`. Throws StageError where a range is wanted that was never observed,
 *  InputError where a normalization by the batch has one value a channel, or statistics that another has too. */
export function trainingGraph(
  qat: Qat,
  mode: QatMode,
  dims: ReadonlyMap<string, number> = new Map(),
): QatForward {
  if (mode.batchNorm === "batch") checkNorms(qat);
  const graph = bindShapes(qat.graph, dims);
  const training = new Training(qat, mode, graph);
  walk({ ...qat, graph }, training.builder, training);
  const built = training.builder.build(graph.name, graph.inputs, graph.outputs) as BoundGraph;
  const used = new Set(built.nodes.flatMap(({ inputs }) => inputs));
  const variables = new Map([...(built.variables ?? [])].filter(([name]) => used.has(name)));
  return { graph: { ...built, variables }, parameters: training.parameters() };
}
