// The main job in one call: a model file and pictures → an int8 file, and what it does and costs. A float
// model is quantized and measured against itself; a quantized one runs as it is. One idea: job and result
// are plain data, so that both travel to a worker and back (worker.ts).

/// <reference lib="esnext.disposable" preserve="true" />

import { calibrate } from "./calibrate.ts";
import { compare, type LayerError } from "./compare.ts";
import { compile } from "./compile.ts";
import { convert } from "./convert.ts";
import { InputError } from "./errors.ts";
import { evaluate, type EvaluateOptions, type Evaluation } from "./evaluate.ts";
import type { AdapterFacts, Device } from "./gpu/device.ts";
import { inspect, type Inspection } from "./inspect.ts";
import {
  pictureInput,
  PictureStream,
  splitPictures,
  type JobPicture,
  type PictureInput,
  type RowMaker,
  type Skipped,
} from "./jobPictures.ts";
import { load } from "./load.ts";
import type { Model } from "./model.ts";
import type { Preprocess } from "./pictures.ts";
import { prepare } from "./prepare.ts";
import { save } from "./save.ts";
import type { Tensors } from "./tensor/tensor.ts";
import { verdict, type QuantizationWarning } from "./verdict.ts";
import type { TrainProgress } from "./trainOptions.ts";

export type { JobPicture, Skipped } from "./jobPictures.ts";
export type { Preprocess } from "./pictures.ts";

/** What to quantize or run, and on what. All of it can be cloned or transferred to a worker. */
export interface QuantizeJob {
  /** A file that `load` reads. With pictures its model must take them, [batch, 3, height, width], and give
   *  one row of logits each. */
  readonly model: Uint8Array | Blob;
  /** Pictures that a float model is calibrated on; a quantized one needs none. By default some of
   *  `evaluation`: all where it has fewer than 16, otherwise every other one, which then is not evaluated. */
  readonly calibration?: readonly JobPicture[];
  /** Pictures that int8 is run on, and float beside it where there is one. Top-1 needs a label on each.
   *  May be empty for a quantized model: then it is only read, described and saved. */
  readonly evaluation: readonly JobPicture[];
  readonly preprocess: Preprocess;
  /** Pictures that run at a time, where the model's batch size is open. Default 1. */
  readonly batch?: number;
  /** Of `evaluation`, so many pictures are used to compare layers. Default 32. */
  readonly compared?: number;
}

export type JobPhase =
  "calibrate" | "correct biases" | "train" | "evaluate calibrated" | "evaluate" | "compare layers";

/** The phases of a job in their order, by what its file holds. */
const phasesOf: Readonly<Record<"float" | "quantized", readonly JobPhase[]>> = {
  float: ["calibrate", "correct biases", "evaluate", "compare layers"],
  quantized: ["evaluate"],
};

export interface JobProgress {
  readonly phase: JobPhase;
  /** All phases of this job in their order. */
  readonly phases: readonly JobPhase[];
  /** Pictures done in this phase, of `total`; skipped ones are never done. Of "train": steps. */
  readonly done: number;
  readonly total: number;
  /** Of the step that is done; only in phase "train". */
  readonly training?: TrainProgress;
}

/** What int8 says of a picture: the class of the greatest output, from 0 on, and that output. */
export interface Prediction {
  readonly picture: string;
  readonly class: number;
  readonly score: number;
  /** The float model's class; only where there was one. */
  readonly floatClass?: number;
}

/** What was done to make int8 of a float model. */
export interface Quantization {
  /** Pictures calibrated on. */
  readonly calibrated: number;
  /** int8 against float, worst first. */
  readonly layers: readonly LayerError[];
  /** Pictures that the layers were compared on. */
  readonly compared: number;
  /** Where int8 is far from float: less than 10 dB at the output, or fewer than 90 % of equal answers. */
  readonly warning?: QuantizationWarning;
}

export interface JobResult {
  /** What the job's file held. */
  readonly stage: "float" | "quantized";
  /** The int8 model as an ONNX file in QDQ form. */
  readonly file: Uint8Array;
  /** Of the job's file. */
  readonly bytesGiven: number;
  readonly bytesQuantized: number;
  /** Of the int8 model. */
  readonly inspection: Inspection;
  /** Only of a float file. */
  readonly quantization?: Quantization;
  /** int8, against float where the file was one; only where there were pictures. `top1`, `top5` and
   *  `referenceTop1` mean something only where `isLabelled`. */
  readonly evaluation?: Evaluation;
  readonly isLabelled: boolean;
  /** Of the evaluated pictures, in their order. */
  readonly predictions: readonly Prediction[];
  readonly skipped: readonly Skipped[];
  readonly adapter: AdapterFacts;
}

export interface JobOptions {
  readonly device: Device;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: JobProgress) => void;
  /** How pictures become rows of the model's input. Default: in this thread; a worker has a thread for it. */
  readonly rowOf?: RowMaker;
}

/** Load; of a float model prepare, calibrate, convert; save; evaluate; of a float model compare layers.
 *  Throws what these verbs throw, and the signal's reason; nothing stays allocated on the device. */
