// evaluate on arrays and texts: what the options say → batches, and what came of them.

import { compile } from "../compile.ts";
import { InputError } from "../errors.ts";
import { evaluate, type Task } from "../evaluate.ts";
import type { StatePairs } from "../carriedState.ts";
import type { Model } from "../model.ts";
import { requestDevice } from "../node.ts";
import { formatShape, tensor, toNumbers, type Tensor } from "../tensor/tensor.ts";
import type { Arguments } from "./arguments.ts";
import { arrayBatches, nextTokens, type ArrayBatches } from "./arrayData.ts";
import { onlyArray, readArrays } from "./arrays.ts";
import { adapterName, type Context, type Outcome } from "./context.ts";
import { evaluationTable, numbersJson, offsetWarning } from "./evaluationTables.ts";
import { readInput, type LoadedModel } from "./files.ts";
import { openModels } from "./modelOptions.ts";
import { countOf, readFilled } from "./samples.ts";
import { facts } from "./table.ts";
import { readText, readVocabulary } from "./text.ts";
import { readNonFinite } from "./nonFinite.ts";
import { readTuning } from "./tuning.ts";

/** Positions of a text that run at a time, where nothing else says so. */
const TEXT_CHUNK = 128;

export async function evaluateArrays(
  args: Arguments,
  task: Task,
  context: Context,
): Promise<Outcome> {
  checkOptions(args, task);
  const labelOffset = args.integer("label-offset", -Infinity) ?? 0;
  const state = readState(args);
  const paths = [args.positional("MODEL"), ...args.list("reference")];
  const [main, reference] = await openModels(args, context, paths);
  const { path, model } = main as LoadedModel;
  const tuning = await readTuning(args, context.signal);
  const output = outputOf(args, model, state);
  const batches = await readBatches(args, task, model, state, context);
  const shape = model.outputs[output]?.shape ?? [];
  if (args.has("labels")) checkLabelShape(batches.labels, task, output, shape);
  checkArrayLabels(batches.labels, task, labelOffset, shape.at(-1));
  using device = await requestDevice();
  using session = await compile(model, device, tuning);
  using other = reference ? await compile(reference.model, device, tuning) : undefined;
  const found = await evaluate<Task>(session, batches.open(), {
    task,
    ...readNonFinite(args),
    ...(other ? { reference: other } : {}),
    output,
    state,
    logits: args.has("logits"),
    labelOffset,
    signal: context.signal,
    total: batches.total,
    onProgress: ({ samples, total }) => context.progress.report("evaluate", samples, total),
  });
  context.progress.clear();
  const what = task === "language-model" ? "positions" : "samples";
  return {
    json: {
      ...{ task, agreement: null, sqnrDb: null },
      ...numbersJson(found),
      adapter: device.facts,
    },
    text: [
      evaluationTable(task, found, path, reference?.path),
      ...offsetWarning(found),
      facts([
        [what, String(found.count)],
        ["adapter", adapterName(device.facts)],
      ]),
    ].join("\n\n"),
  };
}

/** Options that say nothing for this task or this data. */
function checkOptions(args: Arguments, task: Task): void {
  const text = args.has("text");
  if (text && args.has("inputs")) args.fail("--text and --inputs exclude each other");
  if (text && args.has("labels")) args.fail("--text has its own labels; leave --labels out");
  if (text) args.needed("vocab");
  if (args.has("next-token") && args.has("labels"))
    args.fail("--next-token and --labels exclude each other");
  if (!text && !args.has("next-token") && !args.has("reference")) args.needed("labels");
  const only = (of: Task, ...names: string[]) => {
    const name = names.find((each) => args.has(each));
    if (name !== undefined && task !== of) args.fail(`--${name} is for --task ${of}`);
  };
  only("language-model", "text", "vocab", "next-token", "chunk", "time-axis");
  only("binary", "logits");
}

/** `--state h0=h0_out,c0=c0_out`. */
function readState(args: Arguments): StatePairs {
  const pairs = args.list("state").flatMap((text) => text.split(","));
  return Object.fromEntries(
    pairs.map((pair) => {
      const [input = "", output = ""] = pair.split("=");
      if (input === "" || output === "")
        args.fail(`--state must be INPUT=OUTPUT,…; got ${JSON.stringify(pair)}`);
      return [input, output];
    }),
  );
}

/** The output that is judged: the one asked for, or the only one that is not carried. */
function outputOf(args: Arguments, model: Model, state: StatePairs): string {
  const asked = args.text("output");
  const carried = new Set(Object.values(state));
  const open = Object.keys(model.outputs).filter((name) => !carried.has(name));
  const [only] = open;
  if (asked !== undefined && Object.hasOwn(model.outputs, asked)) return asked;
  if (asked === undefined && only !== undefined && open.length === 1) return only;
  return args.fail(
    asked === undefined
      ? `--output must name one of ${open.join(", ") || "no output"}, or --state carry the others`
      : `--output must be one of ${Object.keys(model.outputs).join(", ")}; got "${asked}"`,
  );
}

