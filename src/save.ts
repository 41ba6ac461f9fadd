// save: a model → an ONNX file; a quantized one in QDQ form, which other runtimes read.

import { QConfigError } from "./errors.ts";
import { exportOnnx } from "./formats/onnx/index.ts";
import { checkStage, type Model } from "./model.ts";
import { reduceWeights, signActivations, unsignProducts } from "./quantize/runtimes.ts";

export interface SaveOptions {
  /** ONNX opset of the file. Default 13, the first with per-channel QuantizeLinear, or 17 where the model
   *  needs it (HardSwish). */
  readonly opset?: 13 | 17 | 21;
  /** Type of the weights that meet 8-bit activations. Default "uint8": ONNX Runtime then computes the exact
   *  integers on every CPU. "int8" runs about twice as fast where the CPU has 8-bit dot products (VNNI), and
   *  loses accuracy in ONNX Runtime on x86 CPUs without them: pairs of products saturate in int16 there.
   *  Loaded again, both are the same model. */
  readonly weights?: "uint8" | "int8";
  /** Signed activations and weights, for runtimes whose 8-bit kernels want S8S8. The same numbers, in another
   *  type. ONNX Runtime on x86 turns activations back into uint8: for it the default is exact, this is not. */
  readonly s8s8?: boolean;
  /** Weights of 7 bits, for CPUs that add pairs of products in int16. Other numbers: `reduceWeights` says how
   *  far. A float model is better served by a qconfig with a reduced weight range. */
  readonly reduceRange?: boolean;
}

/**
 * Write `model` as an ONNX file; a quantized one in QDQ form: docs/quantization.md, section 12.
 *
 * @param model a float or quantized model.
 * @param options opset and number types of the file. Without any, the file is exact on every CPU.
 * @returns the bytes of the file.
 * @throws UnsupportedError with every node that ONNX cannot say, and QConfigError for options that exclude
 *   each other.
 */
export function save(
  model: Model<"float" | "quantized">,
  options: SaveOptions = {},
): Uint8Array<ArrayBuffer> {
  checkStage("save", model, ["float", "quantized"], "Convert the model first.");
  const { s8s8 = false, reduceRange = false, weights = s8s8 ? "int8" : "uint8", ...rest } = options;
  if (s8s8 && weights === "uint8") {
    throw new QConfigError(
      'save: s8s8 means signed weights; got weights "uint8". Leave one of the two options out.',
    );
  }
  const reduced = reduceRange ? reduceWeights(model.graph) : model.graph;
  const typed = s8s8
    ? signActivations(reduced)
    : weights === "uint8"
      ? unsignProducts(reduced)
      : reduced;
  return exportOnnx(typed, rest);
}
