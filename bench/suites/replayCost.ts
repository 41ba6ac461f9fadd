// What a run costs the thread that asks for it, in processor time. A clock on the wall also counts what that
// thread waits for a processor, and a software adapter, which the first submit wakes, takes them all: there the
// same submit takes between 0.1 and 4 ms. So runs are encoded and submitted many at a time, with nothing waited for,
// between two looks at the time that the thread has had.

import type { Platform, Runner } from "../core/platform.ts";
import { spreadOf, type Spread } from "../core/statistics.ts";

const ROUNDS = 7;
/** Runs of one round: one look costs the thread as much as several of them. */
const RUNS = 16;
/** Longer runs, ms, are not measured: it would take long, and such a run hides any encoding. */
const LONGEST = 250;

/** ms of one run, round by round; undefined where `runner` or `platform` cannot tell, or where a run takes
 *  `ms`, which is long. `settle` waits until the adapter is done. */
export async function replayCost(
  runner: Runner,
  { threadTime }: Platform,
  ms: number,
  settle: () => Promise<unknown>,
): Promise<Spread | undefined> {
  const { resubmit } = runner;
  if (!resubmit || !threadTime || ms > LONGEST) return undefined;
  const take = async (count: number): Promise<number> => {
    await settle();
    const before = await threadTime();
    await resubmit(count);
    return (await threadTime()) - before;
  };
  const costs: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const look = await take(0);
    costs.push(((await take(RUNS)) - look) / RUNS);
  }
  await settle();
  return spreadOf(costs);
}
