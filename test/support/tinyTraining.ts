// A network that learns in a second, and pictures for it: 8 × 8 with one bright corner, which is the class.

import { GraphBuilder } from "../../src/graph/builder.ts";
import { Model } from "../../src/model.ts";
import { float32, sizeOf } from "../../src/tensor/tensor.ts";
import { Random } from "../../src/training/random.ts";
import type { IndexedData } from "../../src/training/samples.ts";

export const TINY_SIDE = 8;
export const TINY_CLASSES = 4;

/** conv 3×3 (3 → 8), depthwise 3×3, conv 1×1 and a sum, each convolution with normalization and ReLU6; linear. */
export function tinyModel(seed: number): Model<"float"> {
  const random = Random.of(seed);
  const builder = new GraphBuilder();
  const constant = (name: string, shape: readonly number[], value: () => number) =>
    builder.constant(name, float32(shape, Float32Array.from({ length: sizeOf(shape) }, value)));
  const weight = (name: string, shape: readonly number[]) => {
    const bound = 1 / Math.sqrt(sizeOf(shape.slice(1)));
    return constant(name, shape, () => random.between(-bound, bound));
  };
  const layer = (name: string, x: string, filter: readonly number[], group = 1) => {
    const [outs = 1, , kernel = 1] = filter;
    const pad = kernel >> 1;
    const conv = builder.add({
      ...{ op: "Conv", name: `${name}.conv`, inputs: [x, weight(`${name}.weight`, filter)] },
      ...{ outputs: [`${name}.conv`], kernel: [kernel, kernel], strides: [1, 1] },
      ...{ dilations: [1, 1], pads: [pad, pad, pad, pad], group },
    } as never);
    const facts = [
      constant(`${name}.gamma`, [outs], () => random.between(0.5, 1.5)),
      constant(`${name}.beta`, [outs], () => 0),
      constant(`${name}.mean`, [outs], () => 0),
      constant(`${name}.variance`, [outs], () => 1),
    ];
    const norm = builder.add({
      ...{ op: "BatchNormalization", name: `${name}.norm`, inputs: [conv, ...facts] },
      ...{ outputs: [`${name}.norm`], epsilon: 1e-5 },
    } as never);
    return builder.add({
      ...{ op: "Clip", name: `${name}.relu6`, inputs: [norm], outputs: [`${name}.relu6`] },
      ...{ low: 0, high: 6 },
    } as never);
  };
  const images = builder.input("images", {
    dtype: "float32",
    shape: ["batch", 3, TINY_SIDE, TINY_SIDE],
  });
  const first = layer("first", images, [8, 3, 3, 3]);
  const deep = layer("deep", first, [8, 1, 3, 3], 8);
  const point = layer("point", deep, [8, 8, 1, 1]);
  const sum = builder.add({ op: "Add", name: "sum", inputs: [first, point], outputs: ["sum"] });
  const pool = builder.add({
    ...{ op: "MaxPool", name: "pool", inputs: [sum], outputs: ["pool"], ceilMode: false },
    ...{ kernel: [4, 4], strides: [4, 4], dilations: [1, 1], pads: [0, 0, 0, 0] },
  } as never);
  builder.add({ op: "Flatten", name: "flat", inputs: [pool], outputs: ["flat"], axis: 1 });
  builder.add({
    ...{ op: "Gemm", name: "linear", outputs: ["logits"], alpha: 1, beta: 1 },
    ...{ inputs: ["flat", weight("linear.weight", [TINY_CLASSES, 32])] },
    ...{ transA: false, transB: true },
  } as never);
  return new Model("float", builder.build("tiny", ["images"], ["logits"]), {});
}

/** `count` pictures with labels. */
export function tinyData(count: number, seed = 7): IndexedData {
  return {
    length: count,
    get(index) {
      const random = Random.of(seed, index);
      const label = random.below(TINY_CLASSES);
      const [top, left] = [label >> 1, label & 1];
      const half = TINY_SIDE / 2;
      const pixels = Float32Array.from({ length: 3 * TINY_SIDE ** 2 }, (_, at) => {
        const [y, x] = [Math.floor(at / TINY_SIDE) % TINY_SIDE, at % TINY_SIDE];
        const isBright = Math.floor(y / half) === top && Math.floor(x / half) === left;
        return random.between(-1, 1) + (isBright ? 0.7 : 0);
      });
      return { tensors: { images: float32([3, TINY_SIDE, TINY_SIDE], pixels) }, label };
    },
  };
}
