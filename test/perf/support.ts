// The bench in headless Chromium, as tests use it: the same page, driver and rows as `npm run bench`.

import { BrowserBench } from "../../bench/browser/driver.ts";
import { parseOptions, type BenchOptions } from "../../bench/core/options.ts";
import { printBench } from "../../bench/core/print.ts";
import { medianOf, type Bench } from "../../bench/core/rows.ts";
import type { Outcome } from "../../bench/core/interleave.ts";
import { buildModules } from "../support/build.ts";
import { findChromium } from "../support/chromium.ts";

interface Peers {
  buildPeers(outDir: string): Promise<void>;
}

async function buildPeers(outDir: string): Promise<void> {
  const script = new URL("../../scripts/peers.mjs", import.meta.url).href;
  await ((await import(script)) as Peers).buildPeers(outDir);
}

/** Run the bench with what somebody might type, and print its tables. */
export async function runBench(...words: readonly string[]): Promise<Bench> {
  await using built = await buildModules({ page: "bench/browser/page.ts" });
  await buildPeers(built.folder);
  const settings = {
    chromium: await findChromium(),
    pageFolder: built.folder,
    say: (line: string) => process.stderr.write(`${line}\n`),
  };
  await using browser = await BrowserBench.open(settings, {});
  const bench = await browser.run(parseOptions(words) as BenchOptions);
  console.log(printBench(bench));
  return bench;
}

/** The median, or an error that says why there is none. */
export function figureOf(who: string, outcome: Outcome | undefined): number {
  if (outcome === undefined) throw new Error(`${who} did not take part`);
  const ms = medianOf(outcome);
  if (ms !== undefined) return ms;
  const why = outcome.status === "error" ? outcome.reason : "its output is wrong";
  throw new Error(`${who} has no time: ${why}`);
}
