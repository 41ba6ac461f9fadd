// --constant NAME=VALUE: inputs that are known when loading, such as a sample rate.

import type { LoadOptions } from "../load.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Arguments, OptionSpec } from "./arguments.ts";
import { onlyArray } from "./arrays.ts";
import { readInput } from "./files.ts";

export const CONSTANT_OPTION: OptionSpec = {
  name: "constant",
  value: "NAME=VALUE",
  multiple: true,
  help: "A number or FILE.npy for an input that must be known when loading: sr=16000.",
};

/** What --constant says; undefined where it is not given. Throws UsageError, InputError. */
export async function readConstants(
  args: Arguments,
  signal?: AbortSignal,
): Promise<LoadOptions["constants"]> {
  const constants = new Map<string, Tensor | number>();
  for (const text of args.list("constant")) {
    const [, name = "", value = ""] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
    if (name === "") args.fail(`--constant must be NAME=VALUE; got ${JSON.stringify(text)}`);
    if (constants.has(name)) args.fail(`--constant for "${name}" is given twice`);
    constants.set(
      name,
      Number.isFinite(Number(value))
        ? Number(value)
        : onlyArray("--constant", value, await readInput("--constant", value, signal), name),
    );
  }
  return constants.size > 0 ? Object.fromEntries(constants) : undefined;
}
