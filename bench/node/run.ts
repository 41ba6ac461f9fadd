// All suites in this process.

import { reasonOf } from "../core/interleave.ts";
import type { BenchOptions } from "../core/options.ts";
import type { Platform } from "../core/platform.ts";
import type { Bench, StartupRow } from "../core/rows.ts";
import { isWanted } from "../suites/adapter.ts";
import { firstModel, runSuites, type Files } from "../suites/run.ts";
import { startsHere, startupRow } from "../suites/startup.ts";

export async function runInNode(
  platform: Platform,
  options: BenchOptions,
  files: Files,
): Promise<Bench> {
  // First of all, while the process is fresh.
  const startup = options.suites.includes("startup")
    ? await startUps(platform, options, files)
    : [];
  return { ...(await runSuites(platform, options, files)), startup };
}

async function startUps(
  platform: Platform,
  options: BenchOptions,
  files: Files,
): Promise<StartupRow[]> {
  const { title, float, int8 } = await firstModel(files, platform, options);
  const rows: StartupRow[] = [];
  for (const runtime of platform.runtimes) {
    if (!isWanted(options, runtime.name)) continue;
    for (const dtype of runtime.takes) {
      const file = dtype === "int8" ? int8 : float;
      if (!file) continue;
      const who = { model: title, dtype, contestant: runtime.name };
      try {
        const rounds = Math.min(3, options.rounds);
        rows.push(startupRow(who, await startsHere(runtime, file, rounds, platform)));
      } catch (error) {
        rows.push({ suite: "startup", ...who, status: "error", reason: reasonOf(error) });
      }
    }
  }
  return rows;
}
