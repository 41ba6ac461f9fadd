// Tables for people: numbers on the right, words on the left.
import { expect, it } from "vitest";
import {
  facts,
  formatBytes,
  formatCount,
  formatDecibels,
  formatMs,
  formatPercent,
  table,
} from "../../../src/cli/table.ts";

it("columns of numbers stand on the right, others on the left, no line ends in spaces", () => {
  const rows = [
    ["layer", "SQNR", "why"],
    ["a", "9.5 dB", "wide"],
    ["longer", "21.0 dB", ""],
    ["b", "∞", "exact"],
  ];
  expect(table(rows)).toBe(
    [
      "layer      SQNR  why",
      "──────────────────────",
      "a        9.5 dB  wide",
      "longer  21.0 dB",
      "b             ∞  exact",
    ].join("\n"),
  );
});

it("a table without rows is its header", () => {
  expect(table([["op", "nodes"]])).toBe("op  nodes\n─────────");
});

it("facts line their values up", () => {
  expect(
    facts([
      ["a", "1"],
      ["long", "2"],
    ]),
  ).toBe("a     1\nlong  2");
});

it("figures have units, and what is missing is a dash", () => {
  expect([formatBytes(999), formatBytes(14_195_680), formatBytes(4_500)]).toEqual([
    "999 B",
    "14.20 MB",
    "4.5 kB",
  ]);
  expect([formatPercent(99.5), formatPercent(undefined)]).toEqual(["99.50 %", "-"]);
  expect([formatDecibels(19.84), formatDecibels(Infinity)]).toEqual(["19.8 dB", "∞"]);
  expect([formatMs(3.456), formatMs(41.26)]).toEqual(["3.46 ms", "41.3 ms"]);
  expect([formatCount(12_345), formatCount(300_800_000)]).toEqual(["12,345", "300.8 M"]);
});