export async function runJob(job: QuantizeJob, options: JobOptions): Promise<JobResult> {
  options.signal?.throwIfAborted();
  const model = await load(job.model, options.signal ? { signal: options.signal } : {});
  const run = new JobRun(job, options, model);
  const { calibration, evaluation } = splitPictures(job, model.stage);
  const made = isFloat(model) ? await run.quantize(model, calibration) : undefined;
  const quantized = made?.quantized ?? (model as Model<"quantized">);
  const file = save(quantized);
  const reference = isFloat(model) ? model : undefined;
  // A float model cannot come here without pictures: calibration has refused it.
  const measured =
    evaluation.length > 0 || reference
      ? await run.evaluate(quantized, reference, evaluation)
      : undefined;
  const layers = reference && (await run.compareLayers(reference, quantized, evaluation));
  const warning =
    reference && layers && verdict(reference, layers.layers, measured?.evaluation.agreement);
  return {
    stage: model.stage,
    file,
    bytesGiven: job.model instanceof Blob ? job.model.size : job.model.byteLength,
    bytesQuantized: file.byteLength,
    inspection: inspect(quantized),
    ...(made && layers
      ? {
          quantization: { calibrated: made.calibrated, ...layers, ...(warning ? { warning } : {}) },
        }
      : {}),
    ...(measured ? { evaluation: measured.evaluation } : {}),
    isLabelled: evaluation.length > 0 && evaluation.every(({ label }) => label !== undefined),
    predictions: measured?.predictions ?? [],
    skipped: [...run.skipped.values()],
    adapter: options.device.facts,
  };
}

const isFloat = (model: Model): model is Model<"float"> => model.stage === "float";

/** The steps of one job, with what they share: its pictures, device, signal and progress. */
class JobRun {
  readonly skipped = new Map<string, Skipped>();
  readonly #job: QuantizeJob;
  readonly #options: JobOptions;
  readonly #model: Model<"float" | "quantized">;
  #input: PictureInput | undefined;

  constructor(job: QuantizeJob, options: JobOptions, model: Model<"float" | "quantized">) {
    this.#job = job;
    this.#options = options;
    this.#model = model;
  }

  /** Asked for by the first step that needs pictures: a model that takes none can be saved without. */
  get #pictureInput(): PictureInput {
    return (this.#input ??= pictureInput(this.#model, this.#job.preprocess));
  }

  get #verb(): { readonly device: Device; readonly signal?: AbortSignal } {
    const { device, signal } = this.#options;
    return { device, ...(signal ? { signal } : {}) };
  }

  #stream(pictures: readonly JobPicture[]): PictureStream {
    const { signal, rowOf } = this.#options;
    const { skipped } = this;
    return new PictureStream(pictures, {
      ...this.#pictureInput,
      job: this.#job,
      skipped,
      ...(rowOf ? { rowOf } : {}),
      ...(signal ? { signal } : {}),
    });
  }

  #report(phase: JobPhase, known?: number) {
    const phases = phasesOf[this.#model.stage];
    return ({ samples, total = known ?? samples }: { samples: number; total?: number }) =>
      this.#options.onProgress?.({ phase, phases, done: samples, total });
  }

  async quantize(model: Model<"float">, calibration: readonly JobPicture[]) {
    const pictures = this.#stream(calibration);
    const observed = this.#report("calibrate", pictures.length);
    const corrected = this.#report("correct biases");
    const calibrated = await calibrate(prepare(model), tensorsOf(pictures), {
      ...this.#verb,
      onProgress: (progress) =>
        progress.phase === "observe" ? observed(progress) : corrected(progress),
    });
    return { quantized: convert(calibrated), calibrated: pictures.read };
  }

  async evaluate(
    quantized: Model<"quantized">,
    reference: Model<"float"> | undefined,
    evaluation: readonly JobPicture[],
  ) {
    checkClassifier(quantized);
    const pictures = this.#stream(evaluation);
    const predictions: Prediction[] = [];
    const measured = await evaluateOn(quantized, reference, pictures, {
      ...this.#verb,
      onProgress: this.#report("evaluate", evaluation.length),
      onSample: ({ index, class: own, score, referenceClass }) =>
        predictions.push({
          picture: pictures.names[index] ?? "",
          class: own,
          score,
          ...(referenceClass === undefined ? {} : { floatClass: referenceClass }),
        }),
    });
    return { evaluation: measured, predictions };
  }

  async compareLayers(
    model: Model<"float">,
    quantized: Model<"quantized">,
    evaluation: readonly JobPicture[],
  ) {
    const batch = this.#pictureInput.fixedBatch ?? 1;
    const few = this.#stream(evaluation.slice(0, wholeBatches(this.#job.compared ?? 32, batch)));
    const layers = await compare(model, quantized, tensorsOf(few), {
      ...this.#verb,
      onProgress: this.#report("compare layers", few.length),
    });
    return { layers, compared: few.read };
  }
}

/** `count`, or the next multiple of a fixed batch size. */
function wholeBatches(count: number, batch: number): number {
  return Math.ceil(count / batch) * batch;
}

/** `quantized` on `pictures`, beside `model` where there is one. */
export async function evaluateOn(
  quantized: Model<"quantized">,
  model: Model<"float"> | undefined,
  pictures: PictureStream,
  { device, ...options }: Omit<EvaluateOptions, "reference" | "task"> & { readonly device: Device },
): Promise<Evaluation> {
  using reference = model && (await compile(model, device));
  using session = await compile(quantized, device);
  return await evaluate(session, pictures, { ...options, ...(reference ? { reference } : {}) });
}

/** `evaluate` needs one float output of a row per picture. */
export function checkClassifier(model: Model): void {
  const outputs = Object.entries(model.outputs);
  if (outputs.length === 1 && outputs[0]?.[1].dtype === "float32") return;
  const got = outputs.map(([name, { dtype }]) => `"${name}" ${dtype}`).join(", ");
  throw new InputError(
    `evaluate: the model must have one float32 output; got ${got}. Re-export it with its logits only.`,
  );
}

export async function* tensorsOf(
  pictures: PictureStream,
): AsyncGenerator<Tensors, void, undefined> {
  for await (const { tensors } of pictures) yield tensors;
}
