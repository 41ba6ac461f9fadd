// What was typed → what it means. One idea: every way to type something wrong names itself and the help.
import { describe, expect, it } from "vitest";
import { parseArguments, UsageError, type Grammar } from "../../../src/cli/arguments.ts";

const grammar: Grammar = {
  name: "weigh",
  positionals: ["MODEL"],
  options: [
    { name: "data", value: "DIR", help: "", required: true, multiple: true },
    { name: "limit", value: "N", help: "" },
    { name: "offset", value: "K", help: "" },
  ],
};

const parse = (...argv: string[]) => parseArguments(grammar, argv);
const failure = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return "no error";
};

describe("arguments", () => {
  it("keep positionals, values and switches apart", () => {
    const args = parse("m.onnx", "--data", "a", "--limit=3", "--json");
    expect(args.positional("MODEL")).toBe("m.onnx");
    expect(args.list("data")).toEqual(["a"]);
    expect(args.integer("limit", 1)).toBe(3);
    expect([args.has("json"), args.has("help")]).toEqual([true, false]);
    expect(args.integer("offset", 0)).toBeUndefined();
  });

  it("take the words behind --data as pictures, so that a shell's *.jpg works", () => {
    const args = parse("m.onnx", "--data", "1.jpg", "2.jpg", "3.jpg", "--limit", "2");
    expect(args.list("data")).toEqual(["1.jpg", "2.jpg", "3.jpg"]);
  });

  it("take an .onnx file behind --data as the model", () => {
    const args = parse("--data", "folder", "m.onnx");
    expect(args.positional("MODEL")).toBe("m.onnx");
    expect(args.list("data")).toEqual(["folder"]);
  });

  it("take --data several times", () => {
    expect(parse("m.onnx", "--data", "a", "--data", "b").list("data")).toEqual(["a", "b"]);
  });

  it("ask for nothing else where help is wanted", () => {
    expect(parse("--help").has("help")).toBe(true);
  });

  it.each([
    [[], "weigh: MODEL is missing. Try: webgpu-quant weigh --help"],
    [["m.onnx"], "weigh: --data DIR is missing. Try: webgpu-quant weigh --help"],
    [
      ["m.onnx", "x", "--data", "d"],
      'weigh: unexpected argument "x". Try: webgpu-quant weigh --help',
    ],
    [
      ["m.onnx", "--date", "d"],
      "weigh: unknown option --date; did you mean --data? Try: webgpu-quant weigh --help",
    ],
    [
      ["m.onnx", "--data", "d", "--limit"],
      "weigh: Option '--limit <value>' argument missing. Try: webgpu-quant weigh --help",
    ],
    [
      ["m.onnx", "--data", "d", "--limit", "1", "--limit", "2"],
      "weigh: --limit is given twice. Try: webgpu-quant weigh --help",
    ],
    [
      ["m.onnx", "--data", "d", "--json=yes"],
      "weigh: Option '--json' does not take an argument. Try: webgpu-quant weigh --help",
    ],
  ])("%j is refused", (argv, message) => {
    expect(failure(() => parse(...argv))).toBe(message);
  });

  it.each(["0", "2.5", "many", "", "1e3"])("--limit %j is no whole number from 1 on", (text) => {
    const args = parse("m.onnx", "--data", "d", `--limit=${text}`);
    expect(failure(() => args.integer("limit", 1))).toBe(
      `weigh: --limit must be a whole number of at least 1; got "${text}". Try: webgpu-quant weigh --help`,
    );
  });

  it("a negative number is fine where no least is set", () => {
    expect(parse("m.onnx", "--data", "d", "--offset=-1").integer("offset", -Infinity)).toBe(-1);
  });
});