async function readBatches(
  args: Arguments,
  task: Task,
  model: Model,
  state: StatePairs,
  context: Context,
): Promise<ArrayBatches> {
  const onNote = (note: string) => context.progress.note(note);
  const filled = readFilled(args, model);
  const names = Object.keys(model.inputs).filter(
    (name) => !Object.hasOwn(state, name) && !filled.has(name),
  );
  const chunk = args.integer("chunk", 1);
  const limit = args.integer("limit", 1);
  const text = args.text("text");
  const arrays =
    text === undefined
      ? await readArrays(args, "inputs", names, context)
      : await readTextInput(args, text, model, names, context.signal);
  for (const name of names) {
    if (arrays.has(name)) continue;
    const { dtype = "", shape = [] } = model.inputs[name] ?? {};
    throw new InputError(
      `evaluate: input "${name}" ${dtype} ${formatShape(shape)} has no data; got ` +
        `${[...arrays.keys()].join(", ") || "none"}. Give --inputs ${name}=FILE.npy, or say what it ` +
        `is: --ones ${name}, --zeros ${name}, --constant ${name}=VALUE, --state ${name}=OUTPUT.`,
    );
  }
  const [ids] = arrays.values();
  const [first = ""] = arrays.keys();
  if (ids === undefined) throw new InputError("evaluate: no input has data. Give --inputs.");
  const axis = task === "language-model" ? timeAxis(args, model, first) : undefined;
  const labels = args.has("labels")
    ? await readLabelArray(args, context.signal)
    : axis === undefined || !(args.has("next-token") || text !== undefined)
      ? unlabelled(axis === undefined ? [countOf(model, arrays)] : ids.shape.slice(0, 2))
      : nextTokens(ids, axis);
  return arrayBatches({
    model,
    arrays,
    labels,
    filled,
    ...(axis === undefined
      ? {}
      : { time: { axis, chunk: chunk ?? (text === undefined ? undefined : TEXT_CHUNK) } }),
    batch: args.integer("batch", 1),
    limit: text === undefined ? limit : undefined,
    sequential: axis === undefined && Object.keys(state).length > 0,
    onNote,
  });
}

/** Labels that count for nothing: the reference alone is compared with. */
function unlabelled(shape: readonly number[]): Tensor {
  const size = shape.reduce((product, each) => product * each, 1);
  return tensor("int32", shape, new Int32Array(size).fill(-100));
}

async function readTextInput(
  args: Arguments,
  text: string,
  model: Model,
  names: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, Tensor>> {
  const [name, ...more] = names;
  if (name === undefined || more.length > 0) {
    args.fail(
      `--text is for a model whose one input is ids; got ${names.join(", ")}. Say what the others ` +
        "are: --state, --ones, --zeros or --constant",
    );
  }
  const vocabulary = await readVocabulary(args.needed("vocab"), signal);
  const ids = await readText(text, vocabulary, args.integer("limit", 2), signal);
  const length = ids.shape[0] ?? 0;
  const shape = timeAxis(args, model, name) === 0 ? [length, 1] : [1, length];
  return new Map([[name, { ...ids, shape } as Tensor]]);
}

/** Time's axis of the ids: as asked, else the one beside that which the model calls batch, else 1. */
function timeAxis(args: Arguments, model: Model, ids: string): 0 | 1 {
  const asked = args.integer("time-axis", 0);
  if (asked === 0 || asked === 1) return asked;
  if (asked !== undefined) args.fail(`--time-axis must be 0 or 1; got ${asked}`);
  const dims = model.inputs[ids]?.shape ?? [];
  return /^(batch|n$)/i.test(String(dims[1])) && !/^(batch|n$)/i.test(String(dims[0])) ? 0 : 1;
}

async function readLabelArray(args: Arguments, signal: AbortSignal): Promise<Tensor> {
  const path = args.needed("labels");
  return onlyArray("--labels", path, await readInput("--labels", path, signal), "labels");
}

/** Refuse labels of another rank than the output's rows: of sizes behind theirs, one alone may be more
 *  than 1, the classes. */
function checkLabelShape(
  labels: Tensor,
  task: Task,
  output: string,
  shape: readonly (number | string)[],
): void {
  const behind = shape.slice(labels.shape.length).filter((dim) => dim !== 1);
  const isBinary = task === "binary";
  if (shape.length >= labels.shape.length - 1 && behind.length <= (isBinary ? 0 : 1)) return;
  throw new InputError(
    `--labels: must have one label a ${isBinary ? "value" : "row"} of output "${output}" ` +
      `${formatShape(shape)}; got ${formatShape(labels.shape)}. ${
        isBinary ? "Evaluate it as a classification, or name" : "Reshape the labels, or name"
      } another --output.`,
  );
}

/** Refuse labels that the model has no class for, before anything runs. */
function checkArrayLabels(
  labels: Tensor,
  task: Task,
  offset: number,
  classes: number | string | undefined,
): void {
  const values = toNumbers(labels);
  const most = typeof classes === "number" ? classes : Infinity;
  const fits = (label: number): boolean => {
    if (label === -100) return true;
    if (task === "binary") return label >= 0 && label <= 1;
    const index = label + offset;
    return Number.isInteger(index) && index >= 0 && index < most;
  };
  const wrong = values.findIndex((label) => !fits(label));
  if (wrong < 0) return;
  const want =
    task === "binary"
      ? "0, 1 or a probability between"
      : `a class from 0 to ${Number.isFinite(most) ? most - 1 : "the model's last"}`;
  throw new InputError(
    `--labels: label ${wrong} of ${formatShape(labels.shape)} must be ${want}, or −100 to be ignored; ` +
      `got ${values[wrong]}${offset === 0 ? "" : ` + ${offset}`}. Check the labels and --label-offset.`,
  );
}
