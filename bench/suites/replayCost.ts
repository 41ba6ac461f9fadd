// What a run costs the thread that asks for it, in processor time: encoding, submitting and hearing of errors. A clock on
// the wall also counts what that thread waits for a processor, and a software adapter, which the first submit wakes, takes
// them all: there the same submit takes between 0.1 and 4 ms. So runs are submitted one by one but not waited for, many
// between two looks at the time that the thread has had, and the adapter is done with them before the next look.

import type { Platform, Runner } from "../core/platform.ts";
import { spreadOf, type Spread } from "../core/statistics.ts";

const ROUNDS = 7;
/** Runs of one round at most, and at least: one look costs the thread as much as several of them. */
const RUNS = { most: 16, least: 4 };
/** ms of all rounds: longer runs get fewer a round. */
const LONG = 20_000;

/** ms of one run, round by round; undefined where `runner` or `platform` cannot tell, or where a run takes
 *  `ms`, which is too long for all rounds. */
export async function replayCost(
  { resubmit, idle }: Runner,
  { threadTime }: Platform,
  ms: number,
): Promise<Spread | undefined> {
  const runs = Math.min(RUNS.most, Math.floor(LONG / (ROUNDS * ms)));
  if (!resubmit || !idle || !threadTime || runs < RUNS.least) return undefined;
  const take = async (count: number): Promise<number> => {
    const before = await threadTime();
    for (let run = 0; run < count; run++) await resubmit();
    const after = await threadTime();
    await idle();
    return after - before;
  };
  await idle();
  const costs: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const look = await take(0);
    costs.push(((await take(runs)) - look) / runs);
  }
  return spreadOf(costs);
}
