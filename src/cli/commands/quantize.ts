// quantize: a float model → an int8 model in an ONNX file, calibrated on pictures or arrays, or dynamically, without.

import { requestDevice } from "../../node.ts";
import { qconfigs } from "../../quantize/presets.ts";
import type { Arguments } from "../arguments.ts";
import { adapterName, type Command } from "../context.ts";
import { layersJson, layersTable } from "../layers.ts";
import { MODEL_OPTIONS, openModel } from "../modelOptions.ts";
import { readNonFinite } from "../nonFinite.ts";
import { checkOutput, writeOutput } from "../outputs.ts";
import { DYNAMIC_OPTIONS, quantizeDynamically } from "../quantizeDynamically.ts";
import { quantizeModel } from "../quantizeModel.ts";
import { readSamples, SAMPLE_OPTIONS } from "../samples.ts";
import { facts, formatBytes, formatPercent, table } from "../table.ts";
import { readWeights, WEIGHTS_OPTION, weightsFacts } from "../weightsOption.ts";

/** Options that calibration alone reads. */
const STATIC_ONLY = [
  ["data", "preprocess", "every", "except-every", "inputs"],
  ["qconfig", "bias-correction", "equalize"],
].flat();

/** Samples that the layers' errors are measured on. */
const PROBE = 8;

export const quantize: Command = {
  name: "quantize",
  summary:
    "Write a float model as int8: calibrated on pictures or arrays, or dynamically, without data.",
  positionals: ["MODEL"],
  options: [
    {
      name: "mode",
      value: "MODE",
      help: "static: ranges of activations from --data or --inputs. dynamic: as they come, no data. Default: static.",
    },
    ...SAMPLE_OPTIONS,
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
      help: "Calibrate on at most N of the samples, spread evenly. Default: all.",
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
      help: "Samples used to correct biases, or off. Default: 32.",
    },
    WEIGHTS_OPTION,
    ...DYNAMIC_OPTIONS,
    ...MODEL_OPTIONS,
  ],
  examples: [
    "webgpu-quant quantize model.onnx --data pictures/ --preprocess imagenet --out model-int8.onnx",
    "webgpu-quant quantize model.onnx --data pictures/ --every 5 --preprocess tf --out model-int8.onnx",
    'webgpu-quant quantize model.onnx --data list.txt --preprocess spec.json --exclude "/head/*" --out model-int8.onnx',
    "webgpu-quant quantize model.onnx --data pictures/ --preprocess imagenet --qconfig int8PerTensor --equalize --out model-int8.onnx",
    "webgpu-quant quantize detector.onnx --inputs samples.npz --dims batch=1 --out detector-int8.onnx",
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
    const data = await readSamples(args, model, context, limit);
    using device = await requestDevice();
    const overrides = Object.fromEntries(args.list("exclude").map((pattern) => [pattern, null]));
    const result = await quantizeModel(
      {
        model,
        prepareOptions: { qconfig, overrides, equalize: args.has("equalize"), ...nonFinite },
        ...nonFinite,
        saveOptions: readWeights(args),
        calibration: { total: data.total, open: () => data.open() },
        probe: { total: Math.min(PROBE, data.total), open: () => data.open(PROBE) },
        ...(biasCorrection === undefined ? {} : { biasCorrection }),
      },
      device,
      context,
    );
    await writeOutput(out, result.file, context);
    const used = data.total - data.skipped.length;
    const { skipped } = data;
    const { left = [] } = result.quantized.details;
    return {
      json: {
        bytesFloat: bytes,
        bytesQuantized: result.file.length,
        integerMacShare: result.integerMacShare,
        nodes: layersJson(result.layers),
        float: left,
        ...(result.warning ? { warning: result.warning } : {}),
        out,
        count: used,
        skipped: skipped.length,
        skippedPictures: skipped,
        adapter: device.facts,
      },
      text: [
        layersTable(result.layers, 5),
        ...(left.length > 0
          ? [
              table([
                ["stays float", "op", "because"],
                ...left.map(({ node, op, reason }) => [node, op, reason]),
              ]),
            ]
          : []),
        facts([
          [
            "calibrated on",
            `${used} ${data.noun}${skipped.length ? `, ${skipped.length} skipped` : ""}`,
          ],
          ["size", `${formatBytes(bytes)} → ${formatBytes(result.file.length)}`],
          ["in integers", `${formatPercent(100 * result.integerMacShare)} of multiply-accumulates`],
          ["adapter", adapterName(device.facts)],
          ...weightsFacts(result.quantized, readWeights(args)),
          ["written", out],
        ]),
        ...(result.warning ? [`WARNING: ${result.warning.message}`] : []),
      ].join("\n\n"),
    };
  },
};

/** Options of one mode alone are refused in the other. */
function readMode(args: Arguments): "static" | "dynamic" {
  const mode = args.choice("mode", ["static", "dynamic"]) ?? "static";
  const others = mode === "dynamic" ? STATIC_ONLY : DYNAMIC_OPTIONS.map(({ name }) => name);
  const wrong = others.find((name) => args.has(name));
  if (wrong === undefined) return mode;
  return args.fail(`--${wrong} is for --mode ${mode === "dynamic" ? "static" : "dynamic"}`);
}

function qconfigName(args: Arguments): keyof typeof qconfigs {
  return args.choice("qconfig", Object.keys(qconfigs) as (keyof typeof qconfigs)[]) ?? "int8";
}

function readBiasCorrection(args: Arguments): false | number | undefined {
  return args.text("bias-correction") === "off" ? false : args.integer("bias-correction", 1);
}
