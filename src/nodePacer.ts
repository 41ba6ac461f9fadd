// Dawn's Node package asks the driver again and again while a promise is pending, on the main thread and
// without a pause. A software adapter computes on the same cores, so that costs it one of them. While
// anybody waits, this lets the thread sleep between the questions.

import type { Pacer } from "./gpu/device.ts";

/** Sleep of the main thread between two turns of the event loop while the GPU works, ms. */
const NAP = 0.5;

export class NodePacer implements Pacer {
  #waiting = 0;
  /** A nap is scheduled: there is never more than one. */
  #scheduled = false;
  readonly #never = new Int32Array(new SharedArrayBuffer(4));

  begin(): void {
    this.#waiting++;
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#nap);
  }

  end(): void {
    this.#waiting--;
  }

  readonly #nap = (): void => {
    this.#scheduled = this.#waiting > 0;
    if (!this.#scheduled) return;
    Atomics.wait(this.#never, 0, 0, NAP);
    setImmediate(this.#nap);
  };
}
