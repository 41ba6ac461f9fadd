// tune: a model and a device → which tile is fastest for each of its products. Never needed: every tile
// gives the same integers, and the adapter's rules are there without it.

import { checkDevice } from "./callerChecks.ts";
import { symbolicDims } from "./compile.ts";
import { bindShapes } from "./graph/bind.ts";
import type { AdapterFacts, Device } from "./gpu/device.ts";
import { InputError } from "./errors.ts";
import { checkStage, type Model } from "./model.ts";
import { isUsable, targetOf, tileFor, type Target } from "./plan/target.ts";
import { candidates, isSoftware, type ProductTile } from "./plan/tiles.ts";
import { fuse } from "./quantize/fuse.ts";
import { race, type Timing } from "./tuning/measure.ts";
import { shapesOf, workOf, type Shape } from "./tuning/shapes.ts";
import { tuningKey, type TuningEntry, type TuningTable } from "./tuning/table.ts";

export interface TuneProgress {
  /** Classes of products that are done, of `total`. */
  readonly done: number;
  readonly total: number;
}

export interface TuneOptions {
  /** Wall time to spend, ms; a measurement under way is finished. Default: 20,000. */
  readonly budgetMs?: number;
  /** Sizes that the model leaves open, by name. Default: 1 each. */
  readonly dims?: Readonly<Record<string, number>>;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: TuneProgress) => void;
}

const BUDGET = 20_000; // ms

/** Less than this is noise: the default stays. */
const WORTH_IT = 0.97; // of the default's time

/** Measure the tiles of the model's convolutions and products by constants, the heaviest first. Classes
 *  that the budget does not reach keep their default. Pass the table to `compile`, or keep it with
 *  `saveTuning`. Throws InputError, UnsupportedError, AccumulatorError, DeviceLostError, the signal's
 *  reason. */
export async function tune(
  model: Model<"float" | "quantized">,
  device: Device,
  options: TuneOptions = {},
): Promise<TuningTable> {
  const { budgetMs = BUDGET, dims = {}, signal, onProgress } = options;
  checkStage("tune", model, ["float", "quantized"], "Convert the model first.");
  checkDevice("tune", device);
  if (!(budgetMs > 0))
    throw new InputError(
      `tune: budgetMs must be more than 0; got ${budgetMs}. Leave it out for 20 s.`,
    );
  const graph = model.stage === "float" ? fuse(model.graph) : model.graph;
  const sizes = new Map(symbolicDims(graph).map((name) => [name, dims[name] ?? 1]));
  const target = targetOf(device.facts);
  const shapes = shapesOf(bindShapes(graph, sizes), target);
  const end = performance.now() + budgetMs;
  const entries: Record<string, TuningEntry> = {};
  onProgress?.({ done: 0, total: shapes.length });
  for (const [done, shape] of shapes.entries()) {
    if (performance.now() > end) break;
    const deadline = performance.now() + share(shapes.slice(done), end - performance.now());
    const tiles = tilesFor(shape, target, device.facts);
    const found = await race(device, shape, tiles, target, deadline, signal);
    const entry = best(found);
    if (entry) entries[shape.shapeClass] = entry;
    onProgress?.({ done: done + 1, total: shapes.length });
  }
  return { key: tuningKey(device.facts), entries };
}

/** The first shape's share of `left` ms: half by its work, half as all others, since compiling costs every
 *  shape the same. */
function share(shapes: readonly Shape[], left: number): number {
  const total = shapes.reduce((sum, { sizes }) => sum + workOf(sizes), 0);
  const own = shapes[0] ? workOf(shapes[0].sizes) / Math.max(1, total) : 0;
  return left * (0.5 * own + 0.5 / shapes.length);
}

/** The default first, then every other tile; integers with the other form of the dot product too. Software
 *  adapters take seconds to compile what shares workgroup memory, and gain nothing from it. */
function tilesFor(shape: Shape, target: Target, facts: AdapterFacts): ProductTile[] {
  const first = tileFor(target, shape.sizes);
  const isInteger = shape.sizes.dtype === "i8";
  const other = { packedDot: !(first.packedDot ?? target.packedDot) };
  const same = first.packedDot === undefined ? {} : { packedDot: first.packedDot };
  const useful = candidates.filter((tile) => {
    if (!isUsable(tile, target, shape.sizes)) return false;
    if (tile.family === "register") return !tile.quads || facts.quads === true;
    if (tile.family === "matrix") return true;
    return !isSoftware(facts) && (tile.family !== "gemv" || shape.sizes.m <= MOST_GEMV_ROWS);
  });
  const all = useful.flatMap((tile): ProductTile[] => {
    if (!isInteger || tile.family === "matrix") return [tile];
    return [
      { ...tile, ...same },
      { ...tile, ...other },
    ];
  });
  const rest = all.filter((tile) => JSON.stringify(tile) !== JSON.stringify(first));
  return [first, ...rest];
}

/** Beyond this many rows a gemv reads the filter again and again. */
const MOST_GEMV_ROWS = 64;

/** The fastest tile, or the default (the first) where nothing is clearly faster. */
function best(found: readonly Timing[]): TuningEntry | undefined {
  const [standard] = found;
  if (!standard) return undefined;
  const fastest = found.reduce((least, each) => (each.ms < least.ms ? each : least));
  const { tile, ms } = fastest.ms < WORTH_IT * standard.ms ? fastest : standard;
  return { tile, ms, defaultMs: standard.ms };
}
