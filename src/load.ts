// load: a file's bytes → a model. A file with quantized tensors (QuantizeLinear nodes, or PyTorch's
// quantized modules) becomes a quantized model that runs on the integer kernels; any other a float one.
// Weights alone become the model of the architecture that their names and shapes tell.

import { download, type DownloadOptions } from "./download.ts";
import { FormatError } from "./errors.ts";
import { importSteps, type ImportProgress, type OnnxLimits } from "./formats/onnx/index.ts";
import { isSafetensors } from "./formats/safetensors/index.ts";
import {
  importScript,
  isTorch,
  openScript,
  type ScriptArchive,
  type ScriptOptions,
} from "./formats/torch/index.ts";
import { otherProtobuf, refuseOtherKinds } from "./formats/sniff.ts";
import { Model } from "./model.ts";
import { checkConstants, type NonFiniteRule } from "./graph/finite.ts";
import type { Op } from "./graph/node.ts";
import { fuse } from "./quantize/fuse.ts";
import { recognizeDynamic } from "./quantize/dynamic/recognize.ts";
import { integerize, settle } from "./quantize/integerize.ts";
import { addressOf, bytesOf, type Source } from "./source.ts";
import { readWeights, recognise } from "./stateDict.ts";
import type { Tensor } from "./tensor/tensor.ts";
import { inTurns } from "./turns.ts";

export type { Source } from "./source.ts";

/** Of a URL: `signal`, `onProgress` (bytes), `fetch`, and where files whose name has their hash are kept. */
export interface LoadOptions extends ScriptOptions, DownloadOptions {
  /** Sizes for symbolic dims: { batch: 1 }. Without one, the model serves every size. */
  readonly dims?: Readonly<Record<string, number>>;
  /** Values of inputs that are known when loading, by name: they are constants of the model then, no longer
   *  inputs. For files that take weights, scales or shapes as inputs. A number fills a tensor of the type
   *  and shape that an ONNX file states: { sr: 16000 }. */
  readonly constants?: Readonly<Record<string, Tensor | number>>;
  /** External tensor data by its location in the file. */
  readonly externalData?: ReadonlyMap<string, Uint8Array>;
  /** Limits of the ONNX reader other than its own: { foldedElements: 2 ** 26 }. */
  readonly limits?: Partial<OnnxLimits>;
  /** Weights with NaN or ±∞: "refuse", the default, throws NonFiniteError; "allow" loads them. −∞ in attention
   *  masks, and bounds that are infinite, need no option. */
  readonly nonFinite?: NonFiniteRule;
  /** Called while an ONNX file is read, in turns with the event loop of 25 ms or so: not at all for a small one. */
  readonly onImport?: (progress: LoadProgress) => void;
}

/** How far `load` is: nodes of the file's graph that are read, of so many. */
export type LoadProgress = ImportProgress;

const QUANTIZED = new Set<Op>([
  "Quantize",
  "Dequantize",
  "DynamicQuantizeLinear",
  "ConvInteger",
  "MatMulInteger",
  "MatMulIntegerToFloat",
]);

/** Read an ONNX file, a TorchScript archive (.pt of torch.jit.save), or the weights of an architecture of
 *  `models` (.pth of torch.save, .safetensors), recognised by their names and shapes. Weights stay views
 *  on the file's bytes. Throws FormatError for bytes that are none of these, UnsupportedError naming what this
 *  library cannot run, InputError for weights of an architecture that is not known, NonFiniteError for weights that
 *  hold NaN or ±∞, and the signal's reason. A URL is fetched, and throws DownloadError. */
export async function load(
  source: Source | string | URL,
  options: LoadOptions = {},
): Promise<Model<"float"> | Model<"quantized">> {
  const { signal } = options;
  signal?.throwIfAborted();
  const bytes =
    typeof source === "string" || source instanceof URL
      ? await download(addressOf(String(source)), options)
      : await bytesOf(source);
  signal?.throwIfAborted();
  if (isTorch(bytes)) {
    const archive = openScript(bytes);
    return archive ? loadScript(archive, options) : recognise(await readWeights(bytes), options);
  }
  if (isSafetensors(bytes)) return recognise(await readWeights(bytes), options);
  refuseOtherKinds(bytes);
  return await inTurns(onnxSteps(bytes, options), signal, options.onImport);
}

function* onnxSteps(
  bytes: Uint8Array,
  options: LoadOptions,
): Generator<LoadProgress, Model<"float"> | Model<"quantized">> {
  const graph = yield* readOnnx(bytes, options);
  const all = { done: graph.nodes.length, total: graph.nodes.length };
  checkConstants(graph, "load", options.nonFinite);
  const isQuantized = graph.nodes.some(
    (node) => QUANTIZED.has(node.op) || ("dynamic" in node && node.dynamic !== undefined),
  );
  if (!isQuantized) return new Model("float", graph, {});
  yield all;
  const recognized = recognizeDynamic(graph);
  yield all;
  const settled = settle(recognized);
  yield all;
  const fused = fuse(settled);
  yield all;
  return new Model("quantized", integerize(fused), {});
}

/** An ONNX file's graph. Protobuf files of other tools are told what they are. */
function* readOnnx(bytes: Uint8Array, options: LoadOptions) {
  try {
    return yield* importSteps(bytes, options);
  } catch (error) {
    throw error instanceof FormatError ? otherProtobuf(bytes, error) : error;
  }
}

function loadScript(
  archive: ScriptArchive,
  options: LoadOptions,
): Model<"float"> | Model<"quantized"> {
  const graph = importScript(archive, options);
  checkConstants(graph, "load", options.nonFinite);
  const isQuantized = [...graph.values.values()].some(({ quant }) => quant !== undefined);
  return isQuantized ? new Model("quantized", graph, {}) : new Model("float", graph, {});
}
