// evaluate: how often a classifier is right, and how close it stays to a reference model.

import { compile } from "../../compile.ts";
import { InputError } from "../../errors.ts";
import { evaluate as evaluateSession, type LabelledBatch } from "../../evaluate.ts";
import { requestDevice } from "../../node.ts";
import type { PictureBatch } from "../../pictures.ts";
import { formatShape } from "../../tensor/tensor.ts";
import { adapterName, type Command } from "../context.ts";
import { DATA_OPTIONS, readData } from "../data.ts";
import { loadModel, type LoadedModel } from "../files.ts";
import { checkLabels, labelOf, readLabels, type Labels } from "../labels.ts";
import { readTuning, TUNING_OPTION } from "../tuning.ts";
import { facts, formatDecibels, formatMs, formatPercent, table } from "../table.ts";

async function* labelled(
  stream: AsyncIterable<PictureBatch>,
  labels: Labels,
): AsyncGenerator<LabelledBatch, void, undefined> {
  for await (const { names, tensors } of stream)
    yield { tensors, labels: names.map((name) => labelOf(labels, name) ?? 0) };
}

/** Number of classes, where it is known: the last size of the only output. Throws InputError for a
 *  model that is no classifier. */
function classesOf({ path, model }: LoadedModel): number | undefined {
  const [output, ...more] = Object.values(model.outputs);
  if (output?.dtype !== "float32" || output.shape.length < 2 || more.length > 0) {
    const got = Object.entries(model.outputs).map(
      ([name, { dtype, shape }]) => `"${name}" ${dtype} ${formatShape(shape)}`,
    );
    throw new InputError(
      `model "${path}": a classifier has one float32 output of shape [batch, classes]; got ` +
        `${got.join(", ")}. Re-export it with its logits only.`,
    );
  }
  const classes = output.shape.at(-1);
  return typeof classes === "number" ? classes : undefined;
}

export const evaluate: Command = {
  name: "evaluate",
  summary: "Measure a classifier's accuracy, and its agreement with another model.",
  positionals: ["MODEL"],
  options: [
    ...DATA_OPTIONS,
    {
      name: "labels",
      value: "FILE.json",
      required: true,
      help: 'The class of each picture: {"picture.jpg": 3, …}.',
    },
    {
      name: "label-offset",
      value: "K",
      help: "Added to each class: 1 where the model's class 0 is background. Default: 0.",
    },
    { name: "reference", value: "MODEL", help: "Compare with this model, usually the float one." },
    { name: "limit", value: "N", help: "At most N of the pictures, spread evenly. Default: all." },
    TUNING_OPTION,
  ],
  examples: [
    "webgpu-quant evaluate model-int8.onnx --data pictures/ --labels labels.json --preprocess imagenet --reference model.onnx",
    "webgpu-quant evaluate model-int8.onnx --data pictures/ --except-every 5 --labels labels.json --preprocess tf --label-offset 1",
  ],
  async run(args, context) {
    const limit = args.integer("limit", 1);
    const labelOffset = args.integer("label-offset", -Infinity) ?? 0;
    const main = await loadModel(args.positional("MODEL"));
    const { model, path } = main;
    const classes = classesOf(main);
    const referencePath = args.text("reference");
    const reference = referencePath === undefined ? undefined : await loadModel(referencePath);
    const tuning = await readTuning(args);
    const labelsPath = args.required("labels");
    const labels = await readLabels(labelsPath);
    const data = await readData(args, model, context, limit);
    checkLabels(labels, labelsPath, data.pictures, labelOffset, classes);
    using device = await requestDevice();
    using session = await compile(model, device, tuning);
    using other = reference ? await compile(reference.model, device, tuning) : undefined;
    const found = await evaluateSession(session, labelled(data.stream(), labels), {
      ...(other ? { reference: other } : {}),
      labelOffset,
      signal: context.signal,
      total: data.pictures.length,
      onProgress: ({ samples, total }) => context.progress.report("evaluate", samples, total),
    });
    context.progress.clear();
    const { skipped } = data;
    const rows = [
      ["model", "top-1", "top-5", "agreement", "logit SQNR", "latency"],
      [
        path,
        formatPercent(found.top1),
        formatPercent(found.top5),
        formatPercent(found.agreement),
        formatDecibels(found.sqnrDb),
        formatMs(found.latencyMs.median),
      ],
    ];
    if (reference) {
      const { referenceTop1, referenceLatencyMs } = found;
      const latency = formatMs(referenceLatencyMs?.median);
      rows.push([reference.path, formatPercent(referenceTop1), "-", "-", "-", latency]);
    }
    return {
      json: {
        agreement: null,
        sqnrDb: null,
        ...found,
        ...(Number.isFinite(found.sqnrDb) ? {} : { sqnrDb: null }),
        adapter: device.facts,
        skipped: skipped.length,
        skippedPictures: skipped,
      },
      text: [
        table(rows),
        facts([
          ["pictures", `${found.count}${skipped.length ? `, ${skipped.length} skipped` : ""}`],
          ["adapter", adapterName(device.facts)],
        ]),
      ].join("\n\n"),
    };
  },
};
