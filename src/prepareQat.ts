// prepareQat: a float model → the same in quantization-aware training. Its batch normalizations stay, its weights
// and activations are fake-quantized; `train` changes it, `convert` makes integers of it.

import { parametersOf } from "./autodiff/parameters.ts";
import { checkConstants, type NonFiniteRule } from "./graph/finite.ts";
import { widenConstants } from "./graph/weightOnly.ts";
import { checkStage, Model } from "./model.ts";
import type { Overrides } from "./quantize/annotate.ts";
import { rangeOfStatistics } from "./quantize/observers.ts";
import { evaluationGraph } from "./quantize/qat/evaluate.ts";
import type { Qat } from "./quantize/qat/model.ts";
import { prepareQatGraph } from "./quantize/qat/prepare.ts";
import { qatQConfigs } from "./quantize/qat/presets.ts";
import { stateAfter } from "./quantize/qat/weights.ts";
import type { QConfig } from "./quantize/qconfig.ts";
import type { Tensor } from "./tensor/tensor.ts";

export interface PrepareQatOptions {
  /** Default: `qatQConfigs.int8`. */
  readonly qconfig?: QConfig;
  /** Per node name, name pattern with `*`, or op; null leaves it in float. */
  readonly overrides?: Overrides;
  /** Choose scales while training as PyTorch's fused op does, docs/quantization.md (14), to reproduce it. */
  readonly parity?: boolean;
  /** The same model calibrated: its ranges are where activations begin. */
  readonly calibrated?: Model<"calibrated">;
  /** Constants with NaN or ±∞: "refuse", the default, throws NonFiniteError; "allow" keeps them. */
  readonly nonFinite?: NonFiniteRule;
}

/** Fake-quantize `model` where `prepare` would observe it. `overrides` give first and last layers other bits, or
 *  leave them float. Throws QConfigError. */
export function prepareQat(
  model: Model<"float" | "quantized">,
  options: PrepareQatOptions = {},
): Model<"qat"> {
  checkStage("prepareQat", model, ["float"], "Load a float model; a quantized one cannot learn.");
  checkConstants(model.graph, "prepareQat", options.nonFinite);
  const { qconfig = qatQConfigs.int8, parity, calibrated } = options;
  if (calibrated)
    checkStage("prepareQat: calibrated", calibrated, ["calibrated"], "Run prepare and calibrate.");
  const seen = calibrated?.details.calibration.statistics ?? new Map();
  const ranges = new Map(
    [...seen].map(([name, statistics]) => [name, rangeOfStatistics(statistics)] as const),
  );
  // What calibration found to need finer steps stays float here, too.
  const left = calibrated?.details.left ?? [];
  const overrides: Overrides = {
    ...Object.fromEntries(left.map(({ node }) => [node, null])),
    ...options.overrides,
  };
  const graph = widenConstants(model.graph, true);
  return qatModel(prepareQatGraph(graph, { qconfig, overrides, parity, parametersOf, ranges }));
}

/** The model of `qat`: it runs as evaluation does, fake-quantized, by running statistics. */
export function qatModel(qat: Qat): Model<"qat"> {
  return new Model("qat", evaluationGraph(qat), qat);
}

/** `model` after training: `trained` are the variables that changed, by name. */
export function withTrained(
  model: Model<"qat">,
  trained: ReadonlyMap<string, Tensor>,
): Model<"qat"> {
  return qatModel(stateAfter(model.details, trained));
}
