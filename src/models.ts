// models: pretrained networks of torchvision, and weights of one's own for them. Weights are bytes, a
// Blob, a Response, a URL, the name of a published file, or a state dict; what comes back is a model like
// any other. The network is used only where a URL or a name is passed.

import { download, type DownloadOptions } from "./download.ts";
import { InputError } from "./errors.ts";
import type { StateDict } from "./formats/torch/index.ts";
import type { NonFiniteRule } from "./graph/finite.ts";
import type { Model } from "./model.ts";
import type { ArchitectureName, BuildOptions } from "./models/architectures.ts";
import { weightFiles, type WeightFile } from "./models/files.ts";
import { bytesOf, type Source } from "./source.ts";
import { modelOfState, readWeights } from "./stateDict.ts";

export type { StateDict, StateEntry } from "./formats/torch/index.ts";
export { weightFiles, type PictureTransform, type WeightFile } from "./models/files.ts";

export interface ModelOptions<Q extends boolean = boolean>
  extends Omit<BuildOptions, "quantize">, DownloadOptions {
  /** A state dict, or a file of one (.pth of torch.save, .safetensors): its bytes, a URL, or a name of
   *  `weightFiles`, in full or without the architecture's part: "IMAGENET1K_V1". */
  readonly weights: Source | StateDict | string;
  /** Whether the weights are quantized. Default: what they are. */
  readonly quantize?: Q;
  /** Weights with NaN or ±∞: "refuse", the default, throws NonFiniteError; "allow" builds the model. */
  readonly nonFinite?: NonFiniteRule;
}

type Built<Q extends boolean> = true extends Q
  ? false extends Q
    ? Model<"float"> | Model<"quantized">
    : Model<"quantized">
  : Model<"float">;

/** The published file that `text` names, for this architecture. */
function fileOf(architecture: ArchitectureName, text: string): WeightFile | undefined {
  return weightFiles.find(
    (file) =>
      file.architecture === architecture &&
      (file.name === text || file.url === text || file.name.endsWith(`.${text}`)),
  );
}

async function stateDictOf(
  architecture: ArchitectureName,
  { weights, ...options }: ModelOptions,
): Promise<{ state: StateDict; file?: WeightFile }> {
  if (weights instanceof Map) return { state: weights as StateDict };
  let bytes: Uint8Array;
  let file: WeightFile | undefined;
  if (typeof weights === "string") {
    file = fileOf(architecture, weights);
    if (!file && !URL.canParse(weights)) {
      const names = weightFiles.filter((each) => each.architecture === architecture);
      throw new InputError(
        `${architecture}: weights must be a URL or a known name; got "${weights}". ` +
          `Known are ${names.map(({ name }) => name).join(", ") || "none for this architecture"}.`,
      );
    }
    bytes = await download(file?.url ?? weights, options);
  } else {
    bytes = await bytesOf(weights as Source, architecture);
  }
  return { state: await readWeights(bytes), ...(file ? { file } : {}) };
}

async function make<Q extends boolean>(
  architecture: ArchitectureName,
  options: ModelOptions<Q>,
): Promise<Built<Q>> {
  const { state, file } = await stateDictOf(architecture, options);
  options.signal?.throwIfAborted();
  const { quantize, size, transformInput, nonFinite, backend = file?.backend } = options;
  const model = modelOfState(architecture, state, {
    ...(quantize === undefined ? {} : { quantize }),
    ...(size === undefined ? {} : { size }),
    ...(nonFinite === undefined ? {} : { nonFinite }),
    ...(transformInput === undefined ? {} : { transformInput }),
    ...(backend === undefined ? {} : { backend }),
  });
  return model as Built<Q>;
}

const maker =
  (architecture: ArchitectureName) =>
  /** "images" (batch, 3, height, width), normalized as `transform` of the file says → "logits".
   *  Throws WeightsError where the weights do not fit, FormatError for a damaged file, DownloadError. */
  <Q extends boolean = boolean>(options: ModelOptions<Q>): Promise<Built<Q>> =>
    make(architecture, options);

export const mobilenetV2 = maker("mobilenet_v2");
export const mobilenetV3Large = maker("mobilenet_v3_large");
export const resnet18 = maker("resnet18");
export const resnet50 = maker("resnet50");
export const resnext101 = maker("resnext101_32x8d");
export const inceptionV3 = maker("inception_v3");
export const googlenet = maker("googlenet");

const widths = {
  0.5: "shufflenet_v2_x0_5",
  1: "shufflenet_v2_x1_0",
  1.5: "shufflenet_v2_x1_5",
  2: "shufflenet_v2_x2_0",
} as const;

/** ShuffleNetV2 of the given width. */
export function shufflenetV2<Q extends boolean = boolean>(
  options: ModelOptions<Q> & { readonly width: keyof typeof widths },
): Promise<Built<Q>> {
  return make(widths[options.width], options);
}

/** The CIFAR-10 ResNet of the given depth, float: pictures of 32 × 32. */
export function cifarResnet(
  options: ModelOptions<false> & { readonly depth: 20 | 32 | 44 | 56 | 110 },
): Promise<Model<"float">> {
  return make<false>(`cifar_resnet${options.depth}`, { ...options, quantize: false });
}
