// train: a model and labelled data → the model, better. One idea: a training is a position (epoch, step) and the
// values of its variables, nothing else; so it can stop after any step, be stored, and go on to the same bits.

import { checkDeviceOption } from "./callerChecks.ts";
import { hyperOf, type OptimizerSpec } from "./autodiff/optimizers.ts";
import { stepGraph, validateLoss, type LossSpec, type StepGraph } from "./autodiff/step.ts";
import { CheckpointError, TrainingError } from "./errors.ts";
import { fuse } from "./quantize/fuse.ts";
import { checkInputs as checkFinite } from "./graph/finite.ts";
import { OVERFLOW } from "./graph/updates.ts";
import { checkStage, type Model } from "./model.ts";
import { selfTest } from "./selfTest.ts";
import { float32, type Tensor, type Tensors } from "./tensor/tensor.ts";
import {
  bindBatch,
  startFrom,
  trainableOf,
  type Mode,
  type Trainable,
  type Values,
} from "./trainable.ts";
import { Trainer } from "./trainer.ts";
import { failureOf, wrongIn } from "./trainFailure.ts";
import { checkInputs, checkOptions, indexed, targetOf } from "./trainInputs.ts";
import { isSameMode, modeAt } from "./trainMode.ts";
import type { EpochResult, TrainOptions, TrainResult } from "./trainOptions.ts";
import { batchesPerEpoch, epochBatches, isIndexed } from "./training/batches.ts";
import { encodeCheckpoint, fingerprintOf } from "./training/checkpoint.ts";
import { latestCheckpoint } from "./training/checkpointStore.ts";
import { TrainingLog } from "./training/log.ts";
import type { TrainingBatch, TrainingData } from "./training/samples.ts";
import { scheduleFactor, validateSchedule } from "./training/schedules.ts";

const BATCH = 32; // samples
const LOSS: LossSpec = { kind: "crossEntropy" };
const OPTIMIZER: OptimizerSpec = { kind: "sgd", learningRate: 0.01, momentum: 0.9 };

/** The mode that a checkpoint's fingerprint is of, whenever it is made. */
const ALL = { batchNorm: "batch", observers: true, fakeQuantize: true } as const;

/** Where a training is: counts of what is done. */
interface Position {
  epoch: number;
  /** Batches of this epoch. */
  batch: number;
  /** Batches of all epochs. */
  step: number;
}

/** One training, from its first step or from a checkpoint to its end. */
class Training<S extends "float" | "qat"> {
  readonly #trainable: Trainable<Model<S>>;
  readonly #data: TrainingData;
  readonly #options: TrainOptions;
  #values: Values = new Map();
  #model: string | undefined;
  /** The step of the last checkpoint. */
  #stored: number | undefined;
  #position: Position = { epoch: 0, batch: 0, step: 0 };
  #at: { readonly mode: Mode; readonly graph: StepGraph; readonly trainer: Trainer } | undefined;

  constructor(model: Model<S>, data: TrainingData, options: TrainOptions) {
    this.#trainable = trainableOf(model);
    this.#data = data;
    this.#options = options;
  }

