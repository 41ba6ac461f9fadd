// Contestants take turns: in every round each gets the same fresh input, and the order moves on by one,
// so that a slow minute of the machine falls on all of them. The first round warms up and is where
// outputs are checked; one that is wrong there runs no further, and no time of its is reported.

import type { Agreement } from "./check.ts";
import { spreadOf, type Spread } from "./statistics.ts";

/** One who can be timed. `In` is a round's input, `Out` what a run gives. */
export interface Contestant<In, Out> {
  readonly name: string;
  run(input: In): Promise<Out>;
  /** Judge the warm-up's output; absent for what has none, such as a ceiling. */
  check?(output: Out, input: In): Agreement | Promise<Agreement>;
  /** ms of `run`, where it knows better than the wall clock around it. */
  timeOf?(output: Out, wall: number): number;
}

export type Outcome =
  | {
      readonly name: string;
      readonly status: "ok";
      readonly ms: Spread;
      readonly check?: Agreement;
    }
  | { readonly name: string; readonly status: "mismatch"; readonly check: Agreement }
  | { readonly name: string; readonly status: "error"; readonly reason: string };

export interface Rounds<In> {
  readonly rounds: number;
  /** A fresh input; called once a round. */
  draw(): In;
  /** Told of each warm-up: who, what it took (ms), and how the check came out. */
  onWarm?(name: string, ms: number, check: Agreement | undefined): void;
}

/** A run slower than this, ms, is repeated SLOW_ROUNDS times at most. */
const SLOW = 5000;
const SLOW_ROUNDS = 3;

export const reasonOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).slice(0, 300);

/** Run them all. One outcome a contestant, in their order. */
export async function interleave<In, Out>(
  contestants: readonly Contestant<In, Out>[],
  { rounds, draw, onWarm }: Rounds<In>,
): Promise<Outcome[]> {
  const times = new Map<string, number[]>();
  const failed = new Map<string, Outcome>();
  const checks = new Map<string, Agreement>();
  const timed = async (contestant: Contestant<In, Out>, input: In) => {
    const start = performance.now();
    const output = await contestant.run(input);
    const wall = performance.now() - start;
    return { output, ms: contestant.timeOf?.(output, wall) ?? wall };
  };
  const warm = async (contestant: Contestant<In, Out>, input: In) => {
    const { name } = contestant;
    const { output, ms } = await timed(contestant, input);
    const check = await contestant.check?.(output, input);
    if (check) checks.set(name, check);
    onWarm?.(name, ms, check);
    if (check && !check.agrees) failed.set(name, { name, status: "mismatch", check });
  };
  for (let round = 0; round <= rounds; round++) {
    const input = draw();
    for (let turn = 0; turn < contestants.length; turn++) {
      const contestant = contestants[(turn + round) % contestants.length];
      if (!contestant || failed.has(contestant.name)) continue;
      const { name } = contestant;
      const own = times.get(name) ?? [];
      if (own.length >= SLOW_ROUNDS && Math.min(...own) > SLOW) continue;
      try {
        if (round === 0) await warm(contestant, input);
        else times.set(name, [...own, (await timed(contestant, input)).ms]);
      } catch (error) {
        failed.set(name, { name, status: "error", reason: reasonOf(error) });
      }
    }
  }
  return contestants.map(({ name }) => {
    const check = checks.get(name);
    return (
      failed.get(name) ?? {
        name,
        status: "ok",
        ms: spreadOf(times.get(name) ?? []),
        ...(check ? { check } : {}),
      }
    );
  });
}
