// The generator against sfc32 spelled out in whole numbers of any size, and that its numbers are spread as they
// should be.

import { describe, expect, it } from "vitest";
import { Random, shuffled, type RandomState } from "../../../src/training/random.ts";

const draws = (random: Random, count: number) => Array.from({ length: count }, () => random.next());

describe("Random", () => {
  it("is sfc32", () => {
    const start: RandomState = [0xdeadbeef, 0x12345678, 0xffffffff, 0xfffffffe];
    let [a, b, c, counter] = start.map(BigInt) as [bigint, bigint, bigint, bigint];
    const word = 2n ** 32n;
    const want = Array.from({ length: 50 }, () => {
      const result = (a + b + counter) % word;
      counter = (counter + 1n) % word;
      a = b ^ (b >> 9n);
      b = (c + c * 8n) % word;
      c = (((c << 21n) % word) + (c >> 11n) + result) % word;
      return Number(result);
    });
    expect(draws(new Random(start), 50)).toEqual(want);
  });

  it("goes on from its state", () => {
    const random = Random.of(7);
    draws(random, 9);
    const copy = new Random(random.state);
    expect(draws(copy, 20)).toEqual(draws(random, 20));
  });

  it("has a sequence of its own for every list of numbers", () => {
    const lists = [[0], [1], [2 ** 32], [2 ** 53 - 1], [0, 0], [0, 1], [1, 0], [1, 1], [1, 1, 1]];
    const firsts = lists.map((list) => draws(Random.of(...list), 3).join());
    expect(new Set(firsts).size).toBe(lists.length);
    expect(draws(Random.of(1, 2, 3), 4)).toEqual(draws(Random.of(1, 2, 3), 4));
  });

  it("gives numbers that do not change from version to version", () => {
    expect(draws(Random.of(20261126, 3), 4)).toMatchInlineSnapshot(`
      [
        1357757749,
        2151507541,
        1496934041,
        3273643394,
      ]
    `);
  });

  it("gives all of 0 … 9 equally often, over seeds as over one sequence", () => {
    const count = 20_000;
    const one = Random.of(1);
    for (const draw of [() => one.below(10), (seed: number) => Random.of(seed).below(10)]) {
      const seen = new Array<number>(10).fill(0);
      for (let seed = 0; seed < count; seed++) seen[draw(seed)]! += 1;
      const chi = seen.reduce((sum, n) => sum + (n - count / 10) ** 2 / (count / 10), 0);
      expect(chi).toBeLessThan(27.9); // 9 degrees of freedom, p = 0.001; the seeds are fixed
    }
  });

  it("is never 1, and between stays between", () => {
    const last = new Random([0xffffffff, 0, 0, 0]);
    expect(last.uniform()).toBe(1 - 2 ** -32);
    const random = Random.of(5);
    for (let i = 0; i < 100; i++) {
      const value = random.between(-2, 3);
      expect(value >= -2 && value < 3).toBe(true);
    }
  });

  it("draws anew where a word would favour small numbers", () => {
    // The words 2³² − 1 and then 1: of 3 · 2³⁰ numbers only the first 3 · 2³⁰ words count.
    const state: RandomState = [0xffffffff, 0, 0, 0];
    const [, second] = draws(new Random(state), 2);
    expect(second).toBeLessThan(3 * 2 ** 30);
    expect(new Random(state).below(3 * 2 ** 30)).toBe(second);
  });
});

describe("shuffled", () => {
  it.each([0, 1, 2, 17])("%i numbers are all there, once", (length) => {
    const order = shuffled(length, Random.of(3));
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length }, (_, i) => i));
  });

  it("takes every order of three as often", () => {
    const seen = new Map<string, number>();
    for (let seed = 0; seed < 6000; seed++) {
      const order = shuffled(3, Random.of(seed)).join("");
      seen.set(order, (seen.get(order) ?? 0) + 1);
    }
    expect(seen.size).toBe(6);
    for (const count of seen.values()) expect(Math.abs(count - 1000)).toBeLessThan(100); // 3.5 σ
  });
});
