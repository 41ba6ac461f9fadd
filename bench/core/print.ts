// Tables for people. What has no figure says why, in the figure's place.

import { formatBytes, table } from "../../src/cli/table.ts";
import type { Outcome } from "./interleave.ts";
import {
  checkOf,
  medianOf,
  type Bench,
  type CalibrationRow,
  type KernelRow,
  type ModelRow,
  type StartupRow,
  type TrainingRow,
} from "./rows.ts";
import type { Spread } from "./statistics.ts";

const digits = (value: number): string =>
  value.toFixed(value < 1 ? 3 : value < 10 ? 2 : value < 1000 ? 1 : 0);

/** "12.3 (11.9 – 13.0)": the median, and between which nine tenths and one tenth lie. */
function spread({ median, p10, p90 }: Spread): string {
  return `${digits(median)} (${digits(p10)} – ${digits(p90)})`;
}

function figure(outcome: Outcome): string {
  if (outcome.status === "ok") return spread(outcome.ms);
  return outcome.status === "mismatch" ? "WRONG OUTPUT" : "failed";
}

function remark(outcome: Outcome): string {
  if (outcome.status === "error") return outcome.reason;
  const check = checkOf(outcome);
  return check ? `${check.detail} (${check.against})` : "";
}

function modelTable(rows: readonly ModelRow[]): string {
  const lines = rows.map((row) => {
    const { model, batch, contestant, dtype, outcome, macs, memory } = row;
    const { replay, replayCpu, upload } = row;
    const ms = medianOf(outcome);
    const ours = rows.find(
      (other) =>
        other.model === model &&
        other.batch === batch &&
        other.contestant === "ours" &&
        other.dtype === dtype,
    );
    const own = ours && medianOf(ours.outcome);
    return [
      model,
      String(batch),
      contestant,
      dtype,
      figure(outcome),
      ms === undefined ? "-" : digits((1000 * batch) / ms),
      ms === undefined ? "-" : digits((2 * macs * batch) / ms / 1e6),
      ms === undefined || own === undefined ? "-" : `${digits(ms / own)}×`,
      memory ? formatBytes(memory.gpu) : "-",
      replay ? spread(replay) : "-",
      replayCpu ? spread(replayCpu) : "-",
      upload ? spread(upload) : "-",
      remark(outcome),
    ];
  });
  const head = [
    "model",
    "batch",
    "who",
    "dtype",
    "ms (p10 – p90)",
    "pictures/s",
    "GOP/s",
    "of ours",
    "GPU memory",
    "replay ms",
    "replay CPU ms",
    "upload ms",
    "check",
  ];
  return table([head, ...lines]);
}

function kernelTable(rows: readonly KernelRow[]): string {
  const lines = rows.map(
    ({ kernel, dtype, shape, ops, bytes, outcome, share, bound, dispatches, shaders }) => {
      const ms = medianOf(outcome);
      return [
        kernel,
        dtype,
        shape,
        figure(outcome),
        ms === undefined ? "-" : digits(ops / ms / 1e6),
        ms === undefined ? "-" : digits(bytes / ms / 1e6),
        share === undefined ? "-" : `${(100 * share).toFixed(1)} %`,
        bound ?? "-",
        String(dispatches),
        shaders,
        remark(outcome),
      ];
    },
  );
  const head = [
    "kernel",
    "dtype",
    "shape",
    "ms (p10 – p90)",
    "GOP/s",
    "GB/s",
    "of ceiling",
    "bound by",
    "dispatches",
    "shader",
    "check",
  ];
  return table([head, ...lines]);
}

function calibrationTable(rows: readonly CalibrationRow[]): string {
  const lines = rows.map(({ model, batch, mode, outcome, statisticsBytes }) => {
    const plain = rows.find(
      (row) => row.model === model && row.batch === batch && row.mode === "plain float",
    );
    const [ms, base] = [medianOf(outcome), plain && medianOf(plain.outcome)];
    return [
      model,
      String(batch),
      mode,
      figure(outcome),
      ms === undefined ? "-" : digits(1000 / ms),
      ms === undefined || base === undefined ? "-" : `${(ms / base).toFixed(2)}×`,
      statisticsBytes === 0 ? "-" : formatBytes(statisticsBytes),
      remark(outcome),
    ];
  });
  const head = [
    "model",
    "batch",
    "mode",
    "ms a picture (p10 – p90)",
    "pictures/s",
    "of plain",
    "statistics",
    "check",
  ];
  return table([head, ...lines]);
}

