// What evaluate measured, as a table: a row for the model, one for its reference.

import type {
  BinaryEvaluation,
  Evaluation,
  Evaluations,
  LanguageModelEvaluation,
  Measured,
  Task,
} from "../evaluate.ts";
import type { Comparison } from "../scores.ts";
import { formatDecibels, formatMs, formatPercent, table } from "./table.ts";

interface Column<Found> {
  readonly title: string;
  readonly own: (found: Found) => string;
  /** Of the reference; "-" without. */
  readonly reference?: (found: Found) => string;
}

const decimal = (value: number | undefined, digits: number): string =>
  value === undefined || Number.isNaN(value) ? "-" : value.toFixed(digits);

const shared: readonly Column<Measured & Comparison>[] = [
  { title: "agreement", own: ({ agreement }) => formatPercent(agreement) },
  { title: "logit SQNR", own: ({ sqnrDb }) => formatDecibels(sqnrDb) },
  {
    title: "latency",
    own: ({ latencyMs }) => formatMs(latencyMs.median),
    reference: ({ referenceLatencyMs }) => formatMs(referenceLatencyMs?.median),
  },
];

const classification: readonly Column<Evaluation>[] = [
  {
    title: "top-1",
    own: ({ top1 }) => formatPercent(top1),
    reference: ({ referenceTop1 }) => formatPercent(referenceTop1),
  },
  { title: "top-5", own: ({ top5 }) => formatPercent(top5) },
  ...shared,
];

const languageModel: readonly Column<LanguageModelEvaluation>[] = [
  {
    title: "perplexity",
    own: ({ perplexity }) => decimal(perplexity, 4),
    reference: ({ referencePerplexity }) => decimal(referencePerplexity, 4),
  },
  {
    title: "cross-entropy",
    own: ({ crossEntropy }) => `${decimal(crossEntropy, 4)} nats`,
    reference: ({ referenceCrossEntropy }) => `${decimal(referenceCrossEntropy, 4)} nats`,
  },
  {
    title: "top-1",
    own: ({ top1 }) => formatPercent(top1),
    reference: ({ referenceTop1 }) => formatPercent(referenceTop1),
  },
  ...shared,
];

const binary: readonly Column<BinaryEvaluation>[] = [
  {
    title: "accuracy",
    own: ({ accuracy }) => formatPercent(accuracy),
    reference: ({ referenceAccuracy }) => formatPercent(referenceAccuracy),
  },
  {
    title: "AUC",
    own: ({ auc }) => decimal(auc, 4),
    reference: ({ referenceAuc }) => decimal(referenceAuc, 4),
  },
  { title: "largest error", own: ({ largestError }) => decimal(largestError, 5) },
  { title: "largest difference", own: ({ largestDifference }) => decimal(largestDifference, 5) },
  ...shared,
];

const columns: { readonly [T in Task]: readonly Column<Evaluations[T]>[] } = {
  classification,
  "language-model": languageModel,
  binary,
};

/** What was measured, for --json: what is no finite number is null. */
export function numbersJson(found: object): object {
  const entries = Object.entries(found).map(([name, value]: [string, unknown]) => [
    name,
    typeof value === "number" && !Number.isFinite(value) ? null : value,
  ]);
  return Object.fromEntries(entries) as object;
}

/** A line where other labels would be right far more often, or where nothing is right that agrees. */
export function offsetWarning(found: Measured & Partial<Evaluation>): string[] {
  const { offsetHint, top1 = NaN, agreement, count } = found;
  if (offsetHint) {
    const { labelOffset, top1: better } = offsetHint;
    return [
      `warning: with --label-offset ${labelOffset} top-1 would be ${formatPercent(better)}: the labels seem to be ` +
        "counted from another class than the model's.",
    ];
  }
  // Two models that agree and are both wrong everywhere have the wrong labels or pictures.
  if (top1 !== 0 || (agreement ?? 0) < 50 || count < 10) return [];
  return [
    `warning: no answer is right, but ${formatPercent(agreement)} agree with the reference: check the order of the ` +
      "labels' classes, and --preprocess.",
  ];
}

/** The table of `found`; `reference` is the other model's path. */
export function evaluationTable<T extends Task>(
  task: T,
  found: Evaluations[T],
  path: string,
  reference: string | undefined,
): string {
  const list: readonly Column<Evaluations[T]>[] = columns[task];
  const rows = [
    ["model", ...list.map(({ title }) => title)],
    [path, ...list.map(({ own }) => own(found))],
  ];
  if (reference !== undefined)
    rows.push([reference, ...list.map((column) => column.reference?.(found) ?? "-")]);
  return table(rows);
}
