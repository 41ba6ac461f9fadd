// The options of a training → what `train` takes. One idea: the words are PyTorch's, and so are the defaults.

import type { Controls, From, TrainOptions } from "../trainOptions.ts";
import { colorJitter, randomCrop, randomHorizontalFlip } from "../training/augment.ts";
import type { Schedule } from "../training/schedules.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Arguments, OptionSpec } from "./arguments.ts";

type OptimizerSpec = NonNullable<TrainOptions["optimizer"]>;
type ParameterGroup = NonNullable<TrainOptions["groups"]>[number];

export const TRAINING_OPTIONS: readonly OptionSpec[] = [
  { name: "epochs", value: "N", required: true, help: "Times that all pictures are seen." },
  {
    name: "optimizer",
    value: "NAME",
    help: "sgd (momentum 0.9), adam or adamw. Default: sgd.",
  },
  { name: "learning-rate", value: "R", help: "Default: 0.001 for sgd, 0.0001 for the others." },
  { name: "momentum", value: "M", help: "Of sgd. Default: 0.9." },
  { name: "weight-decay", value: "D", help: "Default: 0.0001 for sgd, 0.01 for adamw." },
  { name: "max-norm", value: "N", help: "Clip the norm over all gradients to this. Default: off." },
  { name: "schedule", value: "NAME", help: "cosine, constant or step. Default: cosine." },
  { name: "warm-up", value: "N", help: "Updates over which the rate rises first. Default: 0." },
  { name: "label-smoothing", value: "S", help: "From 0 on, less than 1. Default: 0." },
  { name: "accumulate", value: "N", help: "Batches whose gradients make one update. Default: 1." },
  {
    name: "freeze",
    value: "PATTERN",
    multiple: true,
    help: "Parameters that stay as they are, by name; * matches any part.",
  },
  {
    name: "train-only",
    value: "PATTERN",
    multiple: true,
    help: 'All others stay: "classifier*" for the last layer alone.',
  },
  {
    name: "augment",
    value: "LIST",
    help: "flip, crop[:PIXELS], jitter[:AMOUNT], separated by commas. Default: none.",
  },
  { name: "seed", value: "N", help: "Of shuffling and augmentation. Default: 0." },
  {
    name: "freeze-batch-norm",
    value: "EPOCH",
    help: "From this epoch on (from 0), normalize with the running statistics.",
  },
  {
    name: "disable-observer",
    value: "EPOCH",
    help: "--qat: from this epoch on (from 0), ranges stay as they are.",
  },
  { name: "memory", value: "MiB", help: "For activations; the rest is computed again." },
  { name: "checkpoint", value: "FOLDER", help: "Keep checkpoints there, and go on from the last." },
  { name: "checkpoint-every", value: "N", help: "Steps between them. Default: one an epoch." },
  { name: "restart", help: "Begin anew, whatever checkpoints there are." },
];

/** What a sample becomes; undefined where --augment is not given. */
function readAugment(args: Arguments, input: string): TrainOptions["augment"] {
  const text = args.text("augment");
  if (text === undefined) return undefined;
  const steps = text.split(",").map((word) => {
    const [name = "", amount] = word.trim().split(":");
    const value = amount === undefined ? undefined : Number(amount);
    if (value !== undefined && !(value >= 0 && Number.isFinite(value)))
      args.fail(`--augment ${name}: its amount must be a number from 0 on; got "${amount}"`);
    return { name, value };
  });
  const known = ["flip", "crop", "jitter"];
  const wrong = steps.find(({ name }) => !known.includes(name));
  if (wrong) args.fail(`--augment takes ${known.join(", ")}; got ${JSON.stringify(wrong.name)}`);
  return (sample, random) => {
    let picture = sample.tensors[input] as Tensor<"float32">;
    for (const { name, value } of steps) {
      if (name === "flip") picture = randomHorizontalFlip(picture, random);
      if (name === "crop") picture = randomCrop(picture, random, { padding: value ?? 4 });
      if (name === "jitter") {
        const amount = value ?? 0.2;
        picture = colorJitter(picture, random, { brightness: amount, contrast: amount });
      }
    }
    return { ...sample, tensors: { ...sample.tensors, [input]: picture } };
  };
}

function readOptimizer(args: Arguments): OptimizerSpec {
  const kind = args.choice("optimizer", ["sgd", "adam", "adamw"]) ?? "sgd";
  const weightDecay = args.number("weight-decay", 0) ?? { sgd: 1e-4, adam: 0, adamw: 0.01 }[kind];
  const learningRate = args.number("learning-rate", 0) ?? (kind === "sgd" ? 1e-3 : 1e-4);
  const maxNorm = args.number("max-norm", 0);
  const momentum = args.number("momentum", 0);
  if (kind !== "sgd" && momentum !== undefined) args.fail("--momentum is for --optimizer sgd");
  const shared = { learningRate, weightDecay, ...(maxNorm === undefined ? {} : { maxNorm }) };
  return kind === "sgd" ? { kind, momentum: momentum ?? 0.9, ...shared } : { kind, ...shared };
}

function readSchedule(args: Arguments, epochs: number, perEpoch: number): Schedule {
  const kind = args.choice("schedule", ["cosine", "constant", "step"]) ?? "cosine";
  const updates = args.integer("warm-up", 0) ?? 0;
  const warmUp = updates > 0 ? { warmUp: { updates } } : {};
  if (kind !== "step") return { kind, ...warmUp };
  const every = Math.max(1, Math.round((epochs * perEpoch) / 3));
  return { kind, every, gamma: 0.1, ...warmUp };
}

function readGroups(args: Arguments): ParameterGroup[] {
  const only = args.list("train-only");
  const frozen = args.list("freeze").map((match) => ({ match, frozen: true }));
  if (only.length === 0) return frozen;
  return [{ match: "*", frozen: true }, ...only.map((match) => ({ match })), ...frozen];
}

function readControls(args: Arguments): Controls {
  const from = (name: string): From | undefined => {
    const epoch = args.integer(name, 0);
    return epoch === undefined ? undefined : { epoch };
  };
  const [freezeBatchNorm, disableObserver] = [from("freeze-batch-norm"), from("disable-observer")];
  return {
    ...(freezeBatchNorm ? { freezeBatchNorm } : {}),
    ...(disableObserver ? { disableObserver } : {}),
  };
}

/** What the options say, for pictures that are `input` of the model, `count` of them. Throws UsageError. */
export function readTraining(
  args: Arguments,
  input: string,
  count: number,
): Omit<TrainOptions, "device"> {
  const epochs = args.integer("epochs", 1) ?? 1;
  const batch = args.integer("batch", 1) ?? 32;
  const accumulate = args.integer("accumulate", 1) ?? 1;
  const labelSmoothing = args.number("label-smoothing", 0, 1) ?? 0;
  const augment = readAugment(args, input);
  const memory = args.integer("memory", 1);
  return {
    ...{ epochs, batch, accumulate },
    optimizer: readOptimizer(args),
    loss: { kind: "crossEntropy", labelSmoothing },
    schedule: readSchedule(args, epochs, Math.floor(count / batch / accumulate)),
    groups: readGroups(args),
    controls: readControls(args),
    seed: args.integer("seed", 0) ?? 0,
    ...(augment ? { augment } : {}),
    ...(memory === undefined ? {} : { memory: memory * 2 ** 20 }),
  };
}
