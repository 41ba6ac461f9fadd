// evaluate on pictures: how often a classifier is right about them.

import { compile } from "../compile.ts";
import { InputError } from "../errors.ts";
import { evaluate, type LabelledBatch } from "../evaluate.ts";
import { requestDevice } from "../node.ts";
import type { PictureBatch } from "../pictures.ts";
import { formatShape } from "../tensor/tensor.ts";
import type { Arguments } from "./arguments.ts";
import { adapterName, type Context, type Outcome } from "./context.ts";
import { readData } from "./data.ts";
import { evaluationTable, numbersJson, offsetWarning } from "./evaluationTables.ts";
import type { LoadedModel } from "./files.ts";
import { openModels } from "./modelOptions.ts";
import { checkLabels, labelOf, readLabels, type Labels } from "./labels.ts";
import { facts } from "./table.ts";
import { readNonFinite } from "./nonFinite.ts";
import { readTuning } from "./tuning.ts";

/** A stream of pictures with the class of each; without labels they count for nothing. */
export async function* labelled(
  stream: AsyncIterable<PictureBatch>,
  labels: Labels | undefined,
): AsyncGenerator<LabelledBatch, void, undefined> {
  for await (const { names, tensors } of stream)
    yield { tensors, labels: names.map((name) => (labels ? (labelOf(labels, name) ?? 0) : -100)) };
}

/** Number of classes, where it is known: the last size of the only output. Throws InputError for a
 *  model that is no classifier. */
export function classesOf({ path, model }: LoadedModel): number | undefined {
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

export async function evaluatePictures(args: Arguments, context: Context): Promise<Outcome> {
  const limit = args.integer("limit", 1);
  const labelOffset = args.integer("label-offset", -Infinity) ?? 0;
  const labelsPath = args.has("reference") ? args.text("labels") : args.needed("labels");
  const paths = [args.positional("MODEL"), ...args.list("reference")];
  const [main, reference] = (await openModels(args, context, paths)) as [LoadedModel, LoadedModel?];
  const { model, path } = main;
  const classes = classesOf(main);
  const tuning = await readTuning(args, context.signal);
  const labels =
    labelsPath === undefined ? undefined : await readLabels(labelsPath, context.signal);
  const data = await readData(args, model, context, limit);
  if (labels && labelsPath !== undefined)
    checkLabels(labels, labelsPath, data.pictures, labelOffset, classes);
  using device = await requestDevice();
  using session = await compile(model, device, tuning);
  using other = reference ? await compile(reference.model, device, tuning) : undefined;
  const found = await evaluate(session, labelled(data.stream(), labels), {
    ...readNonFinite(args),
    ...(other ? { reference: other } : {}),
    labelOffset,
    signal: context.signal,
    total: data.pictures.length,
    onProgress: ({ samples, total }) => context.progress.report("evaluate", samples, total),
  });
  context.progress.clear();
  const { skipped } = data;
  return {
    json: {
      agreement: null,
      sqnrDb: null,
      ...numbersJson(found),
      adapter: device.facts,
      skipped: skipped.length,
      skippedPictures: skipped,
    },
    text: [
      evaluationTable("classification", found, path, reference?.path),
      ...offsetWarning(found),
      facts([
        ["pictures", `${found.count}${skipped.length ? `, ${skipped.length} skipped` : ""}`],
        ["adapter", adapterName(device.facts)],
      ]),
    ].join("\n\n"),
  };
}
