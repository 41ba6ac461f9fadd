// What a training has come to so far: means over the steps of an epoch, the pace, and the time that is left.

/** What one step told. */
export interface StepFigures {
  readonly loss: number;
  readonly accuracy: number | undefined;
}

/** Steps that the pace is measured over: the last ones, since the first also compile. */
const PACE = 20;

export class TrainingLog {
  readonly #now: () => number;
  #steps = 0;
  #loss = 0;
  #accuracy = 0;
  #hasAccuracy = false;
  #began: number;
  readonly #times: number[] = [];

  /** `now`: milliseconds of a clock. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#began = now();
  }

  /** Begin the next epoch. */
  start(): void {
    this.#steps = 0;
    this.#loss = 0;
    this.#accuracy = 0;
    this.#began = this.#now();
  }

  add({ loss, accuracy }: StepFigures): void {
    this.#steps++;
    this.#loss += loss;
    this.#accuracy += accuracy ?? 0;
    this.#hasAccuracy = accuracy !== undefined;
    this.#times.push(this.#now());
    if (this.#times.length > PACE) this.#times.shift();
  }

  /** Steps of this epoch, since it began here. */
  get steps(): number {
    return this.#steps;
  }

  /** Over the last steps; 0 after the first alone. */
  get stepsPerSecond(): number {
    const [first = 0] = this.#times;
    const last = this.#times.at(-1) ?? 0;
    return last > first ? (1000 * (this.#times.length - 1)) / (last - first) : 0;
  }

  /** Means over the steps of this epoch, and its seconds. */
  epoch(): { readonly loss: number; readonly accuracy?: number; readonly seconds: number } {
    const count = Math.max(1, this.#steps);
    return {
      loss: this.#loss / count,
      ...(this.#hasAccuracy ? { accuracy: this.#accuracy / count } : {}),
      seconds: (this.#now() - this.#began) / 1000,
    };
  }
}
