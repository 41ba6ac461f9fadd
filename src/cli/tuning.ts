// --tuning FILE and --bound NAME=SIZE: how the commands that run a model compile it.

import type { CompileOptions } from "../compile.ts";
import { parseTuning } from "../tuning/table.ts";
import type { Arguments, OptionSpec } from "./arguments.ts";
import { readJson } from "./files.ts";
import { readSizes } from "./sizes.ts";

export const TUNING_OPTION: OptionSpec = {
  name: "tuning",
  value: "FILE.json",
  help: "Use what `webgpu-quant tune` measured on this device.",
};

/** What to compile with; nothing without --tuning and --bound. Throws InputError, UsageError. */
export async function readTuning(args: Arguments, signal: AbortSignal): Promise<CompileOptions> {
  const bounds = readSizes(args, "bound");
  const sizes = bounds === undefined ? {} : { bounds };
  const path = args.text("tuning");
  if (path === undefined) return sizes;
  const value = await readJson("--tuning", path, "Tune again on this device.", signal);
  return { ...sizes, tuning: parseTuning(value) };
}
