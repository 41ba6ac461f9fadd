// The figures of a finished job: the table that `npm start` prints, and the int8 file.

import {
  formatBytes,
  formatCount,
  formatDecibels,
  formatMs,
  formatPercent,
} from "../src/cli/table.ts";
import type { JobResult } from "../src/job.ts";
import { countOf, element } from "./dom.ts";

/** Name of a figure, for tests; what it is; its values of float32 and int8. */
type Row = readonly [id: string, what: string, float: string, int8: string];

function figures({
  bytesFloat,
  bytesQuantized,
  evaluation,
  isLabelled,
  inspection,
}: JobResult): Row[] {
  const { top1, referenceTop1, agreement, sqnrDb, latencyMs, referenceLatencyMs } = evaluation;
  const top1Row: Row = ["top1", "Top-1", formatPercent(referenceTop1), formatPercent(top1)];
  return [
    ["bytes", "Size", formatBytes(bytesFloat), formatBytes(bytesQuantized)],
    [
      "bytesShare",
      "Size, of the float file",
      "",
      formatPercent((100 * bytesQuantized) / bytesFloat),
    ],
    ...(isLabelled ? [top1Row] : []),
    ["agreement", "Agreement with float", "", formatPercent(agreement)],
    ["sqnr", "Logit SQNR", "", formatDecibels(sqnrDb)],
    [
      "latency",
      "Median latency a picture",
      formatMs(referenceLatencyMs?.median),
      formatMs(latencyMs.median),
    ],
    [
      "integerMacs",
      `Multiply-accumulates in integers, of ${formatCount(inspection.macs)}`,
      "",
      formatPercent(100 * inspection.integerMacShare),
    ],
  ];
}

const header = (...names: readonly string[]) =>
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

function figuresTable(result: JobResult): HTMLTableElement {
  const rows = figures(result).map(([id, what, float, int8]) => {
    const int8Cell = element("td", { textContent: int8, className: "number" });
    int8Cell.dataset["figure"] = id;
    return element(
      "tr",
      {},
      element("th", { textContent: what, scope: "row" }),
      element("td", { textContent: float, className: "number" }),
      int8Cell,
    );
  });
  const caption =
    `Calibrated on ${result.calibrated} pictures, measured on ${result.evaluation.count}` +
    (result.isLabelled ? "." : ". The pictures have no labels, so there is no top-1.");
  return element(
    "table",
    { id: "figures" },
    element("caption", { textContent: caption }),
    header("", "float32", "int8"),
    element("tbody", {}, ...rows),
  );
}

function layersTable({ layers, compared }: JobResult): HTMLTableElement {
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
  return element(
    "table",
    { id: "layers" },
    element("caption", { textContent: `The five worst layers by SQNR, on ${compared} pictures.` }),
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
  );
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
  const { skipped, inspection } = result;
  const link = element("a", {
    id: "download",
    className: "download",
    href,
    download: `${name}-int8.onnx`,
    textContent: `Download int8 .onnx (${formatBytes(result.bytesQuantized)})`,
  });
  place.replaceChildren(
    figuresTable(result),
    link,
    element("h3", { textContent: "Where int8 loses" }),
    layersTable(result),
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
