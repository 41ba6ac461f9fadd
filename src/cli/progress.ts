// Progress bars with the time that is left. A bar is for eyes, so in a pipe nothing is printed but the notes,
// which are worth a line in a log.

/** Where progress goes: process.stderr, or a test's. */
export interface ProgressStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

const BAR = 24; // characters
const COLUMNS = 80; // where a terminal does not tell, or tells 0
const INTERVAL = 100; // ms between two drawings

export class Progress {
  readonly #stream: ProgressStream;
  readonly #now: () => number;
  #label = "";
  #start = 0;
  #firstDone = 0;
  #drawn = -Infinity;
  #visible = false;

  /** `now` in ms, as performance.now(). */
  constructor(stream: ProgressStream, now: () => number = () => performance.now()) {
    this.#stream = stream;
    this.#now = now;
  }

  /** `done` of `total` samples of the job called `label`; a new label starts a new bar. `told` stands behind it. */
  report(label: string, done: number, total: number | undefined, told = ""): void {
    if (!this.#stream.isTTY) return;
    const now = this.#now();
    if (label !== this.#label) {
      this.clear();
      [this.#label, this.#start, this.#firstDone, this.#drawn] = [label, now, done, -Infinity];
    }
    const finished = total !== undefined && done >= total;
    if (now - this.#drawn < INTERVAL && !finished) return;
    this.#drawn = now;
    const room = (this.#stream.columns || COLUMNS) - 1; // the last column would wrap
    const seconds = this.#remaining(done, total, now);
    const line = (width: number) => {
      const bar = barLine(label, done, total, seconds, width);
      return told === "" ? bar : `${bar}  ${told}`;
    };
    // A narrow terminal loses the bar before the numbers.
    const whole = line(BAR);
    const shown = whole.length <= room ? whole : line(Math.max(0, BAR + room - whole.length));
    this.#stream.write(`\r\x1b[2K${shown.slice(0, room)}`);
    this.#visible = true;
  }

  /** A line that stays, above the bar. */
  note(text: string): void {
    this.clear();
    this.#stream.write(`${text}\n`);
  }

  /** Wipe the bar. */
  clear(): void {
    if (this.#visible) this.#stream.write("\r\x1b[2K");
    this.#visible = false;
    this.#drawn = -Infinity;
  }

  /** Seconds left, at the speed since the bar's first report (which includes compiling). */
  #remaining(done: number, total: number | undefined, now: number): number | undefined {
    const since = done - this.#firstDone;
    if (total === undefined || since <= 0) return undefined;
    return ((now - this.#start) / 1000 / since) * (total - done);
  }
}

function barLine(
  label: string,
  done: number,
  total: number | undefined,
  seconds: number | undefined,
  width: number,
): string {
  if (total === undefined) return `${label}  ${done}`;
  const share = total === 0 ? 1 : Math.min(1, done / total);
  const filled = Math.round(share * width);
  const bar = width === 0 ? "" : `  ${"█".repeat(filled)}${"░".repeat(width - filled)}`;
  const left = seconds === undefined ? "" : `  ${formatSeconds(seconds)} left`;
  return `${label}${bar}  ${done}/${total}${left}`;
}

function formatSeconds(seconds: number): string {
  const whole = Math.ceil(seconds);
  const clock = `${Math.floor((whole % 3600) / 60)}:${String(whole % 60).padStart(2, "0")}`;
  return whole < 3600 ? clock : `${Math.floor(whole / 3600)}:${clock.padStart(5, "0")}`;
}
