// Learning rates over time, as pure functions of the number of updates done. A schedule multiplies the optimizer's
// learning rate and those of its groups, as torch.optim.lr_scheduler does: docs/quantization.md (84).

import { InputError } from "../errors.ts";

interface WarmUp {
  /** Before the schedule: from this part of the learning rate, in a straight line, to all of it, in so many updates;
   *  the schedule begins after them. torch's LinearLR, then SequentialLR. */
  readonly warmUp?: { readonly updates: number; readonly from?: number };
}

export type Schedule = WarmUp &
  (
    | { readonly kind: "constant" }
    /** Times gamma every so many updates: StepLR. */
    | { readonly kind: "step"; readonly every: number; readonly gamma: number }
    /** Times gamma at each of these numbers of updates: MultiStepLR. */
    | { readonly kind: "milestones"; readonly at: readonly number[]; readonly gamma: number }
    /** Half a cosine from 1 down to `minimum`, 0 unless told, over `updates`, all that remain unless told; then
     *  it stays there. CosineAnnealingLR, Loshchilov and Hutter, arXiv 1608.03983, (5). */
    | { readonly kind: "cosine"; readonly updates?: number; readonly minimum?: number }
  );

/** Throws InputError where a number is out of its range. */
export function validateSchedule(schedule: Schedule): void {
  const { kind, warmUp } = schedule;
  const isCount = (value: number) => Number.isInteger(value) && value > 0;
  const isPart = (value: number) => value >= 0 && value <= 1;
  const isFactor = (value: number) => value > 0 && Number.isFinite(value);
  const check = (
    what: string,
    value: number | undefined,
    isRight: (value: number) => boolean,
    range: string,
  ) => {
    if (value === undefined || isRight(value)) return;
    throw new InputError(`schedule "${kind}": ${what} must be ${range}; got ${value}. Change it.`);
  };
  check("warmUp.updates", warmUp?.updates, isCount, "a whole number above 0");
  check("warmUp.from", warmUp?.from, isPart, "in 0 … 1");
  if (schedule.kind === "step") {
    check("every", schedule.every, isCount, "a whole number above 0");
    check("gamma", schedule.gamma, isFactor, "more than 0");
  }
  if (schedule.kind === "milestones") {
    for (const at of schedule.at) check("at", at, isCount, "whole numbers above 0");
    check("gamma", schedule.gamma, isFactor, "more than 0");
  }
  if (schedule.kind === "cosine") {
    check("updates", schedule.updates, isCount, "a whole number above 0");
    check("minimum", schedule.minimum, isPart, "in 0 … 1");
  }
}

/** What the learning rate is multiplied by in the update after `done` of them, of `total`; Infinity where that is not
 *  known. Throws InputError for a cosine that then has no end. */
export function scheduleFactor(schedule: Schedule, done: number, total: number): number {
  const { updates: warm = 0, from = 1 / 3 } = schedule.warmUp ?? {};
  if (done < warm) return from + ((1 - from) * done) / warm;
  const since = done - warm;
  switch (schedule.kind) {
    case "constant":
      return 1;
    case "step":
      return schedule.gamma ** Math.floor(since / schedule.every);
    case "milestones":
      return schedule.gamma ** schedule.at.filter((at) => since >= at).length;
    case "cosine": {
      const { minimum = 0, updates = Math.max(1, total - warm) } = schedule;
      if (updates === Infinity)
        throw new InputError(
          'schedule "cosine": updates must be given where the length of the data is not known; got none. ' +
            "Give a number, or data with a length.",
        );
      const turn = Math.min(since / updates, 1) * Math.PI;
      return minimum + ((1 - minimum) * (1 + Math.cos(turn))) / 2;
    }
    default:
      return schedule satisfies never;
  }
}
