// Load → first result: a file's bytes are there, nothing else is. "open" is device, load and compile;
// "run" the first inference. Warm is the same once more in the same process: what the runtime, the
// browser and the driver have kept then helps.

import { load } from "../../src/index.ts";
import { onlyOutput } from "../core/check.ts";
import type { Counts, Platform, Precision, Runtime } from "../core/platform.ts";
import { random } from "../core/random.ts";
import type { StartupRow, StartupTimes } from "../core/rows.ts";
import { spreadOf } from "../core/statistics.ts";
import { drawInputs } from "../models/models.ts";

/** ms. */
export interface Start {
  readonly open: number;
  readonly run: number;
}

/** Two starts in one place, and what the runtime says of its work. */
export interface Starts {
  readonly cold: Start;
  readonly warm: Start;
  readonly counts?: Counts;
}

async function start(runtime: Runtime, file: Uint8Array, seed: number) {
  const { graph } = await load(file);
  const input = drawInputs(graph, 1, random(seed));
  const begin = performance.now();
  const runner = await runtime.open(file, 1);
  try {
    const opened = performance.now();
    const { data } = onlyOutput(await runner.run(input), runtime.name);
    const end = performance.now();
    if (!(data as Float32Array).every(Number.isFinite))
      throw new Error(`bench: the first result of ${runtime.name} is not finite.`);
    return { times: { open: opened - begin, run: end - opened }, counts: runner.counts };
  } finally {
    await runner.dispose();
  }
}

export async function coldAndWarm(
  runtime: Runtime,
  file: Uint8Array,
  seed: number,
): Promise<Starts> {
  const cold = await start(runtime, file, seed);
  const warm = await start(runtime, file, seed + 1);
  const { counts } = cold;
  return { cold: cold.times, warm: warm.times, ...(counts ? { counts } : {}) };
}

const timesOf = (starts: readonly Start[]): StartupTimes => ({
  open: spreadOf(starts.map(({ open }) => open)),
  run: spreadOf(starts.map(({ run }) => run)),
  first: spreadOf(starts.map(({ open, run }) => open + run)),
});

/** One row of all starts of one contestant. */
export function startupRow(
  who: { readonly model: string; readonly dtype: Precision; readonly contestant: string },
  starts: readonly Starts[],
): StartupRow {
  const counts = starts.flatMap(({ counts }) => counts ?? []);
  const [first] = counts;
  return {
    suite: "startup",
    ...who,
    status: "ok",
    cold: timesOf(starts.map(({ cold }) => cold)),
    warm: timesOf(starts.map(({ warm }) => warm)),
    ...(first
      ? {
          pipelines: first.pipelines,
          dispatches: first.dispatches,
          compile: spreadOf(counts.map(({ compileMs }) => compileMs)),
        }
      : {}),
  };
}

/** In this process: "cold" is a new device here, since a process cannot be fresh twice. */
export async function startsHere(
  runtime: Runtime,
  file: Uint8Array,
  rounds: number,
  platform: Platform,
): Promise<Starts[]> {
  const starts: Starts[] = [];
  for (let round = 0; round < rounds; round++) {
    starts.push(await coldAndWarm(runtime, file, round + 1));
    platform.say(`startup: ${runtime.name} ${round + 1} of ${rounds}`);
  }
  return starts;
}
