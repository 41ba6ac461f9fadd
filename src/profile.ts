// profile: a session and host tensors → where the time of a run goes, step by step.

import { checkSession } from "./callerChecks.ts";
import { checkInputs } from "./graph/finite.ts";
import { timeSource, type TimeSource } from "./gpu/stepTimes.ts";
import type { RunOptions, Session } from "./session.ts";
import type { Tensors } from "./tensor/tensor.ts";

export interface ProfileOptions extends RunOptions {
  /** Times that every step is measured, at least 1. Default 10. */
  readonly repeats?: number;
}

/** The time of one dispatch. */
export interface StepTime {
  /** The graph node it belongs to. */
  readonly node: string;
  readonly shader: string;
  /** ms. */
  readonly ms: number;
}

export interface Profile {
  /** In the order of the run. */
  readonly steps: readonly StepTime[];
  /** Sum of the steps, ms. */
  readonly total: number;
  /** "timestamp": the GPU's clock around each step, the mean of the repeats. "wall": each step submitted
   *  alone and timed by the host, the least of the repeats, with the cost of a submit in every step. */
  readonly source: TimeSource;
}

const REPEATS = 10;

/** Run `session` once, then time every step on the same data. Steps are kept apart to be timed, so their
 *  sum is more than a run takes: compare steps, and time runs with `run`. Chrome rounds timestamps to
 *  100 µs: a step shorter than that is told only by the mean of many repeats.
 *  Throws InputError where the inputs do not fit, the signal's reason when aborted. */
export async function profile(
  session: Session,
  inputs: Tensors,
  options: ProfileOptions = {},
): Promise<Profile> {
  checkSession("profile", session);
  const { repeats = REPEATS, signal } = options;
  const program = await session.program(inputs);
  checkInputs(session.graph, inputs, { verb: "profile" }, options.nonFinite);
  await program.run(new Map(Object.entries(inputs)), signal);
  const times = await program.timeSteps(Math.max(1, Math.ceil(repeats)), signal);
  const steps = program.plan.steps.map(({ node, shader }, index): StepTime => ({
    node,
    shader,
    ms: times[index] ?? 0,
  }));
  return {
    steps,
    total: steps.reduce((sum, { ms }) => sum + ms, 0),
    source: timeSource(session.device),
  };
}
