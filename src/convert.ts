// convert: statistics, or what was trained → scale and zero point → an integer model.

import { checkStage, Model } from "./model.ts";
import { convertGraph } from "./quantize/convert.ts";
import { convertQat } from "./quantize/qat/convert.ts";

/** Quantize weights and activations of a calibrated model, or of one after quantization-aware training: then the
 *  integers are those that evaluation stood for. What has no integer kernel stays float
 *  between explicit Quantize and Dequantize nodes: print the model to see them. */
export function convert(model: Model<"calibrated" | "qat">): Model<"quantized"> {
  checkStage(
    "convert",
    model,
    ["calibrated", "qat"],
    "Run prepare and calibrate first, or prepareQat and train.",
  );
  if (isQat(model)) return new Model("quantized", convertQat(model.details), {});
  const { fused, assignment, calibration, left = [] } = (model as Model<"calibrated">).details;
  return new Model("quantized", convertGraph(fused, assignment, calibration), { left });
}

const isQat = (model: Model<"calibrated" | "qat">): model is Model<"qat"> => model.stage === "qat";
