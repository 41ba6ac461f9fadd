// The progress of a job. One idea: the bar and the count change with every batch, but only a new phase
// is said to a screen reader.

import type { JobPhase, JobProgress } from "../src/job.ts";
import { byId } from "./dom.ts";

const words: Readonly<Record<JobPhase, string>> = {
  calibrate: "Calibrating: what range does each layer use?",
  "correct biases": "Correcting biases",
  evaluate: "Evaluating: what does int8 say of each picture?",
  "compare layers": "Comparing layers",
};

export class ProgressView {
  readonly #bar = byId<HTMLProgressElement>("bar");
  #phase: JobPhase | undefined;
  /** When the phase's first batch was done, and how many it had: compiling is over then. */
  #start = { time: 0, done: 0 };

  /** A job begins. */
  reset(): void {
    this.#phase = undefined;
    this.say("Preparing");
    this.#bar.removeAttribute("value");
    byId("count").textContent = "";
  }

  say(text: string): void {
    byId("phase").textContent = text;
  }

  report({ phase, phases, done, total }: JobProgress): void {
    const now = performance.now();
    if (phase !== this.#phase) {
      this.#phase = phase;
      this.#start = { time: now, done };
      this.say(`Step ${phases.indexOf(phase) + 1} of ${phases.length}. ${words[phase]}`);
    }
    this.#bar.max = total;
    this.#bar.value = done;
    const speed = (done - this.#start.done) / (now - this.#start.time); // pictures a ms
    const left = speed > 0 ? `, ${formatSeconds((total - done) / speed / 1000)} left` : "";
    byId("count").textContent = `${done} of ${total} pictures${left}`;
  }
}

/** 75 → "1:15". */
export function formatSeconds(seconds: number): string {
  const whole = Math.ceil(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
