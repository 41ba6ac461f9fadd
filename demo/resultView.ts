// The figures of a finished job: the table that `npm start` prints, what int8 says of each picture, and the
// int8 file. One idea: what only a float file has (a column, a row, the layers) is left out of another's.

import {
  formatBytes,
  formatCount,
  formatDecibels,
  formatMs,
  formatPercent,
} from "../src/cli/table.ts";
import type { JobResult, Prediction, Quantization } from "../src/job.ts";
import { countOf, element } from "./dom.ts";

/** Name of a figure, for tests; what it is; its values of int8 and float32. */
type Row = readonly [id: string, what: string, int8: string, float?: string];

/** Rows that a job of this kind has. */
function figures(result: JobResult): Row[] {
  const { bytesGiven, bytesQuantized, evaluation, isLabelled, inspection, stage } = result;
  const fromFloat = stage === "float";
  const { length } = inspection.nodes;
  const integers = inspection.nodes.filter(({ dtype }) => dtype === "integer").length;
  const share = formatPercent((100 * bytesQuantized) / bytesGiven);
  const sizes: Row[] = fromFloat
    ? [
        ["bytes", "Size", formatBytes(bytesQuantized), formatBytes(bytesGiven)],
        ["bytesShare", "Size, of the float file", share],
      ]
    : [
        ["bytesGiven", "Size of your file", formatBytes(bytesGiven)],
        ["bytes", "Size as QDQ ONNX", formatBytes(bytesQuantized)],
      ];
  return [
    ...sizes,
    ["integerNodes", `Nodes in integers, of ${formatCount(length)}`, formatCount(integers)],
    ["floatNodes", "Nodes in float", formatCount(length - integers)],
    [
      "integerMacs",
      `Multiply-accumulates in integers, of ${formatCount(inspection.macs)}`,
      formatPercent(100 * inspection.integerMacShare),
    ],
    ...(evaluation ? measured(evaluation, isLabelled) : []),
  ];
}

/** Rows that need pictures. */
function measured(evaluation: NonNullable<JobResult["evaluation"]>, isLabelled: boolean): Row[] {
  const { top1, referenceTop1, agreement, sqnrDb, latencyMs, referenceLatencyMs } = evaluation;
  const top1Row: Row = ["top1", "Top-1", formatPercent(top1), formatPercent(referenceTop1)];
  const agreementRow: Row = ["agreement", "Agreement with float", formatPercent(agreement)];
  return [
    ...(isLabelled ? [top1Row] : []),
    ...(agreement === undefined ? [] : [agreementRow]),
    ...(sqnrDb === undefined ? [] : [["sqnr", "Logit SQNR", formatDecibels(sqnrDb)] as const]),
    [
      "latency",
      "Median latency a picture",
      formatMs(latencyMs.median),
      formatMs(referenceLatencyMs?.median),
    ],
  ];
}

/** The head of a table; columns but the first hold numbers. */
export const header = (...names: readonly string[]) =>
  element(
    "thead",
    {},
    element(
      "tr",
      {},
      ...names.map((textContent, index) =>
        element("th", { textContent, scope: "col", className: index > 0 ? "number" : "" }),
      ),
    ),
  );

/** What the figures were measured on. */
function captionOf({ quantization, evaluation, isLabelled }: JobResult): string {
  const labels = isLabelled ? "" : " The pictures have no labels, so there is no top-1.";
  const count = evaluation?.count ?? 0;
  if (quantization)
    return `Calibrated on ${quantization.calibrated} pictures, measured on ${count}.${labels}`;
  const asItIs = "Quantized already: it runs as it is, without calibration";
  if (!evaluation) return `${asItIs}. Add pictures to run it on them.`;
  return `${asItIs}. Measured on ${countOf(count, "picture")}.${labels}`;
}

function figuresTable(result: JobResult): HTMLTableElement {
  const hasFloat = result.stage === "float";
  const rows = figures(result).map(([id, what, int8, float = ""]) => {
    const int8Cell = element("td", { textContent: int8, className: "number" });
    int8Cell.dataset["figure"] = id;
    return element(
      "tr",
      {},
      element("th", { textContent: what, scope: "row" }),
      ...(hasFloat ? [element("td", { textContent: float, className: "number" })] : []),
      int8Cell,
    );
  });
  return element(
    "table",
    { id: "figures" },
    element("caption", { textContent: captionOf(result) }),
    header("", ...(hasFloat ? ["float32"] : []), "int8"),
    element("tbody", {}, ...rows),
  );
}

