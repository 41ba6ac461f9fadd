// Times tiles against each other on one product. One idea: they take turns, so whatever else the machine
// does slows them all alike, and the median of the turns is what counts.

import { GpuError } from "../errors.ts";
import { Program } from "../gpu/program.ts";
import type { Device } from "../gpu/device.ts";
import type { Target } from "../plan/target.ts";
import type { ProductTile } from "../plan/tiles.ts";
import { repeated, type Shape } from "./shapes.ts";

/** A tile and the median of one dispatch, ms. */
export interface Timing {
  readonly tile: ProductTile;
  readonly ms: number;
}

/** Turns of every tile that is not hopeless, even past the deadline. */
const LEAST_TURNS = 3;
const MOST_TURNS = 9;
/** A turn repeats the dispatch until it takes about this long, so that submitting it does not count. */
const TURN_MS = 4;
const MOST_REPEATS = 256;
/** Tiles this many times slower than the best in their first turn are not looked at again. */
const HOPELESS = 3;

interface Racer {
  readonly tile: ProductTile;
  readonly program: Program;
  readonly times: number[];
}

/** The middle value, the upper of the two of an even number. */
const median = (times: readonly number[]): number =>
  times.toSorted((a, b) => a - b)[times.length >> 1] ?? Infinity;

const nothing = new Map<string, never>();

async function turn({ program }: Racer, repeats: number, signal: AbortSignal | undefined) {
  const start = performance.now();
  await program.run(nothing, signal);
  return (performance.now() - start) / repeats;
}

/** Median times of `tiles` on `shape`, the first one's first. Past `deadline` (performance.now, ms) no other
 *  tile is begun. Tiles that this device cannot compile and those far behind are left out. */
export async function race(
  device: Device,
  shape: Shape,
  tiles: readonly ProductTile[],
  target: Target,
  deadline: number,
  signal: AbortSignal | undefined,
): Promise<Timing[]> {
  const racers: Racer[] = [];
  const prepare = async (tile: ProductTile, repeats: number): Promise<Racer | undefined> => {
    const only = { ...target, tuned: new Map(), rules: [{ tile }] };
    try {
      const program = await Program.create(device, repeated(shape, only, repeats));
      const racer = { tile, program, times: [] };
      racers.push(racer);
      return racer;
    } catch (error) {
      // A form of the dot product that this runtime lacks, or a tile too large for its memory.
      if (error instanceof GpuError) return undefined;
      throw error;
    }
  };
  try {
    const [first] = tiles;
    const probe = first && (await prepare(first, 1));
    if (!probe) return [];
    await turn(probe, 1, signal); // what runs first pays for the driver's own preparations
    const once = await turn(probe, 1, signal);
    probe.program.dispose();
    racers.length = 0;
    const repeats = Math.min(MOST_REPEATS, Math.max(1, Math.ceil(TURN_MS / once)));
    for (const tile of tiles) {
      if (racers.length > 1 && performance.now() > deadline) break;
      signal?.throwIfAborted();
      const racer = await prepare(tile, repeats);
      if (racer) await turn(racer, repeats, signal);
    }
    let running = racers;
    const goesOn = (round: number) =>
      round < LEAST_TURNS || (round < MOST_TURNS && performance.now() < deadline);
    for (let round = 0; goesOn(round); round++) {
      for (const racer of running) racer.times.push(await turn(racer, repeats, signal));
      if (round > 0) continue;
      const best = Math.min(...running.map(({ times }) => median(times)));
      // The first stays: it is the default, which the others are compared with.
      running = running.filter(
        ({ times }, index) => index === 0 || median(times) < HOPELESS * best,
      );
    }
    return running.map(({ tile, times }) => ({ tile, ms: median(times) }));
  } finally {
    for (const { program } of racers) program.dispose();
  }
}
