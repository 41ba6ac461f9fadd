// How a plan's memory is arranged, so that plans for smaller sizes of the same graph use it too. Why that is
// safe: a smaller plan has the same tensors in the same order, none of them larger, and its steps are among
// the greater one's, each with the same tensors bound. So whatever lives at the same time there lies apart,
// and apart it stays when every tensor keeps its offset. All of it is checked, plan by plan.

import type { Arena } from "./memory.ts";

/** A step before its memory has a place. */
interface Binding {
  readonly node: string;
  readonly buffers: Readonly<Record<string, { readonly role: string; readonly id: number }>>;
}

/** A plan's memory before any of it is placed. */
export interface Needs {
  /** Bytes of each activation, input and output, aligned. */
  readonly tensors: readonly number[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** Slots that live from run to run: such plans share nothing. */
  readonly states: number;
  /** Per step, its node and what it binds. */
  readonly steps: readonly string[];
}

export interface Arrangement extends Needs {
  readonly arena: Arena;
}

export function arrangementOf(
  facts: Omit<Needs, "steps"> & { readonly steps: readonly Binding[] },
): Needs {
  return { ...facts, steps: facts.steps.map(bindingsOf) };
}

/** The node of a step, and the memory that it reads and writes but constants. */
function bindingsOf({ node, buffers }: Binding): string {
  const bound = Object.entries(buffers)
    .filter(([, { role }]) => role !== "constants")
    .map(([name, { role, id }]) => `${name === "out" ? "→" : ""}${role}${id}`);
  return `${node} ${[...new Set(bound)].sort().join(" ")}`;
}

/** Whether a plan that needs `own` may lie as `other` does. */
export function fitsIn(own: Needs, other: Needs): boolean {
  if (own.states > 0 || other.states > 0) return false;
  const pairs = [
    [own.tensors, other.tensors],
    [own.inputs, other.inputs],
    [own.outputs, other.outputs],
  ] as const;
  const isSmaller = pairs.every(
    ([mine, theirs]) =>
      mine.length === theirs.length && mine.every((bytes, at) => bytes <= (theirs[at] ?? 0)),
  );
  if (!isSmaller) return false;
  // Steps with nothing to do are left out, so the smaller plan's are a subsequence.
  let at = 0;
  for (const step of own.steps) {
    while (at < other.steps.length && other.steps[at] !== step) at++;
    if (at++ >= other.steps.length) return false;
  }
  return true;
}
