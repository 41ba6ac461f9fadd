// Random element-wise ops: functions of one value, broadcasts of two, and the ways between float and
// int8. Values sit on half-steps on purpose: a wrong rounding rule shows as many mismatches.

import fc from "fast-check";
import type { MovingAverageObserve } from "../../../src/graph/fakeQuantized.ts";
import type { Unary } from "../../../src/graph/node.ts";
import type { QParams } from "../../../src/graph/value.ts";
import { float32, tensor } from "../../../src/tensor/tensor.ts";
import {
  dim,
  family,
  perTensor,
  seed,
  single,
  sums,
  size,
  type Attributes,
  type Family,
  type Operand,
} from "../cases.ts";
import { codes, floats, steps } from "../seeded.ts";

const shape = fc.array(dim, { minLength: 0, maxLength: 5 });

type Function = Attributes<Exclude<Unary, { op: "Cast" | "Identity" }>>;

const functions: readonly Function[] = [
  { op: "Relu" },
  { op: "Sigmoid" },
  { op: "HardSwish" },
  { op: "Tanh" },
  { op: "LeakyRelu", alpha: 0.1 },
  { op: "HardSigmoid", alpha: 0.2, beta: 0.5 },
  { op: "Clip", low: -0.5, high: 1.25 },
  { op: "Clip", low: -Infinity, high: 2 },
  { op: "Erf" },
  { op: "Gelu", approximate: "none" },
  { op: "Gelu", approximate: "tanh" },
  { op: "Elu", alpha: 1.5 },
  { op: "Selu", alpha: 1.6732632, gamma: 1.050701 },
  { op: "Softplus" },
  { op: "Neg" },
  { op: "Abs" },
  { op: "Sign" },
  { op: "Floor" },
  { op: "Ceil" },
  { op: "Round" },
];

/** Functions that are not defined everywhere, or not finite. */
const partial: readonly Function[] = [
  { op: "Exp" },
  { op: "Log" },
  { op: "Sqrt" },
  { op: "Reciprocal" },
];

const floatUnary = family(
  "functions of one value in float equal the reference",
  fc.record({ node: fc.constantFrom(...functions), shape, span: fc.constantFrom(1, 8, 60), seed }),
  ({ node, shape: dims, span, seed: from }) => single(node, [{ tensor: floats(dims, from, span) }]),
  { terms: 1e-6 }, // the reference's 1 + erf x has no digits below 1e-16, where Gelu is not 0 yet
);

const partialUnary = family(
  "functions with poles and gaps give ∞ and NaN where the reference does",
  fc.record({
    node: fc.constantFrom(...partial),
    shape,
    step: fc.constantFrom(0.25, 0.5, 3),
    count: fc.constantFrom(3, 40),
    seed,
  }),
  ({ node, shape: dims, step, count, seed: from }) =>
    single(node, [{ tensor: steps(dims, from, step, count) }]),
);

/** All 256 codes of a dtype. */
function allCodes(quant: QParams) {
  return quant.dtype === "int8"
    ? tensor(
        "int8",
        [256],
        Int8Array.from({ length: 256 }, (_, q) => q - 128),
      )
    : tensor(
        "uint8",
        [256],
        Uint8Array.from({ length: 256 }, (_, q) => q),
      );
}

const lookups = family(
  "functions of one value in integers equal the reference for every code",
  fc.record({ node: fc.constantFrom(...functions), from: perTensor, to: perTensor }),
  ({ node, from, to }) => single(node, [{ tensor: allCodes(from), quant: from }], to),
);

/** Two shapes that broadcast; each operand lacks some axes or repeats along some. */
const broadcastShapes = fc
  .array(fc.tuple(size, fc.constantFrom("both", "both", "left", "right")), { maxLength: 6 })
  .chain((axes) =>
    fc.record({
      a: fc.constant(axes.map(([length, who]) => (who === "right" ? 1 : length))),
      b: fc.constant(axes.map(([length, who]) => (who === "left" ? 1 : length))),
      drop: fc.nat(axes.length),
      dropFrom: fc.constantFrom("a", "b"),
    }),
  )
  .map(({ a, b, drop, dropFrom }) => ({
    a: dropFrom === "a" ? a.slice(drop) : a,
    b: dropFrom === "b" ? b.slice(drop) : b,
  }));

