// save: a model → an ONNX file; a quantized one in QDQ form, which other runtimes read.

import { exportOnnx } from "./formats/onnx/index.ts";
import { checkStage, type Model } from "./model.ts";
import { reduceWeights, signActivations } from "./quantize/runtimes.ts";

export interface SaveOptions {
  /** ONNX opset of the file. Default 13, the first with per-channel QuantizeLinear, or 17 where the model
   *  needs it (HardSwish). */
  readonly opset?: 13 | 17 | 21;
  /** Signed activations, for runtimes whose 8-bit kernels want S8S8. The same numbers, in another type. */
  readonly s8s8?: boolean;
  /** Weights of 7 bits, for CPUs that add pairs of products in int16. Other numbers: `reduceWeights` says how
   *  far. A float model is better served by a qconfig with a reduced weight range. */
  readonly reduceRange?: boolean;
}

/** The bytes of an ONNX file: docs/quantization.md, section 12. */
export function save(
  model: Model<"float" | "quantized">,
  options: SaveOptions = {},
): Uint8Array<ArrayBuffer> {
  checkStage("save", model, ["float", "quantized"], "Convert the model first.");
  const { s8s8 = false, reduceRange = false, ...rest } = options;
  const reduced = reduceRange ? reduceWeights(model.graph) : model.graph;
  return exportOnnx(s8s8 ? signActivations(reduced) : reduced, rest);
}
