// calibrate: run a prepared model over data on the GPU and keep statistics, nothing else. First every
// batch through the observers; then, unless told otherwise, a few samples once more to find how far
// quantization shifts each layer's channel means (bias correction).

import { InputError, NonFiniteError } from "./errors.ts";
import type { Graph } from "./graph/graph.ts";
import type { Observe } from "./graph/node.ts";
import type { Device } from "./gpu/device.ts";
import type { Program } from "./gpu/program.ts";
import { checkStage, Model } from "./model.ts";
import type { Calibration } from "./quantize/calibration.ts";
import { buildCorrection } from "./quantize/correct.ts";
import { addBatch, emptyStatistics, type Statistics } from "./quantize/observers.ts";
import { batchSize, hasOpenBatch, joinBatches, Reservoir, type Batches } from "./samples.ts";
import { selfTest } from "./selfTest.ts";
import { Session } from "./session.ts";
import { readSlot, runningRange } from "./statistics.ts";
import type { Tensors } from "./tensor/tensor.ts";

export interface CalibrationProgress {
  readonly phase: "observe" | "correct bias";
  /** Samples done in this phase. */
  readonly samples: number;
  /** Of so many, where known. */
  readonly total?: number;
}

export interface CalibrateOptions {
  readonly device: Device;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: CalibrationProgress) => void;
  /** Samples used to correct biases; false or 0 leaves them alone. Default 32. */
  readonly biasCorrection?: false | number;
  /** Number of samples in `data`, for progress. */
  readonly total?: number;
}

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
  const { fused, assignment } = model.details;
  const { device } = options;
  await selfTest(device);
  const wanted =
    options.biasCorrection === false ? 0 : (options.biasCorrection ?? CORRECTION_SAMPLES);
  const { statistics, samples, kept } = await observe(model.graph, data, wanted, options);
  const correction = kept.length > 0 ? buildCorrection(fused, assignment, statistics) : undefined;
  const biasCorrection = correction
    ? await correctBiases(correction, joinForCorrection(fused, kept), options)
    : new Map<string, Float32Array>();
  const calibration: Calibration = { statistics, biasCorrection, samples };
  return new Model("calibrated", model.graph, { fused, assignment, calibration });
}

async function observe(graph: Graph, data: Batches, wanted: number, options: CalibrateOptions) {
  const { signal, onProgress, total } = options;
  const observers = new Map(
    graph.nodes
      .filter((node): node is Observe => node.op === "Observe")
      .map((node) => [node.name, node]),
  );
  const statistics = new Map<string, Statistics>();
  for (const node of observers.values())
    statistics.set(node.inputs[0] ?? "", emptyStatistics(node.observer));
  let reservoir: Reservoir | undefined;
  let samples = 0;
  let batch = 0;
  let current: Program | undefined;
  using session = new Session(graph, options.device);
  for await (const inputs of data) {
    signal?.throwIfAborted();
    checkFinite(graph, inputs, batch);
    const size = batchSize(graph, inputs);
    reservoir ??= new Reservoir(Math.ceil(wanted / Math.max(1, size)));
    if (wanted > 0) reservoir.add(inputs);
    const program = await session.program(inputs);
    if (program !== current) carryRanges(program, statistics);
    current = program;
    for (const { slot, bytes } of await program.runStates(
      new Map(Object.entries(inputs)),
      signal,
    )) {
      const node = observers.get(slot.node);
      const before = statistics.get(slot.value);
      if (!node || !before) continue;
      const seen = readSlot(node, slot.shape, bytes, batch);
      if (seen) statistics.set(slot.value, addBatch(before, seen));
    }
    samples += size;
    batch++;
    onProgress?.({ phase: "observe", samples, ...(total === undefined ? {} : { total }) });
  }
  if (batch === 0) {
    throw new InputError(
      "calibrate: data must hold at least one batch; got none. Check the data source.",
    );
  }
  return { statistics, samples, kept: reservoir?.kept ?? [] };
}

/** Inputs are looked at here, before a clamp on the GPU can turn a NaN into a number. */
function checkFinite(graph: Graph, inputs: Tensors, batch: number): void {
  for (const name of graph.inputs) {
    const data = inputs[name]?.data;
    if (!(data instanceof Float32Array)) continue;
    const first = data.findIndex((value) => !Number.isFinite(value));
    if (first < 0) continue;
    const count = data.filter((value) => !Number.isFinite(value)).length;
    throw new NonFiniteError("calibrate", name, batch, count, first);
  }
}

/** A program for another batch size starts with the range that the others have seen. */
function carryRanges(program: Program, statistics: ReadonlyMap<string, Statistics>): void {
  for (const slot of program.plan.states) {
    const seen = statistics.get(slot.value);
    if (seen?.kind !== "histogram" || seen.batches === 0) continue;
    const { offset, data } = runningRange(seen.min, seen.max);
    program.writeState(slot, offset, data);
  }
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
    const outputs = await session.run(batch, signal ? { signal } : {});
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
