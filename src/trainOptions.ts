// What `train` is told and what it tells.

import type { NonFiniteRule } from "./graph/finite.ts";
import type { LossSpec } from "./autodiff/step.ts";
import type { OptimizerSpec, ParameterGroup } from "./autodiff/optimizers.ts";
import type { Device } from "./gpu/device.ts";
import type { Model } from "./model.ts";
import type { CheckpointStore } from "./training/checkpointStore.ts";
import type { Random } from "./training/random.ts";
import type { TrainingSample } from "./training/samples.ts";
import type { Schedule } from "./training/schedules.ts";

/** From when on something holds: epochs and steps count from 0. */
export type From = { readonly epoch: number } | { readonly step: number };

/** PyTorch's switches of quantization-aware training, by time. A float model knows freezeBatchNorm alone. */
export interface Controls {
  /** torch.ao.quantization.enable_observer. Default: from the start. */
  readonly enableObserver?: From;
  /** torch.ao.quantization.disable_observer: ranges stay as they are. Default: never. */
  readonly disableObserver?: From;
  /** torch.ao.quantization.enable_fake_quant. Default: from the start. */
  readonly enableFakeQuantize?: From;
  /** torch.ao.nn.intrinsic.qat.freeze_bn_stats: normalize with the running statistics, and keep them.
   *  Default: never. */
  readonly freezeBatchNorm?: From;
}

export interface TrainProgress {
  /** From 0 on. */
  readonly epoch: number;
  readonly epochs: number;
  /** Steps done, all epochs together. */
  readonly step: number;
  /** Steps of all epochs, where the length of the data is known. */
  readonly steps?: number;
  /** Of this step's batch, before its update. */
  readonly loss: number;
  /** Share of the batch that is right, 0 … 1; only with labels. */
  readonly accuracy?: number;
  /** The norm over all gradients before clipping; only with maxNorm. */
  readonly gradientNorm?: number;
  readonly learningRate: number;
  readonly stepsPerSecond: number;
  /** Seconds that are left, where the length of the data is known. */
  readonly eta?: number;
}

/** What one epoch came to. */
export interface EpochResult {
  readonly epoch: number;
  /** Means over its steps. */
  readonly loss: number;
  readonly accuracy?: number;
  readonly seconds: number;
}

export interface TrainResult<M> {
  readonly model: M;
  readonly epochs: readonly EpochResult[];
  /** Steps done in all, those before a resume included. */
  readonly steps: number;
  /** The signal ended it before its last epoch. */
  readonly isStopped: boolean;
}

export interface CheckpointOptions {
  readonly store: CheckpointStore;
  /** Steps from one to the next. Default: at the end of every epoch. A stopped training keeps one too. */
  readonly every?: number;
  /** Go on from the last one, where there is one. Default: true. */
  readonly resume?: boolean;
}

export interface TrainOptions {
  readonly device: Device;
  /** Times that all data is seen. */
  readonly epochs: number;
  /** Samples of a step. What is left of an epoch and fills no batch is left out of it. Default: 32. */
  readonly batch?: number;
  /** Default: SGD with rate 0.01 and momentum 0.9. */
  readonly optimizer?: OptimizerSpec;
  /** Default: cross-entropy. */
  readonly loss?: LossSpec;
  /** For the loss "distillation", which needs one: it has no default. Only for that loss. */
  readonly teacher?: Model<"float">;
  /** What the optimizer's rate, and those of groups, are multiplied by at each update. Default: 1. */
  readonly schedule?: Schedule;
  /** Rates, decay and freezing by names of parameters. */
  readonly groups?: readonly ParameterGroup[];
  /** Batches whose gradients make one update. Default: 1. */
  readonly accumulate?: number;
  /** Default: none. */
  readonly controls?: Controls;
  /** Quantization-aware: scales and zero points are trained with the rest (learned step size, Esser et al.,
   *  arXiv 1902.08153); observe some steps first, or begin from a calibrated model. Default: false. */
  readonly learnable?: boolean;
  /** Of shuffling and augmentation. Default: 0. */
  readonly seed?: number;
  /** False keeps the order of the data; of a stream, the size of the buffer that samples are drawn from.
   *  Default: true, 1,000 for streams. */
  readonly shuffle?: boolean | number;
  /** What a sample becomes before it is stacked: crop, flip, jitter. */
  readonly augment?: (
    sample: TrainingSample,
    random: Random,
  ) => TrainingSample | Promise<TrainingSample>;
  /** Bytes for activations; what does not fit is computed again in the backward pass. Default: no limit. */
  readonly memory?: number;
  /** Aborted, training ends after the step under way, and gives the model as it is then. */
  readonly signal?: AbortSignal;
  /** Samples and targets with NaN or ±∞: "refuse", the default, throws NonFiniteError before the step; "allow" trains
   *  on them. */
  readonly nonFinite?: NonFiniteRule;
  readonly onProgress?: (progress: TrainProgress) => void;
  readonly checkpoint?: CheckpointOptions;
  /** The output that the loss is of. Default: the first. */
  readonly output?: string;
}
