// Tables for people. One idea: a column is as wide as its widest cell, and numbers stand on the right.

/** A cell that reads as a number, with or without a unit. */
const NUMERIC = /^(-|∞|[−+-]?[\d,]+(\.\d+)?( ?(%|dB|ms|s|MB|kB|B|M))?)$/;

/** Lines of a table; the first row is the header. Columns are two spaces apart. */
export function table(rows: readonly (readonly string[])[]): string {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  const right = widths.map((_, column) =>
    rows.slice(1).every((row) => NUMERIC.test(row[column] || "-")),
  );
  const lines = rows.map((row) =>
    widths
      .map((width, column) => {
        const cell = row[column] ?? "";
        return right[column] ? cell.padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd(),
  );
  const rule = "─".repeat(widths.reduce((sum, width) => sum + width + 2, -2));
  return [lines[0] ?? "", rule, ...lines.slice(1)].join("\n");
}

/** Names and values, one pair a line. */
export function facts(pairs: readonly (readonly [string, string])[]): string {
  const width = Math.max(0, ...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${name.padEnd(width)}  ${value}`.trimEnd()).join("\n");
}

/** 14195680 → "14.20 MB" (10⁶ bytes). */
export function formatBytes(bytes: number): string {
  if (bytes >= 1e6) return `${(bytes / 1e6).toFixed(2)} MB`;
  return bytes >= 1e3 ? `${(bytes / 1e3).toFixed(1)} kB` : `${bytes} B`;
}

/** `percent` of 100. */
export function formatPercent(percent: number | undefined): string {
  return percent === undefined || Number.isNaN(percent) ? "-" : `${percent.toFixed(2)} %`;
}

export function formatDecibels(decibels: number | undefined): string {
  if (decibels === undefined) return "-";
  return decibels === Infinity ? "∞" : `${decibels.toFixed(1)} dB`;
}

export function formatMs(ms: number | undefined): string {
  return ms === undefined ? "-" : `${ms.toFixed(ms < 10 ? 2 : 1)} ms`;
}

/** 301000000 → "301.0 M". */
export function formatCount(count: number): string {
  return count >= 1e6 ? `${(count / 1e6).toFixed(1)} M` : count.toLocaleString("en-US");
}
