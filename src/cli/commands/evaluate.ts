// evaluate: how often a model is right, and how close it stays to a reference model.

import type { Task } from "../../evaluate.ts";
import type { Command } from "../context.ts";
import { DATA_OPTIONS, optional } from "../data.ts";
import { evaluateArrays } from "../evaluateArrays.ts";
import { evaluatePictures } from "../evaluatePictures.ts";
import { MODEL_OPTIONS } from "../modelOptions.ts";
import { FILL_OPTIONS, INPUTS_OPTION } from "../samples.ts";
import { TUNING_OPTION } from "../tuning.ts";

const TASKS: readonly Task[] = ["classification", "language-model", "binary"];

/** Options that pictures alone have, and those that arrays and texts alone have. */
const OF_PICTURES = ["data", "preprocess", "every", "except-every"];
const OF_ARRAYS = [
  ["inputs", "text", "vocab", "next-token", "chunk", "time-axis"],
  ["state", "output", "ones", "zeros", "logits"],
].flat();

export const evaluate: Command = {
  name: "evaluate",
  summary: "Measure a model's accuracy or perplexity, and its agreement with another model.",
  positionals: ["MODEL"],
  options: [
    { name: "task", value: "TASK", help: `${TASKS.join(", ")}. Default: classification.` },
    ...optional(DATA_OPTIONS),
    INPUTS_OPTION,
    {
      name: "text",
      value: "FILE",
      help: "Instead of pictures: a text; each character is to be foretold from those before it.",
    },
    { name: "vocab", value: "FILE.json", help: "The id of each character of --text." },
    {
      name: "labels",
      value: "FILE",
      help: 'Pictures: {"picture.jpg": 3, …} (JSON). Arrays: .npy or .npz; −100 is ignored; binary: 0, 1 or a probability. Not needed with --reference.',
    },
    {
      name: "next-token",
      help: "Instead of --labels: the label of a position is the id at the next; the last has none.",
    },
    {
      name: "label-offset",
      value: "K",
      help: "Added to each class: 1 where the model's class 0 is background. Default: 0.",
    },
    { name: "reference", value: "MODEL", help: "Compare with this model, usually the float one." },
    {
      name: "limit",
      value: "N",
      help: "At most N samples, spread evenly; the first N of a --text or with --state. Default: all.",
    },
    {
      name: "state",
      value: "IN=OUT,…",
      multiple: true,
      help: "Recurrent state: the input and the output that feeds it in the next run; zeros at first.",
    },
    {
      name: "chunk",
      value: "N",
      help: "Positions that run at a time. Default: the model's own length; all of an array, 128 of a text.",
    },
    {
      name: "time-axis",
      value: "0|1",
      help: "Axis of the ids along which time runs. Default: the one not called batch, else 1.",
    },
    { name: "output", value: "NAME", help: "The output to judge, where several are not carried." },
    ...FILL_OPTIONS,
    { name: "logits", help: "binary: the outputs are logits, not probabilities." },
    ...MODEL_OPTIONS,
    TUNING_OPTION,
  ],
  examples: [
    "webgpu-quant evaluate model-int8.onnx --data pictures/ --labels labels.json --preprocess imagenet --reference model.onnx",
    "webgpu-quant evaluate model-int8.onnx --data pictures/ --except-every 5 --labels labels.json --preprocess tf --label-offset 1",
    "webgpu-quant evaluate model-int8.onnx --data pictures/ --preprocess imagenet --reference model.onnx",
    "webgpu-quant evaluate bert.onnx --task language-model --inputs ids.npy --labels labels.npy --ones attention_mask --batch 8",
    "webgpu-quant evaluate lstm.onnx --task language-model --text book.txt --vocab vocab.json --state h0=h0_out,c0=c0_out",
    "webgpu-quant evaluate vad.onnx --task binary --inputs windows.npy --labels speech.npy --constant sr=16000 --state state=stateN",
  ],
  async run(args, context) {
    const task = args.choice("task", TASKS) ?? "classification";
    const arrays = OF_ARRAYS.find((name) => args.has(name));
    const pictures = OF_PICTURES.find((name) => args.has(name));
    if (arrays !== undefined && pictures !== undefined)
      args.fail(`--${pictures} is for pictures, --${arrays} for arrays or a text: choose one`);
    if (arrays !== undefined) return await evaluateArrays(args, task, context);
    if (task !== "classification")
      args.fail(`--task ${task} takes --inputs${task === "binary" ? "" : " or --text"}`);
    return await evaluatePictures(args, context);
  },
};
