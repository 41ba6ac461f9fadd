// Weights without a graph: a file of them → a state dict, and a state dict → the model that
// architecture and weights make together. `load` and `models` meet here.

import { InputError } from "./errors.ts";
import { checkNames } from "./text/names.ts";
import { isSafetensors, readSafetensors, stateDictOfTensors } from "./formats/safetensors/index.ts";
import {
  isTorch,
  readStateDict,
  type ScriptOptions,
  type StateDict,
} from "./formats/torch/index.ts";
import { refuseOtherKinds } from "./formats/sniff.ts";
import { bindShapes } from "./graph/bind.ts";
import { checkConstants, type NonFiniteRule } from "./graph/finite.ts";
import { Model } from "./model.ts";
import { bestFit, isQuantizedState, type Fit } from "./models/architectureOf.ts";
import {
  architectures,
  buildModel,
  type ArchitectureName,
  type BuildOptions,
} from "./models/architectures.ts";

/** The tensors of a file of weights, by name: torch.save's zip and legacy form, or safetensors.
 *  Throws FormatError, or InputError where the file holds something else. */
export async function readWeights(bytes: Uint8Array): Promise<StateDict> {
  if (isSafetensors(bytes)) return stateDictOfTensors(readSafetensors(bytes).tensors);
  if (!isTorch(bytes)) refuseOtherKinds(bytes);
  return readStateDict(bytes);
}

/** The model that `architecture` is with the weights of `state`; quantized where they are, unless
 *  `quantize` says otherwise. Throws WeightsError, and NonFiniteError unless `nonFinite` allows NaN and ±∞. */
export function modelOfState(
  architecture: ArchitectureName,
  state: StateDict,
  { nonFinite, ...options }: BuildOptions & { readonly nonFinite?: NonFiniteRule } = {},
): Model<"float"> | Model<"quantized"> {
  const quantize = options.quantize ?? isQuantizedState(state);
  const graph = buildModel(architecture, state, { ...options, quantize });
  checkConstants(graph, architecture, nonFinite);
  return quantize ? new Model("quantized", graph, {}) : new Model("float", graph, {});
}

/** The model of weights whose architecture their names and shapes tell. Throws InputError where they are
 *  of none that is known. */
export function recognise(
  state: StateDict,
  options: ScriptOptions & { readonly nonFinite?: NonFiniteRule },
): Model<"float"> | Model<"quantized"> {
  const fit = bestFit(state);
  if (!fit.isComplete) throw unknownArchitecture(state, fit);
  const { size, batch } = sizesOf(fit.architecture, options);
  const model = modelOfState(fit.architecture, state, {
    ...(size ? { size } : {}),
    ...(options.engine ? { backend: options.engine } : {}),
    ...(options.nonFinite ? { nonFinite: options.nonFinite } : {}),
  });
  if (batch === undefined) return model;
  const graph = bindShapes(model.graph, new Map([["batch", batch]]));
  return model.stage === "float"
    ? new Model("float", graph, {})
    : new Model("quantized", graph, {});
}

/** What `inputShape` and `dims` say of the pictures: (batch, 3, height, width). */
function sizesOf(
  architecture: ArchitectureName,
  { inputShape, dims = {} }: ScriptOptions,
): { readonly size?: readonly [number, number]; readonly batch?: number } {
  const shape = Array.isArray(inputShape) ? inputShape : Object.values(inputShape ?? {})[0];
  const [first = "batch", channels, height, width] = shape ?? ["batch", 3];
  checkNames("load: dims", "size", Object.keys(dims), typeof first === "string" ? [first] : []);
  const batch = typeof first === "number" ? first : dims[first];
  const known = batch === undefined ? {} : { batch };
  if (shape === undefined) return known;
  if (
    shape.length === 4 &&
    channels === 3 &&
    typeof height === "number" &&
    typeof width === "number"
  ) {
    return { size: [height, width], ...known };
  }
  throw new InputError(
    `load: inputShape must be [batch, 3, height, width] for ${architecture}; got [${shape.join(", ")}]. ` +
      "Leave it out for the size that the network was trained on.",
  );
}

/** From this share of entries that fit, an architecture is worth naming as the closest. */
const LIKENESS = 0.25;

/** The first of `names`, and that there are more. */
const few = (names: readonly string[]): string =>
  `${names.slice(0, 2).join(", ")}${names.length > 2 ? ", …" : ""}`;

function unknownArchitecture(state: StateDict, fit: Fit): InputError {
  const lacks = (["missing", "misshapen", "unexpected"] as const)
    .filter((kind) => fit[kind].length > 0)
    .map((kind) => `${fit[kind].length} ${kind} (${few(fit[kind])})`);
  const closest =
    fit.share >= LIKENESS
      ? `The closest is ${fit.quantize ? "quantized " : ""}${fit.architecture}: ${lacks.join("; ")}. `
      : `Known are ${Object.keys(architectures).join(", ")}. `;
  return new InputError(
    "load: the file must hold a graph, or the weights of a known architecture; got a state dict of " +
      `${state.size} entries (${few([...state.keys()])}), which holds weights alone. ${closest}` +
      "Build the architecture around them, models.mobilenetV2({ weights }), models.resnet18({ weights }), …, " +
      "or save the model with its graph: torch.onnx.export, torch.jit.save.",
  );
}
