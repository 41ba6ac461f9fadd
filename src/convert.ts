// convert: statistics → scale and zero point → an integer model.

import { checkStage, Model } from "./model.ts";
import { convertGraph } from "./quantize/convert.ts";

/** Quantize weights and activations of a calibrated model. What has no integer kernel stays float
 *  between explicit Quantize and Dequantize nodes: print the model to see them. */
export function convert(model: Model<"calibrated">): Model<"quantized"> {
  checkStage("convert", model, ["calibrated"], "Run prepare and calibrate first.");
  const { fused, assignment, calibration } = model.details;
  return new Model("quantized", convertGraph(fused, assignment, calibration), {});
}
