// Random batches to normalize, and gradients of clamps, functions and pools.

import fc from "fast-check";
import type { Smooth } from "../../../src/graph/gradients.ts";
import { windowSize } from "../../../src/graph/extents.ts";
import { float32, sizeOf, type Tensor } from "../../../src/tensor/tensor.ts";
import { family, seed, single, size, type Family } from "../cases.ts";
import { floats, steps } from "../seeded.ts";
import { attributesOf, window, type WindowCase } from "./pools.ts";

/** (B, C, …), some with more rows than one workgroup sums, at least eight elements a channel: of two
 *  that lie near each other hardly a gradient is left. */
const batch = fc
  .tuple(
    fc.constantFrom(1, 2, 3),
    fc.oneof(size, fc.constantFrom(16, 33, 70)),
    fc.oneof(
      fc.array(size, { maxLength: 3 }),
      fc.constantFrom([40, 30], [64, 64], [700], [1, 1], [5, 2, 31]),
    ),
  )
  .map(([count, channels, space]) => [count, channels, ...space])
  .filter((shape) => sizeOf(shape) < 60000 && sizeOf(shape) / (shape[1] ?? 1) >= 8);

/** A tensor whose channel c has a mean of its own: offset · (c % 3 − 1). */
function shifted(shape: readonly number[], from: number, offset: number): Tensor<"float32"> {
  const [, channels = 1, ...space] = shape;
  const inner = sizeOf(space);
  const { data } = floats(shape, from);
  return float32(
    shape,
    data.map((x, i) => x + offset * (((Math.floor(i / inner) % channels) % 3) - 1)),
  );
}

/** Numbers in [0.5, 1.5), half of them negative where `signed`. */
function around1(shape: readonly number[], from: number, signed = false): Tensor<"float32"> {
  const { data } = floats(shape, from);
  return float32(
    shape,
    data.map((x) => (1 + x / 2) * (signed && x < 0 ? -1 : 1)),
  );
}

const clamp = fc.constantFrom({}, {}, { low: 0 }, { low: 0, high: 0.7 });

const normalization = fc.record({
  shape: batch,
  divided: fc.boolean(),
  constant: fc.boolean(),
  offset: fc.constantFrom(0, 1, 40),
  epsilon: fc.constantFrom(1e-5, 1e-3),
  clamp,
  seed,
});

const batchNormTraining = family(
  "BatchNormTraining equals the reference, however far from 0 a channel lies",
  normalization,
  ({ shape, divided, constant, offset, epsilon, clamp: bounds, seed: from }) => {
    const channels = [shape[1] ?? 1];
    const operand = (tensor: Tensor) => ({ tensor, constant });
    const operands = [
      { tensor: shifted(shape, from, offset) },
      operand(around1(channels, from + 1, true)),
      operand(floats(channels, from + 2)),
      ...(divided ? [operand(around1(channels, from + 3, true))] : []),
    ];
    return single({ op: "BatchNormTraining", epsilon, ...bounds }, operands, undefined, 3);
  },
  // A mean of 40 has f32's steps of 4e-6, in units of a deviation of 0.6.
  { tolerance: 2e-5, terms: 1 },
);

/** The statistics of x / divisor, as BatchNormTraining gives them. */
function statistics(x: Tensor, divisor: Tensor | undefined): [Tensor, Tensor] {
  const [count = 1, channels = 1, ...space] = x.shape;
  const inner = sizeOf(space);
  const each = Array.from({ length: channels }, (_, c) => {
    const by = Number(divisor?.data[c] ?? 1);
    const own = Array.from({ length: count * inner }, (_, i) => {
      return Number(x.data[(Math.floor(i / inner) * channels + c) * inner + (i % inner)]) / by;
    });
    const mean = own.reduce((a, b) => a + b, 0) / own.length;
    return [mean, own.reduce((sum, u) => sum + (u - mean) ** 2, 0) / own.length] as const;
  });
  const column = (index: 0 | 1) =>
    float32(
      [channels],
      each.map((pair) => pair[index]),
    );
  return [column(0), column(1)];
}

