// --dims NAME=SIZE fixes a size that a model leaves open; --bound NAME=SIZE keeps it open up to there.

import type { Arguments, OptionSpec } from "./arguments.ts";

export const DIMS_OPTION: OptionSpec = {
  name: "dims",
  value: "NAME=SIZE",
  multiple: true,
  help: "Fix a size that the model leaves open.",
};

export const BOUND_OPTION: OptionSpec = {
  name: "bound",
  value: "NAME=SIZE",
  multiple: true,
  help: "Compile once for every size up to this one; for every size left open.",
};

/** The sizes that --dims or --bound give, by name; undefined without any. Throws UsageError. */
export function readSizes(
  args: Arguments,
  option: "dims" | "bound",
): Readonly<Record<string, number>> | undefined {
  const entries = args.list(option).map((text): [string, number] => {
    const [, name = "", size = ""] = /^(.+)=(\d+)$/.exec(text) ?? [];
    if (name !== "" && Number.isSafeInteger(Number(size)) && Number(size) > 0)
      return [name, Number(size)];
    return args.fail(
      `--${option} must be NAME=SIZE with a positive size; got ${JSON.stringify(text)}`,
    );
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
