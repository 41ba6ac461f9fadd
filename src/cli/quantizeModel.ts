// The main job: prepare → calibrate → convert → save, and what it cost layer by layer. `quantize` runs
// it on the user's files, `npm start` on the sample.

import { calibrate } from "../calibrate.ts";
import { compare, type LayerError } from "../compare.ts";
import { convert } from "../convert.ts";
import type { NonFiniteRule } from "../graph/finite.ts";
import type { Device } from "../node.ts";
import { inspect } from "../inspect.ts";
import type { Model } from "../model.ts";
import { prepare, type PrepareOptions } from "../prepare.ts";
import type { Batches } from "../samples.ts";
import { save, type SaveOptions } from "../save.ts";
import { verdict, type QuantizationWarning } from "../verdict.ts";
import type { Context } from "./context.ts";

/** Samples that can be streamed more than once. */
export interface SampleStream {
  readonly total: number;
  open(): Batches;
}

export interface Job {
  readonly model: Model<"float" | "quantized">;
  readonly prepareOptions: PrepareOptions;
  readonly calibration: SampleStream;
  /** Samples that the layers' errors are measured on. */
  readonly probe: SampleStream;
  readonly biasCorrection?: false | number;
  readonly nonFinite?: NonFiniteRule;
  readonly saveOptions?: SaveOptions;
}

export interface JobResult {
  readonly quantized: Model<"quantized">;
  /** The bytes of the ONNX file. */
  readonly file: Uint8Array;
  /** 0 … 1. */
  readonly integerMacShare: number;
  /** Worst first. */
  readonly layers: readonly LayerError[];
  /** Where the result is far from the float model. */
  readonly warning?: QuantizationWarning;
}

/** Quantize a model. Throws what the verbs throw; StageError for a model that is quantized already. */
export async function quantizeModel(
  { model, prepareOptions, calibration, probe, biasCorrection, nonFinite, saveOptions }: Job,
  device: Device,
  { progress, signal }: Context,
): Promise<JobResult> {
  const float = model as Model<"float">; // prepare checks the stage
  const prepared = prepare(float, prepareOptions);
  const calibrated = await calibrate(prepared, calibration.open(), {
    device,
    signal,
    total: calibration.total,
    ...(nonFinite ? { nonFinite } : {}),
    ...(biasCorrection === undefined ? {} : { biasCorrection }),
    onProgress: ({ phase, samples, total }) =>
      progress.report(phase === "observe" ? "calibrate" : phase, samples, total),
  });
  const quantized = convert(calibrated);
  const file = save(quantized, saveOptions);
  const layers = await compare(float, quantized, probe.open(), {
    device,
    signal,
    total: probe.total,
    ...(nonFinite ? { nonFinite } : {}),
    onProgress: ({ samples, total }) => progress.report("compare", samples, total),
  });
  progress.clear();
  const warning = verdict(float, layers);
  return {
    quantized,
    file,
    layers,
    ...(warning ? { warning } : {}),
    integerMacShare: inspect(quantized).integerMacShare,
  };
}
