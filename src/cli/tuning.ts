// --tuning FILE and --bound NAME=SIZE: how the commands that run a model compile it.

import type { CompileOptions } from "../compile.ts";
import { InputError } from "../errors.ts";
import { parseTuning } from "../tuning/table.ts";
import type { Arguments, OptionSpec } from "./arguments.ts";
import { readInput } from "./files.ts";
import { readSizes } from "./sizes.ts";

export const TUNING_OPTION: OptionSpec = {
  name: "tuning",
  value: "FILE.json",
  help: "Use what `webgpu-quant tune` measured on this device.",
};

/** What to compile with; nothing without --tuning and --bound. Throws InputError, UsageError. */
export async function readTuning(args: Arguments): Promise<CompileOptions> {
  const bounds = readSizes(args, "bound");
  const sizes = bounds === undefined ? {} : { bounds };
  const path = args.text("tuning");
  if (path === undefined) return sizes;
  const text = new TextDecoder().decode(await readInput("--tuning", path));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new InputError(
      `--tuning "${path}": must be JSON; ${problem}. Tune again on this device.`,
    );
  }
  return { ...sizes, tuning: parseTuning(value) };
}
