// What every command gets, and what it gives back: its result as data and as text, which cli.ts prints.

import type { AdapterFacts } from "../node.ts";
import type { Progress } from "./progress.ts";
import type { Arguments, Grammar } from "./arguments.ts";

/** Where an output file called `-` goes: process.stdout, or a test's. */
export interface OutputStream {
  write(bytes: Uint8Array | string, done?: (error?: Error | null) => void): unknown;
  readonly isTTY?: boolean;
}

export interface Context {
  readonly progress: Progress;
  readonly stdout: OutputStream;
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