function startupTable(rows: readonly StartupRow[]): string {
  const lines = rows.map(
    ({ model, contestant, dtype, cold, warm, pipelines, dispatches, compile, reason }) => [
      model,
      contestant,
      dtype,
      cold ? spread(cold.first) : "failed",
      cold ? digits(cold.open.median) : "-",
      compile ? digits(compile.median) : "-",
      cold ? digits(cold.run.median) : "-",
      warm ? spread(warm.first) : "-",
      pipelines === undefined ? "-" : String(pipelines),
      dispatches === undefined ? "-" : String(dispatches),
      reason ?? "",
    ],
  );
  const head = [
    "model",
    "who",
    "dtype",
    "cold ms",
    "open",
    "of it compile",
    "first run",
    "warm ms",
    "pipelines",
    "dispatches",
    "",
  ];
  return table([head, ...lines]);
}

function trainingTable(rows: readonly TrainingRow[]): string {
  const timeOf = (way: string) => {
    const row = rows.find((each) => each.contestant === "ours" && each.way === way);
    return row && medianOf(row.outcome);
  };
  const steps = rows.filter(({ way, outcome }) => way !== "forward" && outcome.status === "ok");
  const common = steps.length === 0 ? 1 : Math.min(...steps.map(({ losses }) => losses.length));
  const loss = (losses: readonly number[], step: number) => losses[step - 1]?.toFixed(5) ?? "-";
  const bases = [timeOf("forward"), timeOf("step")];
  const lines = rows.map(({ network, batch, contestant, way, outcome, losses, dispatches }) => {
    const ms = medianOf(outcome);
    const ratios = bases.map((base) =>
      ms === undefined || base === undefined ? "-" : `${(ms / base).toFixed(2)}×`,
    );
    return [
      network,
      String(batch),
      contestant,
      way,
      figure(outcome),
      ms === undefined ? "-" : digits((1000 * batch) / ms),
      ...ratios,
      dispatches === undefined ? "-" : String(dispatches),
      loss(losses, 1),
      way === "forward" ? "-" : loss(losses, common),
      remark(outcome),
    ];
  });
  const head = [
    "network",
    "batch",
    "who",
    "what",
    "ms (p10 – p90)",
    "pictures/s",
    "of our forward",
    "of our step",
    "dispatches",
    "loss 1",
    `loss ${common}`,
    "check",
  ];
  return table([head, ...lines]);
}

function ceilingTable({ ceilings }: Bench): string {
  if (!ceilings) return "";
  const rows = ceilings.loops.map(({ name, kind, rate }) => [
    name,
    kind,
    `${digits(rate)} ${kind === "copy" ? "GB/s" : "GOP/s"}`,
  ]);
  return table([["ceiling", "kind", "rate"], ...rows]);
}

/** Everything that a run found. */
export function printBench(bench: Bench): string {
  const { adapter, runtime, models, kernels, calibration, startup, training, notes } = bench;
  const name = [adapter.vendor, adapter.architecture, adapter.description]
    .filter(Boolean)
    .join(" ");
  const dot = adapter.packedDot ? "dot4I8Packed" : "unpacked dot product";
  const section = (title: string, rows: readonly unknown[], text: () => string) =>
    rows.length > 0 ? [`${title}\n\n${text()}`] : [];
  return [
    `${runtime} on ${name || "an unnamed adapter"}, ${dot}`,
    ...section("Whole models", models, () => modelTable(models)),
    ...section("Kernels", kernels, () => `${ceilingTable(bench)}\n\n${kernelTable(kernels)}`),
    ...section("Calibration", calibration, () => calibrationTable(calibration)),
    ...section("Training", training, () => trainingTable(training)),
    ...section("Start-up", startup, () => startupTable(startup)),
    ...notes.map(({ suite, note }) => `${suite}: ${note}`),
  ].join("\n\n");
}