  get #batch(): number {
    return this.#options.batch ?? BATCH;
  }

  #modeAt(position: { readonly epoch: number; readonly step: number }): Mode {
    const { controls = {}, learnable = false } = this.#options;
    return { ...modeAt(controls, position), learnable };
  }

  get #isAborted(): boolean {
    return this.#options.signal?.aborted ?? false;
  }

  /** Batches of an epoch, where the data knows its length. */
  get #perEpoch(): number | undefined {
    const data = this.#data;
    return isIndexed(data) ? batchesPerEpoch(data.length, this.#batch) : undefined;
  }

  async run(): Promise<TrainResult<Model<S>>> {
    const { epochs } = this.#options;
    const log = new TrainingLog();
    const done: EpochResult[] = [];
    try {
      await this.#resume();
      while (this.#position.epoch < epochs && !this.#isAborted) {
        log.start();
        await this.#epoch(log);
        if (this.#isAborted) break;
        if (log.steps > 0) done.push({ epoch: this.#position.epoch, ...log.epoch() });
        this.#position = { ...this.#position, epoch: this.#position.epoch + 1, batch: 0 };
        if (!this.#options.checkpoint?.every) await this.#store();
      }
      const isStopped = this.#position.epoch < epochs;
      await this.#store();
      const values = await this.#read();
      this.#check(values);
      const model = this.#trainable.modelOf(values);
      return { model, epochs: done, steps: this.#position.step, isStopped };
    } finally {
      this.#at?.trainer.dispose();
    }
  }

  /** The batches of this epoch that are left; the next one is made ready while a step runs. */
  async #epoch(log: TrainingLog): Promise<void> {
    const { seed = 0, shuffle, augment, checkpoint } = this.#options;
    const batches = epochBatches(this.#data, {
      ...{ batchSize: this.#batch, seed, epoch: this.#position.epoch },
      position: this.#position.batch,
      ...(shuffle === undefined ? {} : { shuffle }),
      ...(augment === undefined ? {} : { augment }),
    });
    try {
      let next = await batches.next();
      while (!next.done && !this.#isAborted) {
        const both = [this.#step(next.value, log), batches.next()] as const;
        await Promise.allSettled(both); // a step under way is waited for, whatever the data does
        [, next] = await Promise.all(both);
        const { every } = checkpoint ?? {};
        if (every !== undefined && this.#position.step % every === 0) await this.#store();
      }
    } finally {
      await batches.return(undefined);
    }
  }

  /** One batch, forward, backward and update. */
  async #step(batch: TrainingBatch, log: TrainingLog): Promise<void> {
    const { optimizer = OPTIMIZER, schedule, epochs, accumulate = 1, onProgress } = this.#options;
    const position = this.#position;
    const mode = this.#modeAt(position);
    const { graph, trainer } = await this.#trainerFor(mode);
    const perEpoch = this.#perEpoch;
    const total = perEpoch === undefined ? undefined : perEpoch * epochs;
    const updates = Math.floor(position.step / accumulate);
    const factor = schedule
      ? scheduleFactor(schedule, updates, Math.floor((total ?? Infinity) / accumulate))
      : 1;
    const learningRate = optimizer.learningRate * factor;
    // The last update is of what is left.
    const first = updates * accumulate;
    const accumulation = Math.min(accumulate, (total ?? Infinity) - first);
    const hyper = hyperOf(optimizer, {
      ...{ learningRate, update: updates + 1, accumulation },
      apply: position.step + 1 === first + accumulation,
    });
    const inputs: Tensors = {
      ...batch.tensors,
      [graph.target]: targetOf(batch, this.#options),
      [graph.hyper]: float32([hyper.length], hyper),
    };
    checkInputs(trainer.plan.inputs, inputs);
    const data = { ...batch.tensors, [graph.target]: inputs[graph.target] as Tensor };
    const { nonFinite } = this.#options;
    const place = { verb: `train: epoch ${position.epoch}`, batch: position.batch };
    checkFinite(graph.graph, data, place, nonFinite);
    const outputs = await trainer.step(inputs);
    const told = (name: string | undefined) =>
      name === undefined ? undefined : Number(outputs[name]?.data[0]);
    const loss = told(graph.loss) ?? NaN;
    if (!(Math.abs(loss) < OVERFLOW)) {
      const place = { ...position, checkpoint: this.#stored };
      const variables = await trainer.variables();
      trainer.dispose();
      this.#at = undefined;
      throw await failureOf(graph.graph, variables, inputs, this.#options.device, {
        ...place,
        loss,
      });
    }
    const accuracy = told(graph.accuracy);
    log.add({ loss, accuracy });
    this.#position = { ...position, batch: position.batch + 1, step: position.step + 1 };
    if (!onProgress) return;
    const { stepsPerSecond } = log;
    const left = total === undefined ? undefined : total - this.#position.step;
    const norm = told(graph.norm);
    onProgress({
      ...{ epoch: position.epoch, epochs, step: this.#position.step, loss, learningRate },
      stepsPerSecond,
      ...(total === undefined ? {} : { steps: total }),
      ...(accuracy === undefined ? {} : { accuracy }),
      ...(norm === undefined ? {} : { gradientNorm: norm }),
      ...(left === undefined || stepsPerSecond === 0 ? {} : { eta: left / stepsPerSecond }),
    });
  }

  /** The compiled step of `mode`; another mode goes on from the same values. */
  async #trainerFor(mode: Mode) {
    if (this.#at && isSameMode(this.#at.mode, mode)) return this.#at;
    this.#values = await this.#read();
    this.#at?.trainer.dispose();
    this.#at = undefined;
    const { device, loss = LOSS, optimizer = OPTIMIZER } = this.#options;
    const { groups = [], accumulate = 1, output } = this.#options;
    const forward = this.#trainable.forward(mode, this.#batch, this.#values);
    const { teacher: given } = this.#options;
    const teacher = given && bindBatch(fuse(given.graph), this.#batch);
    const step = stepGraph(forward, {
      ...{ loss, optimizer, groups, accumulate: accumulate > 1 },
      ...(output === undefined ? {} : { output }),
      ...(teacher ? { teacher } : {}),
    });
    const started = startFrom(step.graph, this.#values);
    const graph = { ...step, graph: started };
    const { memory } = this.#options;
    const budget = memory === undefined ? undefined : { loss: graph.loss, bytes: memory };
    const trainer = await Trainer.create(graph.graph, device, budget);
    return (this.#at = { mode, graph, trainer });
  }

  /** The values of all variables now. */
  async #read(): Promise<Values> {
    if (!this.#at) return this.#values;
    return new Map([...this.#values, ...(await this.#at.trainer.variables())]);
  }

  /** Go on from the last checkpoint, where there is one. */
  async #resume(): Promise<void> {
    const { checkpoint: options } = this.#options;
    if (!options || options.resume === false) return;
    const { checkpoint } = await latestCheckpoint(options.store, this.#fingerprint());
    if (!checkpoint) return;
    for (const [name, now] of this.#settings()) {
      const then = checkpoint.metadata?.get(name);
      if (then === now) continue;
      throw new CheckpointError(
        "model",
        `it was made with ${name} ${then}, and this is ${now}`,
        "Go on with the same, or start again: checkpoint: { resume: false }.",
      );
    }
    const { epoch, position, step, variables } = checkpoint;
    this.#position = { epoch, batch: position, step };
    this.#values = variables;
    this.#stored = step;
  }

  async #store(): Promise<void> {
    const { checkpoint, accumulate = 1 } = this.#options;
    const { step: done } = this.#position;
    if (!checkpoint || done === 0 || this.#stored === done) return;
    this.#values = await this.#read();
    this.#check(this.#values);
    const { epoch, batch, step } = this.#position;
    const bytes = encodeCheckpoint({
      ...{ epoch, position: batch, step, update: Math.floor(step / accumulate) },
      model: this.#fingerprint(),
      variables: this.#values,
      metadata: new Map(this.#settings()),
    });
    await checkpoint.store.put(step, bytes);
    this.#stored = step;
  }

  /** A finite loss may have had a gradient that was not: such values are neither stored nor given back. */
  #check(values: Values): void {
    for (const name of this.#at?.graph.trained ?? []) {
      const wrong = wrongIn(values.get(name));
      if (!wrong) continue;
      const failed = { ...this.#position, checkpoint: this.#stored };
      throw new TrainingError({ ...failed, loss: NaN }, `parameter "${name}"`, wrong);
    }
  }

  /** What must be the same for a training to go on to the same bits, and is easily not. */
  #settings(): (readonly [string, string])[] {
    const { seed = 0, accumulate = 1, optimizer = OPTIMIZER } = this.#options;
    const { learnable = false } = this.#options;
    const settings = {
      ...{ batch: this.#batch, seed, accumulate, optimizer: optimizer.kind, learnable },
      shuffle: this.#options.shuffle ?? true,
      length: isIndexed(this.#data) ? this.#data.length : "open",
    };
    return Object.entries(settings).map(([name, value]) => [name, String(value)] as const);
  }

  #fingerprint(): string {
    return (this.#model ??= fingerprintOf(
      this.#trainable.forward(
        { ...this.#modeAt({ epoch: 0, step: 0 }), ...ALL },
        this.#batch,
        new Map(),
      ).graph,
    ));
  }
}

/** Train `model` on `data`; the model given stays as it is. Batch normalizations learn their statistics anew,
 *  unless controls freeze them.
 *  Throws InputError for options and data that do not fit, UnsupportedError for nodes without a gradient,
 *  TrainingError where the loss or a parameter is no longer finite, CheckpointError for a checkpoint of another
 *  training and a store that fails, MemoryBudgetError, GpuError, DeviceLostError. */
export async function train<S extends "float" | "qat">(
  model: Model<S>,
  data: TrainingData,
  options: TrainOptions,
): Promise<TrainResult<Model<S>>> {
  checkStage<"float" | "qat">(
    "train",
    model,
    ["float", "qat"],
    "Train a float model, or one from prepareQat.",
  );
  checkDeviceOption("train", options);
  const samples = indexed(data);
  checkOptions(options, samples);
  if (options.schedule) validateSchedule(options.schedule);
  validateLoss(options.loss ?? LOSS, options.teacher !== undefined);
  await selfTest(options.device);
  return await new Training(model, samples, options).run();
}
