// What GoogLeNet and Inception v3 share: a convolution block with its names, and blocks of parallel
// branches whose results are joined along the channels.

import type { ConvSpec, Layers } from "./layers.ts";

/** torchvision's BasicConv2d: convolution, normalization, ReLU. */
export function basicConv(net: Layers, x: string, name: string, spec: ConvSpec): string {
  return net.conv(x, { conv: `${name}.conv`, norm: `${name}.bn`, relu: `${name}.relu` }, spec);
}

/** One step of a branch: the name of a block behind the module's own, and its convolution. */
export type Step = readonly [name: string, spec: ConvSpec];

/** The steps of one branch after another, from x. */
export function chain(net: Layers, x: string, module: string, steps: readonly Step[]): string {
  return steps.reduce((y, [name, spec]) => basicConv(net, y, `${module}.${name}`, spec), x);
}