const constants = fc.constantFrom({}, { a: true }, { b: true });

/** Divisors away from 0: the quotient's error then stays relative to the operands'. */
const awayFromZero = (x: ReturnType<typeof floats>) =>
  float32(
    x.shape,
    x.data.map((value) => (value < 0 ? value - 0.5 : value + 0.5)),
  );

const floatBinary = family(
  "Add, Sub, Mul and Div in float equal the reference over every broadcast",
  fc.record({
    op: fc.constantFrom("Add" as const, "Sub" as const, "Mul" as const, "Div" as const),
    shapes: broadcastShapes,
    constants,
    clamp: fc.constantFrom({}, { low: 0 }, { low: -0.5, high: 0.75 }),
    seed,
  }),
  ({ op, shapes: { a, b }, constants: held, clamp, seed: from }) =>
    single({ op, ...clamp }, [
      { tensor: floats(a, from), constant: "a" in held },
      { tensor: awayFromZero(floats(b, from + 1)), constant: "b" in held },
    ]),
);

const integerBinary = family(
  "Add, Sub and Mul in integers equal the reference bit for bit over every broadcast",
  fc.record({
    op: fc.constantFrom("Add" as const, "Sub" as const, "Mul" as const),
    shapes: broadcastShapes,
    constants,
    left: perTensor,
    right: perTensor,
    to: perTensor,
    clamp: fc.constantFrom({}, { low: 0 }, { low: -3, high: 6 }),
    seed,
  }),
  ({ op, shapes: { a, b }, constants: held, left, right, to, clamp, seed: from }) =>
    single(
      { op, ...clamp },
      [
        {
          tensor: codes(left.dtype as "int8" | "uint8", a, from),
          quant: left,
          constant: "a" in held,
        },
        {
          tensor: codes(right.dtype as "int8" | "uint8", b, from + 1),
          quant: right,
          constant: "b" in held,
        },
      ],
      to,
    ),
);

const batchNorm = family(
  "BatchNormalization equals the reference",
  fc.record({
    shape: fc.array(dim, { minLength: 2, maxLength: 5 }),
    epsilon: fc.constantFrom(1e-5, 0.1),
    seed,
  }),
  ({ shape: dims, epsilon, seed: from }) => {
    const channels = [dims[1] ?? 1];
    const positive = floats(channels, from + 4);
    const variance = float32(
      channels,
      positive.data.map((v) => Math.abs(v) + 0.1),
    );
    return single({ op: "BatchNormalization", epsilon }, [
      { tensor: floats(dims, from) },
      ...[1, 2, 3].map((k) => ({ tensor: floats(channels, from + k), constant: true })),
      { tensor: variance, constant: true },
    ]);
  },
  sums,
);

const quantize = family(
  "Quantize equals the reference on half-steps and beyond the range",
  fc.record({ shape, to: perTensor, seed }),
  ({ shape: dims, to, seed: from }) =>
    single({ op: "Quantize" }, [{ tensor: steps(dims, from, (to.scale[0] ?? 1) / 2) }], to),
);

const dequantize = family(
  "Dequantize equals the reference",
  fc.record({ shape, from: perTensor, seed }),
  ({ shape: dims, from, seed: start }) =>
    single(
      { op: "Dequantize" },
      [{ tensor: codes(from.dtype as "int8" | "uint8", dims, start), quant: from }],
      "float32",
    ),
);

/** A scale and zero point for each slice of `axis`, or one of each; near `scale`, both kinds of place. */
function slices(
  dims: readonly number[],
  axis: number | undefined,
  scale: number,
  zeroPoint: number,
  isFed: boolean,
): Operand[] {
  const shape = axis === undefined ? [] : [dims[axis] ?? 1];
  const count = shape[0] ?? 1;
  const each = <T>(make: (c: number) => T) => Array.from({ length: count }, (_, c) => make(c));
  const place = isFed ? {} : { constant: true };
  return [
    {
      tensor: float32(
        shape,
        each((c) => Math.fround(scale * (1 + (c % 5) / 8))),
      ),
      ...place,
    },
    {
      tensor: float32(
        shape,
        each(() => zeroPoint),
      ),
      ...place,
    },
  ];
}

