// The training job in one call: a float model file and labelled pictures → an int8 file, trained with its quantization in
// sight, and what that wins over calibration alone. One idea: what is between two calls is the checkpoint, and nothing
// else; so a page stops, is loaded again, and goes on.

import { calibrate } from "./calibrate.ts";
import { convert } from "./convert.ts";
import { InputError } from "./errors.ts";
import type { AdapterFacts } from "./gpu/device.ts";
import {
  checkClassifier,
  evaluateOn,
  tensorsOf,
  type JobOptions,
  type JobPhase,
  type JobProgress,
} from "./job.ts";
import {
  pictureInput,
  PictureStream,
  rowOf,
  type JobPicture,
  type PictureInput,
  type Skipped,
} from "./jobPictures.ts";
import { load } from "./load.ts";
import type { Model } from "./model.ts";
import { pictureShape, type Preprocess } from "./pictures.ts";
import { prepare } from "./prepare.ts";
import { prepareQat } from "./prepareQat.ts";
import { qconfigs } from "./quantize/presets.ts";
import { qatQConfigs } from "./quantize/qat/presets.ts";
import type { QConfig } from "./quantize/qconfig.ts";
import { save } from "./save.ts";
import { tensor } from "./tensor/tensor.ts";
import { train } from "./train.ts";
import type { EpochResult } from "./trainOptions.ts";
import { checkpointDatabase, type CheckpointStore } from "./training/checkpointStore.ts";
import type { IndexedData } from "./training/samples.ts";

/** What to train, and on what. All of it can be cloned or transferred to a worker. */
export interface TrainJob {
  /** A float model that `load` reads: pictures, [batch, 3, height, width], in, one row of logits each out. */
  readonly model: Uint8Array | Blob;
  /** Pictures with labels to learn from; one that is broken ends the job. */
  readonly training: readonly JobPicture[];
  /** Pictures that ranges begin from, and that calibration alone is made of. */
  readonly calibration: readonly JobPicture[];
  /** Pictures with labels that top-1 is measured on; none of them may be among the others. */
  readonly evaluation: readonly JobPicture[];
  readonly preprocess: Preprocess;
  /** Times that all of `training` is seen. */
  readonly epochs: number;
  /** Pictures of a step, and of a run of the evaluation. Default 32. */
  readonly batch?: number;
  /** Of SGD with momentum 0.9, at its height: it rises over five steps, then falls as a cosine. Default 0.005. */
  readonly learningRate?: number;
  /** Of weights; activations have eight. Default int8. */
  readonly bits?: "int8" | "int4";
  /** One scale a layer's weights instead of one a channel. Default false. */
  readonly perTensor?: boolean;
  /** Where its checkpoints are, in IndexedDB, one at the end of each epoch and where it is stopped; a job that ends
   *  leaves none. Without it a stopped training is lost. */
  readonly checkpoint?: string;
  /** Go on from the last checkpoint, where there is one; otherwise they are forgotten. Default false. */
  readonly resume?: boolean;
}

/** Shares of right answers in percent. */
export interface TrainedTop1 {
  readonly float: number;
  /** Quantized by calibration alone, without correction of biases. */
  readonly calibrated: number;
  readonly trained: number;
}

export interface TrainJobResult {
  /** The trained int8 model as an ONNX file in QDQ form. */
  readonly file: Uint8Array;
  /** Of the job's file. */
  readonly bytesGiven: number;
  readonly bytesQuantized: number;
  readonly top1: TrainedTop1;
  /** Pictures that top-1 is of. */
  readonly evaluated: number;
  /** Steps in all, those before a resume included. */
  readonly steps: number;
  /** Epochs that ended in this call. */
  readonly epochs: readonly EpochResult[];
  readonly skipped: readonly Skipped[];
  readonly adapter: AdapterFacts;
}

export interface TrainJobOptions extends JobOptions {
  /** Where checkpoints are, instead of IndexedDB. */
  readonly store?: CheckpointStore;
}

const PHASES: readonly JobPhase[] = ["calibrate", "train", "evaluate calibrated", "evaluate"];
const BATCH = 32; // pictures
const LEARNING_RATE = 0.005;
const WARM_UP = 5; // updates
const MAX_NORM = 5; // of all gradients together

/** Load, calibrate, prepareQat, train, convert, save; evaluate float, calibrated and trained. Aborted while it trains,
 *  the step under way ends and a checkpoint is stored before the signal's reason is thrown.
 *  Throws what these verbs throw; nothing stays allocated on the device. */
export async function runTrainJob(
  job: TrainJob,
  options: TrainJobOptions,
): Promise<TrainJobResult> {
  const { device, signal } = options;
  signal?.throwIfAborted();
  const model = await load(job.model, options.signal ? { signal: options.signal } : {});
  checkJob(job, model);
  const float = model as Model<"float">;
  const store = options.store ?? (job.checkpoint ? checkpointDatabase(job.checkpoint) : undefined);
  if (store && !job.resume) await store.clear();
  const run = new TrainRun(job, options, pictureInput(float, job.preprocess));
  const { qat, calibrated } = await run.prepare(float);
  const { trained, epochs, steps } = await run.train(qat, store);
  const top1 = await run.top1(float, calibrated, trained);
  const file = save(trained);
  await store?.clear();
  return {
    file,
    bytesGiven: job.model instanceof Blob ? job.model.size : job.model.byteLength,
    bytesQuantized: file.byteLength,
    ...top1,
    steps,
    epochs,
    skipped: [...run.skipped.values()],
    adapter: device.facts,
  };
}

