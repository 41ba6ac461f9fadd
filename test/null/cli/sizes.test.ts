// --dims and --bound: sizes by name, or a refusal that says what they must be.

import { describe, expect, it } from "vitest";
import type { Arguments } from "../../../src/cli/arguments.ts";
import { readSizes } from "../../../src/cli/sizes.ts";

/** Arguments of which only the option's texts are asked for. */
const args = (...texts: string[]) =>
  ({
    list: () => texts,
    fail: (problem: string) => {
      throw new Error(problem);
    },
  }) as unknown as Arguments;

describe("sizes of the command line", () => {
  it("are numbers by name, and names may hold a =", () => {
    expect(readSizes(args("batch=8", "a=b=512"), "bound")).toEqual({ batch: 8, "a=b": 512 });
    expect(readSizes(args(), "bound")).toBeUndefined();
  });

  it.each(["batch", "batch=", "=3", "batch=0", "batch=1.5", "batch=-2"])("are not %j", (text) => {
    expect(() => readSizes(args(text), "dims")).toThrow(
      `--dims must be NAME=SIZE with a positive size; got ${JSON.stringify(text)}`,
    );
  });
});
