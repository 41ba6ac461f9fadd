// A line over steps, as SVG. One idea: it is drawn for the width it has, in the page's own text size, so that numbers
// are readable on a phone; colours are the style sheet's, so it follows the system to dark.

import { ticksTo, wholeTicksTo } from "./ticks.ts";

export interface Point {
  readonly step: number;
  readonly value: number;
}

export interface ChartOptions {
  /** "Loss", as in "Loss over steps". */
  readonly name: string;
  /** The end of the value axis; by default the greatest value. */
  readonly most?: number;
  readonly format: (value: number) => string;
}

const HEIGHT = 190; // px
const EDGE = { left: 46, right: 10, top: 8, bottom: 38 }; // px, for the numbers of the axes
/** Steps that the bold line is the mean of. */
const SMOOTH = 5;

const NAMESPACE = "http://www.w3.org/2000/svg";

function shape(tag: string, attributes: Readonly<Record<string, string | number>>, text = "") {
  const made = document.createElementNS(NAMESPACE, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.textContent = text;
  return made;
}

/** The mean of each point and up to SMOOTH − 1 before it. */
function smoothed(points: readonly Point[]): Point[] {
  let sum = 0;
  return points.map(({ step, value }, i) => {
    sum += value - (points[i - SMOOTH]?.value ?? 0);
    return { step, value: sum / Math.min(i + 1, SMOOTH) };
  });
}

export class Chart {
  readonly #svg: Element;
  readonly #caption: HTMLElement;
  readonly #options: ChartOptions;
  #points: readonly Point[] = [];
  #steps = 1;
  #isDue = false;

  constructor(figure: HTMLElement, options: ChartOptions) {
    this.#options = options;
    this.#caption = document.createElement("figcaption");
    this.#svg = shape("svg", { role: "img", height: HEIGHT });
    figure.append(this.#caption, this.#svg);
    new ResizeObserver(() => this.#draw()).observe(figure);
  }

  /** Show `points`, the x axis up to `steps`. Drawn once a frame. */
  show(points: readonly Point[], steps: number): void {
    this.#points = points;
    this.#steps = steps;
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => {
      this.#isDue = false;
      this.#draw();
    });
  }

  #draw(): void {
    const { name, most, format } = this.#options;
    const width = Math.round(this.#svg.getBoundingClientRect().width);
    if (width === 0) return; // hidden
    const points = this.#points;
    const mean = smoothed(points);
    const values = ticksTo(most ?? Math.max(0, ...points.map(({ value }) => value)), 4);
    const top = values.at(-1) ?? 1;
    const steps = Math.max(1, this.#steps);
    const right = width - EDGE.right;
    const bottom = HEIGHT - EDGE.bottom;
    const x = (step: number) => EDGE.left + (step / steps) * (right - EDGE.left);
    const y = (value: number) => bottom - (Math.min(value, top) / top) * (bottom - EDGE.top);
    const line = (of: readonly Point[], kind: string) =>
      shape("polyline", {
        class: kind,
        points: of
          .map(({ step, value }) => `${x(step).toFixed(1)},${y(value).toFixed(1)}`)
          .join(" "),
      });
    const last = mean.at(-1);
    this.#svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    this.#svg.setAttribute("aria-label", this.#words(mean));
    this.#caption.textContent = last
      ? `${name}: ${format(last.value)}, mean of ${SMOOTH} steps`
      : name;
    this.#svg.replaceChildren(
      ...values.flatMap((value) => [
        shape("line", { class: "grid", x1: EDGE.left, x2: right, y1: y(value), y2: y(value) }),
        shape("text", { class: "y", x: EDGE.left - 8, y: y(value) + 4 }, format(value)),
      ]),
      ...wholeTicksTo(steps, 5).map((step) =>
        shape("text", { class: "x", x: x(step), y: bottom + 17 }, String(step)),
      ),
      shape("text", { class: "x", x: (EDGE.left + right) / 2, y: HEIGHT - 4 }, "step"),
      line(points, "raw"),
      line(mean, "mean"),
      ...(last ? [shape("circle", { cx: x(last.step), cy: y(last.value), r: 3.5 })] : []),
    );
  }

  /** What the lines say, for those who do not see them. */
  #words(mean: readonly Point[]): string {
    const { name, format } = this.#options;
    const [first] = this.#points;
    const last = this.#points.at(-1);
    const end = mean.at(-1);
    if (!first || !last || !end) return `${name} over steps: none yet.`;
    return (
      `${name} over steps: ${format(first.value)} at step ${first.step}, ${format(last.value)} at step ` +
      `${last.step} of ${this.#steps}; the mean of the last ${Math.min(SMOOTH, mean.length)} is ${format(end.value)}.`
    );
  }
}
