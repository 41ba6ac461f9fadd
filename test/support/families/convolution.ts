// Random convolutions: strides, dilations, asymmetric pads, and the three ways groups are lowered
// (whole words, groups that widen to a dense filter, depthwise).

import fc from "fast-check";
import type { ChannelClamp, Clamp } from "../../../src/graph/node.ts";
import type { QParams } from "../../../src/graph/value.ts";
import { tensor } from "../../../src/tensor/tensor.ts";
import { family, perTensor, seed, single, sums, type Family } from "../cases.ts";
import { codes, floats, generator, integers } from "../seeded.ts";

const two = (max: number) => fc.tuple(fc.integer({ min: 1, max }), fc.integer({ min: 1, max }));
const pad = fc.integer({ min: 0, max: 2 });

/** Groups, channels one of them reads, and outputs one of them makes. */
interface Channels {
  readonly group: number;
  readonly perGroup: number;
  readonly outs: number;
}

const channels: fc.Arbitrary<Channels> = fc.oneof(
  fc.record({
    group: fc.constant(1),
    perGroup: fc.constantFrom(1, 2, 3, 4, 5, 8, 9),
    outs: fc.constantFrom(1, 2, 3, 4, 5, 8, 9),
  }),
  fc.record({
    group: fc.constantFrom(2, 3),
    perGroup: fc.constantFrom(4, 8),
    outs: fc.constantFrom(4, 8),
  }),
  fc.record({
    group: fc.constantFrom(2, 3, 5),
    perGroup: fc.constantFrom(1, 2, 3, 4),
    outs: fc.constantFrom(1, 2, 3),
  }),
  fc.record({
    group: fc.constantFrom(2, 3, 4, 5, 8, 9),
    perGroup: fc.constant(1),
    outs: fc.constant(1),
  }),
);

const parts = {
  batch: fc.oneof(
    { weight: 15, arbitrary: fc.constantFrom(1, 1, 2, 3) },
    { weight: 1, arbitrary: fc.constant(0) },
  ),
  channels,
  kernel: fc.oneof(fc.constant([1, 1] as [number, number]), two(3)),
  strides: two(3),
  dilations: two(2),
  pads: fc.oneof(
    fc.constant([0, 0, 0, 0] as [number, number, number, number]),
    fc.tuple(pad, pad, pad, pad),
  ),
  /** Output-ish size: how far the picture reaches beyond one window. */
  beyond: fc.tuple(fc.nat(8), fc.nat(8)),
  hasBias: fc.boolean(),
  seed,
};

export const geometry = fc.record(parts);

/** One group whose input words come in fours: kernels that take several at a time do so here. */
const fours = fc.record({
  ...parts,
  channels: fc.record({
    group: fc.constant(1),
    perGroup: fc.constantFrom(16, 32, 48),
    outs: fc.constantFrom(1, 4, 9, 32, 40),
  }),
});

export type Geometry = typeof geometry extends fc.Arbitrary<infer G> ? G : never;

export function shapes({ batch, channels: c, kernel, dilations, pads, beyond }: Geometry) {
  const extent = (axis: 0 | 1) =>
    Math.max(
      1,
      dilations[axis] * (kernel[axis] - 1) +
        1 -
        pads[axis] -
        pads[(axis + 2) as 2 | 3] +
        beyond[axis],
    );
  return {
    x: [batch, c.group * c.perGroup, extent(0), extent(1)],
    filter: [c.group * c.outs, c.perGroup, kernel[0], kernel[1]],
    outs: c.group * c.outs,
    terms: c.perGroup * kernel[0] * kernel[1],
  };
}

export const attributesOf = ({ kernel, strides, dilations, pads, channels: { group } }: Geometry) =>
  ({ op: "Conv", kernel, strides, dilations, pads, group }) as const;

/** Fused clamps: one for all channels, or "high" or "both" bounds that differ. */
export type AnyClamp = Clamp | "high" | "both";

