// Whose turn it is: one job at a time, whichever section starts it.

export class Turn {
  #isReady = false;
  #running: AbortController | undefined;
  readonly #listeners: (() => void)[] = [];

  /** There is an adapter, and nothing runs. */
  get isFree(): boolean {
    return this.#isReady && !this.#running;
  }

  /** There is an adapter. */
  ready(): void {
    this.#isReady = true;
    this.#tell();
  }

  /** Called at each change. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Do `work`, unless something runs. What `work` throws, this throws. */
  async run(work: (controller: AbortController) => Promise<void>): Promise<void> {
    if (!this.isFree) return;
    this.#running = new AbortController();
    this.#tell();
    try {
      await work(this.#running);
    } finally {
      this.#running = undefined;
      this.#tell();
    }
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
