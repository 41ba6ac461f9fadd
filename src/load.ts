// load: a file's bytes → a model. A file with quantized tensors (QuantizeLinear nodes, or PyTorch's
// quantized modules) becomes a quantized model that runs on the integer kernels; any other a float one.

import { importOnnx } from "./formats/onnx/index.ts";
import { importScript, isTorch, openScript, type ScriptOptions } from "./formats/torch/index.ts";
import { InputError } from "./errors.ts";
import { Model } from "./model.ts";
import type { Op } from "./graph/node.ts";
import { fuse } from "./quantize/fuse.ts";
import { integerize } from "./quantize/integerize.ts";
import type { Tensors } from "./tensor/tensor.ts";

/** Where a model comes from. The library fetches nothing: pass the Response that you fetched. */
export type Source = Uint8Array | ArrayBuffer | Blob | Response;

export interface LoadOptions extends ScriptOptions {
  /** Sizes for symbolic dims: { batch: 1 }. Without one, the model serves every size. */
  readonly dims?: Readonly<Record<string, number>>;
  /** Values of inputs that are known when loading, by name: they are constants of the model then, no longer
   *  inputs. For files that take weights, scales or shapes as inputs. */
  readonly constants?: Tensors;
  /** External tensor data by its location in the file. */
  readonly externalData?: ReadonlyMap<string, Uint8Array>;
}

const QUANTIZED = new Set<Op>([
  "Quantize",
  "Dequantize",
  "DynamicQuantizeLinear",
  "ConvInteger",
  "MatMulInteger",
]);

/** The bytes of `source`; `verb` opens the message of a Response that is no success. */
export async function bytesOf(source: Source, verb = "load"): Promise<Uint8Array> {
  // A Node Buffer is a Uint8Array whose slice() is no copy: see it as the plain kind.
  if (source instanceof Uint8Array) {
    return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  }
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  if (typeof Response !== "undefined" && source instanceof Response && !source.ok) {
    throw new InputError(
      `${verb}: the response must be a success; got HTTP ${source.status} for ${source.url}. Check the address.`,
    );
  }
  return new Uint8Array(await source.arrayBuffer());
}

/** Read an ONNX file, or a TorchScript archive (.pt of torch.jit.save). Weights stay views on its bytes.
 *  Throws FormatError for bytes that are neither, UnsupportedError naming what this library cannot run,
 *  InputError for a file of weights alone. */
export async function load(
  source: Source,
  options: LoadOptions = {},
): Promise<Model<"float"> | Model<"quantized">> {
  const bytes = await bytesOf(source);
  if (isTorch(bytes)) return loadTorch(bytes, options);
  const graph = importOnnx(bytes, options);
  const isQuantized = graph.nodes.some(({ op }) => QUANTIZED.has(op));
  if (!isQuantized) return new Model("float", graph, {});
  return new Model("quantized", integerize(fuse(graph)), {});
}

function loadTorch(bytes: Uint8Array, options: LoadOptions): Model<"float"> | Model<"quantized"> {
  const archive = openScript(bytes);
  if (!archive) {
    throw new InputError(
      "load: the file must hold a graph; got a state dict of PyTorch's, which holds weights alone. " +
        "Build the architecture around them: models.mobilenetV2({ weights }), models.resnet18({ weights }), …",
    );
  }
  const graph = importScript(archive, options);
  const isQuantized = [...graph.values.values()].some(({ quant }) => quant !== undefined);
  return isQuantized ? new Model("quantized", graph, {}) : new Model("float", graph, {});
}
