// ResNet-18 and ResNet-50 with torchvision's geometry: He et al., arXiv 1512.03385; in bottlenecks the
// stride is that of the 3 × 3 convolution ("v1.5"). https://github.com/pytorch/vision, models/resnet.py

import type { Graph } from "../../src/graph/graph.ts";
import type { Random } from "../core/random.ts";
import { NetworkBuilder } from "./layers.ts";

/** Of the last convolution of a branch: a sum of 16 branches then stays near 1. */
const BRANCH = 0.4;

type Residual = (net: NetworkBuilder, x: string, width: number, stride: number) => string;

const shortcut = (net: NetworkBuilder, x: string, outs: number, stride: number): string =>
  stride === 1 && net.channels(x) === outs ? x : net.conv(x, { outs, kernel: 1, stride });

const basic: Residual = (net, x, width, stride) => {
  const first = net.conv(x, { outs: width, kernel: 3, stride, activation: "relu" });
  const second = net.conv(first, { outs: width, kernel: 3, gain: BRANCH });
  return net.activate(net.add(second, shortcut(net, x, width, stride)), "relu");
};

const bottleneck: Residual = (net, x, width, stride) => {
  const first = net.conv(x, { outs: width, kernel: 1, activation: "relu" });
  const second = net.conv(first, { outs: width, kernel: 3, stride, activation: "relu" });
  const third = net.conv(second, { outs: 4 * width, kernel: 1, gain: BRANCH });
  return net.activate(net.add(third, shortcut(net, x, 4 * width, stride)), "relu");
};

function resnet(name: string, residual: Residual, depths: readonly number[], next: Random): Graph {
  const net = new NetworkBuilder(next);
  const stem = { outs: 64, kernel: 7, stride: 2, activation: "relu" } as const;
  let x = net.maxPool(net.conv(net.input(3, 224), stem));
  depths.forEach((depth, stage) => {
    for (let index = 0; index < depth; index++)
      x = residual(net, x, 64 << stage, stage > 0 && index === 0 ? 2 : 1);
  });
  return net.classify(x, 1000, name);
}

/** 1.81 billion multiply-accumulates, 11.7 million weights. */
export const resnet18 = (next: Random): Graph => resnet("ResNet-18", basic, [2, 2, 2, 2], next);

/** 4.09 billion multiply-accumulates, 25.5 million weights. */
export const resnet50 = (next: Random): Graph =>
  resnet("ResNet-50", bottleneck, [3, 4, 6, 3], next);
