// A model as something that can be trained: a graph for each way of going forward, and back from what was learnt
// to a model. One idea: what is learnt is known by name, so it passes from one graph to another.

import { floatForward, type Forward } from "./autodiff/forward.ts";
import { InputError } from "./errors.ts";
import { bindShapes } from "./graph/bind.ts";
import type { BoundGraph } from "./graph/bind.ts";
import { valueOf, type Graph } from "./graph/graph.ts";
import { widenConstants } from "./graph/weightOnly.ts";
import { Model } from "./model.ts";
import { withTrained } from "./prepareQat.ts";
import type { QatMode } from "./quantize/qat/model.ts";
import { trainingGraph } from "./quantize/qat/train.ts";
import { stateDuring } from "./quantize/qat/weights.ts";
import { fuseClamps, removeIdentities } from "./quantize/fuse.ts";
import { symbolicDims } from "./compile.ts";
import type { Tensor } from "./tensor/tensor.ts";

/** How a step goes forward. A float model knows batchNorm alone. */
export type Mode = QatMode;

export type Values = ReadonlyMap<string, Tensor>;

export interface Trainable<M> {
  /** The graph of `mode` for so many samples, its variables as they are in `values` where they are there. */
  forward(mode: Mode, batch: number, values: Values): Forward;
  /** The model with what was learnt. */
  modelOf(values: Values): M;
}

/** The open size of `graph`, which `batch` is of. Throws InputError where it has another. */
function dimsOf(graph: Graph, batch: number): ReadonlyMap<string, number> {
  const dims = symbolicDims(graph);
  if (dims.length > 1)
    throw new InputError(
      `train: the model must have one open size, its batch; got ${dims.join(", ")}. ` +
        "Fix the others when loading: load(bytes, { dims }).",
    );
  const fixed = graph.inputs.map((name) => valueOf(graph, name).shape[0]);
  const wrong = dims.length === 0 ? fixed.find((size) => size !== batch) : undefined;
  if (wrong !== undefined)
    throw new InputError(
      `train: the model takes ${wrong} samples at a time; got batch ${batch}. Pass { batch: ${wrong} }.`,
    );
  return new Map(dims.map((name) => [name, batch]));
}

/** `graph` for `batch` samples at a time. Throws InputError where it has another open size. */
export function bindBatch(graph: Graph, batch: number): BoundGraph {
  return bindShapes(graph, dimsOf(graph, batch));
}

/** `graph` with its variables as they are in `values`, where they are there. */
export function startFrom<G extends Graph>(graph: G, values: Values): G {
  const { variables = new Map<string, Tensor>() } = graph;
  const started = [...variables].map(([name, data]) => [name, values.get(name) ?? data] as const);
  return { ...graph, variables: new Map(started) };
}

/** `graph` with its constants as they are in `values`, where they are there. */
function withConstants(graph: Graph, values: Values): Graph {
  const constants = [...graph.constants].map(
    ([name, data]) => [name, values.get(name) ?? data] as const,
  );
  return { ...graph, constants: new Map(constants) };
}

/** A float model: batch normalizations stay, activations join what they follow. */
export function floatTrainable(model: Model<"float">): Trainable<Model<"float">> {
  const whole = widenConstants(model.graph, true);
  const fused = fuseClamps(removeIdentities(whole));
  return {
    forward({ batchNorm }, batch, values) {
      // Frozen statistics are constants of the graph: those of now.
      const now = withConstants(fused, values);
      const { graph, parameters } = floatForward(bindBatch(now, batch), batchNorm);
      return { graph: startFrom(graph, values), parameters };
    },
    modelOf(values) {
      return new Model("float", withConstants(whole, values), {});
    },
  };
}

/** A model in quantization-aware training. */
export function qatTrainable(model: Model<"qat">): Trainable<Model<"qat">> {
  return {
    forward(mode, batch, values) {
      // Frozen statistics are constants of the graph, and what was observed may be used.
      const now = stateDuring(model.details, values);
      const { graph, parameters } = trainingGraph(now, mode, dimsOf(model.graph, batch));
      return { graph: startFrom(graph, values), parameters };
    },
    modelOf: (values) => withTrained(model, values),
  };
}

/** What is trained of `model`. */
export function trainableOf<S extends "float" | "qat">(model: Model<S>): Trainable<Model<S>> {
  const found =
    model.stage === "qat"
      ? qatTrainable(model as Model<"qat">)
      : floatTrainable(model as Model<"float">);
  return found as unknown as Trainable<Model<S>>;
}
