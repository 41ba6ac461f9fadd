// Where tensors live: an arena of few buffers, shared by tensors that do not live at the same time.
// WebGPU refuses a buffer that one dispatch binds both read-only and read-write, even for disjoint
// ranges, so a step's output never shares a buffer with its inputs: tensors are coloured first, one
// buffer a colour, then placed inside their buffer by liveness, first fit.

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
  readonly offset: number;
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

/** Lowest offset at which `bytes` fit between the tensors that live at the same time. */
function firstFit(placed: readonly Placed[], tensor: Lifetime, bytes: number): number {
  const alive = placed
    .filter((other) => other.first <= tensor.last && tensor.first <= other.last)
    .sort((a, b) => a.offset - b.offset);
  let offset = 0;
  for (const other of alive) {
    if (offset + bytes <= other.offset) break;
    offset = Math.max(offset, other.offset + other.bytes);
  }
  return offset;
}

/** Place `tensors`; no arena buffer grows over `maxBytes` unless one tensor alone does. */
export function placeTensors(tensors: readonly Lifetime[], maxBytes: number): Arena {
  const placements: Placement[] = new Array<Placement>(tensors.length);
  const colours: Placed[][] = [];
  const sizes: number[] = [];
  const colourOf = new Array<number>(tensors.length).fill(-1);
  // Largest first packs tightly; ties by first use keep the result the same on every run.
  const order = tensors
    .map((_, index) => index)
    .sort((a, b) => {
      const [left, right] = [tensors[a], tensors[b]];
      return (right?.bytes ?? 0) - (left?.bytes ?? 0) || (left?.first ?? 0) - (right?.first ?? 0);
    });
  for (const index of order) {
    const tensor = tensors[index];
    if (tensor === undefined) continue;
    const bytes = align(tensor.bytes);
    const taken = new Set([...tensor.apart].map((other) => colourOf[other] ?? -1));
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
    (colours[arena] ??= []).push({ offset, bytes, first: tensor.first, last: tensor.last });
    sizes[arena] = Math.max(sizes[arena] ?? 0, offset + bytes);
    colourOf[index] = arena;
    placements[index] = { arena, offset };
  }
  return { sizes, placements };
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
