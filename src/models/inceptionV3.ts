// Inception v3, https://arxiv.org/abs/1512.00567, as torchvision.models.inception_v3. Each of its five
// kinds of block is a list of branches; the auxiliary head is for training.

import { basicConv, chain, type Step } from "./inception.ts";
import type { ConvSpec, Layers } from "./layers.ts";

const one = (outs: number): ConvSpec => ({ outs, kernel: 1 });
const three = (outs: number): ConvSpec => ({ outs, kernel: 3, padding: 1 });
const shrink = (outs: number): ConvSpec => ({ outs, kernel: 3, stride: 2 });
/** 1 × n and n × 1, padded to keep the size. */
const wide = (outs: number, n: number): ConvSpec => ({
  outs,
  kernel: [1, n],
  padding: [0, (n - 1) / 2],
});
const tall = (outs: number, n: number): ConvSpec => ({
  outs,
  kernel: [n, 1],
  padding: [(n - 1) / 2, 0],
});

/** Branches of convolutions; behind them the pool's, with a projection or without. */
interface Block {
  readonly branches: readonly (readonly Step[])[];
  /** Channels behind a mean that keeps the size; without them a maximum that halves it. */
  readonly projection?: number;
}

const blockA = (projection: number): Block => ({
  branches: [
    [["branch1x1", one(64)]],
    [
      ["branch5x5_1", one(48)],
      ["branch5x5_2", { outs: 64, kernel: 5, padding: 2 }],
    ],
    [
      ["branch3x3dbl_1", one(64)],
      ["branch3x3dbl_2", three(96)],
      ["branch3x3dbl_3", three(96)],
    ],
  ],
  projection,
});

const blockB: Block = {
  branches: [
    [["branch3x3", shrink(384)]],
    [
      ["branch3x3dbl_1", one(64)],
      ["branch3x3dbl_2", three(96)],
      ["branch3x3dbl_3", shrink(96)],
    ],
  ],
};

const blockC = (c: number): Block => ({
  branches: [
    [["branch1x1", one(192)]],
    [
      ["branch7x7_1", one(c)],
      ["branch7x7_2", wide(c, 7)],
      ["branch7x7_3", tall(192, 7)],
    ],
    [
      ["branch7x7dbl_1", one(c)],
      ["branch7x7dbl_2", tall(c, 7)],
      ["branch7x7dbl_3", wide(c, 7)],
      ["branch7x7dbl_4", tall(c, 7)],
      ["branch7x7dbl_5", wide(192, 7)],
    ],
  ],
  projection: 192,
});

const blockD: Block = {
  branches: [
    [
      ["branch3x3_1", one(192)],
      ["branch3x3_2", shrink(320)],
    ],
    [
      ["branch7x7x3_1", one(192)],
      ["branch7x7x3_2", wide(192, 7)],
      ["branch7x7x3_3", tall(192, 7)],
      ["branch7x7x3_4", shrink(192)],
    ],
  ],
};

function poolBranch(net: Layers, x: string, name: string, projection: number | undefined): string {
  const pool = `${name}.pool`;
  if (projection === undefined) return net.maxPool(x, pool, { kernel: 3, stride: 2 });
  const mean = net.averagePool(x, pool, { kernel: 3, padding: 1 });
  return basicConv(net, mean, `${name}.branch_pool`, one(projection));
}

function mixed(net: Layers, x: string, name: string, { branches, projection }: Block): string {
  const results = branches.map((steps) => chain(net, x, name, steps));
  return net.concat([...results, poolBranch(net, x, name, projection)], `${name}.myop`);
}

/** The block whose branches fork once more: a 1 × 3 and a 3 × 1 filter side by side. */
function mixedE(net: Layers, x: string, name: string): string {
  const fork = (y: string, branch: string, cat: string) => {
    const sides = [
      basicConv(net, y, `${name}.${branch}a`, wide(384, 3)),
      basicConv(net, y, `${name}.${branch}b`, tall(384, 3)),
    ];
    return net.concat(sides, `${name}.${cat}`);
  };
  const first = chain(net, x, name, [["branch1x1", one(320)]]);
  const single = chain(net, x, name, [["branch3x3_1", one(384)]]);
  const double = chain(net, x, name, [
    ["branch3x3dbl_1", one(448)],
    ["branch3x3dbl_2", three(384)],
  ]);
  const parts = [
    first,
    fork(single, "branch3x3_2", "myop1"),
    fork(double, "branch3x3dbl_3", "myop2"),
    poolBranch(net, x, name, 192),
  ];
  return net.concat(parts, `${name}.myop3`);
}

const BLOCKS: readonly (readonly [name: string, Block])[] = [
  ["Mixed_5b", blockA(32)],
  ["Mixed_5c", blockA(64)],
  ["Mixed_5d", blockA(64)],
  ["Mixed_6a", blockB],
  ["Mixed_6b", blockC(128)],
  ["Mixed_6c", blockC(160)],
  ["Mixed_6d", blockC(160)],
  ["Mixed_6e", blockC(192)],
  ["Mixed_7a", blockD],
];

export function inceptionV3(net: Layers, x: string): string {
  let y = basicConv(net, x, "Conv2d_1a_3x3", shrink(32));
  y = basicConv(net, y, "Conv2d_2a_3x3", { outs: 32, kernel: 3 });
  y = basicConv(net, y, "Conv2d_2b_3x3", three(64));
  y = net.maxPool(y, "maxpool1", { kernel: 3, stride: 2 });
  y = basicConv(net, y, "Conv2d_3b_1x1", one(80));
  y = basicConv(net, y, "Conv2d_4a_3x3", { outs: 192, kernel: 3 });
  y = net.maxPool(y, "maxpool2", { kernel: 3, stride: 2 });
  for (const [name, block] of BLOCKS) y = mixed(net, y, name, block);
  for (const name of ["Mixed_7b", "Mixed_7c"]) y = mixedE(net, y, name);
  y = net.flatten(net.globalPool(y, "avgpool"));
  return net.linear(y, "fc", net.weights.rows("fc.weight", 1000), "logits");
}
