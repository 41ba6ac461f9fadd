// A normalization in training: by the batch's own statistics, which move the running ones.

import { InputError } from "../errors.ts";
import { formatShape, sizeOf } from "../tensor/tensor.ts";
import type { GraphBuilder } from "./builder.ts";
import type { Clamp } from "./node.ts";

/** torch.nn.BatchNorm2d's default: the share of the batch in the running statistics. */
const BATCH_NORM_MOMENTUM = 0.1;

export interface TrainingNorm {
  readonly name: string;
  readonly x: string;
  /** Parameters, and the variables that it keeps. */
  readonly gamma: string;
  readonly beta: string;
  readonly mean: string;
  readonly variance: string;
  readonly epsilon: number;
  /** What x was multiplied by, a channel: docs/quantization.md (22). */
  readonly divisor?: string | undefined;
  /** What is missing from x for the running mean alone: a bias, which y does not depend on. */
  readonly offset?: string | undefined;
  readonly clamp?: Clamp | undefined;
  readonly y: string;
}

/** Throws InputError where a running mean or variance is read a second time: it would be moved by two batches'
 *  statistics, or trained. `reads` are all reads of a network, of its normalizations too. */
export function checkStatistics(
  statistics: Iterable<string>,
  reads: Iterable<{ readonly node: string; readonly value: string }>,
): void {
  const kept = new Set(statistics);
  const readers = new Map<string, string>();
  for (const { node, value } of reads) {
    if (!kept.has(value)) continue;
    const other = readers.get(value);
    if (other !== undefined)
      throw new InputError(
        `train: nodes "${other}" and "${node}" must have running statistics of their own; got "${value}" ` +
          "for both. Give each a constant, or keep them: controls { freezeBatchNorm: { epoch: 0 } }.",
      );
    readers.set(value, node);
  }
}

/** Add it to `builder`, whose sizes are all known. Throws InputError for one value a channel, whose variance
 *  would be 0. */
export function addTrainingNorm(builder: GraphBuilder, norm: TrainingNorm): void {
  const { name, x, gamma, beta, epsilon, divisor, offset, clamp } = norm;
  const shape = builder.value(x).shape as readonly number[];
  const [batch = 1, , ...space] = shape;
  const count = batch * sizeOf(space);
  if (count === 1)
    throw new InputError(
      `BatchNormalization of "${name}": training needs more than 1 value per channel; got ${count} of ` +
        `${formatShape(shape)}. Use a larger batch, or controls { freezeBatchNorm: { epoch: 0 } }.`,
    );
  const named = (what: string) => builder.fresh(`${name}/batch_${what}`);
  const [mean, variance] = [named("mean"), named("variance")];
  builder.add({
    op: "BatchNormTraining",
    name: builder.fresh(`${name}/normalize`),
    inputs: [x, gamma, beta, ...(divisor === undefined ? [] : [divisor])],
    outputs: [norm.y, mean, variance],
    epsilon,
    ...clamp,
  });
  const seen =
    offset === undefined
      ? mean
      : builder.add({
          op: "Add",
          name: builder.fresh(`${name}/offset`),
          inputs: [mean, offset],
          outputs: [named("offset_mean")],
        });
  builder.add({
    op: "UpdateRunning",
    name: builder.fresh(`${name}/running`),
    inputs: [norm.mean, norm.variance, seen, variance],
    outputs: [],
    momentum: BATCH_NORM_MOMENTUM,
    count,
  });
}
