// quantize --mode dynamic: weights to integers without data; with --smooth, a few samples even out the
// activations before.

import type { QuantizeDynamicOptions } from "../quantizeDynamic.ts";
import { quantizeDynamic } from "../quantizeDynamic.ts";
import { valueOf } from "../graph/graph.ts";
import { checkStage, type Model } from "../model.ts";
import { requestDevice } from "../node.ts";
import { save } from "../save.ts";
import { smoothQuant, type SmoothQuantReport } from "../smoothQuant.ts";
import type { Arguments, OptionSpec } from "./arguments.ts";
import type { Context, Outcome } from "./context.ts";
import { openModel } from "./modelOptions.ts";
import { readNonFinite } from "./nonFinite.ts";
import { checkOutput, writeOutput } from "./outputs.ts";
import { readArraySamples } from "./samples.ts";
import { facts, formatBytes, formatDecibels, table } from "./table.ts";
import { readWeights, weightsFacts } from "./weightsOption.ts";

export const DYNAMIC_OPTIONS: readonly OptionSpec[] = [
  {
    name: "preset",
    value: "NAME",
    help: "dynamic: default, or PyTorch's numbers: qnnpack, fbgemm, x86.",
  },
  {
    name: "ops",
    value: "NAME,…",
    multiple: true,
    help: "dynamic: kinds of layers (Linear, LSTM, GRU, Embedding), ops or node names. Default: Linear and LSTM.",
  },
  {
    name: "dtype",
    value: "TYPE",
    help: "dynamic: what weights become: int8, float16, int8-weight-only, int4-weight-only. Default: int8.",
  },
  {
    name: "group-size",
    value: "N",
    help: "dynamic: inputs that share a scale, of int8-weight-only and int4-weight-only. Default: 32.",
  },
  { name: "weight", value: "SCALES", help: "dynamic: perTensor or perChannel (rows)." },
  { name: "reduce-range", help: "dynamic: 128 levels for activations in place of 256." },
  {
    name: "smooth",
    value: "[NAME=]FILE",
    multiple: true,
    help: "dynamic: SmoothQuant before, by samples of the inputs (.npy, .npz).",
  },
  { name: "alpha", value: "A", help: "Of --smooth, 0 … 1. Default: 0.5." },
  {
    name: "smooth-insert",
    help: "Of --smooth: insert a Mul where no node can take the factors up.",
  },
];

export async function quantizeDynamically(args: Arguments, context: Context): Promise<Outcome> {
  const out = args.required("out");
  const options = { ...readOptions(args), ...readNonFinite(args) };
  const alpha = readAlpha(args);
  const { files, bytes, model } = await openModel(args, context);
  checkStage("quantize", model, ["float"], "Give it the float model.");
  await checkOutput("--out", out, { inputs: files }, context);
  // What no file can hold is refused before a device measures anything.
  if (args.has("smooth")) save(quantizeDynamic(model, options));
  const smoothing = args.has("smooth")
    ? await smoothed(args, model, alpha, options, context)
    : undefined;
  const quantized = quantizeDynamic(smoothing?.model ?? model, options);
  const file = save(quantized, readWeights(args));
  await writeOutput(out, file, context);
  const { graph } = quantized;
  const nodes = graph.nodes.filter(({ inputs }) =>
    inputs.some((name) => {
      const { dtype, quant } = valueOf(graph, name);
      return graph.constants.has(name) && (quant !== undefined || dtype === "float16");
    }),
  );
  const left = quantized.details.left ?? [];
  const report = smoothing?.report;
  return {
    json: {
      mode: "dynamic",
      bytesFloat: bytes,
      bytesQuantized: file.length,
      nodes: nodes.map(({ name, op }) => ({ name, op })),
      float: left,
      ...(report ? { smooth: report } : {}),
      out,
    },
    text: [
      ...(report ? [smoothText(report)] : []),
      ...(left.length > 0
        ? [
            table([
              ["stays float", "op", "because"],
              ...left.map(({ node, op, reason }) => [node, op, reason]),
            ]),
          ]
        : []),
      facts([
        ["quantized", `${nodes.length} nodes${countsOf(nodes)}`],
        [
          "size",
          `${formatBytes(bytes)} → ${formatBytes(file.length)} (${(file.length / bytes).toFixed(3)})`,
        ],
        ...weightsFacts(quantized, readWeights(args)),
        ["written", out],
      ]),
    ].join("\n\n"),
  };
}

