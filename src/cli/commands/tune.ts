// tune: which kernels are fastest for a model on this machine's device.

import { requestDevice } from "../../node.ts";
import { tileName } from "../../plan/tiles.ts";
import { tune as tuneModel } from "../../tune.ts";
import { adapterName, type Command } from "../context.ts";
import { MODEL_OPTIONS, openModel } from "../modelOptions.ts";
import { checkOutput, writeOutput } from "../outputs.ts";
import { facts, formatMs, table } from "../table.ts";

const SECONDS = 20;

export const tune: Command = {
  name: "tune",
  summary: "Measure which kernels are fastest for a model on this device.",
  positionals: ["MODEL"],
  options: [
    { name: "out", value: "FILE.json", required: true, help: "The table, for --tuning." },
    {
      name: "seconds",
      value: "N",
      help: `Time to spend, heaviest layers first. Default: ${SECONDS}.`,
    },
    { name: "batch", value: "N", help: "Size of what the model leaves open. Default: 1." },
    ...MODEL_OPTIONS,
  ],
  examples: [
    "webgpu-quant tune model-int8.onnx --out tuning.json",
    "webgpu-quant tune model-int8.onnx --out tuning.json --seconds 60 --batch 8",
  ],
  async run(args, context) {
    const { progress, signal } = context;
    const seconds = args.integer("seconds", 1) ?? SECONDS;
    const batch = args.integer("batch", 1) ?? 1;
    const out = args.required("out");
    const { files, model } = await openModel(args, context);
    await checkOutput("--out", out, { inputs: files, isText: true }, context);
    using device = await requestDevice();
    const open = Object.values(model.inputs).flatMap(({ shape }) => shape);
    const names = open.filter((dim) => typeof dim === "string");
    const found = await tuneModel(model, device, {
      budgetMs: seconds * 1000,
      dims: Object.fromEntries(names.map((name) => [name, batch])),
      signal,
      onProgress: ({ done, total }) => progress.report("tune", done, total),
    });
    progress.clear();
    await writeOutput(
      out,
      new TextEncoder().encode(`${JSON.stringify(found, null, 2)}\n`),
      context,
    );
    const rows = Object.entries(found.entries).map(([shape, { tile, ms, defaultMs }]) => [
      shape,
      tileName(tile),
      formatMs(ms),
      formatMs(defaultMs),
    ]);
    return {
      json: { ...found, out, adapter: device.facts },
      text: [
        table([["product", "fastest", "time", "default's time"], ...rows]),
        facts([
          ["written", out],
          ["adapter", adapterName(device.facts)],
        ]),
      ].join("\n\n"),
    };
  },
};
