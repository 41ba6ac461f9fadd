// The main job in one call: a float ONNX file and pictures → an int8 file and what it cost. One idea:
// job and result are plain data, so that both travel to a worker and back (worker.ts).

import { calibrate } from "./calibrate.ts";
import { compare, type LayerError } from "./compare.ts";
import { compile } from "./compile.ts";
import { convert } from "./convert.ts";
import { InputError } from "./errors.ts";
import { evaluate, type EvaluateOptions, type Evaluation } from "./evaluate.ts";
import type { AdapterFacts, Device } from "./gpu/device.ts";
import { inspect, type Inspection } from "./inspect.ts";
import { pictureInput, PictureStream, type JobPicture, type Skipped } from "./jobPictures.ts";
import { load } from "./load.ts";
import { checkStage, type Model } from "./model.ts";
import type { Preprocess } from "./pictures.ts";
import { prepare } from "./prepare.ts";
import { save } from "./save.ts";
import type { Tensors } from "./tensor/tensor.ts";

/** What to quantize, and on what. All of it can be cloned or transferred to a worker. */
export interface QuantizeJob {
  /** A float ONNX file that takes pictures, [batch, 3, height, width]. */
  readonly model: Uint8Array | Blob;
  readonly calibration: readonly JobPicture[];
  /** Pictures that float and int8 are compared on. Top-1 needs a label on each. */
  readonly evaluation: readonly JobPicture[];
  readonly preprocess: Preprocess;
  /** Pictures that run at a time, where the model's batch size is open. Default 1. */
  readonly batch?: number;
  /** Of `evaluation`, so many pictures are used to compare layers. Default 32. */
  readonly compared?: number;
}

export type JobPhase = "calibrate" | "correct biases" | "evaluate" | "compare layers";

/** The phases in their order. */
export const jobPhases: readonly JobPhase[] = [
  "calibrate",
  "correct biases",
  "evaluate",
  "compare layers",
];

export interface JobProgress {
  readonly phase: JobPhase;
  /** Pictures done in this phase, of `total`; skipped ones are never done. */
  readonly done: number;
  readonly total: number;
}

export interface JobResult {
  /** The int8 model as an ONNX file in QDQ form. */
  readonly file: Uint8Array;
  readonly bytesFloat: number;
  readonly bytesQuantized: number;
  /** Pictures calibrated on. */
  readonly calibrated: number;
  /** int8 against float; `top1`, `top5`, `referenceTop1` mean something only where `isLabelled`. */
  readonly evaluation: Evaluation;
  readonly isLabelled: boolean;
  /** Of the int8 model. */
  readonly inspection: Inspection;
  /** Worst first. */
  readonly layers: readonly LayerError[];
  /** Pictures that the layers were compared on. */
  readonly compared: number;
  readonly skipped: readonly Skipped[];
  readonly adapter: AdapterFacts;
}

export interface JobOptions {
  readonly device: Device;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: JobProgress) => void;
}

/** Load, prepare, calibrate, convert, evaluate float against int8, compare layers, save.
 *  Throws what these verbs throw, and the signal's reason; nothing stays allocated on the device. */
export async function runJob(job: QuantizeJob, options: JobOptions): Promise<JobResult> {
  const { device, signal, onProgress } = options;
  const model = await load(job.model);
  checkStage("quantize", model, ["float"], "This file is quantized already: take the float one.");
  const input = pictureInput(model);
  const skipped = new Map<string, Skipped>();
  const stream = (pictures: readonly JobPicture[]) =>
    new PictureStream(pictures, { ...input, job, skipped, ...(signal ? { signal } : {}) });
  const report =
    (phase: JobPhase, known?: number) =>
    ({ samples, total = known ?? samples }: { samples: number; total?: number }) =>
      onProgress?.({ phase, done: samples, total });
  const verb = { device, ...(signal ? { signal } : {}) };

  const pictures = stream(job.calibration);
  const observed = report("calibrate", pictures.length);
  const corrected = report("correct biases");
  const calibrated = await calibrate(prepare(model), tensorsOf(pictures), {
    ...verb,
    onProgress: (progress) =>
      progress.phase === "observe" ? observed(progress) : corrected(progress),
  });
  const quantized = convert(calibrated);
  const file = save(quantized);
  checkClassifier(quantized);
  const evaluation = await evaluateBoth(model, quantized, stream(job.evaluation), {
    ...verb,
    onProgress: report("evaluate", job.evaluation.length),
  });
  const few = stream(
    job.evaluation.slice(0, wholeBatches(job.compared ?? 32, input.fixedBatch ?? 1)),
  );
  const layers = await compare(model, quantized, tensorsOf(few), {
    ...verb,
    onProgress: report("compare layers", few.length),
  });
  return {
    file,
    bytesFloat: job.model instanceof Blob ? job.model.size : job.model.byteLength,
    bytesQuantized: file.byteLength,
    calibrated: pictures.read,
    evaluation,
    isLabelled: job.evaluation.every(({ label }) => label !== undefined),
    inspection: inspect(quantized),
    layers,
    compared: few.read,
    skipped: [...skipped.values()],
    adapter: device.facts,
  };
}

/** `count`, or the next multiple of a fixed batch size. */
function wholeBatches(count: number, batch: number): number {
  return Math.ceil(count / batch) * batch;
}

async function evaluateBoth(
  model: Model<"float">,
  quantized: Model<"quantized">,
  pictures: PictureStream,
  { device, ...options }: Omit<EvaluateOptions, "reference"> & { readonly device: Device },
): Promise<Evaluation> {
  using reference = await compile(model, device);
  using session = await compile(quantized, device);
  return await evaluate(session, pictures, { ...options, reference });
}

/** `evaluate` needs one float output of a row per picture. */
function checkClassifier(model: Model): void {
  const outputs = Object.entries(model.outputs);
  if (outputs.length === 1 && outputs[0]?.[1].dtype === "float32") return;
  const got = outputs.map(([name, { dtype }]) => `"${name}" ${dtype}`).join(", ");
  throw new InputError(
    `quantize: the model must have one float32 output; got ${got}. Re-export it with its logits only.`,
  );
}

async function* tensorsOf(pictures: PictureStream): AsyncGenerator<Tensors, void, undefined> {
  for await (const { tensors } of pictures) yield tensors;
}
