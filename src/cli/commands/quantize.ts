// quantize: a float model → an int8 model in an ONNX file, calibrated on pictures, or dynamically, without.

import { requestDevice } from "../../node.ts";
import { qconfigs } from "../../quantize/presets.ts";
import type { Arguments } from "../arguments.ts";
import { adapterName, type Command } from "../context.ts";
import { DATA_OPTIONS, optional, readData, tensorsOf, type PictureData } from "../data.ts";
import { layersJson, layersTable } from "../layers.ts";
import { MODEL_OPTIONS, openModel } from "../modelOptions.ts";
import { checkOutput, writeOutput } from "../outputs.ts";
import { readNonFinite } from "../nonFinite.ts";
import { spread } from "../pictureFiles.ts";
import { DYNAMIC_OPTIONS, quantizeDynamically } from "../quantizeDynamically.ts";
import { quantizeModel, type SampleStream } from "../quantizeModel.ts";
import { facts, formatBytes, formatPercent } from "../table.ts";

/** Options that calibration alone reads. */
const STATIC_ONLY = [
  ["data", "preprocess", "every", "except-every"],
  ["qconfig", "bias-correction", "equalize"],
].flat();

/** Pictures that the layers' errors are measured on. */
const PROBE = 8;

export const quantize: Command = {
  name: "quantize",
  summary: "Write a float model as int8: calibrated on pictures, or dynamically, without data.",
  positionals: ["MODEL"],
  options: [
    {
      name: "mode",
      value: "MODE",
      help: "static: ranges of activations from --data. dynamic: as they come, no data. Default: static.",
    },
    ...optional(DATA_OPTIONS),
    {
      name: "out",
      value: "OUT.onnx",
      required: true,
      help: "The file to write (ONNX, QDQ form); - is stdout.",
    },
    {
      name: "qconfig",
      value: "NAME",
      help: `${Object.keys(qconfigs).join(", ")}. Default: int8, the most accurate.`,
    },
    {
      name: "calibration-limit",
      value: "N",
      help: "Calibrate on at most N of the pictures, spread evenly. Default: all.",
    },
    {
      name: "exclude",
      value: "PATTERN",
      multiple: true,
      help: "Leave float what has this node name (* matches any part) or this op.",
    },
    {
      name: "equalize",
      help: "Even the channels of neighbouring layers out first, exactly: for --qconfig int8PerTensor, qnnpack.",
    },
    {
      name: "bias-correction",
      value: "N|off",
      help: "Pictures used to correct biases, or off. Default: 32.",
    },
    ...DYNAMIC_OPTIONS,
    ...MODEL_OPTIONS,
  ],
  examples: [
    "webgpu-quant quantize model.onnx --data pictures/ --preprocess imagenet --out model-int8.onnx",
    "webgpu-quant quantize model.onnx --data pictures/ --every 5 --preprocess tf --out model-int8.onnx",
    'webgpu-quant quantize model.onnx --data list.txt --preprocess spec.json --exclude "/head/*" --out model-int8.onnx',
    "webgpu-quant quantize model.onnx --data pictures/ --preprocess imagenet --qconfig int8PerTensor --equalize --out model-int8.onnx",
    "webgpu-quant quantize bert.onnx --mode dynamic --out bert-int8.onnx",
    "webgpu-quant quantize bert.onnx --mode dynamic --smooth samples.npz --out bert-int8.onnx",
  ],
  async run(args, context) {
    if (readMode(args) === "dynamic") return await quantizeDynamically(args, context);
    const out = args.required("out");
    const qconfig = qconfigs[qconfigName(args)];
    const biasCorrection = readBiasCorrection(args);
    const limit = args.integer("calibration-limit", 1);
    const nonFinite = readNonFinite(args);
    const { files, bytes, model } = await openModel(args, context);
    await checkOutput("--out", out, { inputs: files }, context);
    const data = await readData(args, model, context, limit);
    using device = await requestDevice();
    const overrides = Object.fromEntries(args.list("exclude").map((pattern) => [pattern, null]));
    const result = await quantizeModel(
      {
        model,
        prepareOptions: { qconfig, overrides, equalize: args.has("equalize"), ...nonFinite },
        ...nonFinite,
        calibration: streamOf(data),
        probe: probeOf(data),
        ...(biasCorrection === undefined ? {} : { biasCorrection }),
      },
      device,
      context,
    );
    await writeOutput(out, result.file, context);
    const used = data.pictures.length - data.skipped.length;
    const { skipped } = data;
    return {
      json: {
        bytesFloat: bytes,
        bytesQuantized: result.file.length,
        integerMacShare: result.integerMacShare,
        nodes: layersJson(result.layers),
        out,
        count: used,
        skipped: skipped.length,
        skippedPictures: skipped,
        adapter: device.facts,
      },
      text: [
        layersTable(result.layers, 5),
        facts([
          [
            "calibrated on",
            `${used} pictures${skipped.length ? `, ${skipped.length} skipped` : ""}`,
          ],
          ["size", `${formatBytes(bytes)} → ${formatBytes(result.file.length)}`],
          ["in integers", `${formatPercent(100 * result.integerMacShare)} of multiply-accumulates`],
          ["adapter", adapterName(device.facts)],
          ["written", out],
        ]),
      ].join("\n\n"),
    };
  },
};

/** Options of one mode alone are refused in the other. */
function readMode(args: Arguments): "static" | "dynamic" {
  const mode = args.text("mode") ?? "static";
  if (mode !== "static" && mode !== "dynamic")
    return args.fail(`--mode must be static or dynamic; got ${JSON.stringify(mode)}`);
  const others = mode === "dynamic" ? STATIC_ONLY : DYNAMIC_OPTIONS.map(({ name }) => name);
  const wrong = others.find((name) => args.has(name));
  if (wrong === undefined) return mode;
  return args.fail(`--${wrong} is for --mode ${mode === "dynamic" ? "static" : "dynamic"}`);
}

function qconfigName(args: Arguments): keyof typeof qconfigs {
  const name = args.text("qconfig") ?? "int8";
  if (Object.hasOwn(qconfigs, name)) return name as keyof typeof qconfigs;
  const known = Object.keys(qconfigs).join(", ");
  return args.fail(`--qconfig must be one of ${known}; got ${JSON.stringify(name)}`);
}

function readBiasCorrection(args: Arguments): false | number | undefined {
  return args.text("bias-correction") === "off" ? false : args.integer("bias-correction", 1);
}

function streamOf(data: PictureData): SampleStream {
  return { total: data.pictures.length, open: () => tensorsOf(data.stream()) };
}

/** A few of the pictures that could be read; asked for after calibration, which read them all. */
function probeOf(data: PictureData): SampleStream {
  // A model of a fixed batch size takes whole batches only.
  const count = Math.ceil(PROBE / data.step) * data.step;
  const readable = () => {
    const broken = new Set(data.skipped.map(({ picture }) => picture));
    return spread(
      data.pictures.filter(({ name }) => !broken.has(name)),
      count,
    );
  };
  return {
    total: Math.min(count, data.pictures.length),
    open: () => tensorsOf(data.stream(readable())),
  };
}
