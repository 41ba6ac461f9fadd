// Schedules against torch.optim.lr_scheduler's, every update: test/fixtures/make_training.py.

import { describe, expect, it } from "vitest";
import {
  scheduleFactor,
  validateSchedule,
  type Schedule,
} from "../../../src/training/schedules.ts";
import fixture from "../../fixtures/training.json";

const { learningRate, updates } = fixture;
const cases = fixture.schedules.map(({ schedule, rates }) => ({
  title: JSON.stringify(schedule),
  schedule: schedule as unknown as Schedule,
  rates,
}));

describe("the learning rate of every update is PyTorch's", () => {
  it.each(cases)("$title", ({ schedule, rates }) => {
    validateSchedule(schedule);
    const got = rates.map((_, done) => learningRate * scheduleFactor(schedule, done, updates));
    // PyTorch multiplies from update to update, which adds up 24 roundings of f64.
    got.forEach((rate, done) => expect(rate).toBeCloseTo(rates[done]!, 14));
  });

  it("and no two schedules are alike", () => {
    expect(new Set(cases.map(({ rates }) => rates.join())).size).toBe(cases.length);
  });
});

describe("schedules", () => {
  it("a cosine stays at its minimum when it is over", () => {
    const schedule = { kind: "cosine", updates: 10, minimum: 0.1 } as const;
    expect(scheduleFactor(schedule, 10, 50)).toBeCloseTo(0.1, 15);
    expect(scheduleFactor(schedule, 49, 50)).toBe(scheduleFactor(schedule, 10, 50));
  });

  it("a warm-up as long as all of training leaves a cosine one update", () => {
    const schedule = { kind: "cosine", warmUp: { updates: 5, from: 0 } } as const;
    expect([0, 4, 5].map((done) => scheduleFactor(schedule, done, 5))).toEqual([0, 0.8, 1]);
  });

  it("a cosine over data of unknown length needs its own", () => {
    expect(() =>
      scheduleFactor({ kind: "cosine" }, 0, Infinity),
    ).toThrowErrorMatchingInlineSnapshot(
      `[InputError: schedule "cosine": updates must be given where the length of the data is not known; got none. Give a number, or data with a length.]`,
    );
    expect(scheduleFactor({ kind: "cosine", updates: 2 }, 1, Infinity)).toBeCloseTo(0.5, 15);
  });

  it.each<[string, Schedule]>([
    ["a warm-up of no updates", { kind: "constant", warmUp: { updates: 0 } }],
    ["a warm-up from above", { kind: "constant", warmUp: { updates: 2, from: 2 } }],
    ["steps of a half", { kind: "step", every: 0.5, gamma: 0.1 }],
    ["gamma 0", { kind: "step", every: 1, gamma: 0 }],
    ["a milestone at 0", { kind: "milestones", at: [0], gamma: 0.1 }],
    ["a minimum above 1", { kind: "cosine", minimum: 1.5 }],
    ["a NaN of updates", { kind: "cosine", updates: NaN }],
  ])("%s is refused", (_, schedule) => {
    expect(() => validateSchedule(schedule)).toThrowErrorMatchingSnapshot();
  });
});
