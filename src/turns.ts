// Long work of the host in turns with everything else: after some milliseconds the event loop gets one, so that a
// page stays alive, progress is seen, and the abort of a worker's job arrives.

/** Milliseconds of work between two turns of the event loop. */
const SLICE = 25;

/** One turn. A message, since timers are held back in pages that nobody sees. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}

/** What `steps` returns.
 *  @param onStep Called before each turn with what the last step yielded.
 *  @throws the signal's reason once it aborts; whatever a step throws. */
export async function inTurns<S, T>(
  steps: Generator<S, T>,
  signal: AbortSignal | undefined,
  onStep?: (step: S) => void,
): Promise<T> {
  signal?.throwIfAborted();
  let until = performance.now() + SLICE;
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (performance.now() < until) continue;
    onStep?.(step.value);
    await turn();
    signal?.throwIfAborted();
    until = performance.now() + SLICE;
  }
}