/** Up to so many pictures the predictions lie open; at most so many are shown. */
const OPEN = 10;
const SHOWN = 100;

function predictionsTable(predictions: readonly Prediction[]): HTMLElement[] {
  if (predictions.length === 0) return [];
  const hasFloat = predictions.some(({ floatClass }) => floatClass !== undefined);
  const number = (textContent: string) => element("td", { textContent, className: "number" });
  const rows = predictions
    .slice(0, SHOWN)
    .map((each) =>
      element(
        "tr",
        {},
        element("th", { textContent: each.picture, scope: "row" }),
        ...(hasFloat ? [number(String(each.floatClass ?? ""))] : []),
        number(String(each.class)),
        number(each.score.toFixed(2)),
      ),
    );
  const some =
    predictions.length > SHOWN ? `The first ${SHOWN} of ${predictions.length}: the` : "The";
  return [
    element(
      "details",
      { open: predictions.length <= OPEN },
      element("summary", {
        textContent: `What int8 says of ${countOf(predictions.length, "picture")}`,
      }),
      element(
        "table",
        { id: "predictions" },
        element("caption", { textContent: `${some} class, from 0 on, with the greatest output.` }),
        header("Picture", ...(hasFloat ? ["float32"] : []), "int8", "Output"),
        element("tbody", {}, ...rows),
      ),
    ),
  ];
}

function layersTable({ layers, compared }: Quantization): HTMLElement[] {
  const rows = layers
    .slice(0, 5)
    .map(({ node, op, sqnrDb }) =>
      element(
        "tr",
        {},
        element("th", { textContent: node, scope: "row" }),
        element("td", { textContent: op }),
        element("td", { textContent: formatDecibels(sqnrDb), className: "number" }),
      ),
    );
  const caption = `The five worst layers by SQNR, on ${compared} pictures.`;
  return [
    element("h3", { textContent: "Where int8 loses" }),
    element(
      "table",
      { id: "layers" },
      element("caption", { textContent: caption }),
      element(
        "thead",
        {},
        element(
          "tr",
          {},
          element("th", { textContent: "Layer", scope: "col" }),
          element("th", { textContent: "Op", scope: "col" }),
          element("th", { textContent: "SQNR", scope: "col", className: "number" }),
        ),
      ),
      element("tbody", {}, ...rows),
    ),
  ];
}

/** A list that opens on demand; nothing where it is empty. */
function list(id: string, title: string, items: readonly string[]): HTMLElement[] {
  if (items.length === 0) return [];
  const lines = items.map((textContent) => element("li", { textContent }));
  return [
    element(
      "details",
      { id },
      element("summary", { textContent: title }),
      element("ul", {}, ...lines),
    ),
  ];
}

/** Fill `place` with the figures and a link to the file, which is at `href`. */
export function showResult(
  place: HTMLElement,
  name: string,
  href: string,
  result: JobResult,
): void {
  const { skipped, inspection, stage, quantization, predictions } = result;
  const form = stage === "float" ? "int8" : "QDQ";
  const link = element("a", {
    id: "download",
    className: "download",
    href,
    download: `${name}-${form.toLowerCase()}.onnx`,
    textContent: `Download ${form} .onnx (${formatBytes(result.bytesQuantized)})`,
  });
  const warning = quantization?.warning;
  place.replaceChildren(
    ...(warning
      ? [
          element("p", {
            id: "warning",
            className: "problem",
            role: "alert",
            textContent: `Warning: ${warning.message}`,
          }),
        ]
      : []),
    figuresTable(result),
    link,
    ...(quantization ? layersTable(quantization) : []),
    ...predictionsTable(predictions),
    ...list(
      "skipped",
      `${countOf(skipped.length, "broken picture")} skipped`,
      skipped.map(({ reason }) => reason),
    ),
    ...list(
      "floats",
      `${countOf(inspection.float.length, "node")} left in float`,
      inspection.float.map(({ node, op, why }) => `${op} "${node}": ${why}`),
    ),
  );
}
