// quantizeDynamic: a float model → one whose weights are integers and whose activations are quantized as they
// come, by their own range. It needs no calibration: docs/decisions/0010.

import { checkConstants, type NonFiniteRule } from "./graph/finite.ts";
import { widenConstants } from "./graph/weightOnly.ts";
import { checkStage, Model } from "./model.ts";
import { quantizeGraph, type DynamicRequest } from "./quantize/dynamic/quantize.ts";
import { nothingToQuantize } from "./quantize/nothing.ts";
import { fuse } from "./quantize/fuse.ts";

/** As PyTorch's quantize_dynamic takes them: `ops` is its qconfig_spec. */
export interface QuantizeDynamicOptions extends DynamicRequest {
  /** Constants with NaN or ±∞: "refuse", the default, throws NonFiniteError; "allow" keeps them. What is quantized must
   *  be finite either way. */
  readonly nonFinite?: NonFiniteRule;
}

/** Quantize the layers of `model` dynamically; every kind that is known unless `ops` says which. What was asked
 *  for and stays float is in `details.left` and at the end of the printed model, with its reason.
 *  Throws QConfigError for options that say nothing and where there is nothing to quantize, UnsupportedError for a node that `ops` names and that has no
 *  dynamic form, NonFiniteError for weights that are not finite. */
export function quantizeDynamic(
  model: Model<"float" | "quantized">,
  options: QuantizeDynamicOptions = {},
): Model<"quantized"> {
  checkStage("quantizeDynamic", model, ["float"], "Give it the model as loaded.");
  checkConstants(model.graph, "quantizeDynamic", options.nonFinite);
  const { graph, left, count } = quantizeGraph(
    fuse(widenConstants(model.graph, true), false),
    options,
  );
  if (count === 0) {
    const wayOut =
      "Its layers are Linear, LSTM, GRU and Embedding (ops asks for more, overrides for fewer); calibrate a model of " +
      "convolutions instead: prepare, calibrate, convert, or quantize --mode static.";
    throw nothingToQuantize("quantizeDynamic", left, wayOut);
  }
  return new Model("quantized", graph, { left });
}
