// The list of kernel cases. Shapes of convolutions are those of ResNet and MobileNetV2.

import type { KernelCase } from "./case.ts";
import { elementwiseCases } from "./elementwise.ts";
import { conv, matmul, type ConvSpec } from "./products.ts";

export type CaseSize = "quick" | "software" | "gpu";

const CUBES = {
  quick: [256],
  software: [64, 128, 256, 512, 1024],
  gpu: [64, 128, 256, 512, 1024, 2048, 4096],
};
/** Rows, columns, terms. */
const SKINNY = {
  quick: [],
  software: [
    [8, 1024, 1024],
    [1024, 16, 1024],
    [1024, 1024, 16],
  ],
  gpu: [
    [8, 4096, 4096],
    [4096, 16, 4096],
    [4096, 4096, 16],
  ],
} as const;
/** Columns and terms of a matrix times a vector. */
const VECTORS = { quick: [512], software: [1024, 2048], gpu: [1024, 4096] };

const CONVS: readonly ConvSpec[] = [
  { kernel: "conv 1×1", inputs: 64, outs: 256, size: 56, window: 1 },
  { kernel: "conv 1×1", inputs: 1024, outs: 256, size: 14, window: 1 },
  { kernel: "conv 1×1", inputs: 24, outs: 144, size: 56, window: 1 },
  { kernel: "conv 3×3", inputs: 64, outs: 64, size: 56, window: 3 },
  { kernel: "conv 3×3", inputs: 256, outs: 256, size: 14, window: 3 },
  { kernel: "conv 3×3 stride 2", inputs: 128, outs: 128, size: 56, window: 3, stride: 2 },
  { kernel: "depthwise", inputs: 144, outs: 144, size: 56, window: 3, depthwise: true },
  { kernel: "depthwise", inputs: 576, outs: 576, size: 14, window: 3, depthwise: true },
  { kernel: "first layer", inputs: 3, outs: 32, size: 224, window: 3, stride: 2 },
  { kernel: "first layer", inputs: 3, outs: 64, size: 224, window: 7, stride: 2 },
];

const BATCH = { quick: 1, software: 4, gpu: 32 };

/** Cases in the order of the table; int8 and float of one shape are neighbours. */
export function casesFor(size: CaseSize): KernelCase[] {
  const convs = size === "quick" ? CONVS.filter((_, index) => [1, 3, 6, 8].includes(index)) : CONVS;
  const dtypes = ["float32", "int8"] as const;
  return [
    ...CUBES[size].flatMap((n) => dtypes.map((dtype) => matmul(dtype, n, n, n))),
    ...SKINNY[size].flatMap(([m, n, k]) => dtypes.map((dtype) => matmul(dtype, m, n, k))),
    ...VECTORS[size].flatMap((n) => dtypes.map((dtype) => matmul(dtype, 1, n, n))),
    ...convs.flatMap((spec) => dtypes.map((dtype) => conv(dtype, spec))),
    ...elementwiseCases([BATCH[size], 64, 112, 112]),
  ];
}
