// calibrate: run a prepared model over data on the GPU and keep statistics, nothing else. First every
// batch through the observers; then, unless told otherwise, a few samples once more to find how far
// quantization shifts each layer's channel means (bias correction).

import { checkBatches, checkDeviceOption } from "./callerChecks.ts";
import type { Graph } from "./graph/graph.ts";
import type { CalibrateOptions, CalibrationProgress } from "./calibrateOptions.ts";
import { checkStage, Model } from "./model.ts";
import type { Calibration } from "./quantize/calibration.ts";
import { observe } from "./observe.ts";
import { keepFineValues } from "./quantize/fineValues.ts";
import { buildCorrection } from "./quantize/correct.ts";
import { batchSize, hasOpenBatch, joinBatches, type Batches } from "./samples.ts";
import { selfTest } from "./selfTest.ts";
import { Session } from "./session.ts";
import type { Tensors } from "./tensor/tensor.ts";

export type { CalibrateOptions, CalibrationProgress };

const CORRECTION_SAMPLES = 32;
/** Samples that the correction graph takes at a time, where the model's batch size is open. */
const CORRECTION_BATCH = 8;

/** Collect statistics of `data`, batches of the model's inputs. GPU memory does not grow with their
 *  number. Throws NonFiniteError naming tensor and batch, InputError for empty data, the signal's
 *  reason when aborted; nothing stays allocated. */
export async function calibrate(
  model: Model<"prepared">,
  data: Batches,
  options: CalibrateOptions,
): Promise<Model<"calibrated">> {
  checkStage("calibrate", model, ["prepared"], "Run prepare first.");
  checkBatches("calibrate", data);
  checkDeviceOption("calibrate", options);
  const { fused, asked } = model.details;
  const { device } = options;
  await selfTest(device);
  const wanted =
    options.biasCorrection === false ? 0 : (options.biasCorrection ?? CORRECTION_SAMPLES);
  const { statistics, samples, kept } = await observe(model.graph, data, wanted, options);
  const { assignment, left } = keepFineValues(fused, model.details.assignment, statistics, asked);
  const correction = kept.length > 0 ? buildCorrection(fused, assignment, statistics) : undefined;
  const biasCorrection = correction
    ? await correctBiases(correction, joinForCorrection(fused, kept), options)
    : new Map<string, Float32Array>();
  const calibration: Calibration = { statistics, biasCorrection, samples };
  return new Model("calibrated", model.graph, { fused, assignment, calibration, left });
}

/** Kept batches in groups of about CORRECTION_BATCH samples, where the model takes any number. */
function joinForCorrection(graph: Graph, kept: readonly Tensors[]): Tensors[] {
  const size = batchSize(graph, kept[0] ?? {});
  const perGroup = Math.floor(CORRECTION_BATCH / size);
  if (!hasOpenBatch(graph) || perGroup <= 1) return [...kept];
  const groups: Tensors[] = [];
  for (let at = 0; at < kept.length; at += perGroup)
    groups.push(joinBatches(kept.slice(at, at + perGroup)));
  return groups;
}

/** Mean shift per layer and channel over `batches`, weighted by their samples. */
async function correctBiases(
  { graph, layers }: { graph: Graph; layers: ReadonlyMap<string, string> },
  batches: readonly Tensors[],
  { device, signal, onProgress }: CalibrateOptions,
): Promise<Map<string, Float32Array>> {
  const total = batches.reduce((sum, batch) => sum + batchSize(graph, batch), 0);
  const sums = new Map<string, Float64Array>();
  let samples = 0;
  using session = new Session(graph, device);
  for (const batch of batches) {
    const size = batchSize(graph, batch);
    // Their inputs were looked at when they were observed.
    const outputs = await session.run(batch, {
      nonFinite: "allow",
      ...(signal ? { signal } : {}),
    });
    for (const [output, node] of layers) {
      const delta = outputs[output]?.data as Float32Array;
      const sum = sums.get(node) ?? new Float64Array(delta.length);
      sums.set(
        node,
        sum.map((value, c) => value + (delta[c] ?? 0) * size),
      );
    }
    samples += size;
    onProgress?.({ phase: "correct bias", samples, total });
  }
  return new Map(
    [...sums].map(([node, sum]) => [node, Float32Array.from(sum, (value) => value / total)]),
  );
}
