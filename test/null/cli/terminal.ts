// A terminal for tests: keeps what is written, and runs the command line on it.

import { cli } from "../../../src/cli/cli.ts";

export class Capture {
  text = "";
  readonly isTTY: boolean;
  readonly columns = 100;

  constructor(isTTY = false) {
    this.isTTY = isTTY;
  }

  write(text: string): boolean {
    this.text += text;
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
