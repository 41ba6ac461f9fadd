// A normalization in training: by the batch's own statistics, which move the running ones.

import { sizeOf } from "../tensor/tensor.ts";
import type { GraphBuilder } from "./builder.ts";
import type { Clamp } from "./node.ts";

/** torch.nn.BatchNorm2d's default: the share of the batch in the running statistics. */
export const BATCH_NORM_MOMENTUM = 0.1;

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

/** Add it to `builder`, whose sizes are all known. */
export function addTrainingNorm(builder: GraphBuilder, norm: TrainingNorm): void {
  const { name, x, gamma, beta, epsilon, divisor, offset, clamp } = norm;
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
  const [batch = 1, , ...space] = builder.value(x).shape as readonly number[];
  builder.add({
    op: "UpdateRunning",
    name: builder.fresh(`${name}/running`),
    inputs: [norm.mean, norm.variance, seen, variance],
    outputs: [],
    momentum: BATCH_NORM_MOMENTUM,
    count: batch * sizeOf(space),
  });
}