function checkJob({ training, evaluation, bits = "int8" }: TrainJob, model: Model): void {
  if (model.stage !== "float")
    throw new InputError("model: it is quantized already, and cannot learn. Give the float model.");
  checkClassifier(model);
  if (bits !== "int8" && bits !== "int4")
    throw new InputError(`train: bits must be int8 or int4; got ${String(bits)}. Choose one.`);
  const unnamed = [...training, ...evaluation].find(({ label }) => label === undefined);
  if (unnamed)
    throw new InputError(
      `pictures: training needs the class of each; picture "${unnamed.name}" has none. Give it a label.`,
    );
}

/** The same numbers for calibration alone and for training. */
function qconfigsOf({
  bits = "int8",
  perTensor = false,
}: TrainJob): Record<"static" | "qat", QConfig> {
  const calibrated = perTensor ? qconfigs.int8PerTensor : qconfigs.int8;
  const weight = perTensor ? qatQConfigs.qnnpack.weight : qatQConfigs.int8.weight;
  const range = bits === "int4" ? { qmin: -7, qmax: 7 } : {};
  return {
    static: { ...calibrated, weight: { ...calibrated.weight, ...range } },
    qat: { ...qatQConfigs.int8, weight: { ...weight, ...range } },
  };
}

/** The steps of one job, with what they share. */
class TrainRun {
  readonly skipped = new Map<string, Skipped>();
  readonly #job: TrainJob;
  readonly #options: TrainJobOptions;
  readonly #input: PictureInput;
  readonly #batch: number;

  constructor(job: TrainJob, options: TrainJobOptions, input: PictureInput) {
    this.#job = job;
    this.#options = options;
    this.#input = input;
    this.#batch = input.fixedBatch ?? job.batch ?? BATCH;
  }

  get #verb() {
    const { device, signal } = this.#options;
    return { device, ...(signal ? { signal } : {}) };
  }

  #report(phase: JobPhase, done: number, total: number, more: Pick<JobProgress, "training"> = {}) {
    this.#options.onProgress?.({ phase, phases: PHASES, done, total, ...more });
  }

  #stream(pictures: readonly JobPicture[]): PictureStream {
    const { signal, rowOf } = this.#options;
    const { preprocess } = this.#job;
    return new PictureStream(pictures, {
      ...this.#input,
      job: { preprocess, batch: this.#batch },
      skipped: this.skipped,
      ...(rowOf ? { rowOf } : {}),
      ...(signal ? { signal } : {}),
    });
  }

  async prepare(model: Model<"float">) {
    const qconfig = qconfigsOf(this.#job);
    const pictures = this.#stream(this.#job.calibration);
    const calibrated = await calibrate(
      prepare(model, { qconfig: qconfig.static }),
      tensorsOf(pictures),
      {
        ...this.#verb,
        biasCorrection: false,
        onProgress: ({ samples }) => this.#report("calibrate", samples, pictures.length),
      },
    );
    const qat = prepareQat(model, { qconfig: qconfig.qat, calibrated });
    return { qat, calibrated: convert(calibrated) };
  }

  async train(qat: Model<"qat">, store: CheckpointStore | undefined) {
    const { epochs, learningRate = LEARNING_RATE } = this.#job;
    const { signal } = this.#options;
    const result = await train(qat, this.#samples(), {
      ...this.#verb,
      epochs,
      batch: this.#batch,
      optimizer: { kind: "sgd", learningRate, momentum: 0.9, maxNorm: MAX_NORM },
      schedule: { kind: "cosine", warmUp: { updates: WARM_UP } },
      // A short training that moved them would be over before the running statistics, which int8 uses, kept up.
      controls: { freezeBatchNorm: { step: 0 } },
      ...(store ? { checkpoint: { store } } : {}),
      onProgress: (training) =>
        this.#report("train", training.step, training.steps ?? training.step, { training }),
    });
    signal?.throwIfAborted(); // stopped: its checkpoint is stored
    return { trained: convert(result.model), epochs: result.epochs, steps: result.steps };
  }

  /** The pictures to learn from, read when their turn comes. */
  #samples(): IndexedData {
    const { training, preprocess } = this.#job;
    const { input, height, width, channels, layout } = this.#input;
    const { rowOf: make = rowOf } = this.#options;
    return {
      length: training.length,
      get: async (index) => {
        const picture = training[index];
        if (!picture?.label && picture?.label !== 0)
          throw new Error(`train: no picture ${index}; please report.`);
        const row = await make(picture, { preprocess, height, width, channels, layout });
        return {
          tensors: { [input]: tensor("float32", pictureShape(this.#input, 1).slice(1), row) },
          label: picture.label,
        };
      },
    };
  }

  async top1(
    float: Model<"float">,
    calibrated: Model<"quantized">,
    trained: Model<"quantized">,
  ): Promise<Pick<TrainJobResult, "top1" | "evaluated">> {
    const { evaluation } = this.#job;
    const measure = (phase: JobPhase, model: Model<"quantized">, reference?: Model<"float">) =>
      evaluateOn(model, reference, this.#stream(evaluation), {
        ...this.#verb,
        onProgress: ({ samples }) => this.#report(phase, samples, evaluation.length),
      });
    const before = await measure("evaluate calibrated", calibrated, float);
    const after = await measure("evaluate", trained);
    return {
      top1: {
        float: before.referenceTop1 ?? NaN,
        calibrated: before.top1,
        trained: after.top1,
      },
      evaluated: after.count,
    };
  }
}
