// train: fine-tune a classifier on labelled pictures or arrays, in float or, with --qat, fake-quantized and then as int8.

import { calibrate } from "../../calibrate.ts";
import { checkpointFolder } from "../../checkpointFolder.ts";
import { compile } from "../../compile.ts";
import { convert } from "../../convert.ts";
import { InputError } from "../../errors.ts";
import { evaluate } from "../../evaluate.ts";
import type { Model } from "../../model.ts";
import { requestDevice, type Device } from "../../node.ts";
import { prepare } from "../../prepare.ts";
import { prepareQat } from "../../prepareQat.ts";
import { qatQConfigs, staticOf } from "../../quantize/qat/presets.ts";
import { save } from "../../save.ts";
import { train as trainModel } from "../../train.ts";
import type { Arguments } from "../arguments.ts";
import { adapterName, type Command, type Context } from "../context.ts";
import { classesOf } from "../evaluatePictures.ts";
import { MODEL_OPTIONS, openModel } from "../modelOptions.ts";
import { readNonFinite } from "../nonFinite.ts";
import { checkOutput, writeOutput } from "../outputs.ts";
import { SAMPLE_OPTIONS } from "../samples.ts";
import { facts, formatBytes, formatPercent, table } from "../table.ts";
import { readTrainingSet, type TrainingSet } from "../trainingData.ts";
import { readWeights, WEIGHTS_OPTION, weightsFacts } from "../weightsOption.ts";
import { readTraining, TRAINING_OPTIONS } from "../trainingOptions.ts";

/** Pictures that ranges begin from. */
const CALIBRATION = 64;

export const train: Command = {
  name: "train",
  summary: "Fine-tune a model on labelled pictures or arrays, in float or quantization-aware.",
  positionals: ["MODEL"],
  options: [
    ...SAMPLE_OPTIONS.map((option) =>
      option.name === "batch" ? { ...option, help: "Samples of a step. Default: 32." } : option,
    ),
    {
      name: "labels",
      value: "FILE",
      required: true,
      help: 'Pictures: JSON {"picture.jpg": 3, …}, of --data and --test. Arrays: .npy or .npz; −100 is ignored.',
    },
    {
      name: "label-offset",
      value: "K",
      help: "Added to each class: 1 where the model's class 0 is background. Default: 0.",
    },
    { name: "out", value: "OUT.onnx", required: true, help: "The file to write; - is stdout." },
    {
      name: "qat",
      help: "Train with fake-quantized weights and activations; write an int8 model.",
    },
    {
      name: "qconfig",
      value: "NAME",
      help: `--qat: ${Object.keys(qatQConfigs).join(", ")}. Default: int8.`,
    },
    {
      name: "exclude",
      value: "PATTERN",
      multiple: true,
      help: "--qat: leave float what has this node name (* matches any part) or this op.",
    },
    {
      name: "int8",
      value: "PATTERN",
      multiple: true,
      help: "--qat: eight bits for these nodes, whatever --qconfig says: the first and the last layer.",
    },
    { name: "learn-scales", help: "--qat: train scales and zero points too (learned step size)." },
    {
      name: "test",
      value: "DIR|FILES",
      multiple: true,
      help: "Pictures, or arrays as --inputs, that accuracy is measured on. Default: none.",
    },
    { name: "test-labels", value: "FILE", help: "Arrays: the labels of --test (.npy, .npz)." },
    WEIGHTS_OPTION,
    ...TRAINING_OPTIONS,
    ...MODEL_OPTIONS,
  ],
  examples: [
    "webgpu-quant train model.onnx --data pictures/ --labels labels.json --preprocess imagenet --epochs 5 --out tuned.onnx",
    "webgpu-quant train model.onnx --inputs x.npy --labels y.npy --test x-test.npy --test-labels y-test.npy --epochs 5 --out tuned.onnx",
    'webgpu-quant train model.onnx --data pictures/ --labels labels.json --preprocess imagenet --epochs 5 --train-only "classifier*" --out tuned.onnx',
    "webgpu-quant train model.onnx --data pictures/ --labels labels.json --preprocess tf --qat --epochs 3 --augment flip,crop:4 --checkpoint run1 --test held-out/ --out model-int8.onnx",
  ],
  async run(args, context) {
    const out = args.required("out");
    checkQatOptions(args);
    const main = await openModel(args, context);
    const { path, files, bytes } = main;
    if (main.model.stage !== "float")
      throw new InputError(`model "${path}": it is quantized already. Train the float model.`);
    const model = main.model as Model<"float">;
    await checkOutput("--out", out, { inputs: files }, context);
    const data = await readTrainingSet(args, model, classesOf(main), context);
    if (data.step > 1 && args.integer("batch", 1) === undefined)
      args.fail(`the model takes ${data.step} ${data.noun} at a time: --batch ${data.step}`);
    const labelOffset = args.integer("label-offset", -Infinity) ?? 0;
    const { test } = data;
    const options = readTraining(args, data.augmented ?? "", data.indexed.length);
    const folder = args.text("checkpoint");
    const every = args.integer("checkpoint-every", 1);
    if (folder === undefined && (every !== undefined || args.has("restart")))
      args.fail("--checkpoint-every and --restart need --checkpoint FOLDER");
    using device = await requestDevice();
    const top1 = async (judged: Model<"float" | "quantized">): Promise<number | undefined> => {
      if (!test) return undefined;
      using session = await compile(judged, device);
      const { top1: share } = await evaluate(session, test.open(), {
        ...readNonFinite(args),
        ...{ labelOffset, signal: context.signal, total: test.total },
        onProgress: ({ samples, total }) => context.progress.report("evaluate", samples, total),
      });
      return share;
    };
    const before = await top1(model);
    const made = args.has("qat")
      ? await fakeQuantized(args, model, data, device, context)
      : undefined;
    const start = made?.qat ?? model;
    // What training wins is counted from calibration alone: float to four bits looks like a loss.
    const calibrated = made && (await top1(made.calibrated));
    const result = await trainModel<"float" | "qat">(start, data.indexed, {
      ...options,
      ...readNonFinite(args),
      device,
      learnable: args.has("learn-scales"),
      signal: context.signal,
      ...(folder === undefined
        ? {}
        : {
            checkpoint: {
              store: checkpointFolder(folder),
              resume: !args.has("restart"),
              ...(every === undefined ? {} : { every }),
            },
          }),
      onProgress: ({ epoch, epochs, step, steps, loss, accuracy = 0 }) => {
        const told = `loss ${loss.toFixed(3)} top-1 ${(100 * accuracy).toFixed(0)} %`;
        context.progress.report(`epoch ${epoch + 1}/${epochs}`, step, steps, told);
      },
    });
    context.progress.clear();
    for (const { epoch, loss, accuracy, seconds } of result.epochs)
      context.progress.note(
        `epoch ${epoch + 1}: loss ${loss.toFixed(4)}, top-1 ${formatPercent(100 * (accuracy ?? 0))}, ${seconds.toFixed(0)} s`,
      );
    if (result.isStopped && folder === undefined) context.signal.throwIfAborted();
    const final =
      result.model.stage === "qat"
        ? convert(result.model as Model<"qat">)
        : (result.model as Model<"float">);
    const file = save(final, readWeights(args));
    // Written after an interruption too: the steps that were done are in it.
    await writeOutput(out, file, { ...context, signal: new AbortController().signal });
    const after = result.isStopped ? undefined : await top1(final);
    const last = result.epochs.at(-1);
    return {
      json: {
        out,
        stopped: result.isStopped,
        steps: result.steps,
        epochs: result.epochs,
        top1Before: before ?? null,
        ...(made ? { top1Calibrated: calibrated ?? null } : {}),
        top1After: after ?? null,
        bytesBefore: bytes,
        bytesAfter: file.length,
        adapter: device.facts,
      },
      text: [
        table([
          made ? ["", "float", "calibrated", "trained"] : ["", "before", "after"],
          [
            "bytes",
            formatBytes(bytes),
            ...(made ? [formatBytes(save(made.calibrated).length)] : []),
            formatBytes(file.length),
          ],
          ...(test
            ? [
                [
                  "top-1",
                  formatPercent(before),
                  ...(made ? [formatPercent(calibrated)] : []),
                  formatPercent(after),
                ],
              ]
            : []),
        ]),
        facts([
          ["trained on", `${data.indexed.length} ${data.noun}, ${result.steps} steps`],
          ["last epoch", last ? `loss ${last.loss.toFixed(4)}` : "none"],
          ["adapter", adapterName(device.facts)],
          ...weightsFacts(final, readWeights(args)),
          [result.isStopped ? "stopped; written" : "written", out],
        ]),
      ].join("\n\n"),
    };
  },
};

