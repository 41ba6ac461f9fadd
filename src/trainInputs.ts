// What comes into a training, looked at before a step sees it: a device copies bytes and asks nothing.

import { InputError } from "./errors.ts";
import { checkNames } from "./text/names.ts";
import type { Port } from "./plan/plan.ts";
import { formatShape, type Tensor, type Tensors } from "./tensor/tensor.ts";
import type { TrainOptions } from "./trainOptions.ts";
import { isIndexed } from "./training/batches.ts";
import type { TrainingBatch, TrainingData, TrainingSample } from "./training/samples.ts";

/** What the loss compares with. Throws InputError where the data has none. */
export function targetOf({ labels, targets }: TrainingBatch, { loss }: TrainOptions): Tensor {
  const isReal = loss?.kind === "mse";
  const found = isReal ? targets : labels;
  if (found) return found;
  throw new InputError(
    `train: every sample must have a ${isReal ? "target" : "label"}; got none. ` +
      `Add { ${isReal ? "target: tensor" : "label: class"} } to the samples.`,
  );
}

/** Throws InputError where `inputs` are not what `ports` take. */
export function checkInputs(ports: readonly Port[], inputs: Tensors): void {
  const names = ports.map(({ name }) => name);
  checkNames("train: samples", "input", Object.keys(inputs), names, "Rename it.");
  for (const { name, dtype, shape } of ports) {
    const input = Object.hasOwn(inputs, name) ? inputs[name] : undefined;
    if (!input)
      throw new InputError(
        `train: samples must have "${name}"; got ${Object.keys(inputs).join(", ") || "none"}. Add it.`,
      );
    const isType = input.dtype === dtype || (dtype === "int64" && input.dtype === "int32");
    if (isType && formatShape(input.shape) === formatShape(shape)) continue;
    throw new InputError(
      `train: a batch of "${name}" must be ${dtype}${formatShape(shape)}; got ${input.dtype}` +
        `${formatShape(input.shape)}. Convert or resize the samples, which have no batch axis.`,
    );
  }
}

/** An array of samples can be had in any order. */
export function indexed(data: TrainingData): TrainingData {
  if (!Array.isArray(data)) return data;
  const samples = data as readonly TrainingSample[];
  return {
    length: samples.length,
    get(index) {
      const sample = samples[index];
      if (sample) return sample;
      throw new InputError(
        `data: there is no sample ${index}; got ${samples.length}. Leave no holes.`,
      );
    },
  };
}

/** Throws InputError for options that cannot be met, before anything runs. */
export function checkOptions(options: TrainOptions, data: TrainingData): void {
  const { epochs, batch, accumulate, checkpoint, schedule } = options;
  const counts = { epochs, batch, accumulate, "checkpoint.every": checkpoint?.every };
  for (const [name, value] of Object.entries(counts)) {
    if (value === undefined || (Number.isSafeInteger(value) && value >= 1)) continue;
    throw new InputError(
      `train: ${name} must be a whole number from 1 on; got ${value}. Change it.`,
    );
  }
  if (schedule?.kind === "cosine" && schedule.updates === undefined && !isIndexed(data))
    throw new InputError(
      "train: a cosine needs to know when it ends, and a stream does not say how long it is. " +
        "Give schedule: { updates }, or data with a length.",
    );
}
