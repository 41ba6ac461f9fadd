// What a run sets to zero before its first step, as few ranges: state slots lie one behind the other,
// and the padding between them may be cleared with them.

import type { Check, Slice, StateSlot } from "../plan/plan.ts";

/** The cleared ranges of `states` and `checks`, in the order of the buffers, neighbours joined. */
export function clearsOf(states: readonly StateSlot[], checks: readonly Check[] = []): Slice[] {
  const ofStates = states.flatMap(({ slice, words, cleared = [] }) =>
    cleared
      .filter(([, size]) => size > 0)
      .map(([offset, size]) => {
        const end = offset + size === words * 4 ? slice.size : offset + size;
        return { buffer: slice.buffer, offset: slice.offset + offset, size: end - offset };
      }),
  );
  const ranges = [...ofStates, ...checks.map(({ slice }) => slice)];
  ranges.sort((a, b) => a.buffer - b.buffer || a.offset - b.offset);
  const joined: Slice[] = [];
  for (const range of ranges) {
    const last = joined.at(-1);
    if (last?.buffer === range.buffer && range.offset <= last.offset + last.size) {
      const end = Math.max(last.offset + last.size, range.offset + range.size);
      joined[joined.length - 1] = { ...last, size: end - last.offset };
    } else {
      joined.push(range);
    }
  }
  return joined;
}
