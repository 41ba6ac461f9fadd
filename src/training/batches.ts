// The batches of an epoch. One idea: what comes where is a pure function of (seed, epoch), so training goes on from
// two counters, epoch and position, and needs no stored order. Every sample has random numbers of its own, from its
// place, so augmentation does not depend on where training began.

import { InputError } from "../errors.ts";
import { Random, shuffled } from "./random.ts";
import {
  stackSamples,
  type IndexedData,
  type TrainingBatch,
  type TrainingData,
  type TrainingSample,
} from "./samples.ts";

export interface BatchingOptions {
  readonly batchSize: number;
  /** A whole number, 0 … 2⁵³ − 1. */
  readonly seed: number;
  /** From 0 on. */
  readonly epoch: number;
  /** Batches of this epoch that are done: where to go on; 0 unless told. */
  readonly position?: number;
  /** False keeps the order of the data. A number is the size of the buffer that samples of a stream are drawn from,
   *  1,000 unless told: they come about so far from their place. */
  readonly shuffle?: boolean | number;
  /** Leave out the last samples of an epoch that fill no batch, or give them as a smaller one; true unless told. */
  readonly dropLast?: boolean;
  /** What a sample becomes before it is stacked. */
  readonly augment?: (
    sample: TrainingSample,
    random: Random,
  ) => TrainingSample | Promise<TrainingSample>;
  /** Looked at before every batch; its reason is thrown. */
  readonly signal?: AbortSignal;
}

const BUFFER = 1000;

/** What random numbers are for: each its own sequence. */
const ORDER = 1;
const AUGMENT = 2;

export const isIndexed = (data: TrainingData): data is IndexedData =>
  typeof data === "object" && "get" in data && "length" in data;

/** The order of an epoch. */
export function epochOrder(length: number, seed: number, epoch: number): Uint32Array {
  return shuffled(length, Random.of(seed, ORDER, epoch));
}

/** Batches in an epoch over `length` samples. */
export function batchesPerEpoch(length: number, batchSize: number, dropLast = true): number {
  return dropLast ? Math.floor(length / batchSize) : Math.ceil(length / batchSize);
}

/** A sample at its place in the epoch. `sample` is not asked for before it is needed. */
interface Placed {
  readonly place: number;
  readonly sample: () => TrainingSample | Promise<TrainingSample>;
}

function* inOrder(data: IndexedData, options: BatchingOptions, from: number): Generator<Placed> {
  const { seed, epoch, shuffle = true } = options;
  const order = shuffle === false ? undefined : epochOrder(data.length, seed, epoch);
  for (let place = from; place < data.length; place++)
    yield { place, sample: () => data.get(order?.[place] ?? place) };
}

/** Samples of a stream, drawn from a buffer. What was before `from` is drawn again and dropped, so that the buffer
 *  holds what it held. */
async function* drawn(
  data: Exclude<TrainingData, IndexedData>,
  options: BatchingOptions,
  from: number,
): AsyncGenerator<Placed> {
  const { seed, epoch, shuffle = true } = options;
  const size = shuffle === false ? 1 : shuffle === true ? BUFFER : shuffle;
  const random = Random.of(seed, ORDER, epoch);
  const buffer: TrainingSample[] = [];
  let place = 0;
  const draw = (): Placed => {
    const at = random.below(buffer.length);
    const chosen = buffer[at];
    const last = buffer.pop();
    if (chosen === undefined || last === undefined)
      throw new Error("batches: an empty buffer; please report.");
    if (at < buffer.length) buffer[at] = last;
    return { place: place++, sample: () => chosen };
  };
  for await (const sample of typeof data === "function" ? data() : data) {
    buffer.push(sample);
    if (buffer.length < size) continue;
    const next = draw();
    if (next.place >= from) yield next;
  }
  while (buffer.length > 0) {
    const next = draw();
    if (next.place >= from) yield next;
  }
}

function check({ batchSize, seed, epoch, position = 0, shuffle }: BatchingOptions): void {
  const natural = (what: string, value: number, least: number) => {
    if (Number.isSafeInteger(value) && value >= least) return;
    throw new InputError(
      `batches: ${what} must be a whole number from ${least} on; got ${value}. Change it.`,
    );
  };
  natural("batchSize", batchSize, 1);
  natural("seed", seed, 0);
  natural("epoch", epoch, 0);
  natural("position", position, 0);
  if (typeof shuffle === "number") natural("shuffle", shuffle, 1);
}

/**
 * The batches of one epoch, from `position` on.
 * @throws InputError for samples that do not stack, and for data without a single batch.
 */
export async function* epochBatches(
  data: TrainingData,
  options: BatchingOptions,
): AsyncGenerator<TrainingBatch> {
  check(options);
  const { batchSize, seed, epoch, position = 0, dropLast = true, augment, signal } = options;
  const from = position * batchSize;
  const source = isIndexed(data) ? inOrder(data, options, from) : drawn(data, options, from);
  let batch: TrainingSample[] = [];
  let [given, seen] = [position, from];
  signal?.throwIfAborted();
  for await (const { place, sample } of source) {
    seen++;
    const plain = await sample();
    batch.push(augment ? await augment(plain, Random.of(seed, AUGMENT, epoch, place)) : plain);
    if (batch.length < batchSize) continue;
    yield stackSamples(batch);
    given++;
    batch = [];
    signal?.throwIfAborted();
  }
  if (batch.length > 0 && !dropLast) {
    yield stackSamples(batch);
    given++;
  }
  if (given > 0) return;
  const isUsedUp = !isIndexed(data) && typeof data !== "function" && epoch > 0 && seen === from;
  throw new InputError(
    `data: an epoch must have at least one batch of ${batchSize}; got ${seen} samples in epoch ${epoch}. ` +
      (isUsedUp
        ? "Pass a function that starts the stream anew: a generator is read once."
        : "Give more samples, or a smaller batchSize."),
  );
}
