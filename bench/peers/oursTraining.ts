// This library's three ways through the training network: the forward pass of a step alone, a step in float, and
// one of quantization-aware training. The forward pass has the very nodes that a step begins with: statistics of
// the batch, running ones, and the loss.

import type { Forward } from "../../src/autodiff/forward.ts";
import { crossEntropy } from "../../src/autodiff/losses.ts";
import { hyperOf, type OptimizerSpec } from "../../src/autodiff/optimizers.ts";
import { stepGraph } from "../../src/autodiff/step.ts";
import type { BoundGraph } from "../../src/graph/bind.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import { prepareQat, type Device } from "../../src/index.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { interpret } from "../../src/reference/interpret.ts";
import { trainableOf } from "../../src/trainable.ts";
import { Trainer } from "../../src/trainer.ts";
import { float32, type Tensors } from "../../src/tensor/tensor.ts";
import type { Trained } from "../core/platform.ts";
import { cifarModel, type TrainingBatch, type TrainingNetwork } from "../models/cifar.ts";

export const WAYS = ["forward", "step", "QAT step"] as const;
export type Way = (typeof WAYS)[number];

const MODE = {
  batchNorm: "batch",
  observers: true,
  fakeQuantize: true,
  learnable: false,
} as const;

interface Told {
  readonly graph: BoundGraph;
  readonly loss: string;
  readonly target: string;
  /** The input of hyperparameters, where something is updated. */
  readonly hyper?: string;
}

function forwardOnly({ graph }: Forward): Told {
  const builder = GraphBuilder.from(graph);
  builder.nodes.push(...graph.nodes);
  for (const [name, value] of graph.values) builder.values.set(name, value);
  const [logits = ""] = graph.outputs;
  const shape = builder.value(logits).shape.slice(0, -1);
  const target = builder.input("labels", { dtype: "int32", shape });
  const loss = crossEntropy(builder, logits, target);
  const built = builder.build(graph.name, [...graph.inputs, target], [loss]) as BoundGraph;
  return { graph: built, loss, target };
}

/** The graph of one way. */
function toldOf(network: TrainingNetwork, way: Way, optimizer: OptimizerSpec): Told {
  const float = cifarModel(network);
  const trainable = way === "QAT step" ? trainableOf(prepareQat(float)) : trainableOf(float);
  const forward = trainable.forward(MODE, network.batch, new Map());
  if (way === "forward") return forwardOnly(forward);
  return stepGraph(forward, { loss: { kind: "crossEntropy" }, optimizer });
}

const optimizerOf = ({ learningRate, momentum }: TrainingNetwork): OptimizerSpec => {
  return { kind: "sgd", learningRate, momentum };
};

function inputsOf(
  { target, hyper }: Pick<Told, "target" | "hyper">,
  optimizer: OptimizerSpec,
  update: number,
  { images, labels }: TrainingBatch,
): Tensors {
  const numbers = hyperOf(optimizer, { learningRate: optimizer.learningRate, update });
  const given = hyper === undefined ? {} : { [hyper]: float32([numbers.length], numbers) };
  return { images, [target]: labels, ...given };
}

/** One way, ready on a device. */
export class OurTraining implements Trained {
  readonly #told: Told;
  readonly #trainer: Trainer;
  readonly #optimizer: OptimizerSpec;
  #update = 0;

  private constructor(told: Told, trainer: Trainer, optimizer: OptimizerSpec) {
    this.#told = told;
    this.#trainer = trainer;
    this.#optimizer = optimizer;
  }

  static async open(network: TrainingNetwork, way: Way, device: Device): Promise<OurTraining> {
    const optimizer = optimizerOf(network);
    const told = toldOf(network, way, optimizer);
    return new OurTraining(told, await Trainer.create(told.graph, device), optimizer);
  }

  get plan(): Plan {
    return this.#trainer.plan;
  }

  /** The loss of `batch` by the weights before this step. */
  async step(batch: TrainingBatch): Promise<number> {
    const outputs = await this.#trainer.step(
      inputsOf(this.#told, this.#optimizer, ++this.#update, batch),
    );
    return Number(outputs[this.#told.loss]?.data[0]);
  }

  dispose(): void {
    this.#trainer.dispose();
  }
}

/** The graph of one way, and what its very first step is fed. */
export function firstStepOf(network: TrainingNetwork, way: Way, batch: TrainingBatch) {
  const optimizer = optimizerOf(network);
  const { graph, loss, ...told } = toldOf(network, way, optimizer);
  return { graph, loss, inputs: inputsOf(told, optimizer, 1, batch) };
}

/** What the reference interpreter has for the loss of that step. */
export function firstLossOf(network: TrainingNetwork, way: Way, batch: TrainingBatch): number {
  const { graph, loss, inputs } = firstStepOf(network, way, batch);
  return Number(interpret(graph, inputs).get(loss)?.data[0]);
}
