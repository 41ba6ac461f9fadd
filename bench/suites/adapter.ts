// What an adapter is fit for: a software one is a hundred times slower, so that by default it gets fewer
// sizes, or nobody would wait for it.

import type { AdapterFacts } from "../../src/gpu/device.ts";
import type { BenchOptions } from "../core/options.ts";
import type { Platform } from "../core/platform.ts";

export interface Scale {
  readonly facts: AdapterFacts;
  /** Software adapter, and not asked for everything. */
  readonly isSmall: boolean;
}

export async function scaleOf(platform: Platform, options: BenchOptions): Promise<Scale> {
  using device = await platform.openDevice();
  const { facts } = device;
  return { facts, isSmall: facts.isFallback && !options.full };
}

export function batchesOf({ batch }: BenchOptions, { isSmall }: Scale): readonly number[] {
  return batch ?? (isSmall ? [1] : [1, 8]);
}

/** Whether `only` lets contestant `name` be timed. */
export function isWanted({ only }: BenchOptions, name: string): boolean {
  return only === undefined || only.includes(name);
}
