// MobileNetV2 with torchvision's geometry: Sandler et al., arXiv 1801.04381, table 2.
// https://github.com/pytorch/vision, models/mobilenetv2.py

import type { Graph } from "../../src/graph/graph.ts";
import type { Random } from "../core/random.ts";
import { NetworkBuilder } from "./layers.ts";

/** Expansion, output channels, repeats, stride of the first. */
const STAGES = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

/** Of a projection that is added to its input. */
const BRANCH = 0.5;

/** 0.30 billion multiply-accumulates, 3.5 million weights. */
export function mobilenetV2(next: Random): Graph {
  const net = new NetworkBuilder(next);
  let x = net.conv(net.input(3, 224), { outs: 32, kernel: 3, stride: 2, activation: "relu6" });
  for (const [expansion, outs, repeats, firstStride] of STAGES) {
    for (let index = 0; index < repeats; index++) {
      const inputs = net.channels(x);
      const stride = index === 0 ? firstStride : 1;
      const isResidual = stride === 1 && inputs === outs;
      const hidden = inputs * expansion;
      const wide =
        expansion === 1 ? x : net.conv(x, { outs: hidden, kernel: 1, activation: "relu6" });
      const window = {
        outs: hidden,
        kernel: 3,
        stride,
        depthwise: true,
        activation: "relu6",
      } as const;
      const y = net.conv(net.conv(wide, window), {
        outs,
        kernel: 1,
        gain: isResidual ? BRANCH : 1,
      });
      x = isResidual ? net.add(x, y) : y;
    }
  }
  return net.classify(
    net.conv(x, { outs: 1280, kernel: 1, activation: "relu6" }),
    1000,
    "MobileNetV2",
  );
}
