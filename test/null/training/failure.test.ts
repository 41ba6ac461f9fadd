// What a training that broke names first.

import { expect, it } from "vitest";
import { float32 } from "../../../src/tensor/tensor.ts";
import { firstWrong, type Named } from "../../../src/trainFailure.ts";

const value = (name: string, ...data: number[]): Named => [name, float32([data.length], data)];
const mask = value("mask", 0, -3.4e38);
const fine = value("fine", 1, 2);

it("names the first value that is not finite, not a mask of −3.4e38 before it", () => {
  const values = [fine, mask, value("scores", 0, NaN), value("later", Infinity)];
  expect(firstWrong(values)).toEqual(["scores", "NaN at index 1"]);
  expect(firstWrong([mask, value("scores", -Infinity)])).toEqual([
    "scores",
    "-Infinity at index 0",
  ]);
});

it("names the first that is too large where all are finite, and nothing where all are fine", () => {
  expect(firstWrong([fine, value("scores", 5, 2e31)])?.[0]).toBe("scores");
  expect(firstWrong([fine, ["unread", undefined]])).toBeUndefined();
});
