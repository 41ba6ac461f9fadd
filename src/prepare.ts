// prepare: a float model → the same with observers behind what will be quantized.

import { checkConstants, type NonFiniteRule } from "./graph/finite.ts";
import { widenConstants } from "./graph/weightOnly.ts";
import { checkStage, Model } from "./model.ts";
import { annotate, askedFor, whyFloat, type Overrides } from "./quantize/annotate.ts";
import { equalize } from "./quantize/equalize.ts";
import { fuse } from "./quantize/fuse.ts";
import { nothingToQuantize } from "./quantize/nothing.ts";
import { insertObservers } from "./quantize/prepare.ts";
import { qconfigs } from "./quantize/presets.ts";
import type { QConfig } from "./quantize/qconfig.ts";

export interface PrepareOptions {
  /** Default: `qconfigs.int8`, the most accurate. */
  readonly qconfig?: QConfig;
  /** Per node name, name pattern with `*`, or op; null leaves it in float. */
  readonly overrides?: Overrides;
  /** Even the channels of neighbouring layers out first, exactly: what weights with one scale a tensor need.
   *  Values between such layers are called `<name>_equalized`. Default false. */
  readonly equalize?: boolean;
  /** Constants with NaN or ±∞: "refuse", the default, throws NonFiniteError; "allow" keeps them. What is quantized must
   *  be finite either way. */
  readonly nonFinite?: NonFiniteRule;
}

/** Fold BatchNormalization, fuse activations, insert observers. Throws QConfigError, also where nothing
 *  can run in integers, and
 *  NonFiniteError for weights that are not finite. */
export function prepare(
  model: Model<"float" | "quantized">,
  options: PrepareOptions = {},
): Model<"prepared"> {
  checkStage("prepare", model, ["float"], "Load a float model; a quantized one is ready to run.");
  checkConstants(model.graph, "prepare", options.nonFinite);
  const fuseOnly = fuse(widenConstants(model.graph, true));
  const fused = options.equalize ? equalize(fuseOnly) : fuseOnly;
  const assignment = annotate(fused, options.qconfig ?? qconfigs.int8, options.overrides);
  if ([...assignment.values()].every((config) => config === null)) {
    const reasons = fused.nodes.map((node) => ({
      node: node.name,
      op: node.op,
      reason: whyFloat(fused, node) ?? "an override or its neighbours keep it float",
    }));
    const wayOut = "Run the float model as it is, or leave fewer nodes out (overrides, --exclude).";
    throw nothingToQuantize("prepare", reasons, wayOut);
  }
  const asked = askedFor(fused, options.overrides);
  return new Model("prepared", insertObservers(fused, assignment), { fused, assignment, asked });
}
