// A terminal for tests: keeps what is written, and runs the command line on it.

import { cli } from "../../../src/cli/cli.ts";

export class Capture {
  text = "";
  readonly isTTY: boolean;
  readonly columns = 100;

  constructor(isTTY = false) {
    this.isTTY = isTTY;
  }

  /** Files that went to stdout. */
  readonly files: Uint8Array[] = [];

  write(text: string | Uint8Array, done?: () => void): boolean {
    if (typeof text === "string") this.text += text;
    else this.files.push(text);
    done?.();
    return true;
  }
}

export interface Finished {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Run the command line in this process, with pipes for streams. */
export async function runCli(...argv: string[]): Promise<Finished> {
  const stdout = new Capture();
  const stderr = new Capture();
  const { signal } = new AbortController();
  const status = await cli(argv, { stdout, stderr, signal });
  return { status, stdout: stdout.text, stderr: stderr.text };
}
