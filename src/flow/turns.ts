// Long work on the host in turns: it gives way to the event loop every few tens of milliseconds, so that a
// page stays alive, messages arrive, and an abort is noticed. Work is a generator that yields wherever it can
// pause; the same generator runs at once where nobody waits.

/** Longest that work keeps the thread where it can pause, ms. */
const LONGEST_TURN = 30;

/** Work that can pause at every `yield`. */
export type Steps<T> = Generator<void, T, void>;

/** Do all of `steps` without a pause. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const next = steps.next();
    if (next.done) return next.value;
  }
}

/** Do `steps` in turns. Rejects with the reason of `signal` at the end of the turn in which it aborts. */
export async function inTurns<T>(steps: Steps<T>, signal?: AbortSignal): Promise<T> {
  const pace = new Pace(signal);
  for (;;) {
    const next = steps.next();
    if (next.done) return next.value;
    if (pace.isOver) await pace.rest();
  }
}

/** The turns of a loop that does what no generator can: wait. */
export class Pace {
  readonly #signal: AbortSignal | undefined;
  #end = performance.now() + LONGEST_TURN;

  /** Throws the reason of `signal` where it is aborted already. */
  constructor(signal?: AbortSignal) {
    signal?.throwIfAborted();
    this.#signal = signal;
  }

  /** This turn has lasted long enough. */
  get isOver(): boolean {
    return performance.now() >= this.#end;
  }

  /** Let everything else go first. Throws the reason of the signal where it aborted. */
  async rest(): Promise<void> {
    await giveWay();
    this.#signal?.throwIfAborted();
    this.#end = performance.now() + LONGEST_TURN;
  }
}

type Immediate = (callback: () => void) => unknown;

/** Resolves once tasks that are due have run. Timers would be held back to 4 ms by browsers. */
export function giveWay(): Promise<void> {
  const { setImmediate } = globalThis as { setImmediate?: Immediate };
  return new Promise((resolve) => {
    if (setImmediate) {
      setImmediate(() => resolve());
      return;
    }
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
