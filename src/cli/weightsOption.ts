// --int8-weights: the type of 8-bit weights in a file that is written, and the line that says what it means.

import type { Model } from "../model.ts";
import { reduceWeights, unsignProducts } from "../quantize/runtimes.ts";
import type { SaveOptions } from "../save.ts";
import type { Arguments, OptionSpec } from "./arguments.ts";

export const WEIGHTS_OPTION: OptionSpec = {
  name: "int8-weights",
  help: "int8 weights in the file: faster in ONNX Runtime with VNNI, less accurate on x86 without.",
};

export function readWeights(args: Arguments): Pick<SaveOptions, "weights"> {
  return args.has("int8-weights") ? { weights: "int8" } : {};
}

/** A line for the facts about a written file, where it has weights that meet 8-bit activations. */
export function weightsFacts(
  { stage, graph: given }: Model,
  { weights, s8s8, reduceRange }: SaveOptions,
): (readonly [string, string])[] {
  if (stage !== "quantized") return [];
  const graph = reduceRange ? reduceWeights(given) : given;
  const { constants } = unsignProducts(graph);
  const differs = [...graph.constants].some(([name, { dtype }]) => {
    const other = constants.get(name);
    return other !== undefined && other.dtype !== dtype;
  });
  if (!differs)
    return reduceRange ? [["weights", "within ±64: no sum of two saturates, on any CPU"]] : [];
  return weights === "int8" || s8s8
    ? [["weights", "int8: inexact in ONNX Runtime on x86 without VNNI (default: uint8, exact)"]]
    : [
        [
          "weights",
          "uint8: exact on every CPU (--int8-weights: faster with VNNI, inexact without)",
        ],
      ];
}
