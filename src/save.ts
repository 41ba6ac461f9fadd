// save: a model → an ONNX file; a quantized one in QDQ form, which other runtimes read.

import { exportOnnx } from "./formats/onnx/index.ts";
import { checkStage, type Model } from "./model.ts";

export interface SaveOptions {
  /** ONNX opset of the file. Default 13, the first with per-channel QuantizeLinear, or 17 where the model
   *  needs it (HardSwish). */
  readonly opset?: 13 | 17 | 21;
}

/** The bytes of an ONNX file: docs/quantization.md, section 12. */
export function save(model: Model<"float" | "quantized">, options: SaveOptions = {}): Uint8Array {
  checkStage("save", model, ["float", "quantized"], "Convert the model first.");
  return exportOnnx(model.graph, options);
}