const batchNormGrad = family(
  "BatchNormGrad equals the reference, with batch statistics and frozen ones",
  fc.record({ of: normalization, frozen: fc.boolean() }),
  ({ of: { shape, divided, constant, offset, epsilon, clamp: bounds, seed: from }, frozen }) => {
    const channels = [shape[1] ?? 1];
    const operand = (tensor: Tensor) => ({ tensor, constant });
    const x = shifted(shape, from, Math.min(offset, 1));
    const divisor = divided && !frozen ? around1(channels, from + 3, true) : undefined;
    const [mean, variance] = frozen
      ? [floats(channels, from + 4), around1(channels, from + 5)]
      : statistics(x, divisor);
    const operands = [
      { tensor: floats(shape, from + 6) },
      { tensor: x },
      // No element lies so near a bound of the clamp that rounding decides.
      operand(around1(channels, from + 1, true)),
      operand(floats(channels, from + 2)),
      operand(mean),
      operand(variance),
      ...(divisor ? [operand(divisor)] : []),
    ];
    const node = { op: "BatchNormGrad", epsilon, frozen, ...bounds } as const;
    return single(node, operands, undefined, divisor ? 4 : 3);
  },
  { tolerance: 2e-5, terms: 1 },
);

const variableBatchNorm = family(
  "BatchNormalization with parameters that are values equals the reference",
  normalization,
  ({ shape, offset, epsilon, seed: from }) => {
    const channels = [shape[1] ?? 1];
    const operands = [
      shifted(shape, from, offset),
      around1(channels, from + 1, true),
      floats(channels, from + 2),
      floats(channels, from + 3),
      around1(channels, from + 4),
    ];
    return single(
      { op: "BatchNormalization", epsilon },
      operands.map((tensor) => ({ tensor })),
    );
  },
);

/** Sums over all axes but the last, of more rows than one workgroup sums; a picture's channels lie last. */
const rowSums = family(
  "ReduceSum and ReduceMean over many rows equal the reference",
  fc.record({
    op: fc.constantFrom("ReduceSum" as const, "ReduceMean" as const),
    dims: fc.constantFrom(
      [300, 7],
      [9, 70, 33],
      [2, 5, 20, 30],
      [4, 33, 31, 17],
      [600, 1, 5],
      [257, 1],
    ),
    keepdims: fc.boolean(),
    seed,
  }),
  ({ op, dims, keepdims, seed: from }) => {
    const kept = dims.length === 4 ? 1 : dims.length - 1;
    const axes = dims.flatMap((_, axis) => (axis === kept ? [] : [axis]));
    return single({ op, axes, keepdims }, [{ tensor: floats(dims, from) }]);
  },
  { terms: 10 },
);

const shape = fc.array(size, { maxLength: 5 }).filter((dims) => sizeOf(dims) < 5000);

const clampGrad = family(
  "ClampGrad equals the reference bit for bit, at its bounds too",
  fc.record({
    shape,
    bounds: fc.constantFrom({ low: 0 }, { low: -0.5, high: 0.75 }, { high: 0.25 }, {}),
    seed,
  }),
  ({ shape: dims, bounds, seed: from }) =>
    single({ op: "ClampGrad", ...bounds }, [
      { tensor: steps(dims, from, 0.25, 6) },
      { tensor: floats(dims, from + 1) },
    ]),
  { tolerance: 0 },
);

export const slopes: readonly Smooth[] = [
  { op: "Sigmoid" },
  { op: "HardSwish" },
  { op: "Tanh" },
  { op: "Erf" },
  { op: "Sqrt" },
  { op: "Exp" },
  { op: "Log" },
  { op: "Abs" },
  { op: "Reciprocal" },
  { op: "Softplus" },
  { op: "Elu", alpha: 0.7 },
  { op: "Selu", alpha: 1.67, gamma: 1.05 },
  { op: "Gelu", approximate: "none" },
  { op: "Gelu", approximate: "tanh" },
  { op: "LeakyRelu", alpha: 0.1 },
  { op: "HardSigmoid", alpha: 0.25, beta: 0.5 },
];

