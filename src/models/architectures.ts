// The architectures, by torchvision's names, and the one way to build them: a state dict → a graph.

import { InputError } from "../errors.ts";
import type { StateDict } from "../formats/torch/stateDict.ts";
import type { Graph } from "../graph/graph.ts";
import type { Engine } from "../graph/node.ts";
import { cifarResnet } from "./cifarResnet.ts";
import { FloatLayers } from "./floatLayers.ts";
import { googlenet } from "./googlenet.ts";
import { inceptionV3 } from "./inceptionV3.ts";
import type { Layers } from "./layers.ts";
import { finishQat, isQat } from "./finishQat.ts";
import { mobilenetV2 } from "./mobilenetV2.ts";
import { mobilenetV3Large } from "./mobilenetV3.ts";
import { QuantizedLayers } from "./quantizedLayers.ts";
import { resnet, type ResNet } from "./resnet.ts";
import { shufflenetV2 } from "./shufflenetV2.ts";
import { Weights, type Misfit } from "./weights.ts";

/** What an architecture is, beyond its layers. */
interface Architecture {
  /** The layers, from the first one's input to the logits. */
  readonly forward: (net: Layers, x: string) => string;
  /** Side of the pictures it was trained on, in pixels. */
  readonly size: number;
  /** The least side that its strides leave something of. */
  readonly leastSize?: number;
  /** PyTorch's engine of its quantized files; absent where there is no quantized form. */
  readonly backend?: Engine;
  /** Of its normalizations. */
  readonly epsilon?: number;
  /** Whether torchvision's weights want images transformed on the way in. */
  readonly transformInput?: boolean;
  /** Entries that its files have and inference never reads. */
  readonly unused?: readonly RegExp[];
}

const SKIPPED = [/\.skip_add\.(scale|zero_point)$/];

const plain = (config: ResNet): Architecture => ({
  forward: (net, x) => resnet(net, x, config),
  size: 224,
  backend: "fbgemm",
});

const shuffle = (...channels: readonly [number, number, number, number, number]): Architecture => ({
  forward: (net, x) => shufflenetV2(net, x, channels),
  size: 224,
  backend: "fbgemm",
});

const cifar = (blocks: number): Architecture => ({
  forward: (net, x) => cifarResnet(net, x, blocks),
  size: 32,
});

export const architectures = {
  mobilenet_v2: { forward: mobilenetV2, size: 224, backend: "qnnpack", unused: SKIPPED },
  mobilenet_v3_large: {
    forward: mobilenetV3Large,
    size: 224,
    backend: "qnnpack",
    epsilon: 0.001,
    unused: SKIPPED,
  },
  resnet18: plain({ block: "basic", layers: [2, 2, 2, 2] }),
  resnet50: plain({ block: "bottleneck", layers: [3, 4, 6, 3] }),
  resnext101_32x8d: plain({
    block: "bottleneck",
    layers: [3, 4, 23, 3],
    groups: 32,
    widthPerGroup: 8,
  }),
  inception_v3: {
    forward: inceptionV3,
    size: 299,
    leastSize: 75,
    backend: "fbgemm",
    epsilon: 0.001,
    transformInput: true,
    unused: [/^AuxLogits\./],
  },
  googlenet: {
    forward: googlenet,
    size: 224,
    backend: "fbgemm",
    epsilon: 0.001,
    transformInput: true,
    unused: [/^aux[12]\./],
  },
  shufflenet_v2_x0_5: shuffle(24, 48, 96, 192, 1024),
  shufflenet_v2_x1_0: shuffle(24, 116, 232, 464, 1024),
  shufflenet_v2_x1_5: shuffle(24, 176, 352, 704, 1024),
  shufflenet_v2_x2_0: shuffle(24, 244, 488, 976, 2048),
  cifar_resnet20: cifar(3),
  cifar_resnet32: cifar(5),
  cifar_resnet44: cifar(7),
  cifar_resnet56: cifar(9),
  cifar_resnet110: cifar(18),
} as const satisfies Readonly<Record<string, Architecture>>;

export type ArchitectureName = keyof typeof architectures;

export interface BuildOptions {
  /** The fused, quantized network of a quantized state dict. */
  readonly quantize?: boolean;
  /** Height and width of the pictures, in pixels. Default: what the network was trained on. */
  readonly size?: number | readonly [height: number, width: number];
  /** PyTorch's engine that quantized weights were made for. Default: that of torchvision's file. */
  readonly backend?: Engine;
  /** inception_v3 and googlenet: false where the weights were trained on plainly normalized pictures. */
  readonly transformInput?: boolean;
}

function sizeOf(name: ArchitectureName, { size }: BuildOptions): readonly [number, number] {
  const architecture: Architecture = architectures[name];
  const wanted = size ?? architecture.size;
  const [height, width] = typeof wanted === "number" ? [wanted, wanted] : wanted;
  const least = architecture.leastSize ?? 1;
  if ([height, width].every((side) => Number.isInteger(side) && side >= least)) {
    return [height, width];
  }
  throw new InputError(
    `${name}: size must be integers from ${least} pixels; got ${height} × ${width}. Enlarge the pictures.`,
  );
}

function build(name: ArchitectureName, weights: Weights, options: BuildOptions): Graph {
  const architecture: Architecture = architectures[name];
  const { backend, epsilon = 1e-5 } = architecture;
  if (options.quantize && backend === undefined) {
    throw new InputError(
      `${name}: quantize must be false, since PyTorch has no quantized files of it; got true. ` +
        "Quantize the float model: prepare, calibrate, convert.",
    );
  }
  const [height, width] = sizeOf(name, options);
  const net = options.quantize
    ? new QuantizedLayers(weights, options.backend ?? backend ?? "fbgemm")
    : new FloatLayers(weights, epsilon);
  const images = net.input(height, width);
  const transforms = options.transformInput ?? architecture.transformInput ?? false;
  const first = net.start(transforms ? net.transformInput(images) : images);
  const logits = net.finish(architecture.forward(net, first));
  return net.graph(name, images, logits);
}

/**
 * The graph of `name` with the weights of `state`: "images" (batch, 3, height, width) → "logits". The
 * checkpoint of a quantization-aware training is finished on the way.
 * Throws WeightsError that lists every missing, misshapen and unexpected entry.
 */
export function buildModel(
  name: ArchitectureName,
  state: StateDict,
  options: BuildOptions = {},
): Graph {
  const architecture: Architecture = architectures[name];
  const { backend = "fbgemm", epsilon = 1e-5 } = architecture;
  const finished =
    options.quantize && isQat(state)
      ? finishQat(state, { engine: options.backend ?? backend, epsilon })
      : state;
  const weights = new Weights(name, finished, architecture.unused);
  const graph = build(name, weights, options);
  weights.finish();
  return graph;
}

/** How the names, shapes and types of `state` differ from what `name` asks for. `state` is finished: no
 *  checkpoint of a quantization-aware training. */
export function misfitOf(name: ArchitectureName, state: StateDict, quantize: boolean): Misfit {
  const architecture: Architecture = architectures[name];
  const weights = new Weights(name, state, architecture.unused);
  build(name, weights, { quantize });
  return weights.misfit();
}

/** The names and shapes that `name` reads of a state dict, in the network's order. */
export function parametersOf(
  name: ArchitectureName,
  options: BuildOptions = {},
): ReadonlyMap<string, readonly number[]> {
  const weights = new Weights(name, new Map());
  build(name, weights, options);
  return weights.asked;
}
