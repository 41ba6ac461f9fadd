// What every command gets, and what it gives back. One idea: a command returns its result as data and as
// text; only cli.ts prints.

import type { AdapterFacts } from "../node.ts";
import type { Progress } from "./progress.ts";
import type { Arguments, Grammar } from "./arguments.ts";

export interface Context {
  readonly progress: Progress;
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal;
}

export interface Outcome {
  /** For --json. */
  readonly json: object;
  /** For people. */
  readonly text: string;
}

export interface Command extends Grammar {
  /** One line. */
  readonly summary: string;
  readonly examples: readonly string[];
  run(args: Arguments, context: Context): Promise<Outcome>;
}

/** An adapter in a few words. */
export function adapterName({
  vendor,
  architecture,
  description,
  isFallback,
}: AdapterFacts): string {
  const names = [vendor, architecture, description].filter((part) => part !== "");
  return `${names.join(" ") || "unnamed"}${isFallback ? " (software)" : ""}`;
}