const unaryGrad = family(
  "UnaryGrad of every function equals the reference, at its corners and poles too",
  fc.record({ shape, of: fc.constantFrom(...slopes), span: fc.constantFrom(4, 40, 400), seed }),
  ({ shape: dims, of, span, seed: from }) => {
    // Gradients that are powers of two: where f′ has a jump, x is exactly there or a quarter beside it.
    const range = of.op === "Exp" ? Math.min(span, 40) : span;
    return single({ op: "UnaryGrad", of }, [
      { tensor: steps(dims, from, 0.25, range) },
      { tensor: steps(dims, from + 1, 0.5, 2) },
    ]);
  },
  // Far from 0 most slopes are 0 in f32.
  { terms: 1e-6 },
);

/** x in few steps, so that windows have several greatest elements. */
const coarse = (w: WindowCase) => steps(w.shape, w.seed, 0.5, 2);

/** What the pool makes of a picture: the shape of its output. */
function pooled(w: WindowCase): number[] {
  const [batchSize = 0, channels = 0, height = 0, width = 0] = w.shape;
  const attributes = attributesOf(w);
  const sizes = ([0, 1] as const).map((axis) =>
    windowSize([height, width][axis] ?? 0, attributes, axis, w.ceilMode),
  );
  return [batchSize, channels, ...sizes];
}

/** The greatest of each window. */
function greatest(w: WindowCase, x: Tensor): Tensor {
  const [, , height = 0, width = 0] = w.shape;
  const shapeOut = pooled(w);
  const [, , outHeight = 1, outWidth = 1] = shapeOut;
  const data = Float32Array.from({ length: sizeOf(shapeOut) }, (_, index) => {
    const [column, row] = [index % outWidth, Math.floor(index / outWidth) % outHeight];
    const plane = Math.floor(index / (outWidth * outHeight));
    let most = -Infinity;
    for (let ky = 0; ky < w.kernel[0]; ky++) {
      for (let kx = 0; kx < w.kernel[1]; kx++) {
        const y = row * w.strides[0] + ky * w.dilations[0] - w.pads[0];
        const at = column * w.strides[1] + kx * w.dilations[1] - w.pads[1];
        if (y < 0 || at < 0 || y >= height || at >= width) continue;
        most = Math.max(most, Number(x.data[(plane * height + y) * width + at]));
      }
    }
    return most;
  });
  return float32(shapeOut, data);
}

const maxPoolGrad = family(
  "MaxPoolGrad equals the reference, the first of equal elements having it",
  window,
  (w) => {
    const { ceilMode: _ceilMode, ...attributes } = attributesOf(w);
    const x = coarse(w);
    return single({ op: "MaxPoolGrad", ...attributes }, [
      { tensor: x },
      { tensor: greatest(w, x) },
      { tensor: floats(pooled(w), w.seed + 1) },
    ]);
  },
);

const averagePoolGrad = family(
  "AveragePoolGrad equals the reference, pads counted or not",
  fc.record({ window, countIncludePad: fc.boolean() }),
  ({ window: w, countIncludePad }) => {
    const { ceilMode: _ceilMode, ...attributes } = attributesOf(w);
    const [, , height = 0, width = 0] = w.shape;
    const node = { op: "AveragePoolGrad", ...attributes, countIncludePad } as const;
    return single({ ...node, size: [height, width] }, [{ tensor: floats(pooled(w), w.seed) }]);
  },
  { terms: 0.1 },
);

export const gradients: readonly Family[] = [
  batchNormTraining,
  batchNormGrad,
  variableBatchNorm,
  rowSums,
  clampGrad,
  unaryGrad,
  maxPoolGrad,
  averagePoolGrad,
];
