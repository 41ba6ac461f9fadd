// Ctrl-C and the end of the process.

/** A signal that aborts on the first Ctrl-C (or SIGTERM, SIGHUP); the second ends the process at once. */
export function interruptible(): AbortSignal {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort();
  };
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, stop);
  // A reader that goes early, such as `head`, is no failure; outputs.ts sets the status for one that missed
  // a part of an output file.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit();
      throw error;
    });
  }
  return controller.signal;
}

/** End the process when stdout and stderr are written. */
export async function finish(status: number): Promise<never> {
  const flushed = [process.stdout, process.stderr].map(
    (stream) => new Promise<void>((resolve) => stream.write("", () => resolve())),
  );
  await Promise.all(flushed);
  process.exit(status);
}
