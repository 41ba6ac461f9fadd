// The result, as data: what JSON files hold and tables print. Times are ms throughout.

import type { AdapterFacts } from "../../src/gpu/device.ts";
import type { Agreement } from "./check.ts";
import type { Outcome } from "./interleave.ts";
import type { Spread } from "./statistics.ts";

export interface ModelRow {
  readonly suite: "models";
  readonly model: string;
  readonly batch: number;
  readonly dtype: "float32" | "int8";
  readonly contestant: string;
  /** Multiply-accumulates of one picture. */
  readonly macs: number;
  readonly outcome: Outcome;
  /** Ours alone, bytes: of GPU buffers at their most, and of the weights (biases left out). */
  readonly memory?: { readonly gpu: number; readonly weights: number };
  /** Ours alone, ms of the calling thread by the clock: encoding one run's commands and submitting them, and copying its
   *  inputs. */
  readonly replay?: Spread;
  readonly upload?: Spread;
  /** Ours alone, ms of the calling thread's processor time: one run's commands encoded and submitted, and their errors
   *  heard of. Inputs and outputs are left out. */
  readonly replayCpu?: Spread;
}

/** An adapter's own limits, measured by the bench's own loops. */
export interface Ceilings {
  /** Multiply-accumulates count twice. */
  readonly floatGops: number;
  readonly integerGops: number;
  /** Bytes read plus bytes written. */
  readonly copyGBs: number;
  /** Every loop that was tried. */
  readonly loops: readonly {
    readonly name: string;
    readonly kind: CeilingKind;
    readonly rate: number;
  }[];
}

/** "rows" is float in the form of a product's innermost block, which some compilers for CPUs do best by far. */
export type CeilingKind = "float" | "rows" | "integer" | "copy";

export interface KernelRow {
  readonly suite: "kernels";
  readonly kernel: string;
  readonly dtype: "float32" | "int8";
  readonly shape: string;
  /** Operations (2 a multiply-accumulate) and least bytes moved, of one run. */
  readonly ops: number;
  readonly bytes: number;
  /** The shaders of one run. */
  readonly shaders: string;
  readonly outcome: Outcome;
  /** Of the ceiling that binds, measured beside it: 1 is all of it. */
  readonly share?: number;
  readonly bound?: "compute" | "copy";
  /** Likewise of the best arithmetic loop but those of kind "rows", which came last: figures from before compare. */
  readonly productShare?: number;
  /** Dispatches of one run. */
  readonly dispatches: number;
}

export interface CalibrationRow {
  readonly suite: "calibration";
  readonly model: string;
  readonly batch: number;
  readonly mode: string;
  /** Per picture, set-up excluded. */
  readonly outcome: Outcome;
  /** Read back after each batch. */
  readonly statisticsBytes: number;
}

export interface TrainingRow {
  readonly suite: "training";
  readonly network: string;
  readonly batch: number;
  readonly contestant: string;
  /** "forward", "step" or "QAT step". */
  readonly way: string;
  /** Of a whole batch, its upload and the loss's readback included. */
  readonly outcome: Outcome;
  /** Before each step, the first included: the same batches for everybody. */
  readonly losses: readonly number[];
  /** Ours alone. */
  readonly dispatches?: number;
}

export interface StartupRow {
  readonly suite: "startup";
  readonly model: string;
  readonly dtype: "float32" | "int8";
  readonly contestant: string;
  readonly status: "ok" | "error";
  readonly reason?: string;
  readonly cold?: StartupTimes;
  readonly warm?: StartupTimes;
  /** Ours alone. */
  readonly pipelines?: number;
  readonly dispatches?: number;
  /** Part of "open", cold. */
  readonly compile?: Spread;
}

/** ms; `first` is load → first result in all. */
export interface StartupTimes {
  readonly open: Spread;
  readonly run: Spread;
  readonly first: Spread;
}

/** A line of a table that has no figure, and why. */
export interface Note {
  readonly suite: string;
  readonly note: string;
  /** Something that was asked for failed. */
  readonly failed?: boolean;
}

export interface Bench {
  readonly adapter: AdapterFacts;
  readonly runtime: string;
  readonly models: readonly ModelRow[];
  readonly kernels: readonly KernelRow[];
  readonly calibration: readonly CalibrationRow[];
  readonly startup: readonly StartupRow[];
  readonly training: readonly TrainingRow[];
  readonly ceilings?: Ceilings;
  readonly notes: readonly Note[];
}

/** The whole file. */
export interface Report extends Bench {
  readonly date: string;
  readonly command: string;
  readonly seed: number;
  readonly machine: {
    readonly platform: string;
    readonly cpu: string;
    readonly cores: number;
    readonly memoryGB: number;
    readonly node: string;
  };
  readonly versions: Readonly<Record<string, string>>;
}

/** The median of an outcome, where its times count. */
export function medianOf(outcome: Outcome): number | undefined {
  return outcome.status === "ok" ? outcome.ms.median : undefined;
}

export function checkOf(outcome: Outcome): Agreement | undefined {
  return outcome.status === "error" ? undefined : outcome.check;
}
