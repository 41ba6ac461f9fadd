// The bench's own rules: who is wrong is not timed, and everybody gets the same input in turn.

import { describe, expect, it } from "vitest";
import { floatAgreement, logitsAgreement } from "../../bench/core/check.ts";
import { interleave, type Contestant } from "../../bench/core/interleave.ts";
import { parseOptions } from "../../bench/core/options.ts";
import type { Platform, Runner } from "../../bench/core/platform.ts";
import { spreadOf } from "../../bench/core/statistics.ts";
import { replayCost } from "../../bench/suites/replayCost.ts";

const nobody = (name: string): Contestant<number, number> => ({
  name,
  run: (input) => Promise.resolve(input),
});

describe("interleave", () => {
  it("gives all contestants of a round the same fresh input, and moves their order on by one", async () => {
    const seen: string[] = [];
    let drawn = 0;
    const watching = ["a", "b", "c"].map((name) => ({
      ...nobody(name),
      run: (input: number) => Promise.resolve(seen.push(name + input)),
    }));
    await interleave(watching, { rounds: 2, draw: () => drawn++ });
    expect(seen.join(" ")).toBe("a0 b0 c0 b1 c1 a1 c2 a2 b2");
  });

  it("reports no time of a contestant whose warm-up is wrong, and does not run it again", async () => {
    let runs = 0;
    const wrong: Contestant<number, number> = {
      name: "wrong",
      run: (input) => (runs++, Promise.resolve(input + 1)),
      check: (output, input) => floatAgreement([output], [input], "the input"),
    };
    const outcomes = await interleave([wrong, nobody("right")], { rounds: 3, draw: () => 7 });
    expect(runs).toBe(1);
    expect(outcomes).toMatchObject([
      { name: "wrong", status: "mismatch", check: { agrees: false } },
      { name: "right", status: "ok", ms: { count: 3 } },
    ]);
  });

  it("reports the reason of one that throws, and goes on with the others", async () => {
    const broken = { ...nobody("broken"), run: () => Promise.reject(new Error("no such op")) };
    const outcomes = await interleave([broken, nobody("whole")], { rounds: 1, draw: () => 0 });
    expect(outcomes).toMatchObject([
      { name: "broken", status: "error", reason: "no such op" },
      { name: "whole", status: "ok" },
    ]);
  });
});

describe("a spread", () => {
  it("has the middle value and the tenths between neighbours in proportion", () => {
    const values = Array.from({ length: 11 }, (_, index) => 10 - index);
    expect(spreadOf(values)).toEqual({ median: 5, p10: 1, p90: 9, least: 0, count: 11 });
    expect(spreadOf([1, 2]).median).toBe(1.5);
  });
});

describe("agreement", () => {
  it("of floats ends at a thousandth of the greatest, and refuses what is not finite", () => {
    expect(floatAgreement([10, 1.009], [10, 1], "w").agrees).toBe(true);
    expect(floatAgreement([10, 1.011], [10, 1], "w").agrees).toBe(false);
    expect(floatAgreement([10, NaN], [10, 1], "w").agrees).toBe(false);
    expect(floatAgreement([10], [10, 1], "w").agrees).toBe(false);
  });

  it("of logits wants 20 dB and the same class where the reference is clear", () => {
    const want = [0, 1, 2, 30];
    expect(logitsAgreement([0.5, 1, 2, 29], want, 1, "w").agrees).toBe(true);
    expect(logitsAgreement([0, 1, 2, 25], want, 1, "w").agrees).toBe(false);
    const unclear = [100, 0, 0, 0, 4, 0]; // a lead of 4 in the second row, within 4 times the noise
    const other = logitsAgreement([100, 0, 0, 3, 0, 0], unclear, 2, "w");
    expect(other).toMatchObject({ agrees: true, detail: expect.stringContaining("1 of 1") });
    const clear = [1000, ...new Array<number>(99).fill(0), 20, ...new Array<number>(99).fill(0)];
    const lost = clear.with(100, 14).with(101, 15);
    expect(logitsAgreement(lost, clear, 2, "w")).toMatchObject({
      agrees: false,
      detail: expect.stringContaining("1 of 2"),
    });
  });
});

describe("options", () => {
  const message = (...words: string[]): string => {
    try {
      parseOptions(words);
      return "";
    } catch (error) {
      return String(error);
    }
  };

  it("that cannot be understood say so", () => {
    expect(message("kernel")).toMatchInlineSnapshot(
      `"UsageError: bench: a suite must be one of models, kernels, calibration, startup, steps, transformer, training, all; got "kernel". Try --help."`,
    );
    expect(message("--rounds", "0")).toMatchInlineSnapshot(
      `"UsageError: bench: --rounds must be a positive whole number; got "0". Try --help."`,
    );
    expect(message("--batch", "1,x")).toMatchInlineSnapshot(
      `"UsageError: bench: --batch must be a positive whole number; got "x". Try --help."`,
    );
  });

  it("name kernel families to time products by", () => {
    expect(parseOptions(["kernels", "--family", "workgroup,matrix"])).toMatchObject({
      family: ["workgroup", "matrix"],
    });
    expect(parseOptions([])).not.toHaveProperty("family");
    expect(message("--family", "tensor")).toMatchInlineSnapshot(
      `"UsageError: bench: --family must name some of register, workgroup, gemv, matrix; got "tensor". Try --help."`,
    );
  });

  it("default to every suite but steps, and to five rounds or two quick ones", () => {
    expect(parseOptions([])).toMatchObject({
      suites: ["models", "kernels", "calibration", "startup"],
      rounds: 5,
      node: false,
    });
    expect(parseOptions(["all", "--quick"])).toMatchObject({ rounds: 2 });
  });
});

describe("the cost of a replay", () => {
  /** A thread that spends 1 ms a look at its time and `each` a run. */
  function threadOf(each: number) {
    let time = 0;
    const threadTime = () => Promise.resolve((time += 1));
    const seen = { runs: 0, idle: 0 };
    const resubmit = () => Promise.resolve(void ((time += each), seen.runs++));
    const idle = () => Promise.resolve(void seen.idle++);
    const runner = { resubmit, idle } as unknown as Runner;
    return { platform: { threadTime } as Platform, runner, seen };
  }

  it("is a run's alone, without the looks at the clock, and leaves nothing to do", async () => {
    const { platform, runner, seen } = threadOf(0.25);
    const cost = await replayCost(runner, platform, 100);
    expect(cost?.median).toBeCloseTo(0.25, 9);
    expect(cost?.p90).toBeCloseTo(0.25, 9);
    expect(seen).toEqual({ runs: 7 * 16, idle: 2 * 7 + 1 });
  });

  it("is taken from fewer runs where each is long", async () => {
    const { platform, runner, seen } = threadOf(0.25);
    expect((await replayCost(runner, platform, 500))?.median).toBeCloseTo(0.25, 9);
    expect(seen.runs).toBe(7 * 5);
  });

  it("is not measured of long runs, nor where nobody knows a thread's time", async () => {
    const { platform, runner } = threadOf(0.25);
    expect(await replayCost(runner, platform, 720)).toBeUndefined();
    expect(await replayCost(runner, {} as Platform, 1)).toBeUndefined();
    expect(await replayCost({} as Runner, platform, 1)).toBeUndefined();
  });
});