const ranges = fc.constantFrom<[number, number]>(
  [-128, 127],
  [0, 255],
  [-127, 127],
  [0, 15],
  [-8, 7],
);

/** An axis of `dims`, or none. */
const axisOf = (dims: readonly number[], pick: number): number | undefined =>
  pick % (dims.length + 1) === dims.length ? undefined : pick % (dims.length + 1);

const fakeQuantize = family(
  "FakeQuantize equals the reference on half-steps and beyond the range",
  fc.record({ shape, to: perTensor, range: ranges, pick: fc.nat(5), fed: fc.boolean(), seed }),
  ({ shape: dims, to, range: [qmin, qmax], pick, fed, seed: from }) => {
    const axis = axisOf(dims, pick);
    const scale = to.scale[0] ?? 1;
    const parameters = slices(dims, axis, scale, qmin + (from % (qmax - qmin + 1)), fed);
    const node = {
      op: "FakeQuantize",
      qmin,
      qmax,
      ...(axis === undefined ? {} : { axis }),
    } as const;
    return single(node, [{ tensor: steps(dims, from, scale / 2) }, ...parameters]);
  },
  { tolerance: 0 },
);

/** Values of a gradient, none of them 0, so that a mask shows in every element. */
const gradients = (dims: readonly number[], from: number) => awayFromZero(floats(dims, from));

/** Half-steps, of which every second is the tie at an edge of [low, high] steps or a neighbour of it in
 *  f32. */
function aroundEdges(
  dims: readonly number[],
  from: number,
  scale: number,
  low: number,
  high: number,
) {
  const x = steps(dims, from, scale / 2);
  const bits = new Int32Array(x.data.buffer, x.data.byteOffset, x.data.length);
  for (let index = 0; index < bits.length; index += 2) {
    x.data[index] = scale * (index % 4 === 0 ? low - 0.5 : high + 0.5);
    bits[index]! += ((index >> 2) % 3) - 1;
  }
  return x;
}

const fakeQuantizeGrad = family(
  "FakeQuantizeGrad equals the reference bit for bit on ties at the clamp's edges and their neighbours",
  fc.record({ shape, to: perTensor, range: ranges, pick: fc.nat(5), fed: fc.boolean(), seed }),
  ({ shape: dims, to, range: [qmin, qmax], pick, fed, seed: from }) => {
    const axis = axisOf(dims, pick);
    const scale = to.scale[0] ?? 1;
    const zeroPoint = qmin + (from % (qmax - qmin + 1));
    const x = aroundEdges(dims, from, scale, qmin - zeroPoint, qmax - zeroPoint);
    const parameters = slices(dims, axis, scale, zeroPoint, fed);
    const bounds = { qmin, qmax, ...(axis === undefined ? {} : { axis }) };
    const gradient = { tensor: gradients(dims, from + 1) };
    return single({ op: "FakeQuantizeGrad", ...bounds }, [{ tensor: x }, gradient, ...parameters]);
  },
  { tolerance: 0 },
);

const learned = family(
  "FakeQuantizeGrad with learned parameters equals the reference on half-steps, summed per slice",
  fc.record({ shape, to: perTensor, range: ranges, pick: fc.nat(5), seed }),
  ({ shape: dims, to, range: [qmin, qmax], pick, seed: from }) => {
    const axis = axisOf(dims, pick);
    const scale = to.scale[0] ?? 1;
    const zeroPoint = qmin + (from % (qmax - qmin + 1)) + ((from % 7) - 3) / 8;
    const x = { tensor: steps(dims, from, scale / 2) };
    const parameters = slices(dims, axis, scale, zeroPoint, true);
    const bounds = { qmin, qmax, gradientScale: 0.125, ...(axis === undefined ? {} : { axis }) };
    const gradient = { tensor: gradients(dims, from + 1) };
    const node = { op: "FakeQuantizeGrad", ...bounds } as const;
    return single(node, [x, gradient, ...parameters], undefined, 3);
  },
  { terms: 100 }, // half of 255 levels, by a gradient of about 1: the terms of dScale
);

