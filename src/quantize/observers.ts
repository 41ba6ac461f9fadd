// Batches → Statistics → Range. An observer is data (ObserverSpec), what it has seen is data, and a
// batch makes new data of it: nothing here is changed in place. The device delivers the batches.

import type { ObserverSpec } from "../graph/observer.ts";
import { movingAverage } from "../graph/qparams.ts";
import { fl } from "../tensor/rounding.ts";
import { mergeHistogram } from "./histogram.ts";
import type { Range } from "./qparams.ts";
import { searchRange } from "./range.ts";

/** One batch of one tensor, for the min/max kinds: length 1, or one per channel. All finite. */
export interface MinMaxBatch {
  readonly min: Float32Array;
  readonly max: Float32Array;
}

/** One batch of one tensor, for the histogram. All numbers are finite f32. */
export interface HistogramBatch {
  /** Of this batch alone. */
  readonly min: number;
  readonly max: number;
  /** The range the counts were taken over: the union of all batches so far, this one included.
   *  Where low = high the bins span [low − 1, high + 1]. */
  readonly low: number;
  readonly high: number;
  /** (bins) */
  readonly counts: Uint32Array;
}

export type BatchStatistics = MinMaxBatch | HistogramBatch;

/** What a min/max observer has seen; min and max are empty before the first batch. */
export interface MinMaxStatistics {
  readonly kind: Exclude<ObserverSpec["kind"], "histogram">;
  readonly batches: number;
  readonly min: Float32Array;
  readonly max: Float32Array;
  /** f32; 1 for the kinds that do not average. */
  readonly averagingConstant: number;
}

/** What a histogram observer has seen. `counts` (bins) is f32: a merge splits counts, (15). */
export interface HistogramStatistics {
  readonly kind: "histogram";
  readonly batches: number;
  readonly min: number;
  readonly max: number;
  readonly counts: Float32Array;
}

/** Structured-cloneable: it may go to a worker or into IndexedDB as it is. */
export type Statistics = MinMaxStatistics | HistogramStatistics;

/** Statistics of an observer that has seen nothing. */
export function emptyStatistics(spec: ObserverSpec): Statistics {
  if (spec.kind === "histogram") {
    const counts = new Float32Array(spec.bins ?? 2048);
    return { kind: spec.kind, batches: 0, min: Infinity, max: -Infinity, counts };
  }
  const averagingConstant =
    spec.kind === "movingAverageMinMax" || spec.kind === "movingAveragePerChannelMinMax"
      ? fl(spec.averagingConstant ?? 0.01)
      : 1;
  const nothing = { min: new Float32Array(0), max: new Float32Array(0) };
  return { kind: spec.kind, batches: 0, ...nothing, averagingConstant };
}

/** `statistics` with one more batch; the order of batches matters to (11) and (15). */
export function addBatch(statistics: Statistics, batch: BatchStatistics): Statistics {
  if (statistics.kind === "histogram") {
    if (!("counts" in batch)) throw mismatch("a batch without counts reached a histogram");
    return addHistogram(statistics, batch);
  }
  if ("counts" in batch) throw mismatch(`a histogram reached a ${statistics.kind} observer`);
  return addMinMax(statistics, batch);
}

/** The range to quantize: what was seen, or for a histogram the part of it that (16) keeps.
 *  Before the first batch: Infinity … −Infinity, one entry. */
export function rangeOfStatistics(statistics: Statistics): Range {
  if (statistics.batches === 0) {
    return { min: Float32Array.of(Infinity), max: Float32Array.of(-Infinity) };
  }
  if (statistics.kind !== "histogram") return { min: statistics.min, max: statistics.max };
  const [min, max] = searchRange(statistics.counts, statistics.min, statistics.max);
  return { min: Float32Array.of(min), max: Float32Array.of(max) };
}

function addMinMax(statistics: MinMaxStatistics, batch: MinMaxBatch): MinMaxStatistics {
  const batches = statistics.batches + 1;
  if (statistics.batches === 0) return { ...statistics, batches, ...batch };
  if (batch.min.length !== statistics.min.length || batch.max.length !== statistics.max.length) {
    throw mismatch(`${batch.min.length} channels follow ${statistics.min.length}`);
  }
  switch (statistics.kind) {
    case "minMax":
    case "perChannelMinMax":
      return {
        ...statistics,
        batches,
        min: zip(statistics.min, batch.min, Math.min),
        max: zip(statistics.max, batch.max, Math.max),
      };
    case "movingAverageMinMax":
    case "movingAveragePerChannelMinMax": {
      const c = statistics.averagingConstant;
      const move = (m: number, cur: number): number => movingAverage(m, cur, c);
      return {
        ...statistics,
        batches,
        min: zip(statistics.min, batch.min, move),
        max: zip(statistics.max, batch.max, move),
      };
    }
    default:
      return statistics.kind satisfies never;
  }
}

function addHistogram(statistics: HistogramStatistics, batch: HistogramBatch): HistogramStatistics {
  const { min, max, counts } = statistics;
  const low = Math.min(min, batch.min);
  const high = Math.max(max, batch.max);
  if (batch.low !== low || batch.high !== high || batch.counts.length !== counts.length) {
    throw mismatch(
      `${batch.counts.length} bins over ${batch.low} … ${batch.high} came where ` +
        `${counts.length} over ${low} … ${high} were due`,
    );
  }
  const added = Float32Array.from(batch.counts);
  return {
    kind: "histogram",
    batches: statistics.batches + 1,
    min: low,
    max: high,
    counts: statistics.batches === 0 ? added : mergeHistogram(counts, min, max, added, low, high),
  };
}

function zip(
  left: Float32Array,
  right: Float32Array,
  combine: (a: number, b: number) => number,
): Float32Array {
  return left.map((value, i) => combine(value, right[i] ?? NaN));
}

function mismatch(problem: string): Error {
  return new Error(`calibrate: ${problem}; please report.`);
}
