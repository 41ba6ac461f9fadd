// GoogLeNet (Inception v1), https://arxiv.org/abs/1409.4842, as torchvision.models.googlenet: with
// normalization, and with 3 × 3 filters where the paper has 5 × 5. The auxiliary heads are for training.

import { basicConv, chain } from "./inception.ts";
import type { Layers } from "./layers.ts";

/** Channels: 1 × 1; reduced and full 3 × 3; reduced and full "5 × 5"; projection behind the pool. */
type Channels = readonly [number, number, number, number, number, number];

const STAGES: readonly (readonly [name: string, Channels])[][] = [
  [
    ["inception3a", [64, 96, 128, 16, 32, 32]],
    ["inception3b", [128, 128, 192, 32, 96, 64]],
  ],
  [
    ["inception4a", [192, 96, 208, 16, 48, 64]],
    ["inception4b", [160, 112, 224, 24, 64, 64]],
    ["inception4c", [128, 128, 256, 24, 64, 64]],
    ["inception4d", [112, 144, 288, 32, 64, 64]],
    ["inception4e", [256, 160, 320, 32, 128, 128]],
  ],
  [
    ["inception5a", [256, 160, 320, 32, 128, 128]],
    ["inception5b", [384, 192, 384, 48, 128, 128]],
  ],
];

const POOL = { kernel: 3, stride: 2, ceil: true } as const;

function inception(net: Layers, x: string, name: string, channels: Channels): string {
  const [one, threeReduced, three, fiveReduced, five, projection] = channels;
  const pooled = net.maxPool(x, `${name}.branch4.0`, { kernel: 3, padding: 1, ceil: true });
  const branches = [
    basicConv(net, x, `${name}.branch1`, { outs: one, kernel: 1 }),
    chain(net, x, name, [
      ["branch2.0", { outs: threeReduced, kernel: 1 }],
      ["branch2.1", { outs: three, kernel: 3, padding: 1 }],
    ]),
    chain(net, x, name, [
      ["branch3.0", { outs: fiveReduced, kernel: 1 }],
      ["branch3.1", { outs: five, kernel: 3, padding: 1 }],
    ]),
    basicConv(net, pooled, `${name}.branch4.1`, { outs: projection, kernel: 1 }),
  ];
  return net.concat(branches, `${name}.cat`);
}

export function googlenet(net: Layers, x: string): string {
  let y = basicConv(net, x, "conv1", { outs: 64, kernel: 7, stride: 2, padding: 3 });
  y = net.maxPool(y, "maxpool1", POOL);
  y = basicConv(net, y, "conv2", { outs: 64, kernel: 1 });
  y = basicConv(net, y, "conv3", { outs: 192, kernel: 3, padding: 1 });
  y = net.maxPool(y, "maxpool2", POOL);
  STAGES.forEach((blocks, stage) => {
    for (const [name, channels] of blocks) y = inception(net, y, name, channels);
    if (stage === 0) y = net.maxPool(y, "maxpool3", POOL);
    if (stage === 1) y = net.maxPool(y, "maxpool4", { ...POOL, kernel: 2 });
  });
  y = net.flatten(net.globalPool(y, "avgpool"));
  return net.linear(y, "fc", net.weights.rows("fc.weight", 1000), "logits");
}