/** The clamp of `outs` channels; bounds that differ lie within ±`span`, one of them open. */
export function clampFor(clamp: AnyClamp, outs: number, from: number, span: number): ChannelClamp {
  if (typeof clamp !== "string") return clamp;
  const next = generator(from);
  const channels = () =>
    Array.from({ length: outs }, (_, c) => (c === 2 ? Infinity : Math.fround(span * next())));
  const low = clamp === "both" ? channels().map((bound) => -bound) : 0;
  return { low, high: channels() };
}

const clamp = fc.constantFrom<AnyClamp>(
  {},
  { low: 0 },
  { low: 0, high: 0.75 },
  { low: -0.5, high: 0.5 },
  "high",
  "both",
);

const floatConv = (title: string, geometries: fc.Arbitrary<Geometry> = geometry) =>
  family(
    title,
    fc.record({ geometry: geometries, clamp, filter: fc.boolean(), bias: fc.boolean() }),
    ({ geometry: g, clamp: bounds, ...constant }) => {
      const { x, filter, outs } = shapes(g);
      return single({ ...attributesOf(g), ...clampFor(bounds, outs, g.seed + 4, 1) }, [
        { tensor: floats(x, g.seed) },
        { tensor: floats(filter, g.seed + 1), constant: constant.filter },
        ...(g.hasBias ? [{ tensor: floats([outs], g.seed + 2), constant: constant.bias }] : []),
      ]);
    },
    sums,
  );

/** Scales of a symmetric weight: powers of two make ties in the requantization, others do not. */
export function weightQuant(axis: number | undefined, count: number, from: number): QParams {
  const next = generator(from);
  const length = axis === undefined ? 1 : count;
  const scale = Float32Array.from({ length }, () =>
    next() < 0.5 ? 2 ** -Math.floor(5 + 3 * next()) : 0.01 + 0.05 * next(),
  );
  return {
    dtype: "int8",
    scale,
    zeroPoint: new Int32Array(length),
    ...(axis === undefined ? {} : { axis }),
  };
}

/** How weights are stored: symmetric, or with zero points of their own, some of which leave q − z a byte. */
export const weightForm = fc.constantFrom(
  "symmetric" as const,
  "symmetric" as const,
  "int8" as const,
  "uint8" as const,
);

/** Weights of `shape` in that form. */
export function weightOperand(
  shape: readonly number[],
  quant: QParams,
  form: "symmetric" | "int8" | "uint8",
  from: number,
) {
  const dtype = form === "symmetric" ? "int8" : form;
  const next = generator(from + 7);
  const middle = dtype === "int8" ? 0 : 128;
  const zeroPoint = quant.zeroPoint.map(() => {
    const far = Math.floor((next() * 2 - 1) * 128);
    return form === "symmetric" ? 0 : middle + (next() < 0.3 ? 0 : far);
  });
  return {
    tensor: codes(dtype, shape, from),
    quant: { ...quant, dtype, zeroPoint },
    constant: true,
  };
}

/** An int32 bias in its own steps. */
export function biasOperand(length: number, from: number, span: number) {
  const quant: QParams = {
    dtype: "int32",
    scale: new Float32Array(length).fill(1),
    zeroPoint: new Int32Array(length),
    axis: 0,
  };
  return { tensor: tensor("int32", [length], integers(length, from, span)), quant, constant: true };
}

/** Output parameters that spread accumulators of about `magnitude` over the codes. */
export function spread(quant: QParams, magnitude: number): QParams {
  // Powers of two keep the ties that power-of-two weight scales make.
  const scale = 2 ** Math.round(Math.log2(Math.max(magnitude, 1e-6) / 100));
  return { ...quant, scale: Float32Array.of(scale) };
}

