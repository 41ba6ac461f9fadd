// How many steps go into one submit: all of them where the run is short, else as many as take about
// 100 ms, so that no watchdog bites and an abort is quick. Nothing is guessed: the first run feels its
// way in small submits, and every later one corrects what it learned.

/** Consecutive steps of one submit: `from` up to, not including, `to`. */
export interface Chunk {
  readonly from: number;
  readonly to: number;
}

/** Longest submit, ms. A step that takes longer by itself stays whole: only its kernel could split it. */
export const LONGEST_SUBMIT = 100;
/** What the submits of a long run are planned for, ms: other work on the device makes some longer. */
const AIM = 75;
/** Steps of the very first submit. */
const FIRST_STEPS = 4;

export class Schedule {
  readonly #steps: number;
  /** Time of each step, ms, as far as it was ever measured: from the first step on. */
  readonly #ms: number[] = [];
  /** Steps of the next submit of unknown length. */
  #trial = FIRST_STEPS;

  constructor(steps: number) {
    this.#steps = steps;
  }

  /** Every step was measured. */
  get isKnown(): boolean {
    return this.#ms.length === this.#steps;
  }

  /** Time of a whole run as measured last, ms; undefined before that. */
  get total(): number | undefined {
    return this.isKnown ? this.#sum({ from: 0, to: this.#steps }) : undefined;
  }

  /** The steps to submit next, after those before `from`. */
  next(from: number): Chunk {
    if (from >= this.#ms.length) return { from, to: Math.min(this.#steps, from + this.#trial) };
    if (from === 0 && (this.total ?? Infinity) <= LONGEST_SUBMIT) return { from, to: this.#steps };
    let to = from;
    let ms = 0;
    while (to < this.#ms.length && (to === from || ms + this.#at(to) <= AIM)) ms += this.#at(to++);
    return { from, to };
  }

  /** `chunk` took `ms`. Its steps share it as they did before, or evenly at first. */
  record(chunk: Chunk, ms: number): void {
    const { from, to } = chunk;
    if (to === from) return;
    const before = to <= this.#ms.length ? this.#sum(chunk) : 0;
    const even = ms / (to - from);
    for (let step = from; step < to; step++)
      this.#ms[step] = before > 0 ? (this.#at(step) * ms) / before : even;
    // At most twice as many at a time: the steps ahead may be heavier.
    this.#trial = Math.max(1, Math.min(2 * (to - from), Math.floor(AIM / Math.max(even, 0.001))));
  }

  #at(step: number): number {
    return this.#ms[step] ?? 0;
  }

  #sum({ from, to }: Chunk): number {
    let sum = 0;
    for (let step = from; step < to; step++) sum += this.#at(step);
    return sum;
  }
}