/** ": 26 MatMulIntegerToFloat, 2 LSTM". */
function countsOf(nodes: readonly { readonly op: string }[]): string {
  const counts = new Map<string, number>();
  for (const { op } of nodes) counts.set(op, (counts.get(op) ?? 0) + 1);
  const parts = [...counts].map(([op, count]) => `${count} ${op}`);
  return parts.length > 0 ? `: ${parts.join(", ")}` : "";
}

/** The words are checked by quantizeDynamic, which knows them. */
function readOptions(args: Arguments): QuantizeDynamicOptions {
  const ops = args.list("ops").flatMap((text) => text.split(","));
  const overrides = Object.fromEntries(args.list("exclude").map((pattern) => [pattern, null]));
  const words = Object.fromEntries(
    (["preset", "dtype", "weight"] as const).flatMap((name) => {
      const word = args.text(name);
      return word === undefined ? [] : [[name, word]];
    }),
  ) as Pick<QuantizeDynamicOptions, "preset" | "dtype" | "weight">;
  const groupSize = args.integer("group-size", 1);
  return {
    ...words,
    ...(groupSize === undefined ? {} : { groupSize }),
    ...(ops.length > 0 ? { ops } : {}),
    ...(args.has("exclude") ? { overrides } : {}),
    ...(args.has("reduce-range") ? { reduceRange: true } : {}),
  };
}

function readAlpha(args: Arguments): number {
  const only = ["alpha", "smooth-insert", "ones", "zeros"].find((name) => args.has(name));
  if (only !== undefined && !args.has("smooth")) args.fail(`--${only} is for --smooth`);
  const text = args.text("alpha") ?? "0.5";
  const alpha = Number(text);
  if (text.trim() !== "" && alpha >= 0 && alpha <= 1) return alpha;
  return args.fail(`--alpha must be from 0 to 1; got ${JSON.stringify(text)}`);
}

async function smoothed(
  args: Arguments,
  model: Model<"float">,
  alpha: number,
  quantize: QuantizeDynamicOptions,
  context: Context,
) {
  const { progress, signal } = context;
  const limit = args.integer("calibration-limit", 1);
  const samples = await readArraySamples(args, "smooth", model, context, limit);
  using device = await requestDevice();
  const result = await smoothQuant(model, samples.open(), {
    device,
    alpha,
    insert: args.has("smooth-insert"),
    quantize,
    signal,
    total: samples.total,
    onProgress: ({ samples: done, total }) => progress.report("smooth", done, total),
  });
  progress.clear();
  return result;
}

function smoothText(report: SmoothQuantReport): string {
  const { groups, left, beforeDb, afterDb, floatDb } = report;
  const rows = [
    ...groups.map(({ value, layers, into, outliers }) => [
      value,
      String(layers.length),
      into,
      `${outliers.before.toFixed(1)} → ${outliers.after.toFixed(1)}`,
    ]),
    ...left.map(({ value, layers, reason }) => [
      value,
      String(layers.length),
      `left: ${reason}`,
      "",
    ]),
  ];
  return [
    table([["smoothed activation", "layers", "into", "greatest / median"], ...rows]),
    facts([
      ["dynamic int8", `${formatDecibels(beforeDb)} → ${formatDecibels(afterDb)} to float`],
      ["smoothed float", `${formatDecibels(floatDb)} to float`],
    ]),
  ].join("\n\n");
}
