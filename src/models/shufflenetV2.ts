// ShuffleNetV2, https://arxiv.org/abs/1807.11164, as torchvision.models.shufflenet_v2_*.

import type { Layers } from "./layers.ts";

const REPEATS = [4, 8, 4] as const;

/** Convolution `at` of a branch, its normalization behind it, and a ReLU behind that if it has one. */
const part = (name: string, at: number, relu: boolean) => ({
  conv: `${name}.${at}`,
  norm: `${name}.${at + 1}`,
  ...(relu ? { relu: `${name}.${at + 2}` } : {}),
});

/** Depthwise without activation, as both branches have it. */
function depthwise(net: Layers, x: string, name: string, at: number, stride: number): string {
  const outs = net.channels(x);
  const spec = { outs, group: outs, kernel: 3, stride, padding: 1 };
  return net.conv(x, part(name, at, false), spec);
}

function unit(net: Layers, x: string, name: string, outs: number, stride: number): string {
  const half = outs / 2;
  const branch = `${name}.branch2`;
  const long = (from: string) => {
    let y = net.conv(from, part(branch, 0, true), { outs: half, kernel: 1 });
    y = depthwise(net, y, branch, 3, stride);
    return net.conv(y, part(branch, 5, true), { outs: half, kernel: 1 });
  };
  let parts: readonly [string, string];
  if (stride === 1) {
    const [kept, worked] = net.halves(x, `${name}.chunk`);
    parts = [kept, long(worked)];
  } else {
    const short = depthwise(net, x, `${name}.branch1`, 0, stride);
    const first = net.conv(short, part(`${name}.branch1`, 2, true), { outs: half, kernel: 1 });
    parts = [first, long(x)];
  }
  // What a shuffle leaves is row-major in torch, and so is the half that is kept of it.
  const joined = net.concat(parts, `${name}.cat`, stride === 1);
  return net.shuffle(joined, `${name}.channel_shuffle`, 2);
}

/** `channels` of the stem, the three stages and the last convolution. */
export function shufflenetV2(
  net: Layers,
  x: string,
  [stem, second, third, fourth, last]: readonly [number, number, number, number, number],
): string {
  let y = net.conv(x, part("conv1", 0, true), { outs: stem, kernel: 3, stride: 2, padding: 1 });
  y = net.maxPool(y, "maxpool", { kernel: 3, stride: 2, padding: 1 });
  [second, third, fourth].forEach((outs, stage) => {
    for (let i = 0; i < (REPEATS[stage] ?? 0); i++) {
      y = unit(net, y, `stage${stage + 2}.${i}`, outs, i === 0 ? 2 : 1);
    }
  });
  y = net.conv(y, part("conv5", 0, true), { outs: last, kernel: 1 });
  y = net.spatialMean(y, "mean");
  return net.linear(y, "fc", net.weights.rows("fc.weight", 1000), "logits");
}
