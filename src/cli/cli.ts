// The command line as a function: arguments and streams → exit status. All that is printed is printed here, so
// that --json is one object whatever happens; on stderr where stdout is the output file.

import { parseArguments, UsageError } from "./arguments.ts";
import { compare } from "./commands/compare.ts";
import { doctor } from "./commands/doctor.ts";
import { evaluate } from "./commands/evaluate.ts";
import { exportOnnx } from "./commands/export.ts";
import { inspect } from "./commands/inspect.ts";
import { quantize } from "./commands/quantize.ts";
import { run } from "./commands/run.ts";
import { train } from "./commands/train.ts";
import { tune } from "./commands/tune.ts";
import type { Command, OutputStream } from "./context.ts";
import { describeFailure } from "./failure.ts";
import { commandHelp, overview } from "./help.ts";
import { writesStdout } from "./outputs.ts";
import { Progress, type ProgressStream } from "./progress.ts";
import { nearest } from "./suggest.ts";
import { version } from "./version.ts";

export const commands: readonly Command[] = [
  doctor,
  inspect,
  quantize,
  train,
  exportOnnx,
  evaluate,
  compare,
  tune,
  run,
];

/** Where the command line reads and writes. */
export interface Terminal {
  readonly stdout: ProgressStream & OutputStream;
  readonly stderr: ProgressStream;
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal;
  /** Print stacks. */
  readonly debug?: boolean;
}

/** Run one command. Resolves with the exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted. */
export async function cli(argv: readonly string[], terminal: Terminal): Promise<number> {
  const { stdout, stderr, signal } = terminal;
  const progress = new Progress(stderr);
  const json = argv.includes("--json");
  const report = writesStdout(argv) ? stderr : stdout;
  try {
    const [first, ...rest] = argv;
    if (first === "--version") return print(stdout, version());
    if (first === "--help" || first === "-h" || (first === "help" && rest.length === 0))
      return print(stdout, overview(commands));
    const asked = first === "help" ? [...rest, "--help"] : argv;
    const command = findCommand(asked[0]);
    const args = parseArguments(command, asked.slice(1));
    if (args.has("help")) return print(stdout, commandHelp(command));
    const outcome = await command.run(args, { progress, stdout, signal });
    progress.clear();
    return print(report, json ? JSON.stringify(outcome.json) : outcome.text);
  } catch (error) {
    progress.clear();
    const failure = describeFailure(error, signal);
    if (json)
      print(report, JSON.stringify({ error: { code: failure.code, message: failure.message } }));
    else print(stderr, failure.message);
    if (terminal.debug && error instanceof Error) print(stderr, error.stack ?? "");
    return failure.status;
  }
}

function print(stream: ProgressStream, text: string): number {
  stream.write(`${text}\n`);
  return 0;
}

function findCommand(name: string | undefined): Command {
  const command = commands.find((candidate) => candidate.name === name);
  if (command) return command;
  const known = commands.map((candidate) => candidate.name).join(", ");
  const problem = name === undefined ? "a command is missing" : `unknown command "${name}"`;
  const meant = nearest(
    name ?? "",
    commands.map((candidate) => candidate.name),
  );
  throw new UsageError(
    `webgpu-quant: ${problem}; known are ${known}.` +
      `${meant === undefined ? "" : ` Did you mean ${meant}?`} Try: webgpu-quant --help`,
  );
}