/** Options that --qat alone reads. */
const QAT_ONLY = ["qconfig", "exclude", "int8", "learn-scales", "disable-observer"];

const QCONFIGS = Object.keys(qatQConfigs) as (keyof typeof qatQConfigs)[];

/** Presets whose weights are observed as they are, so that learned scales have a start before the first step. */
const LEARNABLE = QCONFIGS.filter(
  (name) => !qatQConfigs[name].weight.observer.kind.startsWith("movingAverage"),
);

function checkQatOptions(args: Arguments): void {
  const wrong = args.has("qat") ? undefined : QAT_ONLY.find((name) => args.has(name));
  if (wrong !== undefined) args.fail(`--${wrong} is for --qat`);
  const qconfig = args.choice("qconfig", QCONFIGS) ?? "int8";
  if (args.has("learn-scales") && !LEARNABLE.includes(qconfig))
    args.fail(`--learn-scales takes --qconfig ${LEARNABLE.join(", ")}; got ${qconfig}`);
}

/** `model` in quantization-aware training, its ranges from a few of the pictures. */
async function fakeQuantized(
  args: Arguments,
  model: Model<"float">,
  data: TrainingSet,
  device: Device,
  context: Context,
): Promise<{ readonly qat: Model<"qat">; readonly calibrated: Model<"quantized"> }> {
  const qconfig = qatQConfigs[args.choice("qconfig", QCONFIGS) ?? "int8"];
  const overrides = Object.fromEntries([
    ...args.list("exclude").map((pattern) => [pattern, null] as const),
    ...args.list("int8").map((pattern) => [pattern, qatQConfigs.int8] as const),
  ]);
  const nonFinite = readNonFinite(args);
  const { batches, total: count } = data.some(CALIBRATION);
  const fixed = Object.fromEntries(
    Object.entries(overrides).map(([key, each]) => [key, each && staticOf(each)]),
  );
  const options = { qconfig: staticOf(qconfig), overrides: fixed, ...nonFinite };
  const calibrated = await calibrate(prepare(model, options), batches, {
    ...{ device, signal: context.signal, biasCorrection: false, total: count },
    ...nonFinite,
    onProgress: ({ samples, total }) => context.progress.report("calibrate", samples, total),
  });
  const qat = prepareQat(model, { qconfig, overrides, calibrated, ...nonFinite });
  return { qat, calibrated: convert(calibrated) };
}