/** What an observer has seen before: nothing, or so much of each slice. */
function seenBefore(count: number, isNew: boolean, from: number): number[] {
  if (isNew) return Array.from({ length: 2 * count }, (_, i) => (i < count ? Infinity : -Infinity));
  const bound = floats([2 * count], from, 3).data;
  return Array.from(
    { length: 2 * count },
    (_, i) => Math.abs(bound[i] ?? 0) * (i < count ? -1 : 1),
  );
}

const observed = family(
  "MovingAverageObserve equals the reference bit for bit: range, scale and zero point",
  fc.record({
    shape: fc.array(size, { minLength: 1, maxLength: 5 }),
    large: fc.boolean(),
    pick: fc.nat(5),
    range: ranges,
    symmetric: fc.boolean(),
    rule: fc.constantFrom("observer" as const, "fused" as const),
    averaged: fc.boolean(),
    isNew: fc.boolean(),
    span: fc.constantFrom(1e-7, 1, 50),
    offset: fc.constantFrom(0, 0, 2, -2),
    seed,
  }),
  ({ shape: dims, large, pick, range: [qmin, qmax], symmetric, seed: from, ...rest }) => {
    const shape = large ? [3, 5, 37, 19] : dims;
    const axis = axisOf(shape, pick);
    const count = axis === undefined ? 1 : (shape[axis] ?? 1);
    const x = floats(shape, from, rest.span);
    for (let i = 0; i < x.data.length; i++) x.data[i]! += rest.offset * rest.span;
    const parameters = axis === undefined ? [] : [count];
    const variable = (dims: readonly number[], values: readonly number[]) => ({
      tensor: float32(dims, values),
      variable: true,
    });
    const node: Attributes<MovingAverageObserve> = {
      op: "MovingAverageObserve",
      scheme: symmetric ? "symmetric" : "affine",
      qmin,
      qmax,
      eps: 2 ** -23,
      zeroPoint: symmetric ? Math.floor((qmin + qmax + 1) / 2) : 0,
      rule: rest.rule,
      ...(axis === undefined ? {} : { axis }),
      ...(rest.averaged ? { averagingConstant: 0.01 } : {}),
    };
    const nothing = Array.from({ length: count }, () => 0);
    return single(
      node,
      [
        { tensor: x },
        variable([2, ...parameters], seenBefore(count, rest.isNew, from + 1)),
        variable(parameters, nothing),
        variable(parameters, nothing),
      ],
      undefined,
      0,
    );
  },
  { tolerance: 0 },
);

/** A base and what it is raised to: whole and broken exponents of both signs, bases below and at 0 too. */
const powers = family(
  "Pow equals the reference, with constant exponents and others, and bases below 0",
  fc.record({
    shapes: broadcastShapes,
    exponent: fc.constantFrom(undefined, 2, 0.5, -0.5, 3, -1, 0, 1.7),
    rank: fc.constantFrom(0, 1, 3),
    clamp: fc.constantFrom({}, { low: -0.5, high: 2 }),
    seed,
  }),
  ({ shapes: { a, b }, exponent, rank, clamp, seed: from }) => {
    const base = steps(a, from, 0.25, 8);
    const power =
      exponent === undefined
        ? { tensor: steps(b, from + 1, 0.5, 6) }
        : {
            tensor: float32(
              Array.from({ length: rank }, () => 1),
              [exponent],
            ),
            constant: true,
          };
    return single({ op: "Pow", ...clamp }, [{ tensor: base }, power]);
  },
);

const extremes = family(
  "Min and Max equal the reference over every broadcast",
  fc.record({
    op: fc.constantFrom("Min" as const, "Max" as const),
    shapes: broadcastShapes,
    clamp: fc.constantFrom({}, { low: -0.5, high: 0.75 }),
    seed,
  }),
  ({ op, shapes: { a, b }, clamp, seed: from }) =>
    single({ op, ...clamp }, [{ tensor: floats(a, from) }, { tensor: floats(b, from + 1) }]),
  { tolerance: 0 },
);

export const elementwise: readonly Family[] = [
  floatUnary,
  partialUnary,
  powers,
  extremes,
  lookups,
  floatBinary,
  integerBinary,
  batchNorm,
  quantize,
  dequantize,
  fakeQuantize,
  fakeQuantizeGrad,
  learned,
  observed,
];
