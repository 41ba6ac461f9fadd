// The progress of a job. One idea: the bar and the count change with every batch, but only a new phase
// is said to a screen reader.

import type { JobPhase, JobProgress } from "../src/job.ts";

const words: Readonly<Record<JobPhase, string>> = {
  calibrate: "Calibrating: what range does each layer use?",
  "correct biases": "Correcting biases",
  train: "Training",
  "evaluate calibrated": "Evaluating float and calibration alone",
  evaluate: "Evaluating: what does int8 say of each picture?",
  "compare layers": "Comparing layers",
};

/** Elements of the page that a progress is shown in. */
export interface ProgressPlace {
  readonly phase: HTMLElement;
  readonly bar: HTMLProgressElement;
  readonly count: HTMLElement;
}

export class ProgressView {
  readonly #place: ProgressPlace;
  #phase: JobPhase | undefined;
  /** When the phase's first batch was done, and how many it had: compiling is over then. */
  #start = { time: 0, done: 0 };

  constructor(place: ProgressPlace) {
    this.#place = place;
  }

  /** A job begins. */
  reset(): void {
    this.#phase = undefined;
    this.say("Preparing");
    this.#place.bar.removeAttribute("value");
    this.#place.count.textContent = "";
  }

  say(text: string): void {
    this.#place.phase.textContent = text;
  }

  report({ phase, phases, done, total, training }: JobProgress): void {
    const now = performance.now();
    if (phase !== this.#phase) {
      this.#phase = phase;
      this.#start = { time: now, done };
      this.say(`Step ${phases.indexOf(phase) + 1} of ${phases.length}. ${words[phase]}`);
    }
    const { bar, count } = this.#place;
    bar.max = total;
    bar.value = done;
    const speed = (done - this.#start.done) / (now - this.#start.time); // pictures a ms
    const own = speed > 0 ? (total - done) / speed / 1000 : undefined;
    const seconds = training ? training.eta : own;
    const left = seconds === undefined ? "" : `, ${formatSeconds(seconds)} left`;
    const what = training ? "steps" : "pictures";
    count.textContent = `${done} of ${total} ${what}${left}`;
  }
}

/** 75 → "1:15". */
export function formatSeconds(seconds: number): string {
  const whole = Math.ceil(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
