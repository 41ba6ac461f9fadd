// Work that several callers wait for: done once, stopped when the last of them gives up, and never
// remembered as a failure.

import { untilAborted } from "./abort.ts";

export class Joint<T> {
  readonly #stop = new AbortController();
  readonly #work: Promise<T>;
  #state: "under way" | "done" | "over" = "under way";
  #value: T | undefined;
  #users = 0;

  /** Begin `work`, whose signal aborts when nobody waits for it any more; what it gives even so is passed to
   *  `drop`. */
  constructor(work: (signal: AbortSignal) => Promise<T>, drop: (value: T) => void = () => {}) {
    this.#work = work(this.#stop.signal);
    this.#work.then(
      (value) => {
        if (this.#state === "over") {
          drop(value);
          return;
        }
        this.#state = "done";
        this.#value = value;
      },
      () => (this.#state = "over"),
    );
  }

  /** It failed, or everybody gave up: begin again. */
  get isOver(): boolean {
    return this.#state === "over";
  }

  /** What it gave, once it did. */
  get value(): T | undefined {
    return this.#value;
  }

  /** Those who wait. */
  get users(): number {
    return this.#users;
  }

  /** What it gives, or the reason of `signal` as soon as that aborts. */
  async wait(signal?: AbortSignal): Promise<T> {
    this.#users++;
    try {
      return await untilAborted(this.#work, signal);
    } finally {
      this.#users--;
      if (this.#users === 0) this.#giveUp();
    }
  }

  /** Nobody wants it any more: stop, or drop what is there. */
  end(drop: (value: T) => void): void {
    if (this.#state === "done" && this.#value !== undefined) drop(this.#value);
    else this.#giveUp();
  }

  #giveUp(): void {
    if (this.#state !== "under way") return;
    this.#state = "over";
    this.#stop.abort();
  }
}
