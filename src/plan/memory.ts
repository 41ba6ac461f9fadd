// Where tensors live: an arena of few buffers, shared by tensors that do not live at the same time.
// WebGPU refuses a buffer that one dispatch binds both read-only and read-write, even for disjoint
// ranges, so a step's output never shares a buffer with its inputs: a tensor goes into the buffer
// (its colour) that grows least, first fit by liveness. Which tensor goes first decides how tight
// it gets, so several orders are tried, and in each those at the top of a buffer are moved forward.

import { atOnce, type Steps } from "../flow/turns.ts";

/** A tensor to place: bytes, the first and last step that touch it, and the tensors that steps bind
 *  together with it in the other mode. */
export interface Lifetime {
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
  readonly apart: ReadonlySet<number>;
}

export interface Placement {
  /** Colour: index of the arena buffer. */
  readonly arena: number;
  /** Bytes from its start. */
  readonly offset: number;
}

export interface Arena {
  /** Bytes of each arena buffer. */
  readonly sizes: readonly number[];
  /** Per tensor, in the order given. */
  readonly placements: readonly Placement[];
}

/** Offsets of storage bindings are multiples of this at the default limits. */
export const ALIGNMENT = 256;

export function align(bytes: number): number {
  return Math.max(ALIGNMENT, Math.ceil(bytes / ALIGNMENT) * ALIGNMENT);
}

interface Placed {
  readonly index: number;
  readonly offset: number;
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

/** Lowest offset at which `bytes` fit between the tensors that live at the same time; `placed` is
 *  sorted by offset. */
function firstFit(placed: readonly Placed[], tensor: Lifetime, bytes: number): number {
  let offset = 0;
  for (const other of placed) {
    if (other.first > tensor.last || tensor.first > other.last) continue;
    if (offset + bytes <= other.offset) break;
    offset = Math.max(offset, other.offset + other.bytes);
  }
  return offset;
}

interface Attempt extends Arena {
  readonly total: number;
  /** The tensors that end where their buffer ends: were they lower, it would be smaller. */
  readonly top: readonly number[];
}

/** Place `tensors` one by one in `order`. */
function place(tensors: readonly Lifetime[], order: readonly number[], maxBytes: number): Attempt {
  const placements: Placement[] = new Array<Placement>(tensors.length);
  const colours: Placed[][] = [];
  const sizes: number[] = [];
  for (const index of order) {
    const tensor = tensors[index];
    if (tensor === undefined) continue;
    const bytes = align(tensor.bytes);
    const taken = new Set([...tensor.apart].map((other) => placements[other]?.arena));
    let best: { arena: number; offset: number; growth: number } | undefined;
    for (let arena = 0; arena <= colours.length; arena++) {
      if (taken.has(arena)) continue;
      const offset = firstFit(colours[arena] ?? [], tensor, bytes);
      if (arena < colours.length && offset > 0 && offset + bytes > maxBytes) continue;
      const growth = Math.max(0, offset + bytes - (sizes[arena] ?? 0));
      if (best === undefined || growth < best.growth) best = { arena, offset, growth };
    }
    if (best === undefined) throw new Error("memory: no colour is free; please report.");
    const { arena, offset } = best;
    const colour = (colours[arena] ??= []);
    const above = colour.findIndex((other) => other.offset > offset);
    colour.splice(above < 0 ? colour.length : above, 0, {
      index,
      offset,
      bytes,
      first: tensor.first,
      last: tensor.last,
    });
    sizes[arena] = Math.max(sizes[arena] ?? 0, offset + bytes);
    placements[index] = { arena, offset };
  }
  const top = colours.flatMap((colour, arena) =>
    colour.filter(({ offset, bytes }) => offset + bytes === sizes[arena]).map(({ index }) => index),
  );
  return { sizes, placements, total: sizes.reduce((sum, bytes) => sum + bytes, 0), top };
}

/** Orders to begin with; ties keep the result the same on every run. Chains pack best in the order of
 *  the steps, forwards or backwards, wide graphs with the largest tensor first. */
const ORDERS: readonly ((a: Lifetime, b: Lifetime) => number)[] = [
  (a, b) => a.first - b.first || b.bytes - a.bytes,
  (a, b) => b.last - a.last || b.bytes - a.bytes,
  (a, b) => b.bytes - a.bytes || a.first - b.first,
];

/** Attempts per order; fewer for many tensors, as an attempt takes time with their square. */
const MOST_ATTEMPTS = 64;
const MOST_WORK = 1e7;

/** Place `tensors`; no arena buffer grows over `maxBytes` unless one tensor alone does. */
export function placeTensors(tensors: readonly Lifetime[], maxBytes: number): Arena {
  return atOnce(placeSteps(tensors, maxBytes));
}

/** The same in steps, an attempt at a time. */
export function* placeSteps(tensors: readonly Lifetime[], maxBytes: number): Steps<Arena> {
  const bound = Math.max(lowerBound(tensors), pairBound(tensors));
  const attempts = Math.min(MOST_ATTEMPTS, Math.ceil(MOST_WORK / Math.max(1, tensors.length ** 2)));
  let best: Attempt = { sizes: [], placements: [], total: Infinity, top: [] };
  for (const compare of ORDERS) {
    let order = [...tensors.entries()]
      .sort(([, a], [, b]) => compare(a, b))
      .map(([index]) => index);
    for (let attempt = 0; attempt < attempts && best.total > bound; attempt++) {
      const found = place(tensors, order, maxBytes);
      yield;
      if (found.total < best.total) best = found;
      const next = found.top[attempt % found.top.length];
      order = [
        ...order.filter((index) => index === next),
        ...order.filter((index) => index !== next),
      ];
    }
  }
  const { sizes, placements } = best;
  return { sizes, placements };
}

/** What tensors that must be apart need: of every such pair, one is not where the largest tensor is. */
function pairBound(tensors: readonly Lifetime[]): number {
  const sizes = tensors.map(({ bytes }) => align(bytes));
  let pair = 0;
  tensors.forEach(({ apart }, index) => {
    for (const other of apart)
      pair = Math.max(pair, Math.min(sizes[index] ?? 0, sizes[other] ?? 0));
  });
  return sizes.reduce((most, size) => Math.max(most, size), 0) + pair;
}

/** The least bytes any placement needs: the most that lives at one step. */
export function lowerBound(tensors: readonly Lifetime[]): number {
  const steps = tensors.reduce((most, { last }) => Math.max(most, last + 1), 0);
  let bound = 0;
  for (let step = 0; step < steps; step++) {
    let alive = 0;
    for (const { bytes, first, last } of tensors)
      if (first <= step && step <= last) alive += align(bytes);
    bound = Math.max(bound, alive);
  }
  return bound;
}
