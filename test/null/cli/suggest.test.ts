// Mistyped commands, options and values: what was meant, where one word is near.
import { expect, it } from "vitest";
import { parseArguments, UsageError } from "../../../src/cli/arguments.ts";
import { runCli } from "./terminal.ts";

const grammar = {
  name: "evaluate",
  positionals: ["MODEL"],
  options: [
    { name: "preprocess", value: "P", help: "" },
    { name: "label-offset", value: "K", help: "" },
    { name: "task", value: "T", help: "" },
  ],
};

const problem = (...argv: string[]) => {
  try {
    const args = parseArguments(grammar, argv);
    args.choice("task", ["classification", "binary"]);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
  }
  return "no error";
};

it.each([
  [["--preproces", "tf"], "unknown option --preproces; did you mean --preprocess?"],
  [["--pre", "tf"], "unknown option --pre; did you mean --preprocess?"],
  [["--labeloffset=1"], "unknown option --labeloffset; did you mean --label-offset?"],
  [["--task", "clasification"], 'got "clasification"; did you mean classification?'],
  [["--frobnicate"], "unknown option --frobnicate; known are --preprocess, --label-offset, --task"],
  [["--task", "zebra"], '--task must be one of classification, binary; got "zebra". Try'],
])("%j: %s", (argv, words) => {
  expect(problem("m.onnx", ...argv)).toContain(words);
});

it("a negative number behind an option is its value", () => {
  const args = parseArguments(grammar, ["m.onnx", "--label-offset", "-1"]);
  expect(args.integer("label-offset", -Infinity)).toBe(-1);
});

it.each([
  ["quantise", "Did you mean quantize?"],
  ["Inspect", "Did you mean inspect?"],
  ["eval", "Did you mean evaluate?"],
])("the command %s: %s", async (name, words) => {
  expect((await runCli(name)).stderr).toContain(words);
});
