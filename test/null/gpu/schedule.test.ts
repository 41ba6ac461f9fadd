// How a run is cut into submits, from times alone, and which ranges of state it clears.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { clearsOf } from "../../../src/gpu/clears.ts";
import { LONGEST_SUBMIT, Schedule, type Chunk } from "../../../src/gpu/schedule.ts";
import type { StateSlot } from "../../../src/plan/plan.ts";

/** The submits of one run on a device on which each step takes so many ms. */
function run(schedule: Schedule, ms: readonly number[]): Chunk[] {
  const chunks: Chunk[] = [];
  for (let from = 0; from === 0 || from < ms.length;) {
    const chunk = schedule.next(from);
    chunks.push(chunk);
    schedule.record(chunk, timeOf(ms, chunk));
    if (chunk.to === ms.length) break;
    from = chunk.to;
  }
  return chunks;
}

const timeOf = (ms: readonly number[], { from, to }: Chunk) =>
  ms.slice(from, to).reduce((sum, each) => sum + each, 0);

const even = (steps: number, ms: number) => new Array<number>(steps).fill(ms);
const stepTimes = fc.array(fc.constantFrom(0, 0.01, 1, 7, 30, 60, 99, 250), { maxLength: 80 });

describe("the submits of a run", () => {
  it("hold every step once and in order, in the first run and in every later one", () => {
    const property = fc.property(stepTimes, (ms) => {
      const schedule = new Schedule(ms.length);
      for (let round = 0; round < 4; round++) {
        const chunks = run(schedule, ms);
        let at = 0;
        for (const { from, to } of chunks) {
          expect(from).toBe(at);
          expect(to > from || ms.length === 0).toBe(true);
          at = to;
        }
        expect(at).toBe(ms.length);
      }
    });
    fc.assert(property, { seed: 1, numRuns: 300 });
  });

  it("grow from four steps while they are short: few round trips before anything is known", () => {
    const sizes = run(new Schedule(56), even(56, 0.02)).map(({ from, to }) => to - from);
    expect(sizes).toEqual([4, 8, 16, 28]);
  });

  it("stay small in the first run where steps are slow", () => {
    const ms = even(30, 40);
    const [first, ...others] = run(new Schedule(30), ms);
    expect(first).toEqual({ from: 0, to: 4 }); // nothing was known
    for (const chunk of others) expect(timeOf(ms, chunk)).toBeLessThanOrEqual(LONGEST_SUBMIT);
  });

  it("are one from the second run on, where all steps fit", () => {
    const schedule = new Schedule(56);
    run(schedule, even(56, 1));
    expect(run(schedule, even(56, 1))).toEqual([{ from: 0, to: 56 }]);
    expect(schedule.total).toBeCloseTo(56, 9); // sums of 56 shares
  });

  it("are at most 100 ms each from the second run on, where steps are alike", () => {
    const schedule = new Schedule(60);
    run(schedule, even(60, 9));
    const chunks = run(schedule, even(60, 9));
    expect(chunks.length).toBeGreaterThan(1);
    for (const chunk of chunks)
      expect(timeOf(even(60, 9), chunk)).toBeLessThanOrEqual(LONGEST_SUBMIT);
  });

  it("leave a step that is longer by itself whole, and alone once it is known", () => {
    const ms = [1, 1, 1, 1, 400, 1, 1, 1];
    const schedule = new Schedule(ms.length);
    for (let round = 0; round < 8; round++) run(schedule, ms);
    expect(run(schedule, ms)).toContainEqual({ from: 4, to: 5 });
  });

  it("follow a device that becomes slower, and one that becomes faster", () => {
    const schedule = new Schedule(20);
    run(schedule, even(20, 1));
    expect(run(schedule, even(20, 50))).toHaveLength(1); // it could not know
    for (const chunk of run(schedule, even(20, 50)))
      expect(timeOf(even(20, 50), chunk)).toBeLessThanOrEqual(LONGEST_SUBMIT);
    run(schedule, even(20, 1));
    expect(run(schedule, even(20, 1))).toHaveLength(1);
  });

  it("go on where an aborted first run stopped", () => {
    const schedule = new Schedule(20);
    const first = schedule.next(0);
    schedule.record(first, 1);
    expect(schedule.isKnown).toBe(false);
    expect(schedule.total).toBeUndefined();
    run(schedule, even(20, 0.25));
    expect(schedule.isKnown).toBe(true);
    expect(schedule.next(0)).toEqual({ from: 0, to: 20 });
  });
});

describe("what a run clears", () => {
  const slot = (
    offset: number,
    words: number,
    cleared: readonly (readonly [number, number])[],
    buffer = 3,
  ): StateSlot => ({
    node: "observe",
    value: "x",
    shape: [],
    words,
    slice: { buffer, offset, size: Math.ceil(words / 64) * 256 },
    cleared,
  });

  it("is one range where slots that are cleared whole follow each other, padding between them", () => {
    const slots = [slot(0, 10, [[0, 40]]), slot(256, 100, [[0, 400]]), slot(768, 64, [[0, 256]])];
    expect(clearsOf(slots)).toEqual([{ buffer: 3, offset: 0, size: 1024 }]);
  });

  it("spares what is kept, and never joins over it", () => {
    const parts = [
      [0, 16],
      [32, 8],
    ] as const;
    expect(clearsOf([slot(0, 10, parts), slot(256, 10, parts)])).toEqual([
      { buffer: 3, offset: 0, size: 16 },
      { buffer: 3, offset: 32, size: 240 },
      { buffer: 3, offset: 288, size: 224 },
    ]);
  });

  it("is apart in other buffers, and nothing where nothing is asked for", () => {
    const { cleared: _, ...kept } = slot(256, 4, []);
    const slots = [
      slot(0, 64, [[0, 256]], 4),
      kept,
      slot(0, 64, [[0, 256]]),
      slot(512, 8, [[0, 0]]),
    ];
    expect(clearsOf(slots)).toEqual([
      { buffer: 3, offset: 0, size: 256 },
      { buffer: 4, offset: 0, size: 256 },
    ]);
  });
});