const integerConv = (title: string, geometries: fc.Arbitrary<Geometry> = geometry) =>
  family(
    title,
    fc.record({
      geometry: geometries,
      from: perTensor,
      to: perTensor,
      perChannel: fc.boolean(),
      form: weightForm,
      /** |bias| up to this: the second passes 2²⁴, where f32 no longer holds every accumulator. */
      biasSpan: fc.constantFrom(2000, 2 ** 27),
      clamp: fc.constantFrom<AnyClamp>({}, { low: 0 }, { low: 0, high: 40 }, "high", "both"),
    }),
    ({ geometry: g, from, to, perChannel, form, biasSpan, clamp: bounds }) => {
      const { x, filter, outs, terms } = shapes(g);
      const weight = weightQuant(perChannel ? 0 : undefined, outs, g.seed + 3);
      const steps = 5000 * Math.sqrt(terms) + (g.hasBias ? biasSpan : 0);
      const magnitude = steps * (from.scale[0] ?? 1) * 0.03;
      return single(
        { ...attributesOf(g), ...clampFor(bounds, outs, g.seed + 4, magnitude) },
        [
          { tensor: codes(from.dtype as "int8" | "uint8", x, g.seed), quant: from },
          weightOperand(filter, weight, form, g.seed + 1),
          ...(g.hasBias ? [biasOperand(outs, g.seed + 2, biasSpan)] : []),
        ],
        spread(to, magnitude),
      );
    },
  );

/** K · 127 · 255 > 2²⁴ from the sum alone, all of one sign: the greatest accumulators there are. */
const wideConv = family(
  "Conv with accumulators beyond 2²⁴ still rounds as the reference",
  fc.record({
    inputs: fc.constantFrom(700, 1024),
    outs: fc.constantFrom(3, 8),
    zero: fc.constantFrom(0, 255),
    seed,
  }),
  ({ inputs, outs, zero, seed: from }) => {
    const next = generator(from);
    const quant: QParams = {
      dtype: "uint8",
      scale: Float32Array.of(0.03),
      zeroPoint: Int32Array.of(zero),
    };
    const x = Uint8Array.from({ length: inputs * 6 }, () =>
      Math.abs(255 - zero - Math.floor(9 * next())),
    );
    const filter = Int8Array.from({ length: outs * inputs }, () => 127 - Math.floor(5 * next()));
    const plain = { strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] } as const;
    return single(
      { op: "Conv", kernel: [1, 1], group: 1, ...plain },
      [
        { tensor: tensor("uint8", [1, inputs, 2, 3], x), quant },
        {
          tensor: tensor("int8", [outs, inputs, 1, 1], filter),
          quant: weightQuant(0, outs, from),
          constant: true,
        },
        biasOperand(outs, from + 1, 12345),
      ],
      { dtype: "int8", scale: Float32Array.of(inputs * 9.7), zeroPoint: Int32Array.of(-3) },
    );
  },
);

/** One large picture: more than one workgroup and more than one tile of every kernel. */
const largeConv = family(
  "Conv past one tile equals the reference",
  fc.record({
    depthwise: fc.boolean(),
    integer: fc.boolean(),
    constant: fc.boolean(),
    form: weightForm,
    seed,
  }),
  ({ depthwise, integer, constant, form, seed: from }) => {
    const group = depthwise ? 19 : 1;
    const plain = {
      kernel: [3, 3],
      strides: [1, 1],
      dilations: [1, 1],
      pads: [1, 1, 1, 1],
    } as const;
    const attributes = { op: "Conv", ...plain, group } as const;
    const [x, filter] = [
      [2, 19, 17, 23],
      [19, 19 / group, 3, 3],
    ];
    if (!integer) {
      return single(attributes, [
        { tensor: floats(x, from) },
        { tensor: floats(filter, from + 1), constant },
      ]);
    }
    const quant: QParams = {
      dtype: "uint8",
      scale: Float32Array.of(0.5),
      zeroPoint: Int32Array.of(131),
    };
    return single(
      attributes,
      [
        { tensor: codes("uint8", x, from), quant },
        weightOperand(filter, weightQuant(0, 19, from), form, from + 1),
        biasOperand(19, from + 2, 1000),
      ],
      spread(quant, 2000),
    );
  },
  sums,
);

export const convolutions: readonly Family[] = [
  floatConv("Conv in float equals the reference"),
  integerConv("Conv in integers equals the reference bit for bit"),
  wideConv,
];
export const convolutionsInFours: readonly Family[] = [
  floatConv("Conv in float of four words and more", fours),
  integerConv("Conv in integers of four words and more", fours),
];
export const largeConvolutions: readonly Family[] = [largeConv];
